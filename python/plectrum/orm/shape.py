"""The queryset way: a queryset that a handler returned → a plan, through a cache keyed by the query's shape.

Django needs about 150 µs to compile a query. Two queries of the same shape give the same SQL, so the second one only
has to bring its values. `docs/decisions/shape-cache.md` tells what a shape is and why a hit cannot bind the wrong
value.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.signals import setting_changed
from django.db import connections
from django.db.models import Prefetch, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.sql.where import WhereNode
from django.utils import timezone

from . import slices
from .arithmetic import Number
from .cursor import CursorRows
from .internal import Class, Rows, attributes_of, class_of, is_a
from .key import Reading, Unshaped
from .leaf import Leaf, tagged
from .operation import plan_result
from .param import Param
from .plan import Operation
from .relations import managers_used
from .results import Count, Exists, One, Page

__all__ = ["Planned", "ShapeCache", "plan"]


class Planned(NamedTuple):
    """A planned result.

    Parameters:
        operation: what to execute; the same object for every query of the shape.
        arguments: its arguments.
    """

    operation: Operation
    arguments: list[Any]


@dataclasses.dataclass(slots=True)
class _Entry:
    operation: Operation
    kept: list[Any]
    guards: list[tuple[BaseManager[Any], Any]]


class ShapeCache:
    """Operations by shape, bounded: the oldest goes first.

    Parameters:
        size: shapes to keep.
    """

    def __init__(self, size: int = 1024) -> None:
        self.size = size
        self.entries: dict[Any, _Entry] = {}
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def plan(self, result: Any, annotation: Any = None) -> Planned:
        """Plan what a handler returned.

        Parameters:
            result: a QuerySet, ``One``, ``Count``, ``Exists``, ``Page``, or a dict of these.
            annotation: the handler's return annotation.

        Errors:
            PlanError: it cannot be planned.
        """
        kind = class_of(result)
        if kind is CursorRows:  # its order is looked into, and its values are of its statement
            return _afresh(result, annotation)
        queryset = result.queryset if kind in _WRAPPERS else result
        if not is_a(queryset, QuerySet):
            return Planned(_alone(plan_result(result, (), annotation)), [])
        reading = Reading()
        using = queryset.db
        try:
            key = (_key(reading, queryset, kind, using, annotation), _form_of(result) if kind is Page else None)
            entry = self.entries.get(key)
        except (Unshaped, TypeError):
            return _afresh(result, annotation)
        if entry is None:
            entry = self._fill(key, reading, result, annotation, using)
            if entry is None:
                return _afresh(result, annotation)
        elif entry.guards and not _hold(entry.guards):
            return _afresh(result, annotation)
        else:
            self.hits += 1
        arguments = [
            # Looking a connection up costs half a microsecond, a tenth of a hit.
            lookup.rhs if rule.direct else rule.prepared(lookup, connections[using])
            for lookup, rule in reading.leaves
        ]
        arguments += _bounds_of(result, queryset)
        return Planned(entry.operation, arguments)

    def clear(self) -> None:
        """Forgets every shape: what they were made from has changed."""
        with self._lock:
            self.entries.clear()

    def _fill(self, key: Any, reading: Reading, result: Any, annotation: Any, using: str) -> _Entry | None:
        self.misses += 1
        managers: list[Any] = []
        token = managers_used.set(managers)
        try:
            symbolic, params = _symbolic(result, reading.leaves, connections[using].vendor)
            operation = plan_result(symbolic, params, annotation)
            leaves = tuple(_described(leaf, using) for leaf in reading.leaves)
            operation = dataclasses.replace(operation, arguments=(*leaves, *operation.arguments))
            guards = [(manager, _rows_key(manager)) for manager in managers if not _is_plain(manager)]
        except Unshaped:
            return None
        finally:
            managers_used.reset(token)
        entry = _Entry(operation, [*reading.kept, annotation], guards)
        with self._lock:
            if len(self.entries) >= self.size:
                del self.entries[next(iter(self.entries))]
            self.entries[key] = entry
        return entry


_PLAIN_ROWS: Final[Any] = attributes_of(BaseManager)["get_queryset"]
_WRAPPERS: Final = (One, Count, Exists, Page)
_shared = ShapeCache()
plan = _shared.plan


def _forget(**_signal: Any) -> None:
    _shared.clear()


setting_changed.connect(_forget, dispatch_uid="plectrum.orm.shape")


def _key(reading: Reading, queryset: Rows, kind: Class, using: str, annotation: Any) -> Any:
    lookups = queryset._prefetch_related_lookups
    query = reading.query(queryset.query)
    prefetch = _prefetch_key(reading, lookups) if lookups else None
    return (
        kind if kind in _WRAPPERS else None,
        using,
        id(annotation),
        queryset._iterable_class,
        queryset._fields,
        query,
        prefetch,
        _zone() if reading.zoned or lookups or _orders_by_expressions() else None,
    )


def _form_of(page: Page[Any]) -> tuple[bool, Any]:
    """What of a page changes its statements: how it is numbered, and what is counted."""
    return page.number is not None, page.count


def _zone() -> Any:
    """The current time zone, which SQL that cuts dates names."""
    zone = timezone.get_current_timezone()
    return zone if type(zone) is ZoneInfo else repr(zone)


@functools.cache
def _orders_by_expressions() -> bool:
    """Whether a model's ``Meta.ordering`` has an expression in it: that is SQL no query shows."""
    orderings: Iterable[Any] = (model._meta.ordering or () for model in apps.get_models(include_auto_created=True))
    return any(type(item) is not str for ordering in orderings for item in ordering)


