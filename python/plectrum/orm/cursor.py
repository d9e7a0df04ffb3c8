"""Lists with cursors: an order that tells every row from every other, and the rows on one side of a place in it."""

from __future__ import annotations

import dataclasses
import decimal
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from django.db.models import F, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy

from plectrum import _core
from plectrum.cursors import secret
from plectrum.errors import PlanError, ValidationError
from plectrum.filtering import value_type_of

from .param import Param

__all__ = ["EDGE", "CursorRows", "Direction", "Key", "keys_of"]

T = TypeVar("T")
Direction = Literal["next", "previous"]
#: Name of the annotation that selects a row's value of an order key; its number follows.
EDGE = "_plectrum_edge_"


@dataclass(frozen=True)
class Key:
    """One key of an order.

    Parameters:
        name: a field, a path to one, or an annotation.
        descending: largest first.
    """

    name: str
    descending: bool

    @property
    def text(self) -> str:
        """As ``order_by`` takes it."""
        return f"-{self.name}" if self.descending else self.name

    def reversed(self) -> Key:
        """The opposite order."""
        return dataclasses.replace(self, descending=not self.descending)


@dataclass(frozen=True)
class CursorRows(Generic[T]):
    """A page of a list with cursors; what the declaration of a native route or a view set makes of its queryset.

    Parameters:
        queryset: all rows, not sliced.
        size: rows on a page.
        param: query parameter of the cursor.
        scope: which list it is: cursors of others are refused.
        direction: which way the request's cursor points; ``None`` without one.
        first: number of the argument that holds the cursor's first value.
        values: those of the request's cursor, where they are known already.
    """

    queryset: QuerySet[Any]
    size: Any
    param: str
    scope: str
    direction: Direction | None = None
    first: int = 0
    values: tuple[Any, ...] | None = None

    @property
    def place(self) -> str:
        """The list in its order: what cursors are signed for."""
        return f"{self.scope} {','.join(key.text for key in self.keys)}"

    def at(self, cursor: str) -> CursorRows[T]:
        """The page that a request's cursor asks for.

        Errors:
            ValidationError: 422, it is not one of this list in this order.
        """
        found = _core.read_cursor(secret(), self.place, cursor)
        if found is None:
            message = "The cursor is not one of this list in this order"
            raise ValidationError([{"loc": ["query", self.param], "type": "cursor", "msg": message}])
        direction, values = found
        known = tuple(json.loads(values, parse_float=decimal.Decimal))
        return dataclasses.replace(self, direction=direction, values=known)

    @property
    def keys(self) -> list[Key]:
        """The whole order, the primary key last."""
        return keys_of(self.queryset)

    @property
    def rows(self) -> QuerySet[Any]:
        """One row more than the page has, in the order they are read in, with the values of the order selected."""
        keys = self.keys
        rows: Any = self.queryset
        if self.direction is not None:
            rows = rows.filter(_beyond(self._ahead(keys), self.arguments if self.values is None else self.values))
        rows = rows.order_by(*[key.text for key in self._ahead(keys)])
        rows = rows.annotate(**{f"{EDGE}{index}": F(key.name) for index, key in enumerate(keys)})
        return rows[: self.size + 1]  # type: ignore[no-any-return]

    @property
    def arguments(self) -> list[Param]:
        """What stands for the values of the request's cursor; none without one, or where they are known."""
        if self.direction is None or self.values is not None:
            return []
        return [self._param(index, key) for index, key in enumerate(self.keys)]

    def _ahead(self, keys: Sequence[Key]) -> list[Key]:
        """The order the rows are read in."""
        return [key.reversed() for key in keys] if self.direction == "previous" else list(keys)

    def _param(self, index: int, key: Key) -> Param:
        return Param(f"cursor[{index}]", _type_of(self.queryset, key), "cursor", self.first + index)


def _beyond(keys: Sequence[Key], values: Sequence[Any]) -> Q:
    """The rows after a place: ``a > x or (a = x and (b > y or …))``, with ``a >= x`` for the index."""
    key, value = keys[0], values[0]
    step = "lt" if key.descending else "gt"
    after = Q(**{f"{key.name}__{step}": value})
    if len(keys) == 1:
        return after
    rest = Q(**{key.name: value}) & _beyond(keys[1:], values[1:])
    return Q(**{f"{key.name}__{step}e": value}) & (after | rest)


def keys_of(queryset: Any) -> list[Key]:
    """The order of a queryset, made total.

    Errors:
        PlanError: it is no order a cursor can stand in.
    """
    query = queryset.query
    if query.is_sliced:
        raise PlanError("A list with cursors slices the queryset itself: pass it unsliced.")
    given = query.order_by or (query.get_meta().ordering if query.default_ordering else ())
    keys = [_key(item, queryset) for item in given]
    pk = queryset.model._meta.pk
    if not any(key.name in ("pk", pk.name, pk.attname) for key in keys):
        descending = bool(keys) and keys[-1].descending
        keys.append(Key("pk", descending))
    for key in keys:
        _check(queryset, key)
    return keys


def _key(item: Any, queryset: Any) -> Key:
    if isinstance(item, OrderBy) and isinstance(item.expression, F) and not (item.nulls_first or item.nulls_last):
        return Key(_name_of(item.expression), item.descending)
    if isinstance(item, F):
        return Key(_name_of(item), False)
    if isinstance(item, str) and item != "?":
        return Key(item.lstrip("-"), item.startswith("-"))
    raise PlanError(
        f"A cursor cannot stand in the order {item!r} of {queryset.model.__name__}. Order by fields or annotations."
    )


def _name_of(expression: Any) -> str:
    return str(expression.name)


def _check(queryset: Any, key: Key) -> None:
    """Refuses columns that may be NULL, which is neither before nor after anything, and rows given several times."""
    if key.name in queryset.query.annotations:
        return
    options: Any = queryset.model._meta
    nullable = False
    for name in key.name.split(LOOKUP_SEP):
        field = options.pk if name == "pk" else options.get_field(name)
        if field.one_to_many or field.many_to_many:
            raise PlanError(f"A cursor cannot stand in an order by {key.name!r}: a row has several of them.")
        nullable = nullable or field.null or (field.auto_created and field.one_to_one)
        options = field.related_model._meta if field.is_relation else None
    if nullable:
        raise PlanError(
            f"A cursor cannot stand in an order by {key.name!r}, which may be NULL. Order by another field, or by an "
            "annotation with Coalesce()."
        )


def _type_of(queryset: Any, key: Key) -> Any:
    output = queryset.annotate(**{EDGE: F(key.name)}).query.annotations[EDGE].output_field
    while getattr(output, "remote_field", None) is not None:
        output = output.target_field
    found = value_type_of(output)
    if found is None:
        raise PlanError(f"A cursor cannot hold the {type(output).__name__} {key.name!r}. Order by another field.")
    return found
