"""What a query function or a handler may return beside a plain QuerySet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from django.db.models import QuerySet

from plectrum.errors import PlanError

__all__ = ["Count", "Exists", "One", "Page"]

T = TypeVar("T")


@dataclass(frozen=True)
class One(Generic[T]):
    """A single object: the only row of a queryset. No row is a 404, a second row is an error, as in ``QuerySet.get()``.

    Parameters:
        queryset: the rows to choose from.
    """

    queryset: QuerySet[Any]


@dataclass(frozen=True)
class Count:
    """The number of rows, as ``QuerySet.count()``.

    Parameters:
        queryset: the rows to count.
    """

    queryset: QuerySet[Any]


@dataclass(frozen=True)
class Exists:
    """Whether there is a row, as ``QuerySet.exists()``.

    Parameters:
        queryset: the rows to look for.
    """

    queryset: QuerySet[Any]


class Page(Generic[T]):
    """A page of a queryset with the count of all its rows: ``{"count", "next", "previous", "results"}``.

    Counting reads every row that matches. ``count=False`` leaves it away, ``count="estimated"`` takes PostgreSQL's own
    estimate where all of a table is asked for, and counts otherwise. Whether there is a next page is then told by one
    row more than the page has: ``{"results", "next", "previous"}``, and ``"count"`` where it is wanted.

    Either by number or by offset::

        Page(articles, number=page, size=20)
        Page(articles, limit=limit, offset=offset)

    Parameters:
        queryset: all rows; not sliced. Without an order it is put in the order of its primary key.
        number: page number, from 1.
        size: rows on a page.
        limit: rows to give.
        offset: rows to skip.
        count: whether rows are counted, or ``"estimated"``.

    Source: Django REST framework, ``PageNumberPagination`` and ``LimitOffsetPagination``.

    Errors:
        PlanError: neither pair of arguments is complete, or the queryset is sliced.
    """

    __slots__ = ("count", "limit", "number", "offset", "queryset", "size")

    def __init__(
        self,
        queryset: QuerySet[Any],
        *,
        number: Any = None,
        size: Any = None,
        limit: Any = None,
        offset: Any = None,
        count: bool | Literal["estimated"] = True,
    ) -> None:
        by_number = number is not None and size is not None and limit is None and offset is None
        by_offset = limit is not None and offset is not None and number is None and size is None
        if not by_number and not by_offset:
            raise PlanError("Page() needs number= and size=, or limit= and offset=.")
        if count not in (True, False, "estimated"):
            raise PlanError(f"Page(count={count!r}): count= is True, False or 'estimated'.")
        if queryset.query.is_sliced:
            raise PlanError("Page() slices the queryset itself: pass it unsliced.")
        self.queryset = queryset if queryset.ordered else queryset.order_by("pk")
        self.number = number
        self.size = size
        self.limit = limit
        self.offset = offset
        self.count = count

    @property
    def rows(self) -> QuerySet[Any]:
        """The rows of the page, and the one behind it where nothing else tells of a next page."""
        probe = 0 if self.count is True else 1
        start: Any = self.offset
        stop: Any = None
        if self.number is not None:
            start, stop = (self.number - 1) * self.size, self.number * self.size
        else:
            stop = start + self.limit
        return self.queryset[start : stop + probe if probe else stop]
