"""Django field → how its column becomes JSON (``Kind``) and how a value is bound to it (``BindType``).

The classes are Django's own; a subclass is treated as its nearest Django ancestor unless it changes how values are read
(see :mod:`plectrum.orm.custom`). The written form is that of DRF's ``ModelSerializer``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.db.models.expressions import Expression
from django.db.models.fields.files import FieldFile, ImageFieldFile

from .binds import BindType
from .custom import CustomColumn, custom_column, is_unknown
from .internal import Class, class_of, is_a

__all__ = ["Kind", "bind_type", "kind_of_field", "output_field", "value_field"]

#: JSON form of the Rust side's `Kind`.
Kind = dict[str, Any]
_Field: TypeAlias = "models.Field[Any, Any]"
_Describer: TypeAlias = "Callable[[Any, bool, bool], Kind | CustomColumn | None]"

_SIMPLE: Final[dict[type, str]] = {
    models.AutoField: "int",
    models.BigAutoField: "int",
    models.SmallAutoField: "int",
    models.IntegerField: "int",
    models.BooleanField: "bool",
    models.CharField: "text",
    models.TextField: "text",
    models.FilePathField: "text",
    models.FloatField: "float",
    models.DateField: "date",
    models.TimeField: "time",
    models.DurationField: "duration",
    models.UUIDField: "uuid",
    models.BinaryField: "bytes",
    models.GenericIPAddressField: "ip",
    models.IPAddressField: "ip",
    models.JSONField: "json",
}

_BINDS: Final[dict[str, BindType]] = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "decimal": "decimal",
    "text": "text",
    "uuid": "uuid",
    "date": "date",
    "time": "time",
    "duration": "duration",
    "bytes": "bytes",
    "json": "json",
}


def kind_of_field(field: _Field, *, coerce_decimal: bool = True, is_column: bool = True) -> Kind | CustomColumn | None:
    """How a field's column becomes JSON.

    Parameters:
        field: a concrete field, or the output field of an expression.
        coerce_decimal: write decimals as strings (DRF's ``COERCE_DECIMAL_TO_STRING``).
        is_column: whether the value is the stored column; an expression's decimal places are the database's.

    Returns:
        The kind; a :class:`CustomColumn` where Python has to render it; ``None`` where nothing is known of the field.
    """
    if isinstance(field, models.GeneratedField | models.ForeignKey):
        coerce_decimal = False  # DRF leaves these decimals to its encoder, which makes numbers of them
    field = value_field(field)
    custom = custom_column(field)
    if custom is not None:
        return custom
    known = _known_class(class_of(field))
    if known is None or is_unknown(field):
        return None
    describe = _describers().get(known)
    if describe is None:
        return {"kind": _SIMPLE[known]}
    return describe(field, coerce_decimal, is_column)


def value_field(field: _Field) -> Any:
    """The field whose values are stored: a relation's target, a generated field's output."""
    current: Any = field
    while True:
        if is_a(current, models.ForeignKey):
            current = current.target_field
        elif is_a(current, models.GeneratedField):
            current = current.output_field
        else:
            return current


def bind_type(field: _Field) -> BindType:
    """The type a placeholder compared with this field is declared with; ``infer`` where the server knows better."""
    field = value_field(field)
    known = _known_class(class_of(field))
    if known is models.DateTimeField:
        return "datetime_tz" if settings.USE_TZ else "datetime"
    if known is models.DecimalField:
        return "decimal"
    if known is models.FileField:
        return "text"
    return _BINDS.get(_SIMPLE.get(known, ""), "infer") if known is not None else "infer"


@functools.cache
def _known_class(field_class: Class) -> Class:
    known = {*_SIMPLE, *_describers()}
    return next((ancestor for ancestor in field_class.__mro__ if ancestor in known), None)


@functools.cache
def _describers() -> dict[Class, _Describer]:
    table: dict[Class, _Describer] = {
        models.DateTimeField: _datetime,
        models.DecimalField: _decimal,
        models.FileField: _file,
    }
    try:
        from django.contrib.postgres import fields as postgres
    except ImportError:  # psycopg is not installed, so these fields cannot be used
        return table
    table[postgres.ArrayField] = _array
    table[postgres.HStoreField] = _hstore
    table[postgres.IntegerRangeField] = table[postgres.BigIntegerRangeField] = _range_of({"kind": "int"})
    table[postgres.DecimalRangeField] = _range_of({"kind": "decimal", "string": True})
    table[postgres.DateRangeField] = _range_of({"kind": "date"})
    table[postgres.DateTimeRangeField] = _range_of({"kind": "datetime", "aware": settings.USE_TZ})
    return table


def _datetime(_field: Any, _coerce_decimal: bool, _is_column: bool) -> Kind:
    return {"kind": "datetime", "aware": settings.USE_TZ}


def _hstore(_field: Any, _coerce_decimal: bool, _is_column: bool) -> Kind:
    return {"kind": "hstore"}


def _range_of(item: Kind) -> _Describer:
    return lambda _field, _coerce_decimal, _is_column: {"kind": "range", "item": item}


def _decimal(field: Any, coerce_decimal: bool, is_column: bool) -> Kind:
    kind: Kind = {"kind": "decimal", "string": coerce_decimal}
    if is_column and field.decimal_places is not None:
        kind["places"] = field.decimal_places
    return kind


def _array(field: Any, coerce_decimal: bool, is_column: bool) -> Kind | CustomColumn | None:
    item = field.base_field
    while _known_class(class_of(item)) is _known_class(class_of(field)):  # nested arrays are one PostgreSQL array
        item = item.base_field
    kind = kind_of_field(item, coerce_decimal=coerce_decimal, is_column=is_column)
    return {"kind": "array", "item": kind} if isinstance(kind, dict) else CustomColumn.of_items(field)


def _file(field: Any, *_: bool) -> Kind | CustomColumn:
    storage = field.storage
    # Only this storage's URL is known to be base URL + quoted name; others may sign or look things up.
    if storage.__class__ is FileSystemStorage and field.attr_class in (FieldFile, ImageFieldFile):
        return {"kind": "file", "base": storage.base_url or ""}
    return CustomColumn.of_file(field)


def output_field(expression: Expression) -> _Field | None:
    """The field an expression says it returns; ``None`` where it does not say."""
    return getattr(expression, "_output_field_or_none", None)
