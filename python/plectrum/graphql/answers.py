"""How mutations are answered: by the query that shows a row, or by an object that needs none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied

from plectrum.errors import Forbidden, HTTPException
from plectrum.orm.internal import is_a

from .arguments import Shape
from .rows import selected_of

__all__ = ["DEFINITIONS", "REFUSED", "Shown", "dumped", "project", "refused", "shown_row"]

#: The type of what was not done.
REFUSED: Final = "Refused"
DEFINITIONS: Final = (
    '"""What is wrong with a mutation; nothing was written."""\ntype Refused {\n  errors: [FieldError!]!\n}',
    (
        '"""A mistake in the input."""\ntype FieldError {\n'
        '  """The field of the input; null where it is not one alone."""\n  field: String\n'
        '  """For programs, such as `required`, `unique`, `not_found`."""\n  code: String!\n'
        '  """For people."""\n  message: String!\n}'
    ),
    '"""A row that is no more."""\ntype Deleted {\n  id: ID!\n}',
)


@dataclass(frozen=True)
class Shown:
    """An answer that a query gives.

    Parameters:
        shape: of the query.
        values: of its placeholders.
        using: database alias it was written to.
    """

    shape: Shape
    values: list[Any]
    using: str

    def placed(self, values: list[Any], using: str) -> list[Any]:
        """As Rust reads it: the shape, and the values of its placeholders as JSON text.

        Parameters:
            values: of the placeholders in the selection, which it has from the shape it answers.
            using: database alias that need not be named.
        """
        kept = [*self.values]
        ((type_name, selection),) = self.shape["s"].items()
        shape = {**self.shape, "s": {type_name: _renumbered(selection, values, kept)}}
        if self.using != using:
            shape["using"] = self.using
        return [json.dumps(shape, separators=(",", ":")), [json.dumps(value) for value in kept]]


def shown_row(root: str, type_name: str, key: Any, asked: Mapping[str, Any], using: str) -> Shown:
    """The answer that shows one row: the very shape of the query for it, and so its plan.

    Parameters:
        root: field of ``Query`` for one row.
        type_name: of the row.
        key: of the row.
        asked: the shape whose ``s`` selects.
        using: database alias.
    """
    shape = {"f": root, "a": {"id": {"$": 0, "t": "ID"}}, "s": {type_name: asked["s"].get(type_name, [])}}
    return Shown(shape, [str(key)], using)


def _renumbered(shape: Any, values: list[Any], kept: list[Any]) -> Any:
    """A part of a shape with placeholders of its own; their values are appended to ``kept``."""
    if is_a(shape, list):
        return [_renumbered(item, values, kept) for item in shape]
    if not is_a(shape, dict):
        return shape
    members: dict[str, Any] = shape
    if "$" in members:
        kept.append(values[members["$"]])
        return {**members, "$": len(kept) - 1}
    return {name: _renumbered(member, values, kept) for name, member in members.items()}


def project(value: Any, asked: Mapping[str, Any], type_name: Callable[[Any], str]) -> Any:
    """A value as it was asked for.

    Parameters:
        value: mappings by field name, lists of them, plain values.
        asked: the shape whose ``s`` selects.
        type_name: name of a mapping's type.
    """
    if is_a(value, list):
        return [project(item, asked, type_name) for item in value]
    if not is_a(value, dict):
        return value
    name = type_name(value)
    fields: dict[str, Any] = {}
    for key, field, inner in map(selected_of, asked["s"].get(name, [])):
        fields[key] = name if field == "__typename" else project(value[field], inner, type_name)
    return fields


def refused(asked: Shape, error: Exception, names: Mapping[str, str]) -> str:
    """The answer to a mutation that was not done.

    Parameters:
        asked: its shape.
        error: why.
        names: Django's field name → the input's.
    """
    errors = [
        {"field": _field(problem["loc"], names), "code": problem["type"], "message": problem["msg"]}
        for problem in _problems(error)
    ]
    return dumped(project({"errors": errors}, asked, lambda value: REFUSED if "errors" in value else "FieldError"))


def dumped(value: Any) -> str:
    """As JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _field(loc: list[Any], names: Mapping[str, str]) -> str | None:
    return names.get(loc[1], str(loc[1])) if len(loc) > 1 else None


def _problems(error: Exception) -> Iterator[dict[str, Any]]:
    if isinstance(error, PermissionDenied):
        error = Forbidden(str(error) or None)
    assert isinstance(error, HTTPException)
    code = error.title.lower().replace(" ", "_")
    yield from error.extra.get("errors") or [{"loc": [], "type": code, "msg": error.detail or error.title}]
