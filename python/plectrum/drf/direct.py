"""A queryset's rows as a list serializer's JSON, without model instances: Django's cursor → Rust → bytes."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import decimal
import uuid
import weakref
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.models import QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql import Query
from django.utils import timezone

from .. import bridge
from .._core import dump_json
from ..orm.custom import CustomColumn
from ..orm.internal import is_a
from ..orm.plan import Column, Operation, Plan
from ..orm.shape import plan
from ..orm.wanted import Wanted
from . import drivers
from .columns import wanted_of
from .relations import joins_keep_rows, prefetched_paths
from .values import class_of, is_exactly

__all__ = ["queryset_bytes"]

_READING = ("__iter__", "_fetch_all", "_chain", "_clone")
_TYPES: dict[str, type] = {
    "bool": bool,
    "int": int,
    "float": float,
    "decimal": decimal.Decimal,
    "text": str,
    "uuid": uuid.UUID,
    "date": dt.date,
    "time": dt.time,
    "datetime": dt.datetime,
    "duration": dt.timedelta,
    "json": str,
}


def queryset_bytes(child: Any, rows: Any, *, readable: bool = False) -> tuple[bytes, int] | None:
    """The JSON array that DRF would render, and its length; ``None`` where only model instances tell.

    The statement runs on Django's connection and asks for the serializer's columns alone. The queryset stays as it is:
    its rows are not kept.

    Parameters:
        child: the serializer of one row.
        rows: what the list serializer iterates.
        readable: only where the JSON's values are those of ``.data``, which holds a related object's UUID as such.

    Errors:
        django.db.Error: as the database says.
    """
    if not _is_unread(rows) or _in_event_loop():
        return None
    zone = _zone_name()
    prefetched = prefetched_paths(rows.model, rows._prefetch_related_lookups)
    if zone is None or prefetched is None:
        return None
    wanted = wanted_of(child, rows.model, prefetched)
    if wanted is None or not _is_loaded(rows.query.deferred_loading, rows.model, wanted) or _is_at_hand(rows, wanted):
        return None
    if readable and not _is_readable(wanted):
        return None
    try:
        return _written(rows, wanted, zone)
    except Error:  # a second statement would fail otherwise: PostgreSQL's transaction is broken
        raise
    except Exception:  # noqa: BLE001 - whatever goes wrong, DRF meets it again and says it in its own words
        return None


def _written(rows: Any, wanted: Wanted, zone: str) -> tuple[bytes, int] | None:
    operation, arguments = plan(rows, wanted)
    known = drivers.readable(operation)
    return _converted(operation, arguments, zone) if known is None else known.write(arguments, zone)


def _converted(operation: Operation, arguments: list[Any], zone: str) -> tuple[bytes, int] | None:
    """From the values that Django's converters make; plain columns only."""
    if any(not _is_flat(query) for query in operation.queries):
        return None
    operation = _rendering(operation)
    compiled = bridge.compiled(operation)
    found = bridge.run_here(operation.using, False, compiled.number, arguments) or []
    if not all(_is_typed(query, cells) for query, cells in zip(operation.queries, found, strict=True)):
        return None
    return compiled.write_rows(found, arguments, zone), sum(map(len, found))


def _is_flat(query: Plan) -> bool:
    return not query.children and all("column" in template for _, template in query.row["object"]["fields"])


def _in_event_loop() -> bool:
    """Whether a coroutine asks, whom Django refuses its connections."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_unread(rows: Any) -> bool:
    """Whether it is a queryset of model instances, read from the database by Django's own code, and not read yet."""
    if not is_a(rows, QuerySet) or rows._iterable_class is not ModelIterable or rows._result_cache is not None:
        return False
    kind = class_of(rows)
    if any(getattr(getattr(kind, name), "__module__", "") != "django.db.models.query" for name in _READING):
        return False
    query: Any = rows.query
    others = (query.combinator, query.select_for_update, query.extra, query.distinct_fields)
    return is_exactly(query, Query) and not any(others) and joins_keep_rows(rows.model, query.select_related)


