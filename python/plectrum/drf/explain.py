"""Which of a serializer's fields Rust takes over, and why not the others: the decisions themselves, as data."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from rest_framework.fields import HiddenField
from rest_framework.serializers import ListSerializer, Serializer

from . import compile as output
from . import validate
from .accept import accept, asks
from .describe import Description, describe, overridden
from .values import class_of

__all__ = ["Decision", "FieldExplanation", "SerializerExplanation", "explain"]


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """Who does the work.

    Attributes:
        way: ``"rust"``; ``"python"`` where DRF's or your own Python runs; ``"unused"`` where there is nothing to do, as
            for the input of a read-only field.
        reason: why it is not Rust, as a clause that follows the field's name; empty otherwise.
        remedy: what would make it so, as an imperative clause; empty where nothing would.
    """

    way: Literal["rust", "python", "unused"]
    reason: str = ""
    remedy: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldExplanation:
    """One field of a serializer.

    Attributes:
        name: its key in ``serializer.fields``.
        kind: its class's name, ``ListSerializer`` for a nested ``many=True``.
        source: as DRF resolved it.
        output: who makes its part of ``.data``.
        input: who validates it. ``"rust"`` means what is plainly valid: errors are always found by DRF.
        nested: the serializer it is, or lists; ``None`` for every other field, and for one that nests itself.
    """

    name: str
    kind: str
    source: str
    output: Decision
    input: Decision
    nested: SerializerExplanation | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SerializerExplanation:
    """A serializer.

    Attributes:
        name: the class as ``module.QualifiedName``.
        output: who writes the record as a whole; where that is Python, each field's own ``output`` still tells what
            Rust does for ``super().to_representation()``.
        input: likewise for validation.
        fields: in the order of ``.data``.
    """

    name: str
    output: Decision
    input: Decision
    fields: tuple[FieldExplanation, ...]


def explain(serializer: Any) -> SerializerExplanation:
    """What :class:`RustSerializerMixin` or :func:`install` do for a serializer, field by field.

    Nothing is represented or validated, no row is read.

    Parameters:
        serializer: a ``Serializer`` class that can be made without arguments, or an instance (of a ``ListSerializer``:
            its child is meant), whose context and per-instance fields then count.

    Returns:
        The decisions, equal for equal classes and settings.

    Errors:
        What making the serializer or its fields raises, as a wrong ``Meta``; ``TypeError`` for what is no serializer.
    """
    made: Any = serializer() if isinstance(serializer, type) else serializer
    made = _record_of(made)
    if made is None:
        raise TypeError(f"{serializer!r} is no Serializer class and no instance of one.")
    return _explain(made, ())


def _explain(made: Any, above: tuple[type, ...]) -> SerializerExplanation:
    kind = class_of(made)
    return SerializerExplanation(
        name=f"{kind.__module__}.{kind.__qualname__}",
        output=_whole(output.obstacle(made)),
        input=_whole(validate.obstacle(made)),
        fields=tuple(_field(name, field, (*above, kind)) for name, field in made.fields.items()),
    )


def _whole(reason: str) -> Decision:
    if not reason:
        return Decision("rust")
    return Decision("python", reason, f"leave {reason.partition(' ')[0].rpartition('.')[2]} to DRF")


def _field(name: str, field: Any, above: tuple[type, ...]) -> FieldExplanation:
    return FieldExplanation(
        name=name,
        kind=class_of(field).__name__,
        source=field.source,
        output=Decision("unused") if field.write_only else _output(field),
        input=Decision("unused") if field.read_only else _input(name, field),
        nested=_nested(field, above),
    )


def _nested(field: Any, above: tuple[type, ...]) -> SerializerExplanation | None:
    inner = _record_of(field)
    return None if inner is None or class_of(inner) in above else _explain(inner, above)


def _record_of(field: Any) -> Any:
    """The serializer a field is or lists, ``None`` where it is another field."""
    kind = class_of(field)
    if issubclass(kind, ListSerializer):
        return _record_of(field.child)
    return field if issubclass(kind, Serializer) else None


def _output(field: Any) -> Decision:
    access, convert = describe(field)
    if access[0] == "key":
        return Decision("rust")  # the key is what is represented
    return _decision(access) or _decision(convert) or Decision("rust")


def _input(name: str, field: Any) -> Decision:
    kind = class_of(field)
    if asks(field) and not issubclass(kind, HiddenField):
        return _decision(overridden(field, "get_value")) or Decision("rust")
    if issubclass(kind, ListSerializer):
        return _whole(validate.obstacle(field.child))
    method = getattr(field.parent, "validate_" + name, None)
    hook = Decision("python", f"your validate_{name} has the last word", "use validators DRF has instead")
    return _read(accept(field)) or (hook if method is not None else Decision("rust"))


def _read(description: Description) -> Decision | None:
    """``None`` where Rust validates what is plainly valid."""
    match description:
        case ("known", _, _, ("items" | "members", _, child, _), (_, [*_])):
            return _read(child)
        case ("known", _, _, _, (_, None)):
            return Decision("python", "it has validators only Python knows", "use validators of Django's or DRF's")
        case ("known", *_):
            return None
        case _:
            return _decision(description)


def _decision(description: Description) -> Decision | None:
    """``None`` where Rust does it."""
    match description:
        case ("python", reason, remedy):
            return Decision("python", reason, remedy)
        case ("method", _, name):
            return Decision("python", f"its value is made by your {name}", "declare a field with a source instead")
        case ("items" | "related" | "members", _, child):
            return _decision(child)
        case _:
            return None
