"""Scalars and enums: what a column's value is in GraphQL, and what Django is handed for it."""

from __future__ import annotations

import datetime
import decimal
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.db import models

from plectrum.orm.custom import CustomColumn
from plectrum.orm.fields import Kind, kind_of_field, value_field
from plectrum.orm.plan import Column

__all__ = ["CUSTOM", "ID", "Enum", "Leaf", "Scalar", "leaf_of_field", "scalar_named", "scalar_of"]


@dataclass(frozen=True)
class Scalar:
    """A scalar type.

    Parameters:
        name: its name in the schema.
        annotation: Python type of its values, as Django compares them.
        description: for the schema; none for the specification's own.
    """

    name: str
    annotation: Any
    description: str = ""

    def column(self, column: Column) -> Column:
        """The column written as this scalar: integers of any size are text, so that no client rounds them."""
        if self.name in ("ID", "BigInt") and column.kind["kind"] == "int":
            return Column({"kind": "digits"}, column.converters, column.expression, column.custom)
        return column


@dataclass(frozen=True)
class Enum:
    """An enum type, from a field's choices.

    Parameters:
        name: its name in the schema.
        members: name → stored value.
        labels: name → description.
    """

    name: str
    members: dict[str, Any]
    labels: dict[str, str]

    def column(self, column: Column) -> Column:
        """The column written as the members' names."""
        values = [[str(value), name] for name, value in self.members.items()]
        kind: Kind = {"kind": "enum", "values": values}
        return Column(kind, column.converters, column.expression, column.custom)


Leaf = Scalar | Enum

ID: Final = Scalar("ID", str)
_INT = Scalar("Int", int)
_BIG = Scalar("BigInt", int, "An integer of up to 64 bits. Written as a string, read from a string or a number.")
_STRING = Scalar("String", str)
_JSON = Scalar("JSON", dict, "Any JSON value.")
_BY_KIND: Final[dict[str, Scalar]] = {
    "bool": Scalar("Boolean", bool),
    "int": _INT,
    "float": Scalar("Float", float),
    "decimal": Scalar("Decimal", decimal.Decimal, "A decimal number, exact. Written as a string."),
    "text": _STRING,
    "ip": _STRING,
    "file": _STRING,
    "range": _STRING,
    "uuid": Scalar("UUID", uuid.UUID, "A UUID (RFC 9562)."),
    "date": Scalar("Date", datetime.date, "A date, `YYYY-MM-DD`."),
    "time": Scalar("Time", datetime.time, "A time of day, `HH:MM:SS[.ffffff]`."),
    "datetime": Scalar("DateTime", datetime.datetime, "A date and time (RFC 3339)."),
    "duration": Scalar("Duration", datetime.timedelta, "A duration, `[DD ]HH:MM:SS[.ffffff]`."),
    "bytes": Scalar("Base64", bytes, "Bytes, in base64 (RFC 4648)."),
    "json": _JSON,
    "hstore": _JSON,
}
#: Text and JSON have several kinds; the first is the plainest.
_BY_TYPE: Final = {scalar.annotation: scalar for scalar in reversed([_STRING, *_BY_KIND.values()])}
_BIG_FIELDS: Final = (models.BigIntegerField, models.PositiveBigIntegerField, models.BigAutoField)
#: Scalars that are not the specification's own.
CUSTOM: Final = {scalar.name: scalar for scalar in (*_BY_KIND.values(), _BIG) if scalar.description}


def scalar_named(name: str) -> Scalar:
    """A scalar by its name in the schema."""
    return next(scalar for scalar in (ID, _BIG, *_BY_KIND.values()) if scalar.name == name)


def scalar_of(annotation: Any) -> Scalar | None:
    """The scalar of a Python type; ``None`` where there is none."""
    return _BY_TYPE.get(annotation)


def leaf_of_field(field: Any, *, is_column: bool = True) -> tuple[Scalar, int] | None:
    """The scalar of a field's values and how deep they are nested in lists; ``None`` where nothing is known of them.

    Parameters:
        field: a model field, or an expression's output field.
        is_column: whether the value is the stored column.
    """
    kind = kind_of_field(field, is_column=is_column)
    if kind is None:
        return None
    if isinstance(kind, CustomColumn):
        return _JSON, 0
    if kind["kind"] == "array":
        return _list(field, kind)
    scalar = _BY_KIND[kind["kind"]]
    return (_BIG if scalar is _INT and isinstance(value_field(field), _BIG_FIELDS) else scalar), 0


def _list(field: Any, kind: Kind) -> tuple[Scalar, int]:
    depth, item = 1, field.base_field
    while hasattr(item, "base_field"):
        depth, item = depth + 1, item.base_field
    return _BY_KIND[kind["item"]["kind"]], depth
