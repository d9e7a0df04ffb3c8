"""The shape of a query: everything that decides its SQL, as a hashable key, and the values that do not.

A value may vary only as the right-hand side of a lookup on the allow-list (:mod:`plectrum.orm.leaf`). Everything else
goes into the key by value. What is not known to be safe raises :class:`Unshaped`, and the query is compiled afresh.
`docs/decisions/shape-cache.md` has the argument.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.db.models import Field, Model
from django.db.models.expressions import BaseExpression, Col, F, OuterRef, ResolvedOuterRef
from django.db.models.fields.related import ForeignKey, OneToOneField
from django.db.models.fields.reverse_related import ManyToManyRel, ManyToOneRel, OneToOneRel
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.query import Query
from django.db.models.sql.where import NothingNode, WhereNode
from django.utils.functional import cached_property

from .internal import Class, attributes_of, class_of, is_a
from .leaf import RULES, Leaf, rule_of

__all__ = ["Reading", "Unshaped"]

Key = Any


class Unshaped(Exception):  # noqa: N818 - a signal, not an error
    """Something in the query is not known to decide its SQL by its value alone."""


#: Attributes of a query that play no part once it is built: they steer how the next filter() joins.
_BUILDING_ONLY: Final = {
    "used_aliases", "filter_is_sticky", "_lookup_joins", "_annotation_select_cache", "_extra_select_cache",
    "base_table", "contains_aggregate", "contains_over_clause", "contains_column_references",
}  # fmt: skip
_ALWAYS_EMPTY: Final = {"extra", "_filtered_relations", "extra_order_by", "extra_tables", "combined_queries"}
_ALWAYS_NONE: Final = {"combinator", "explain_info", "extra_select_mask"}
_ALWAYS_FALSE: Final = {"select_for_update", "combinator_all"}
_SCALARS: Final = {
    "model", "alias_cols", "default_cols", "default_ordering", "standard_ordering", "distinct", "distinct_fields",
    "values_select", "deferred_loading", "max_depth", "subquery", "alias_prefix", "subq_aliases",
    "select_for_update_nowait", "select_for_update_skip_locked", "select_for_update_of", "select_for_no_key_update",
}  # fmt: skip
_JOIN_FIELDS: Final = {ForeignKey, OneToOneField, ManyToOneRel, OneToOneRel, ManyToManyRel}
_BY_TEXT: Final = {
    float, decimal.Decimal, datetime.datetime, datetime.date, datetime.time, datetime.timedelta, uuid.UUID,
}  # fmt: skip
_NAMES: Final = {F, OuterRef, ResolvedOuterRef}
_PLAIN: Final = {str, int, bool, type(None), bytes}

_Reader = Callable[["Reading", Any], Any]


class Reading:
    """One reading of a query.

    Parameters:
        vary: whether lookups of its own WHERE tree give their values as leaves.

    Attributes:
        leaves: lookups whose values vary, with their rules.
        kept: objects whose identity is in the key; whoever keeps the key must keep them.
        zoned: whether the SQL may name the current time zone: it has more than columns and their values in it.
    """

    __slots__ = ("kept", "leaves", "vary", "zoned")

    def __init__(self, *, vary: bool = True) -> None:
        self.vary = vary
        self.leaves: list[Leaf] = []
        self.kept: list[Any] = []
        self.zoned = False

    def query(self, query: Query, *, limits: bool = False) -> Key:
        """The key of a query.

        Parameters:
            query: as a queryset holds it.
            limits: whether its LIMIT and OFFSET belong to the key (subqueries); otherwise only that they are there.

        Errors:
            Unshaped: it cannot be told.
        """
        if type(query) is not Query:
            raise Unshaped(type(query))
        attributes = query.__dict__
        names = tuple(attributes)
        readers = _readers(names)
        key: list[Any] = [names]
        for name, read in readers:
            key.append(attributes[name] if read is None else read(self, attributes[name]))
        low, high = query.low_mark, query.high_mark
        key.append((low, high) if limits else (low != 0, high is not None))
        return tuple(key)

    def where(self, node: WhereNode) -> Key:
        """The key of a WHERE tree; the values of its varying leaves are set aside."""
        children: Any = node.children
        key: list[Any] = [node.connector, node.negated, node.resolved]
        for child in children:
            cls = class_of(child)
            if cls is WhereNode:
                key.append(self.where(child))
            elif cls in RULES and self.vary:
                key.append(self._lookup(child, cls))
            elif cls is NothingNode:
                key.append(cls)
            else:
                key.append(self.value(child))
        return tuple(key)

    def _lookup(self, lookup: Any, cls: Class) -> Key:
        lhs, rhs = lookup.lhs, lookup.rhs
        if type(lhs) is Col:
            target, output = lhs.target, lhs.output_field
            rule = rule_of(cls, target)
            column: Key = (lhs.alias, id(target), id(output))
            self.kept.append(lhs)
        else:
            rule = rule_of(cls, getattr(lhs, "_output_field_or_none", None))
            column = self.value(lhs)
        if rule is None or lookup.bilateral_transforms:
            return self.value(lookup)
        varies = rule.varies(rhs)
        if varies is None:
            return (cls, column, self.value(rhs))
        self.leaves.append((lookup, rule))
        return (cls, column, varies)

    def value(self, value: Any) -> Key:
        """The key of anything that is part of a query, by value."""
        cls = class_of(value)
        if cls in _PLAIN:
            return (cls, value)
        if cls in _BY_TEXT:
            return (cls, repr(value))  # equal values may be written differently: 1.0 and 1.00, offsets of a moment
        if cls in (tuple, list):
            return (cls, *[self.value(item) for item in value])
        if cls is dict:
            return (cls, *[(self.value(key), self.value(item)) for key, item in value.items()])
        if is_a(value, Field):
            return self._field(value)
        if is_a(value, (BaseExpression, WhereNode, NothingNode)):
            return self._expression(value)
        if cls in _NAMES:
            return (cls, value.name)
        if is_a(value, type) and issubclass(value, Model):
            return value
        if is_a(value, enum.Enum) and type(value.value) in _PLAIN:
            return (cls, value.value)
        raise Unshaped(cls)

    def _field(self, field: Any) -> Key:
        self.kept.append(field)
        if getattr(field, "model", None) is not None:
            return id(field)  # one object per model field, for good
        cls = class_of(field)
        if not _is_djangos(cls):
            raise Unshaped(cls)
        _, path, args, kwargs = field.deconstruct()
        return (path, self.value(args), self.value(kwargs))

    def _expression(self, expression: Any) -> Key:
        cls = class_of(expression)
        if cls is Col:
            self.kept.append(expression)
            return (cls, expression.alias, id(expression.target), id(expression.output_field))
        if cls is NothingNode:
            return cls
        self.zoned = True
        if cls is Query:
            return self._nested(expression)
        if cls is WhereNode:
            vary, self.vary = self.vary, False
            try:
                return self.where(expression)
            finally:
                self.vary = vary
        if not _is_djangos(cls):
            raise Unshaped(cls)
        derived = _derived(cls)
        attributes = attributes_of(expression)
        return (cls, *[(name, self.value(v)) for name, v in attributes.items() if name not in derived])

    def _nested(self, query: Query) -> Key:
        vary, self.vary = self.vary, False
        try:
            return self.query(query, limits=True)
        finally:
            self.vary = vary


@functools.cache
def _readers(names: tuple[str, ...]) -> tuple[tuple[str, _Reader | None], ...]:
    """How the attributes of a query are read, those that matter; ``None`` where they are as they are."""
    readers: list[tuple[str, _Reader | None]] = []
    for name in names:
        if name in _BUILDING_ONLY or name in ("low_mark", "high_mark"):
            continue
        if name not in _READERS and name not in _SCALARS:
            raise Unshaped(name)
        readers.append((name, _READERS.get(name)))
    return tuple(readers)


def _empty(_reading: Reading, value: Any) -> Key:
    if value:
        raise Unshaped(value)
    return None


def _counts(_reading: Reading, value: dict[str, Any]) -> Key:
    return tuple(value.items())


def _tables(_reading: Reading, value: dict[str, list[str]]) -> Key:
    return tuple([(name, *aliases) for name, aliases in value.items()])


def _joins(reading: Reading, value: dict[str, Any]) -> Key:
    return tuple([(alias, _join(reading, join)) for alias, join in value.items()])


def _join(reading: Reading, join: Any) -> Key:
    cls = class_of(join)
    if cls is BaseTable:
        return (join.table_name, join.table_alias)
    field = join.join_field if cls is Join else None
    if type(field) not in _JOIN_FIELDS or join.filtered_relation is not None:
        raise Unshaped(join)
    reading.kept.append(field)
    return (join.table_name, join.parent_alias, join.table_alias, join.join_type, id(field), join.nullable)


def _annotations(reading: Reading, value: dict[str, Any]) -> Key:
    return tuple([(name, reading.value(expression)) for name, expression in value.items()]) if value else ()


def _names_or_expressions(reading: Reading, value: Any) -> Key:
    if value is None or value is True:
        return value
    return tuple([item if type(item) is str else reading.value(item) for item in value])


def _mask(_reading: Reading, value: Any) -> Key:
    return None if value is None else (frozenset(value) if is_a(value, (set, frozenset)) else tuple(value))


def _related(_reading: Reading, value: Any) -> Key:
    if not is_a(value, dict):
        return value
    return tuple([(name, _related(_reading, below)) for name, below in value.items()])


_READERS: Final[dict[str, _Reader]] = {
    **dict.fromkeys(_ALWAYS_EMPTY | _ALWAYS_NONE | _ALWAYS_FALSE, _empty),
    "alias_refcount": _counts,
    "external_aliases": _counts,
    "table_map": _tables,
    "alias_map": _joins,
    "where": Reading.where,
    "annotations": _annotations,
    "annotation_select_mask": _mask,
    "select": _names_or_expressions,
    "selected": Reading.value,
    "group_by": _names_or_expressions,
    "order_by": _names_or_expressions,
    "select_related": _related,
}


@functools.cache
def _derived(cls: Class) -> frozenset[str]:
    """Attributes of an expression that follow from its others."""
    names = {
        name for base in cls.__mro__ for name, value in attributes_of(base).items() if is_a(value, cached_property)
    }
    # `output_field` is computed where it is not given; where it is, it is part of what was given.
    return frozenset(names - {"output_field"} | {"_constructor_args"})


@functools.cache
def _is_djangos(cls: Class) -> bool:
    return str(cls.__module__).startswith(("django.db.models.", "django.contrib.postgres."))
