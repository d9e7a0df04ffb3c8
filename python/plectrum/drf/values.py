"""What the compiled serializer asks Python for: rarely, or once."""

from __future__ import annotations

import datetime as dt
import functools
import types
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.manager import BaseManager
from django.db.models.query_utils import DeferredAttribute
from django.utils import timezone
from rest_framework.fields import BuiltinSignatureError, get_attribute

__all__ = [
    "called",
    "class_of",
    "column_of",
    "current_zone",
    "input_zone",
    "is_exactly",
    "only_ours",
    "replay",
    "rows_of",
    "state_of",
    "traits_of",
    "zone",
    "zone_for_input",
]

_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)
_SERIALIZABLE_VALUE = Model.serializable_value
_STORED_GET = DeferredAttribute.__get__


def class_of(value: object) -> Any:
    """The class of a serializer or field, whose attributes are looked at and not called."""
    return type(value)


def state_of(value: object) -> dict[str, Any]:
    """What is set on a serializer or field itself."""
    return vars(value)


def is_exactly(value: object, kind: type) -> bool:
    """Whether a value is of a class and of no subclass."""
    return type(value) is kind


def only_ours(mro: tuple[type, ...], method: str, base: type, ours: set[object]) -> bool:
    """Whether every ``method`` from a class down to ``base``'s is one of ``ours``: DRF's own, or what stands for it."""
    for kind in mro:
        found = vars(kind).get(method)
        if found is not None and found not in ours:
            return False
        if kind is base:
            return True
    return False


def zone(found: dt.tzinfo | None) -> dt.tzinfo | Literal[True] | None:
    """A time zone as Rust takes it: ``True`` for UTC, ``None`` where datetimes are naive."""
    if found is dt.UTC or (type(found) is zoneinfo.ZoneInfo and found.key == "UTC"):
        return True
    return found


def current_zone() -> dt.tzinfo | Literal[True] | None:
    """The zone of a ``DateTimeField`` that has none of its own."""
    return zone(timezone.get_current_timezone() if settings.USE_TZ else None)


def input_zone() -> tuple[dt.tzinfo | None, bool]:
    """The zone datetimes are read in, as :func:`zone_for_input` gives it."""
    return zone_for_input(timezone.get_current_timezone() if settings.USE_TZ else None)


def zone_for_input(found: dt.tzinfo | None) -> tuple[dt.tzinfo | None, bool]:
    """A time zone, ``None`` where datetimes are naive, and whether it is UTC."""
    return found, zone(found) is True


def rows_of(value: Any) -> Iterable[Any]:
    """What ``ListSerializer.to_representation`` iterates."""
    rows: Iterable[Any] = cast("Any", value).all() if isinstance(value, BaseManager) else value
    return rows


def column_of(model: type, name: str, is_relation: bool) -> tuple[str | None, bool]:
    """How instances of a class hold an attribute.

    Parameters:
        is_relation: ``name`` is asked for as ``Model.serializable_value`` does, for the key of a related object.

    Returns:
        The attribute to read, ``None`` where the class has a way of its own; and whether what the instance's
        ``__dict__`` has of that name is its value.
    """
    if is_relation:
        if not issubclass(model, Model) or model.serializable_value is not _SERIALIZABLE_VALUE:
            return None, False
        try:
            attribute = getattr(cast("Any", model)._meta.get_field(name), "attname", None)
        except FieldDoesNotExist:
            attribute = None
        if attribute is None:
            return None, False
        name = attribute
    return name, _is_stored(model, name)


def _is_stored(model: type, name: str) -> bool:
    found = next((vars(kind)[name] for kind in model.__mro__ if name in vars(kind)), None)
    if found is None:
        return True
    # A foreign key's descriptor has a `__set__`, so that Python would call its `__get__` for every read.
    return getattr(class_of(found), "__get__", None) is _STORED_GET and found.field.attname == name


def traits_of(value: object) -> int:
    """1 where DRF looks attributes up by key, 2 where it may call the value, 4 for a model instance like any other."""
    kind = type(value)
    model = issubclass(kind, Model) and kind.__getattribute__ is object.__getattribute__
    mapping = isinstance(value, Mapping)
    return mapping | isinstance(value, _FUNCTIONS) << 1 | (model and not mapping) << 2


def called(field: Any, instance: object, value: object, name: str) -> Any:
    """What DRF makes of a function found at ``name``: its result, where it can be called without arguments."""
    try:
        return get_attribute(types.SimpleNamespace(**{name: value}), [name])
    except BuiltinSignatureError as error:
        return replay(field, instance, error)


def replay(field: Any, instance: object, error: BaseException) -> Any:
    """Lets DRF answer for an attribute that could not be read, without reading it again.

    Parameters:
        field: the serializer field; its ``get_attribute`` knows defaults, ``SkipField`` and messages.
        instance: what was read.
        error: what reading it raised.
    """

    class Failing:
        def __getattribute__(self, name: str) -> Any:
            if name == "__class__":
                return instance.__class__
            raise error

        def __getitem__(self, name: str) -> Any:
            raise error

    return field.get_attribute(Failing())