def _is_readable(wanted: Wanted) -> bool:
    return all(
        field.hint in (Any, list) and (field.wanted is None or _is_readable(field.wanted))
        for field in wanted.fields or ()
    )


def _is_loaded(loading: tuple[Iterable[str], bool], model: Any, wanted: Wanted) -> bool:
    """Whether no column is wanted that `defer()` or `only()` leave for later."""
    names, deferred = set(loading[0]), loading[1]
    if not names:
        return True
    for field in model._meta.concrete_fields:
        if any(item.name == field.attname for item in wanted.fields or ()):
            named = field.name in names or field.attname in names
            if named == deferred and not field.primary_key:
                return False
    return True


def _is_at_hand(rows: Any, wanted: Wanted) -> bool:
    """Whether a related object that is shown is in memory already, where it may differ from the database's."""
    known: set[str] = {field.name for field in rows._known_related_objects}
    return any(field.wanted is not None and field.name in known for field in wanted.fields or ())


def _zone_name() -> str | None:
    """The zone datetimes are shown in; ``None`` where it has no name that Rust knows."""
    if not settings.USE_TZ:
        return "UTC"
    zone: Any = timezone.get_current_timezone()
    if zone is dt.UTC:
        return "UTC"
    return zone.key if isinstance(zone, zoneinfo.ZoneInfo) else None


class _Json(CustomColumn):
    """JSON as DRF writes it: parsed, so that spaces, escapes and numbers are Python's."""

    def render(self, value: Any) -> str | None:
        """See :meth:`CustomColumn.render`."""
        return None if value is None else dump_json(value, _refuse, False).decode()


def _refuse(value: object) -> object:
    raise ValueError(f"{value!r} is no JSON value")


_JSON = _Json(_refuse)
_rendered: weakref.WeakKeyDictionary[Operation, Operation] = weakref.WeakKeyDictionary()


def _rendering(operation: Operation) -> Operation:
    """The operation with its JSON columns rendered anew; the same object every time."""
    found = _rendered.get(operation)
    if found is None:
        queries = tuple(
            dataclasses.replace(query, columns=tuple(map(_parsed, query.columns))) for query in operation.queries
        )
        found = _rendered[operation] = dataclasses.replace(operation, queries=queries)
    return found


def _parsed(column: Column) -> Column:
    if column.kind["kind"] != "json" or column.custom is not None:
        return column
    return dataclasses.replace(column, custom=_JSON)


def _is_typed(query: Plan, rows: Sequence[Sequence[Any]]) -> bool:
    """Whether all values are of their columns' types: engines may store others, and DRF converts or refuses them."""
    shown = {template["column"] for _, template in query.row["object"]["fields"]}
    columns = zip(*rows, strict=True) if rows else ()
    return all(index not in shown or _holds(query.columns[index], cells) for index, cells in enumerate(columns))


def _holds(column: Column, cells: Sequence[Any]) -> bool:
    kind = column.kind["kind"]
    if not {_TYPES[kind], type(None)}.issuperset(map(type, cells)):
        return False
    check = _CHECKS.get(kind)
    return check is None or check(column, cells)


def _is_quantized(column: Column, cells: Sequence[Any]) -> bool:
    places = column.kind["places"]
    digits = getattr(getattr(column.expression, "output_field", None), "max_digits", None) or decimal.MAX_PREC
    found = (cell.as_tuple() for cell in cells if cell is not None)
    return all(value.exponent == -places and len(value.digits) <= digits for value in found)


def _is_zoned(column: Column, cells: Sequence[Any]) -> bool:
    aware = column.kind["aware"]
    return all(cell is None or (cell.tzinfo is not None) == aware for cell in cells)


_CHECKS: dict[str, Callable[[Column, Sequence[Any]], bool]] = {"decimal": _is_quantized, "datetime": _is_zoned}
