"""Serializer instance → its compiled form for output, made when it begins to pay."""

from __future__ import annotations

import functools
from typing import Any

from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer
from rest_framework.utils.serializer_helpers import BindingDict

from .._core import Representation, represent_many
from . import kept
from .describe import Description, describe, register
from .values import class_of, is_exactly, only_ours, rows_of, state_of

__all__ = [
    "LIST_DATA",
    "REPRESENT",
    "REPRESENT_LIST",
    "compiled",
    "current",
    "fields_of",
    "is_list",
    "obstacle",
    "our_list",
    "ours",
    "rows",
    "take_over",
]

# DRF's own, as they were before anybody could patch them.
REPRESENT: Any = vars(Serializer)["to_representation"]
REPRESENT_LIST: Any = vars(ListSerializer)["to_representation"]
LIST_DATA: Any = vars(ListSerializer)["data"]
_READABLE: Any = vars(Serializer)["_readable_fields"]
_FIELDS: Any = vars(Serializer)["fields"]

_ours: set[object] = {REPRESENT}
_lists: set[object] = {REPRESENT_LIST}


def ours(method: Any) -> Any:
    """Marks a method that represents as ``Serializer.to_representation`` does."""
    _ours.add(method)
    register(method, _nested)
    return method


def our_list(method: Any) -> Any:
    """Marks a method that represents as ``ListSerializer.to_representation`` does."""
    _lists.add(method)
    register(method, _nested_rows)
    return method


def compiled(serializer: Any) -> Representation | None:
    """The compiled form, for many rows; ``None`` where each row is the serializer's own business."""
    return None if obstacle(serializer) else current(serializer, first=False)


def obstacle(serializer: Any) -> str:
    """The override that makes each row the serializer's own business, as a clause; empty where there is none."""
    kind = class_of(serializer)
    for name, drfs in (("fields", _FIELDS), ("_readable_fields", _READABLE)):
        if getattr(kind, name, None) is not drfs:
            return f"{kind.__name__}.{name} is not DRF's own"
    if "to_representation" in state_of(serializer) or not _represents_as_drf(kind.__mro__):
        return f"{kind.__name__}.to_representation is not DRF's own"
    return ""


def current(serializer: Any, after: type | None = None, *, first: bool = True) -> Representation | None:
    """The compiled form of the serializer as it is now; ``None`` where DRF is to represent.

    Parameters:
        after: the class whose ``to_representation`` asks; only what it would delegate to must be DRF's.
        first: whether this may be the serializer's only object, as in a detail view.
    """
    return kept.current(serializer, "output", functools.partial(_compile, serializer, after), first=first)


def _represents_as_drf(mro: tuple[type, ...]) -> bool:
    return only_ours(mro, "to_representation", Serializer, _ours)


def _compile(serializer: Any, after: type | None) -> Representation | None:
    kind = class_of(serializer)
    mro = kind.__mro__ if after is None else kind.__mro__[kind.__mro__.index(after) + 1 :]
    if getattr(kind, "_readable_fields", None) is not _READABLE or not _represents_as_drf(mro):
        return None
    fields = fields_of(serializer)
    if fields is None:
        return None
    steps = [(field, field.field_name, *describe(field)) for field in fields if not field.write_only]
    return Representation(serializer, fields, steps)


def fields_of(serializer: Any) -> list[Any] | None:
    """A serializer's fields; ``None`` where they are not kept as DRF keeps them, each by its own name."""
    fields: Any = serializer.fields
    if not is_exactly(fields, BindingDict):
        return None
    found: list[Any] = list(fields.values())
    names = {field.field_name for field in found}
    if len(names) != len(found) or not all(type(name) is str for name in names):
        return None
    for field in found:
        if isinstance(field, BaseSerializer):
            kept.kept_on(field)
    return found


def rows(serializer: Any, data: Any) -> Any:
    """``ListSerializer.to_representation``, one crossing for all rows."""
    return represent_many(serializer.child, rows_of(data))


def take_over(serializer: Any) -> None:
    """Makes one list serializer represent its rows by :func:`rows`, where it would have as DRF does."""
    if getattr(class_of(serializer), "to_representation", None) is REPRESENT_LIST:
        serializer.to_representation = functools.partial(rows, serializer)


def is_list(serializer: Any) -> bool:
    """Whether a list serializer represents its rows one by one and nothing else."""
    method = state_of(serializer).get("to_representation", getattr(class_of(serializer), "to_representation", None))
    return (method.func if isinstance(method, functools.partial) else method) in _lists


def _nested(serializer: Any) -> Description:
    return ("record", serializer)


def _nested_rows(serializer: Any) -> Description:
    return ("records", serializer.child)


register(REPRESENT, _nested)
register(REPRESENT_LIST, _nested_rows)
our_list(rows)
