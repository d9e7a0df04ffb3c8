"""A shape's values as arguments of its plan: symbolic here, bound by Rust on each request."""

from __future__ import annotations

import json
import typing
from typing import Any

from plectrum.nodes import Nodes
from plectrum.orm import Param
from plectrum.orm.internal import is_a

__all__ = ["Arguments", "Shape"]

#: JSON of a shape, or of a part of one.
Shape = dict[str, Any]


class Arguments:
    """The arguments of one plan.

    Parameters:
        shape: whose values come first; what a viewer brings comes after them.
    """

    def __init__(self, shape: Any = None) -> None:
        self._known: dict[int, tuple[Param, dict[str, Any]]] = {}
        self._nodes = Nodes()
        self._given = _count(shape)
        self._of_viewer: dict[tuple[str, str, Any], int] = {}

    def take(self, placeholder: Shape, annotation: Any, name: str) -> Param:
        """The argument a placeholder stands for.

        Parameters:
            placeholder: ``{"$": number, "t": type}``; a list of values where the type is one.
            annotation: Python type of its value (of one item, where it is a list).
            name: for people.
        """
        index: int = placeholder["$"]
        if index not in self._known:
            many = placeholder["t"].startswith("[")
            whole = list[annotation] if many else annotation
            schema = self._nodes.schema(whole, where=name)
            param = Param(f"{name}_{index}", _plain(whole), "graphql", index)
            self._known[index] = param, {"name": repr(name), "schema": schema, "text": _is_text(placeholder)}
        return self._known[index][0]

    def of_viewer(self, origin: str, key: str, annotation: Any) -> Param:
        """A value that comes with the request, not with its document.

        Parameters:
            origin: ``subject``, ``claim`` or ``header``.
            key: name of the claim or the header.
            annotation: its Python type.
        """
        identity = (origin, key, annotation)
        if identity not in self._of_viewer:
            index = self._of_viewer[identity] = self._given + len(self._of_viewer)
            name = f"{origin} {key}".strip()
            schema = self._nodes.schema(annotation, where=name)
            described = {"name": name, "schema": schema, "origin": origin, "key": key}
            self._known[index] = Param(name, _plain(annotation), "graphql", index), described
        return self._known[self._of_viewer[identity]][0]

    def describe(self) -> str:
        """As Rust reads them: a list, by number."""
        unused = {"name": "", "schema": self._nodes.schema(str, where="unused"), "origin": "unused"}
        count = max(self._known, default=-1) + 1
        return json.dumps([self._known[index][1] if index in self._known else unused for index in range(count)])

    def for_django(self) -> tuple[dict[str, str], ...]:
        """As an operation holds them."""
        count = max(self._known, default=-1) + 1
        blank = {"name": "", "type": "", "source": "graphql"}
        return tuple(
            {**blank, "name": param.name, "type": param.type.__name__} if param else blank
            for param in (self._known[index][0] if index in self._known else None for index in range(count))
        )


def _count(shape: Any) -> int:
    """One more than the highest placeholder in a shape."""
    if is_a(shape, dict):
        members: Shape = shape
        if "$" in members:
            return int(members["$"]) + 1
        return max((_count(value) for value in members.values()), default=0)
    if is_a(shape, list):
        items: list[Any] = shape
        return max((_count(item) for item in items), default=0)
    return 0


def _is_text(placeholder: Shape) -> bool:
    """Ids and big integers are strings, whatever they are to the database."""
    return placeholder["t"].strip("[]") in ("ID", "BigInt")


def _plain(annotation: Any) -> Any:
    """Without the constraints, which are Rust's to check."""
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return annotation
