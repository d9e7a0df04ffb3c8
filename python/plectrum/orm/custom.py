"""Fields whose values only Python can read: a registered writer, or ``value_to_string``.

A field class is Python's business when it (or a third-party ancestor) changes how a value is read or written:
``from_db_value``, ``get_db_converters``, ``get_internal_type`` or ``value_to_string``. A plan with such a column runs
on Django's own connection, and the column arrives in Rust as finished JSON.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from .internal import Class, class_of

__all__ = ["CustomColumn", "custom_column", "register_writer"]

_Field: TypeAlias = "models.Field[Any, Any]"
Writer = Callable[[Any], Any]

_READING: Final = ("from_db_value", "get_db_converters", "get_internal_type", "value_to_string")
_BY_STRING: Final = "value_to_string"
_writers: dict[Class, Writer] = {}


def register_writer(field_class: type[_Field], writer: Writer) -> None:
    """Say how a custom field's values are written to JSON.

    Parameters:
        field_class: the field class; subclasses included.
        writer: value (as ``from_db_value`` made it, never ``None``) → anything ``json`` can write.
    """
    _writers[field_class] = writer
    _origin.cache_clear()


@dataclass(frozen=True)
class CustomColumn:
    """A column rendered to JSON in Python.

    Parameters:
        write: value as Django's converters made it, never ``None`` → JSON-able.
        encoder: JSON encoder class.
    """

    write: Writer
    encoder: type[json.JSONEncoder] = DjangoJSONEncoder

    def render(self, value: Any) -> str | None:
        """JSON text of a converted value.

        Errors:
            ValueError: NaN or an infinity, which JSON has not.
        """
        if value is None:
            return None
        return json.dumps(
            self.write(value), cls=self.encoder, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )

    @classmethod
    def of_file(cls, field: Any) -> CustomColumn:
        """The URL of a stored file, from a storage that makes URLs its own way."""
        return cls(lambda name: field.storage.url(name) if name else None)

    @classmethod
    def of_items(cls, field: Any) -> CustomColumn | None:
        """An array whose items are custom; ``None`` where nothing is known of them."""
        item = field.base_field
        column = cls.of_items(item) if isinstance(item, type(field)) else custom_column(item)
        if column is None:
            return None
        return cls(lambda values: [None if value is None else column.write(value) for value in values], column.encoder)


def custom_column(field: _Field) -> CustomColumn | None:
    """How Python renders a field; ``None`` where Rust reads it.

    Parameters:
        field: a concrete field, not a relation.
    """
    if isinstance(field, models.JSONField) and type(field).from_db_value is models.JSONField.from_db_value:
        # An encoder alone changes what is stored, not what is read.
        return CustomColumn(_as_is, field.encoder or DjangoJSONEncoder) if field.decoder else None
    field_class = class_of(field)
    origin = _origin(field_class)
    if origin is None:
        return None
    return CustomColumn(functools.partial(_by_string, field) if origin == _BY_STRING else _writers[origin])


def is_unknown(field: _Field) -> bool:
    """Whether the field changes how values are read and says nowhere how to write them."""
    field_class = class_of(field)
    return custom_column(field) is None and _changes_reading(field_class)


@functools.cache
def _origin(field_class: Class) -> Any:
    """The registered class the field descends from, or that it writes itself as text."""
    for ancestor in field_class.__mro__:
        if ancestor in _writers:
            return ancestor
        if _is_djangos(ancestor):
            return None
        if "value_to_string" in vars(ancestor):
            return _BY_STRING
    return None


@functools.cache
def _changes_reading(field_class: Class) -> bool:
    for ancestor in field_class.__mro__:
        if _is_djangos(ancestor) or ancestor is object:
            return False
        if any(name in vars(ancestor) for name in _READING):
            return True
    return False


def _is_djangos(field_class: Class) -> bool:
    return str(field_class.__module__).split(".")[0] == "django"


def _by_string(field: _Field, value: Any) -> Any:
    instance: Any = SimpleNamespace(**{field.attname: value})
    return field.value_to_string(instance)


def _as_is(value: Any) -> Any:
    return value
