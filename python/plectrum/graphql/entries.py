"""What a mutation may set: a model's writable fields as fields of an input type, and their values."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError as Invalid
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from plectrum.errors import ValidationError
from plectrum.orm.internal import is_a
from plectrum.resources.inputs import Inputs, editable_fields, make_inputs

from .fields import Column, ObjectType
from .graph import Graph
from .names import field_name
from .scalars import ID, Enum, Leaf

__all__ = ["INPUT", "Entry", "Invalids", "entries_of", "inputs_of", "value_of"]

#: Where a mutation's mistakes are, in the errors of ``plectrum.resources``.
INPUT: Final = "input"


@dataclass(frozen=True)
class Entry:
    """A field of an input type.

    Parameters:
        name: in GraphQL.
        field: Django's.
        leaf: type of its value.
        depth: lists around it.
        required: whether a new row needs it.
        target: type of the rows its ids are of, where that is in the graph.
    """

    name: str
    field: Any
    leaf: Leaf
    depth: int
    required: bool
    target: ObjectType | None = None

    def sdl(self, *, needed: bool) -> str:
        """Its definition.

        Parameters:
            needed: whether what a new row needs is required.
        """
        inner = self.leaf.name
        for _ in range(self.depth):
            inner = f"[{inner}!]" if self.field.many_to_many else f"[{inner}]"
        return f"{self.name}: {inner}{'!' if needed and self.required else ''}"

    def read(self, shape: Any, values: Sequence[Any]) -> Any:
        """Its value, as the field takes it.

        Parameters:
            shape: the value's place in a shape.
            values: of the shape's placeholders.

        Errors:
            ValidationError: it cannot be read.
        """
        try:
            return self._converted(value_of(shape, values, self.target.name if self.target else None))
        except (ValueError, Invalid) as error:
            message = " ".join(error.messages) if isinstance(error, Invalid) else "Enter a valid value."
            raise ValidationError([{"loc": [INPUT, self.field.name], "type": "invalid", "msg": message}]) from error

    def _converted(self, value: Any) -> Any:
        if self.field.many_to_many and not value:
            if not self.field.blank:
                raise Invalid("This list must not be empty.")
            return []
        if value is None:
            return None
        if isinstance(self.leaf, Enum):
            return self.leaf.members[value]
        if self.field.many_to_many:
            return [self.field.related_model._meta.pk.to_python(key) for key in value]
        read = _READ.get(self.leaf.name)
        return value if read is None or self.depth else read(value)


class Invalids:
    """The mistakes of several entries together."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []

    def read(self, entry: Entry, shape: Any, values: Sequence[Any]) -> Any:
        """As :meth:`Entry.read`; a mistake is kept, not raised."""
        try:
            return entry.read(shape, values)
        except ValidationError as error:
            self._found += error.errors
            return None

    def check(self) -> None:
        """Raises what was found.

        Errors:
            ValidationError: there was a mistake.
        """
        if self._found:
            raise ValidationError(self._found)


def value_of(shape: Any, values: Sequence[Any], of: str | None = None) -> Any:
    """An argument's value.

    Parameters:
        shape: its place in a shape.
        values: of the shape's placeholders.
        of: name of the type an id has to be of.

    Errors:
        ValueError: an id of another type.
    """
    if is_a(shape, list):
        items: list[Any] = shape
        return [value_of(item, values, of) for item in items]
    if not is_a(shape, dict):
        return shape
    if shape.get("of", of) != of:
        raise ValueError(f"The id is one of {shape['of']}.")
    if "$" in shape:
        return values[shape["$"]]
    members: Mapping[str, Any] = shape
    return {name: value_of(member, values) for name, member in members.items()}


def inputs_of(graph: Graph, one: ObjectType) -> Inputs:
    """The fields of a type that may be written.

    Errors:
        ConfigurationError: a field cannot be written; a new row would need one that is not shown.
    """
    names = _shown_fields(graph, one) if one.options.write_fields is None else list(one.options.write_fields)
    if not names and {"create", "update"} & set(one.options.writes):
        raise graph.wrong(
            f"Type({one.model.__name__}, writes=…): no field can be written. Name some in write_fields=, or leave "
            '"create" and "update" out.'
        )
    return make_inputs(one.model, names, (), graph.declared.where)


def _shown_fields(graph: Graph, one: ObjectType) -> list[str]:
    """Names of the editable fields that every client may see."""
    columns = {field.path for field in one.fields.values() if isinstance(field, Column) and field.visible is None}
    columns |= {one.model._meta.pk.attname}
    hidden = {*one.options.exclude, *one.options.visible}
    chosen = None if one.options.fields is None else set(one.options.fields)
    names: list[str] = []
    for field, given, needed in editable_fields(one.model):
        listed = field.name not in hidden and (chosen is None or field.name in chosen)
        if given and listed and (field.many_to_many or field.attname in columns):
            names.append(field.name)
        elif needed and "create" in one.options.writes:
            problem = "is not shown" if given else f"is a {type(field).__name__} and cannot be given"
            raise graph.wrong(
                f"Type({one.model.__name__}, writes=…): a new row needs {field.name!r}, which {problem}. Name the "
                'fields to write in write_fields=, or leave "create" out.'
            )
    return names


def entries_of(graph: Graph, one: ObjectType, inputs: Inputs) -> Iterator[Entry]:
    """The fields of a type's input types."""
    shown = {field.path: field for field in one.fields.values() if isinstance(field, Column)}
    for name in inputs.create.__annotations__:
        field = one.model._meta.get_field(name)
        required = name in inputs.create.__required_keys__
        if field.is_relation:
            many = bool(field.many_to_many)
            shown_as = field_name(name if many else field.attname)
            yield Entry(shown_as, field, ID, int(many), required, graph.type_of(field.related_model))
            continue
        column = shown.get(name) or graph.column_of(one, field)
        if column is None:
            raise graph.wrong(f"{one.model.__name__}.{name} cannot be written: its values have no GraphQL type.")
        yield Entry(column.name, field, column.leaf, column.depth, required)


def _datetime(text: str) -> Any:
    """Without an offset it is in the current time zone, as everywhere."""
    found = parse_datetime(text)
    if isinstance(found, datetime.datetime) and settings.USE_TZ and timezone.is_naive(found):
        return timezone.make_aware(found)
    return text if found is None else found


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Invalid("Enter bytes in base64.") from error


_READ: Final[dict[str, Callable[[Any], Any]]] = {"DateTime": _datetime, "Base64": _bytes}