def _prefetch_key(reading: Reading, lookups: Iterable[Any]) -> Any:
    vary, reading.vary = reading.vary, False
    try:
        return tuple([lookup if type(lookup) is str else _one_prefetch(reading, lookup) for lookup in lookups])
    finally:
        reading.vary = vary


def _one_prefetch(reading: Reading, lookup: Any) -> Any:
    if class_of(lookup) is not Prefetch:
        raise Unshaped(class_of(lookup))
    rows = lookup.queryset
    below = None if rows is None else _queryset_key(reading, rows)
    return (lookup.prefetch_through, lookup.prefetch_to, below)


def _queryset_key(reading: Reading, rows: Rows) -> Any:
    prefetch = _prefetch_key(reading, rows._prefetch_related_lookups)
    return (rows._db, rows._iterable_class, rows._fields, reading.query(rows.query, limits=True), prefetch)


def _afresh(result: Any, annotation: Any) -> Planned:
    """Without the cache: every value is a constant, but for a page's number and size, which its links need."""
    if not is_a(result, Page):
        return Planned(_alone(plan_result(result, (), annotation)), [])
    symbolic, params = _symbolic(result, (), "")
    return Planned(_alone(plan_result(symbolic, params, annotation)), _bounds_of(result, result.queryset))


def _alone(operation: Operation) -> Operation:
    return dataclasses.replace(operation, shared=False)


def _symbolic(result: Any, leaves: Sequence[Leaf], vendor: str) -> tuple[Any, list[Param]]:
    """The result with placeholders for its leaves and bounds."""
    queryset: Rows = (result.queryset if is_a(result, _WRAPPERS) else result)._chain()
    query = queryset.query
    tags = {id(leaf[0]): tagged(leaf, index, vendor) for index, leaf in enumerate(leaves)}
    if tags:
        _tag(query.where, tags)
    count = len(leaves)
    if is_a(result, Page):
        names = ("page", "page_size") if result.number is not None else ("offset", "limit")
        first, second = (Param(name, int, "query", count + i) for i, name in enumerate(names))
        if result.number is not None:
            return Page[Any](queryset, number=first, size=second, count=result.count), [first, second]
        return Page[Any](queryset, offset=first, limit=second, count=result.count), [first, second]
    bounds = [Param(name, int, "query", count + i) for i, name in enumerate(("length", "offset"))]
    if query.high_mark is not None:
        query.high_mark = slices.mark(Number(bounds[0]), "length")
    if query.low_mark:
        query.low_mark = slices.mark(Number(bounds[1]), "offset")
    sliced = query.high_mark is not None or bool(query.low_mark)
    return (class_of(result)(queryset) if is_a(result, _WRAPPERS) else queryset), bounds if sliced else []


def _described(leaf: Leaf, using: str) -> dict[str, str]:
    """An argument's description; its type is that of the value as it is prepared for the driver."""
    lookup, rule = leaf
    value = rule.prepared(lookup, connections[using])
    sample = class_of(value[0] if rule.many else value)
    return {"name": lookup.lookup_name, "type": sample.__name__, "source": "queryset"}


def _bounds_of(result: Any, queryset: Rows) -> list[Any]:
    """Arguments after the leaves: a page's bounds, or a slice's."""
    if type(result) is Page:
        return [result.number, result.size] if result.number is not None else [result.offset, result.limit]
    query: Any = queryset.query
    low, high = query.low_mark, query.high_mark
    if high is None:
        return [None, low] if low else []
    return [high - low, low]


def _tag(node: Any, tags: dict[int, Any]) -> None:
    children = node.children
    for index, child in enumerate(children):
        if type(child) is WhereNode:
            _tag(child, tags)
        elif id(child) in tags:
            children[index] = tags[id(child)]


def _is_plain(manager: Any) -> bool:
    """Whether the manager gives the same rows every time: Django's own ``get_queryset``, on Django's QuerySet."""
    return class_of(manager).get_queryset is _PLAIN_ROWS and manager._queryset_class is QuerySet


def _rows_key(manager: Any) -> Any:
    return (_queryset_key(Reading(vary=False), manager.all()), _zone())


def _hold(guards: list[tuple[Any, Any]]) -> bool:
    try:
        return all(_rows_key(manager) == key for manager, key in guards)
    except Unshaped:
        return False
