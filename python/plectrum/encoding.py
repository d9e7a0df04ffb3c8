"""How instances of a class become JSON; asked once per class by the Rust encoder.

The exact built-in types (``str``, ``int``, ``dict``, ``datetime`` …) never come here.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from .structs import output_names, unset_of

__all__ = ["classify"]

#: Base class → the encoder's own way; the first that fits wins, so subclasses stand before their bases.
_BASES: tuple[tuple[type, str], ...] = (
    (enum.Enum, "enum"),
    (str, "str"),
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (decimal.Decimal, "decimal"),
    (uuid.UUID, "uuid"),
    (datetime.datetime, "datetime"),
    (datetime.date, "date"),
    (datetime.time, "time"),
    (datetime.timedelta, "duration"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (memoryview, "bytes"),
    (dict, "dict"),
    (list, "list"),
    (tuple, "list"),
)


def classify(cls: Any) -> tuple[str, Any]:
    """The way instances of ``cls`` are written, and what that way needs.

    Returns:
        ``(kind, None)`` for the built-in kinds; ``("fields", (what stands for no value, ((attribute, key), …)))``;
        ``("raw", function to JSON bytes)``; ``("convert", function to a simpler value)``; ``("query", None)`` for what
        the database has to answer; ``("answer", function to a Response)``; ``("unknown", None)``.
    """
    for base, kind in _BASES:
        if issubclass(cls, base):
            return kind, None
    if _is_query(cls):
        return "query", None
    if hasattr(cls, "__plectrum_response__"):
        return "answer", cls.__plectrum_response__
    if (http := sys.modules.get("django.http.response")) is not None and issubclass(cls, http.HttpResponseBase):
        return "answer", _djangos_response
    if hasattr(cls, "__pydantic_serializer__"):
        return "raw", _pydantic_json
    names = output_names(cls)
    if names is not None:
        return "fields", (unset_of(cls), tuple(names))
    return _by_protocol(cls)


def _djangos_response(response: Any) -> Any:
    """A response of Django's as it is sent; closed where it is not streamed."""
    from .hygiene import connections_kept
    from .middleware.answer import sent

    if callable(getattr(response, "render", None)):
        response.render()
    answer = sent(response)
    if not response.streaming:
        with connections_kept():
            response.close()
    return answer


def _by_protocol(cls: Any) -> tuple[str, Any]:
    converter = _django_converter(cls)
    if converter is not None:
        return "convert", converter
    if issubclass(cls, Mapping):
        return "convert", dict
    if issubclass(cls, AbstractSet):
        return "convert", list
    if not hasattr(cls, "__aiter__") and issubclass(cls, Iterable):
        return "convert", list
    if cls.__module__ == "ipaddress":
        return "convert", str
    return "unknown", None


def _is_query(cls: type) -> bool:
    if "django" not in sys.modules:
        return False
    from django.db.models import QuerySet

    from .orm import Count, Exists, One, Page
    from .orm.cursor import CursorRows

    return issubclass(cls, (QuerySet, Count, CursorRows, Exists, One, Page))


def _django_converter(cls: type) -> Callable[[Any], Any] | None:
    """Django's own classes, where Django is there at all."""
    if "django" not in sys.modules:
        return None
    from django.db.models import Model
    from django.db.models.fields.files import FieldFile
    from django.utils.functional import Promise

    if issubclass(cls, Promise):
        return str
    if issubclass(cls, FieldFile):
        return _file_url
    if issubclass(cls, Model):
        return _model_fields
    return None


def _file_url(value: Any) -> str | None:
    return value.url if value else None


def _model_fields(instance: Any) -> dict[str, Any]:
    """Loaded concrete fields, a foreign key under its field's name: what a native route gives for the model."""
    loaded = instance.__dict__
    return {
        field.name: getattr(instance, field.attname)
        for field in instance._meta.concrete_fields
        if field.attname in loaded
    }


def _pydantic_json(value: Any) -> bytes:
    encoded: bytes = value.__pydantic_serializer__.to_json(value, by_alias=True)
    return encoded
