"""Annotations of functions, as GraphQL knows types."""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import enum
import types
import typing
import uuid
from typing import Any, Final, NewType, Union, get_args, get_origin

from plectrum.errors import SchemaError
from plectrum.orm.internal import is_a
from plectrum.structs import fields_of, struct_name
from plectrum.uploads import UploadFile

from .graph import Graph
from .names import pascal
from .scalars import Enum, Scalar, scalar_named

__all__ = ["ID", "BigInt", "Listed", "Named", "Nullable", "Row", "Shape", "Struct", "enum_of", "read_annotation"]

ID = NewType("ID", str)
"""A type of parameters and results: an opaque id."""

BigInt = NewType("BigInt", int)
"""A type of parameters and results: an integer of up to 64 bits, written as a string."""

_LEAVES: Final[dict[Any, str]] = {
    bool: "Boolean",
    int: "Int",
    float: "Float",
    str: "String",
    bytes: "Base64",
    decimal.Decimal: "Decimal",
    uuid.UUID: "UUID",
    datetime.date: "Date",
    datetime.time: "Time",
    datetime.datetime: "DateTime",
    datetime.timedelta: "Duration",
    dict: "JSON",
    Any: "JSON",
    ID: "ID",
    BigInt: "BigInt",
}
_LISTS: Final = (list, collections.abc.Sequence)


@typing.final
class Named(typing.NamedTuple):
    """A scalar or an enum."""

    leaf: Scalar | Enum


@typing.final
class Struct(typing.NamedTuple):
    """A dataclass, a ``Schema`` or their like."""

    cls: Any
    name: str


@typing.final
class Row(typing.NamedTuple):
    """A row of a model in the graph."""

    name: str
    model: Any


@typing.final
class Listed(typing.NamedTuple):
    """Any number of them."""

    item: Shape


@typing.final
class Nullable(typing.NamedTuple):
    """One, or none."""

    inner: Shape


@typing.final
class File(typing.NamedTuple):
    """An uploaded file."""


Shape = Named | Struct | Row | Listed | Nullable | File


def read_annotation(graph: Graph, annotation: Any) -> Shape:
    """What an annotation is in GraphQL.

    Parameters:
        graph: whose models and enums are known.
        annotation: evaluated.

    Errors:
        SchemaError: it is nothing there.
    """
    annotation = _plain(annotation)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        if len(options) == 1 and len(get_args(annotation)) == 2:
            return Nullable(read_annotation(graph, options[0]))
        raise SchemaError(f"{annotation} has no counterpart in GraphQL: only 'X | None' has.")
    if origin in _LISTS or annotation in _LISTS:
        items = get_args(annotation)
        if not items:
            raise SchemaError("a list needs the type of its items: list[int].")
        return Listed(read_annotation(graph, items[0]))
    name = _LEAVES.get(origin if origin is dict else annotation)
    if name is not None:
        return Named(scalar_named(name))
    if annotation is UploadFile:
        return File()
    return _of_class(graph, annotation)


def _plain(annotation: Any) -> Any:
    """Without constraints and other names."""
    while True:
        if get_origin(annotation) is typing.Annotated:
            annotation = get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif isinstance(annotation, NewType) and annotation not in _LEAVES:
            annotation = annotation.__supertype__
        else:
            return annotation


def _of_class(graph: Graph, annotation: Any) -> Shape:
    if is_a(annotation, type) and issubclass(annotation, enum.Enum):
        return Named(enum_of(graph, annotation))
    one = graph.type_of(annotation)
    if one is not None:
        return Row(one.name, annotation)
    if hasattr(annotation, "_meta"):
        raise SchemaError(f"{annotation.__name__} is not in the graph. Add it to GraphQL(models=[…]).")
    if fields_of(annotation) is not None:
        return Struct(annotation, pascal(struct_name(annotation)))
    name = getattr(annotation, "__name__", annotation)
    raise SchemaError(
        f"{name} has no counterpart in GraphQL. Use a scalar, an enum, a dataclass, a Schema, a model of the graph, or "
        "a list of them."
    )


def enum_of(graph: Graph, cls: type[enum.Enum]) -> Enum:
    """A Python enum; that of a model's choices where it is one of them.

    Errors:
        SchemaError: the graph has another one of this name.
    """
    name = "".join(map(pascal, cls.__qualname__.rpartition("<locals>.")[2].split(".")))
    values = {member.value for member in cls}
    known = graph.enums.get(name)
    if known is not None and values == set(known.members.values()):
        return known
    labels = {member.name: str(getattr(member, "label", "")) for member in cls}
    made = Enum(name, {member.name: member.value for member in cls}, labels)
    if known is not None and known != made:
        raise SchemaError(f"the graph has two enums {name}. Rename one of them.")
    return graph.enums.setdefault(name, made)
