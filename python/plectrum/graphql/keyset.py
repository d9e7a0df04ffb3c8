"""Positions in an ordered list: what comes after a cursor, and what before it (Relay's cursor connections)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from .errors import GraphQLError
from .fields import Column, ObjectType, One
from .scalars import ID
from .scope import Scope

__all__ = ["Key", "beyond", "keys_of"]


@dataclass(frozen=True)
class Key:
    """One of the values a list is ordered by.

    Parameters:
        one: type that has the column.
        column: the column.
        path: to it, as lookups have it.
        descending: largest first.
        nulls_first: where nulls are; ``None`` where there are none.
    """

    one: ObjectType
    column: Column
    path: str
    descending: bool = False
    nulls_first: bool | None = None

    def reversed(self) -> Key:
        """The same, from the other end."""
        nulls = None if self.nulls_first is None else not self.nulls_first
        return replace(self, descending=not self.descending, nulls_first=nulls)

    @property
    def expression(self) -> OrderBy:
        """For ``order_by()``."""
        options: Any = {}
        if self.nulls_first is not None:
            options = {"nulls_first": True} if self.nulls_first else {"nulls_last": True}
        return F(self.path).desc(**options) if self.descending else F(self.path).asc(**options)


def keys_of(scope: Scope, one: ObjectType, shape: list[Any] | None) -> list[Key]:
    """What a connection is ordered by: ``orderBy``, else the model's order, else the key, which decides among equals.

    Parameters:
        scope: the plan in the making.
        one: type of the rows.
        shape: value of ``orderBy``.
    """
    asked = [key for item in shape or () for key in _asked(scope, one, item or {}, one, "", False)]
    last = Key(one, Column("id", "pk", ID, False), "pk")
    return [*(asked or _by_model(one)), last]


def _asked(
    scope: Scope, root: ObjectType, shape: dict[str, Any], one: ObjectType, prefix: str, nullable: bool
) -> Iterator[Key]:
    for name, part in shape.items():
        field = one.fields[name]
        if part is None:
            continue
        if isinstance(field, Column):
            yield _key(one, field, prefix, part, nullable or field.nullable)
        elif isinstance(field, One):
            path = f"{prefix}{field.relation.path or field.relation.name}__"
            yield from _asked(scope, root, part, scope.graph.types[field.target], path, nullable or field.nullable)


def _key(one: ObjectType, column: Column, prefix: str, order: str, nullable: bool) -> Key:
    direction, _, nulls = order.partition("_NULLS_")
    descending = direction == "DESC"
    first = (nulls == "FIRST" if nulls else descending) if nullable else None
    return Key(one, column, prefix + column.path, descending, first)


def _by_model(one: ObjectType) -> list[Key]:
    """The model's own order, as far as it consists of columns that clients see."""
    columns = {column.path: column for column in one.columns}
    keys: list[Key] = []
    for item in one.model._meta.ordering:
        name = item.lstrip("-") if isinstance(item, str) else ""
        column = columns.get("pk" if name == "id" else name)
        if column is None:
            return []
        if column.path != "pk":
            keys.append(_key(one, column, "", "DESC" if item.startswith("-") else "ASC", column.nullable))
    return keys


def beyond(scope: Scope, keys: list[Key], shape: dict[str, Any]) -> Q:
    """The condition of the rows after a cursor.

    Parameters:
        scope: the plan in the making.
        keys: the list's order; reversed for the rows before it.
        shape: the cursor's values.

    Errors:
        GraphQLError: the cursor is one of a list in another order.
    """
    values: list[Any] = shape["cursor"]
    if len(values) != len(keys):
        raise GraphQLError("The cursor is one of a list in another order.")
    found, equal = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        further = _further(scope, key, value)
        if further is not None:
            found |= equal & further
        equal &= _equal(scope, key, value)
    return found


def _further(scope: Scope, key: Key, value: Any) -> Q | None:
    if value is None:
        return Q(**{f"{key.path}__isnull": False}) if key.nulls_first else None
    lookup = "lt" if key.descending else "gt"
    further = Q(**{f"{key.path}__{lookup}": _value(scope, key, value)})
    return further | Q(**{f"{key.path}__isnull": True}) if key.nulls_first is False else further


def _equal(scope: Scope, key: Key, value: Any) -> Q:
    if value is None:
        return Q(**{f"{key.path}__isnull": True})
    return Q(**{key.path: _value(scope, key, value)})


def _value(scope: Scope, key: Key, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return scope.arguments.take(value, scope.stored(key.one, key.column), "the cursor")  # pyright: ignore[reportUnknownArgumentType]
