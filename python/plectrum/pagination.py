"""How lists are paged."""

from __future__ import annotations

import dataclasses

__all__ = ["LimitOffset", "PageNumber", "Pagination"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageNumber:
    """``?page=2``: numbered pages of a fixed size, answered as ``{"count", "next", "previous", "results"}``.

    Parameters:
        size: items on a page.
        max_size: largest size a client may ask for with ``size_param``.
        param: query parameter of the page number, counted from 1.
        size_param: query parameter of the size; ``None`` fixes the size.

    Source: Django REST framework, ``PageNumberPagination``.
    """

    size: int = 20
    max_size: int = 100
    param: str = "page"
    size_param: str | None = "page_size"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LimitOffset:
    """``?limit=20&offset=40``, answered as ``{"count", "next", "previous", "results"}``.

    Parameters:
        limit: items given where the client names no limit.
        max_limit: largest limit a client may ask for.

    Source: Django REST framework, ``LimitOffsetPagination``.
    """

    limit: int = 20
    max_limit: int = 100


Pagination = PageNumber | LimitOffset
