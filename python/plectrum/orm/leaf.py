"""Lookups whose value may vary without changing the SQL, and how the value is prepared.

The allow-list is of exact classes: a subclass may do anything with its value. So is the list of fields and of value
types: ``None`` becomes ``IS NULL``, a boolean may become ``NOT column``, an integer outside of the column's range an
empty result, and all of these go into the key by value instead.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import lookups
from django.db.models.fields import related_lookups

from .binds import BindType, Slot
from .fields import bind_type, value_field
from .internal import Class, class_of, is_a

__all__ = ["RULES", "Leaf", "Rule", "rule_of", "tagged"]

_COMPARISONS: Final = (
    lookups.Exact, lookups.GreaterThan, lookups.GreaterThanOrEqual, lookups.LessThan, lookups.LessThanOrEqual,
    lookups.IntegerFieldExact, lookups.IntegerGreaterThan, lookups.IntegerGreaterThanOrEqual, lookups.IntegerLessThan,
    lookups.IntegerLessThanOrEqual, related_lookups.RelatedExact, related_lookups.RelatedLessThan,
    related_lookups.RelatedGreaterThan, related_lookups.RelatedGreaterThanOrEqual,
    related_lookups.RelatedLessThanOrEqual,
)  # fmt: skip
_PATTERNS: Final = (
    lookups.IExact, lookups.Contains, lookups.IContains, lookups.StartsWith, lookups.IStartsWith, lookups.EndsWith,
    lookups.IEndsWith,
)  # fmt: skip
_LISTS: Final = (lookups.In, related_lookups.RelatedIn)

#: Lookup classes on the allow-list.
RULES: Final = frozenset((*_COMPARISONS, *_PATTERNS, *_LISTS))

_TEXTS: Final = (models.CharField, models.TextField, models.SlugField, models.EmailField, models.URLField)
_INTEGERS: Final = (
    models.AutoField, models.BigAutoField, models.SmallAutoField, models.IntegerField, models.BigIntegerField,
    models.SmallIntegerField, models.PositiveIntegerField, models.PositiveSmallIntegerField,
    models.PositiveBigIntegerField,
)  # fmt: skip
_TYPES: Final[dict[type, type]] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_INTEGERS, int),
    models.UUIDField: uuid.UUID,
    models.DateField: datetime.date,
    models.DateTimeField: datetime.datetime,
    models.TimeField: datetime.time,
    models.DurationField: datetime.timedelta,
    models.DecimalField: decimal.Decimal,
    models.FloatField: float,
}
_WHOLE: Final = (-(1 << 63), (1 << 63) - 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one lookup class varies on one field.

    Parameters:
        type: exact type of a value that varies.
        low, high: integers that vary.
        bind: declared type of the placeholder.
        many: whether the value is a list.
        direct: whether every engine is handed the value as it is.
    """

    type: Class
    low: int
    high: int
    bind: BindType
    many: bool
    direct: bool

    def varies(self, value: Any) -> Any:
        """What of the value is part of the key, where the rest may vary; ``None`` where the value itself is.

        Parameters:
            value: right-hand side of the lookup.
        """
        kind = class_of(value)
        if self.many:
            return self._varies_list(value) if kind is list else None
        if kind is not self.type or (kind is int and not self.low <= value <= self.high):
            return None
        return kind

    def _varies_list(self, values: list[Any]) -> Any:
        for value in values:
            if type(value) is not self.type or (self.type is int and not self.low <= value <= self.high):
                return None
        return list if values else None  # an empty list is an empty result

    def prepared(self, lookup: Any, connection: Any) -> Any:
        """The value for the driver, exactly as Django's compiler would prepare it.

        Parameters:
            lookup: the lookup that holds the value.
            connection: Django's.
        """
        if self.direct:
            return lookup.rhs
        values = lookup.process_rhs(None, connection)[1]
        return list(values) if self.many else values[0]


Leaf = tuple[Any, Rule]


#: Rules by lookup class and identity of a field, with the field, so that no other one comes to have that identity.
_rules: Final[dict[tuple[Class, int], tuple[Any, Rule | None]]] = {}


def rule_of(cls: Class, field: Any) -> Rule | None:
    """The rule of a lookup class on a field; ``None`` where the value must not vary.

    Parameters:
        cls: a class in :data:`RULES`.
        field: what the left-hand side's values are of.
    """
    known = _rules.get((cls, id(field)))
    if known is not None:
        return known[1]
    rule = _rule_of(cls, field)
    # Models' fields stay; those of expressions are made anew for each query, and would pile up here.
    if getattr(field, "model", None) is not None:
        _rules[cls, id(field)] = field, rule
    return rule


def _rule_of(cls: Class, field: Any) -> Rule | None:
    if not is_a(field, models.Field):
        return None
    field = value_field(field)
    kind = _TYPES.get(field.__class__)
    if kind is None or (cls in _PATTERNS and kind is not str) or (cls in _LISTS and kind not in (int, str, uuid.UUID)):
        return None
    low, high = _WHOLE
    if kind is int:
        low, high = BaseDatabaseOperations.integer_field_ranges.get(field.get_internal_type(), _WHOLE)
    bind: BindType = "text" if cls in _PATTERNS else "infer" if kind is str else bind_type(field)
    direct = cls not in _PATTERNS and kind in (int, str)
    return Rule(kind, low, high, bind, cls in _LISTS, direct)


def tagged(leaf: Leaf, index: int, vendor: str) -> Any:
    """A copy of the leaf's lookup that writes placeholders of argument ``index``, and is else the same.

    Parameters:
        leaf: the lookup with its rule.
        index: first argument number it may use.
        vendor: the database.
    """
    lookup, rule = leaf
    copy = lookup.copy()
    copy.__class__ = _tagging(lookup.__class__)
    # SQLite's driver values are final: Django has prepared them.
    bind = rule.bind if vendor == "postgresql" else "infer"
    cast = "bigint[]" if rule.many and bind == "int" else ""
    copy.plectrum_slot = Slot(index, bind, "any" if rule.many else "plain", cast, "", rule.many)
    return copy


@functools.cache
def _tagging(cls: Class) -> type:
    def process_rhs(self: Any, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if self.plectrum_slot.many:
            return "(PLECTRUM_ANY(%s))", [self.plectrum_slot]
        sql, params = cls.process_rhs(self, compiler, connection)
        assert len(params) == 1
        return sql, [self.plectrum_slot]

    return type(cls.__name__, (cls,), {"process_rhs": process_rhs, "__module__": cls.__module__})
