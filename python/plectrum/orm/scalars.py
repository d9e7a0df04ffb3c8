"""A field's type hint against the column it takes its values from."""

from __future__ import annotations

import datetime
import decimal
import enum
import ipaddress
import uuid
from typing import Any, Final

from plectrum.errors import PlanError

from .fields import Kind
from .internal import Class, is_a

__all__ = ["fitted_kind"]

#: Kind → Python types whose JSON form is the column's. A kind that is not here takes any hint.
_FITS: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "int": (int, float),
    "float": (float,),
    "decimal": (decimal.Decimal, str, float, int),
    "text": (str,),
    "uuid": (uuid.UUID, str),
    "date": (datetime.date, str),
    "time": (datetime.time, str),
    "datetime": (datetime.datetime, str),
    "duration": (datetime.timedelta, str),
    "bytes": (bytes, str),
    "ip": (str, ipaddress.IPv4Address, ipaddress.IPv6Address),
    "file": (str,),
}
_SCALARS: Final = {scalar for scalars in _FITS.values() for scalar in scalars}


def fitted_kind(kind: Kind, hint: Any, where: str) -> Kind:
    """The column's kind as the hint wants it: a decimal hinted as ``float`` is a JSON number.

    Parameters:
        kind: the column's.
        hint: the field's type.
        where: ``Class.field``, for people.

    Errors:
        PlanError: the hint is a scalar type whose JSON is another.
    """
    scalar = _scalar(hint)
    fits = _FITS.get(kind["kind"])
    if scalar is None or fits is None:
        return kind
    if scalar not in fits:
        expected = " or ".join(f"`{fit.__name__}`" for fit in fits)
        raise PlanError(
            f"{where} is declared as `{scalar.__name__}`, but its column is {kind['kind']}. Declare {expected}."
        )
    if kind["kind"] == "decimal":
        return {**kind, "string": scalar in (decimal.Decimal, str) and kind["string"]}
    return kind


def _scalar(hint: Class) -> Class | None:
    if not is_a(hint, type):
        return None
    if issubclass(hint, enum.Enum):
        return next((base for base in hint.__mro__ if base in _SCALARS), None)
    return hint if hint in _SCALARS else None
