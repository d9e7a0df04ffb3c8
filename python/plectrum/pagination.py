"""How lists are paged."""

from __future__ import annotations

import dataclasses
from typing import Literal

__all__ = ["CursorPage", "LimitOffset", "PageNumber", "Pagination"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageNumber:
    """``?page=2``: numbered pages of a fixed size, answered as ``{"count", "next", "previous", "results"}``.

    Parameters:
        size: items on a page.
        max_size: largest size a client may ask for with ``size_param``.
        param: query parameter of the page number, counted from 1.
        size_param: query parameter of the size; ``None`` fixes the size.
        count: whether all rows are counted; ``False`` leaves ``count`` away, ``"estimated"`` takes PostgreSQL's own
            estimate where nothing narrows the list.

    Source: Django REST framework, ``PageNumberPagination``.
    """

    size: int = 20
    max_size: int = 100
    param: str = "page"
    size_param: str | None = "page_size"
    count: bool | Literal["estimated"] = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class LimitOffset:
    """``?limit=20&offset=40``, answered as ``{"count", "next", "previous", "results"}``.

    Parameters:
        limit: items given where the client names no limit.
        max_limit: largest limit a client may ask for.
        count: as of :class:`PageNumber`.

    Source: Django REST framework, ``LimitOffsetPagination``.
    """

    limit: int = 20
    max_limit: int = 100
    count: bool | Literal["estimated"] = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class CursorPage:
    """``?cursor=…``: the rows after (or before) a row, answered as ``{"next", "previous", "results"}``.

    No row is skipped or given twice while others are added or removed, and the last page costs what the first does.
    Cursors are opaque and signed; the order is the queryset's or that of ``?ordering=``, with the primary key last,
    over columns that are never NULL.

    Parameters:
        size: items on a page.
        max_size: largest size a client may ask for with ``size_param``.
        param: query parameter of the cursor.
        size_param: query parameter of the size; ``None`` fixes the size.

    Source: Django REST framework, ``CursorPagination``.
    """

    size: int = 20
    max_size: int = 100
    param: str = "cursor"
    size_param: str | None = "page_size"


Pagination = PageNumber | LimitOffset | CursorPage
