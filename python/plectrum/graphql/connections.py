"""Relay's connections: pages of a list by cursors, with what is known about them.

Source: GraphQL Cursor Connections Specification (Relay).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Window
from django.db.models.functions import RowNumber

from plectrum.orm.internal import Rows
from plectrum.orm.param import Param

from .errors import GraphQLError
from .expressions import cursor_of
from .fields import ObjectType
from .keyset import Key, beyond, keys_of
from .scope import Scope

__all__ = ["Page", "page_of"]


@dataclass(frozen=True)
class Page:
    """A page of a list.

    Parameters:
        everything: the list's rows, filtered.
        rows: those on the page's side of its cursors, in the order they are counted in.
        keys: what they are ordered by, in that order.
        size: rows on the page; ``None`` for all.
        backwards: whether they are counted from the end.
        before, after: whether there is a cursor.
    """

    everything: Rows
    rows: Rows
    keys: list[Key]
    size: Param | int | None
    backwards: bool
    before: bool
    after: bool

    @property
    def sliced(self) -> Rows:
        """The page's rows."""
        return self.rows if self.size is None else self.rows[: self.size]

    @property
    def one_more(self) -> Rows:
        """The page's rows and the one that tells whether there are more."""
        return self.rows if self.size is None else self.rows[: self.size + 1]

    @property
    def cursor(self) -> Any:
        """A row's cursor."""
        return cursor_of([key.path for key in self.keys])

    def number(self, partition: str | None) -> Any:
        """A row's number, from 1, among those of its parent."""
        order = [key.expression for key in self.keys]
        return Window(RowNumber(), partition_by=[partition] if partition else None, order_by=order)


def page_of(scope: Scope, one: ObjectType, rows: Rows, arguments: dict[str, Any]) -> Page:
    """The page a client asked for.

    Parameters:
        scope: the plan in the making.
        one: type of the rows.
        rows: filtered.
        arguments: ``orderBy``, ``first``, ``after``, ``last``, ``before``.

    Errors:
        GraphQLError: ``first`` and ``last`` together, or a cursor of another list.
    """
    keys = keys_of(scope, one, arguments.get("orderBy"))
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise GraphQLError("A connection takes first or last, not both.")
    after, before = arguments.get("after"), arguments.get("before")
    side = rows
    if after is not None:
        side = side.filter(beyond(scope, keys, after))
    if before is not None:
        side = side.filter(beyond(scope, [key.reversed() for key in keys], before))
    backwards = last is not None
    if backwards:
        keys = [key.reversed() for key in keys]
    asked = last if backwards else first
    most = scope.graph.declared.max_limit
    size = scope.graph.declared.default_limit
    if asked is not None:
        size = scope.bound(asked, "last" if backwards else "first", most)
    ordered = side.order_by(*(key.expression for key in keys))
    return Page(rows, ordered, keys, size, backwards, before is not None, after is not None)
