"""What a return annotation asks for: the fields of each object and how they nest.

Any class whose fields Python can name will do: Schema, dataclass, TypedDict, msgspec.Struct, pydantic model — or a
Django model, which asks for all of its own.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, Union, get_args, get_origin

from django.db import models

from plectrum.errors import PlanError, SchemaError
from plectrum.structs import output_names

from .internal import Class, is_a

__all__ = ["Wanted", "WantedField", "read_annotation", "unwrapped"]

_ANYTHING: Final = (Any, object, dict, list, None, type(None), typing.Mapping, Mapping)
_LISTS: Final = ("list", "List", "Sequence", "Iterable", "Collection", "tuple", "QuerySet", "Page")


@dataclasses.dataclass(frozen=True)
class WantedField:
    """A field of a wanted object.

    Parameters:
        key: key in the JSON.
        name: name of the model's field, relation or annotation.
        hint: its type without ``| None`` and ``Annotated``.
        many: whether the type is a list.
        wanted: the nested object, where the type is one.
    """

    key: str
    name: str
    hint: Any
    many: bool = False
    wanted: Wanted | None = None


@dataclasses.dataclass(frozen=True)
class Wanted:
    """An object.

    Parameters:
        name: the class's name, for people.
        fields: its fields; ``None`` for a Django model, which gives all of its own.
        model: the Django model.
    """

    name: str
    fields: tuple[WantedField, ...] | None
    model: type[models.Model] | None = None


def read_annotation(annotation: Any) -> Wanted | None:
    """What the annotation asks for; ``None`` where it says nothing about fields.

    Parameters:
        annotation: ``X``, ``list[X]``, ``Page[X]``, ``X | None``, ``QuerySet[X]``, or what was read of one already.

    Errors:
        PlanError: a class contains itself, which would need joins without end.
    """
    if isinstance(annotation, Wanted):
        return annotation
    inner, _ = unwrapped(annotation)
    return _object(inner, ())


def unwrapped(annotation: Any) -> tuple[Any, bool]:
    """The type inside ``| None``, ``Annotated``, ``list[…]`` and the like, and whether there was a list."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return unwrapped(arguments[0])
    if origin in (Union, types.UnionType):
        rest = [argument for argument in arguments if argument is not type(None)]
        return unwrapped(rest[0]) if len(rest) == 1 else (annotation, False)
    if getattr(origin, "__name__", "") in _LISTS and arguments:
        inner, _ = unwrapped(arguments[0])
        return inner, True
    if is_a(origin, type) and arguments and origin.__module__.startswith("plectrum."):
        return unwrapped(arguments[0])  # One[X]
    return annotation, False


def _object(annotation: Class, within: tuple[Any, ...]) -> Wanted | None:
    if annotation in _ANYTHING or not is_a(annotation, type):
        return None
    if issubclass(annotation, models.Model):
        return Wanted(annotation.__name__, None, annotation)
    fields = _fields_of(annotation)
    if fields is None:
        return None
    if annotation in within:
        raise PlanError(
            f"{annotation.__qualname__} contains itself ({' → '.join(c.__name__ for c in (*within, annotation))}), "
            "which would need joins without end. Return a class of its own for the inner level."
        )
    found = tuple(_field(key, name, hint, (*within, annotation)) for key, name, hint in fields)
    return Wanted(annotation.__name__, found)


def _field(key: str, name: str, hint: Any, within: tuple[Any, ...]) -> WantedField:
    inner, many = unwrapped(hint)
    return WantedField(key, name, inner, many, _object(inner, within))


def _fields_of(cls: Class) -> list[tuple[str, str, Any]] | None:
    """JSON key, attribute name and type of each field; ``None`` where the class is not a record."""
    if hasattr(cls, "model_fields") and hasattr(cls, "model_validate"):  # pydantic
        return [
            (field.serialization_alias or field.alias or name, name, _hints(cls)[name])
            for name, field in cls.model_fields.items()
        ]
    try:
        names = output_names(cls)
    except SchemaError as error:
        raise PlanError(str(error)) from error
    return None if names is None else [(key, name, _hints(cls)[name]) for name, key in names]


def _hints(cls: Class) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=False)
    except NameError as error:
        module = sys.modules.get(cls.__module__)
        raise PlanError(
            f"The annotations of {cls.__qualname__} ({getattr(module, '__name__', '?')}) cannot be read: {error}. "
            "Define or import the name at module level."
        ) from error
