"""What a list route may be asked for besides its rows: filters, search, ordering, pages.

One declaration serves native routes, which trace it, and views, which apply it per request.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .filtering import apply_filters, apply_ordering, apply_search, lookup_type
from .filters import Filter, Filters
from .pagination import CursorPage, LimitOffset, PageNumber, Pagination
from .params import Query

__all__ = ["Listing", "Wanted"]

#: Times any size of a page, it is still a row PostgreSQL can count to: OFFSET is a bigint.
_LAST_PAGE = 2**31 - 1
_LAST_OFFSET = 2**63 - 1


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One declared query parameter.

    Parameters:
        name: of the query parameter.
        annotation: its type, with its rules.
        default: where it is absent.
    """

    name: str
    annotation: Any
    default: Any = None

    @property
    def hint(self) -> Any:
        """The type of a handler's parameter: ``None`` where the request does not say."""
        return self.annotation if self.default is not None else self.annotation | None


@dataclasses.dataclass(frozen=True)
class Listing:
    """The declaration.

    Parameters:
        filters: by query parameter.
        ordering: fields the client may order by with ``?ordering=-views,title``.
        search: fields searched by ``?search=``.
        page: how results are paged.
    """

    filters: Filters = dataclasses.field(default_factory=dict[str, Filter])
    ordering: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    page: Pagination | None = None

    @property
    def optional(self) -> list[str]:
        """Parameters whose presence changes the query."""
        return [*self.filters, *(["search"] if self.search else [])]

    @property
    def needs_model(self) -> bool:
        """Whether the parameters' types follow from the model."""
        return bool(self.filters or self.search or self.ordering)

    def parameters(self, model: Any, handler: Any) -> Iterator[Wanted]:
        """The query parameters.

        Parameters:
            model: of the list's rows.
            handler: to name its line in errors.

        Errors:
            ConfigurationError: an unknown field or lookup.
        """
        for name, item in self.filters.items():
            hint = item.type or (lookup_type(model, item.lookup, handler) if isinstance(item.lookup, str) else str)
            yield Wanted(name, _described(hint, item.description))
        if self.search:
            yield Wanted("search", str)
        if self.ordering:
            choices = [sign + field for field in self.ordering for sign in ("", "-")]
            yield Wanted("ordering", typing.Literal[tuple(choices)])
        yield from self._page_parameters()

    def _page_parameters(self) -> Iterator[Wanted]:
        match self.page:
            case PageNumber(size=size, max_size=most, param=param, size_param=size_param):
                yield Wanted(param, typing.Annotated[int, Query(ge=1, le=_LAST_PAGE)], 1)
                if size_param:
                    yield Wanted(size_param, typing.Annotated[int, Query(ge=1, le=most)], size)
            case LimitOffset(limit=limit, max_limit=most):
                yield Wanted("limit", typing.Annotated[int, Query(ge=1, le=most)], limit)
                yield Wanted("offset", typing.Annotated[int, Query(ge=0, le=_LAST_OFFSET)], 0)
            case CursorPage(size=size, max_size=most, param=param, size_param=size_param):
                yield Wanted(param, str)
                if size_param:
                    yield Wanted(size_param, typing.Annotated[int, Query(ge=1, le=most)], size)
            case None:
                return

    def narrow(self, rows: Any, present: Iterable[str], ordering: str | None, values: Mapping[str, Any]) -> Any:
        """The rows that are asked for, in the order that is asked for.

        Parameters:
            rows: a queryset.
            present: names of the filters (and ``search``) the request carries.
            ordering: value of ``?ordering=``, or ``None`` for the queryset's own order.
            values: by parameter; symbolic ones for a native route.
        """
        present = frozenset(present)
        rows = apply_filters(rows, [(item, values[name]) for name, item in self.filters.items() if name in present])
        if "search" in present:
            rows = apply_search(rows, self.search, values["search"])
        return rows if ordering is None else apply_ordering(rows, ordering)

    def cursor_page(self, rows: Any, values: Mapping[str, Any], scope: str, direction: Any, first: int) -> Any:
        """The page that a cursor asks for; see :class:`plectrum.orm.cursor.CursorRows`."""
        from .orm.cursor import CursorRows

        assert isinstance(self.page, CursorPage)
        size = values[self.page.size_param] if self.page.size_param else self.page.size
        return CursorRows[Any](rows, size, self.page.param, scope, direction, first)

    def continued(self, rows: Any, values: Mapping[str, Any], scope: str) -> Any:
        """The page that a request's cursor asks for; the first one without a cursor.

        Parameters:
            rows: a queryset.
            values: of the request.
            scope: which list it is: cursors of others are refused.

        Errors:
            ValidationError: 422, the cursor is none of this list's.
        """
        assert isinstance(self.page, CursorPage)
        cursor = values[self.page.param]
        first = self.cursor_page(rows, values, scope, None, 0)
        return first if cursor is None else first.at(cursor)

    def paged(self, rows: Any, values: Mapping[str, Any]) -> Any:
        """The page that is asked for; the rows themselves without paging."""
        from .orm import Page

        page: Any = Page
        match self.page:
            case PageNumber(size=size, param=param, size_param=size_param, count=count):
                size = values[size_param] if size_param else size
                return page(rows, number=values[param], size=size, count=count)
            case LimitOffset(count=count):
                return page(rows, limit=values["limit"], offset=values["offset"], count=count)
            case _:
                return rows


def _described(hint: Any, description: str | None) -> Any:
    return hint if description is None else typing.Annotated[hint, Query(description=description)]
