"""Who asked for a relation: a serializer's field, or a line of the user's code."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from plectrum.errors import place as line

__all__ = ["Place", "find_place"]

#: Code that only passes the question on.
_BETWEEN = ("django.", "rest_framework.", "plectrum.", "asgiref.", "asyncio.", "concurrent.", "contextlib", "threading")


@dataclass(frozen=True)
class Place:
    """Who asked.

    Parameters:
        text: for people.
        serializer: name of the serializer's class.
        field: the serializer's field.
    """

    text: str
    serializer: str | None = None
    field: str | None = None


def find_place(path: Sequence[str]) -> Place:
    """Finds who asks for a relation right now.

    Parameters:
        path: names of the relations from the rows a queryset began with to this one.
    """
    frames = list(_frames())
    return _by_serializer(frames, path) or _by_line(frames)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _by_line(frames: list[FrameType]) -> Place:
    for frame in frames:
        name = frame.f_globals.get("__name__", "")
        if not f"{name}.".startswith(_BETWEEN) and not name.startswith("importlib"):
            return Place(line(frame.f_code.co_filename, frame.f_lineno))
    return Place("Code that is not Python")


def _by_serializer(frames: list[FrameType], path: Sequence[str]) -> Place | None:
    """The field whose method is running, or whose source leads over the relation."""
    drf: Any = sys.modules.get("rest_framework.serializers")
    if drf is None:
        return None
    outermost: Any = None
    for frame in frames:
        found: Any = frame.f_locals.get("self", frame.f_locals.get("serializer"))
        if not isinstance(found, drf.BaseSerializer):
            continue
        outermost = found
        fields: dict[str, Any] = getattr(found, "fields", {})
        for name, field in fields.items():
            if isinstance(field, drf.SerializerMethodField) and field.method_name == frame.f_code.co_name:
                return _field(found, name)
    if isinstance(outermost, drf.ListSerializer):
        outermost = outermost.child
    return None if outermost is None else _by_source(drf, outermost, list(path), 0)


def _by_source(drf: Any, serializer: Any, path: list[str], depth: int) -> Place | None:
    for name, field in getattr(serializer, "fields", {}).items():
        attributes = list(getattr(field, "source_attrs", ()))
        if attributes[: len(path)] == path and not _reads_key_only(field):
            return _field(serializer, name)
        inner = field.child if isinstance(field, drf.ListSerializer) else field
        below = path[len(attributes) :]
        if isinstance(inner, drf.BaseSerializer) and below and path[: len(attributes)] == attributes and depth < 16:
            found = _by_source(drf, inner, below, depth + 1)
            if found is not None:
                return found
    return None


def _reads_key_only(field: Any) -> bool:
    """Whether it is content with ``author_id``."""
    asks = getattr(field, "use_pk_only_optimization", None)
    return asks is not None and bool(asks()) and len(field.source_attrs) == 1


def _field(serializer: Any, name: str) -> Place:
    owner = type(serializer).__name__
    return Place(f"{owner}.{name}", owner, name)
