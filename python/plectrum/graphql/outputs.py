"""Results of functions: their types in the schema, and their values as they were asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

from plectrum import _core
from plectrum.errors import SchemaError
from plectrum.orm.internal import is_a
from plectrum.structs import fields_of

from .annotations import Listed, Named, Nullable, Row, Shape, Struct, read_annotation
from .answers import Shown, shown_row
from .graph import Graph
from .names import field_name
from .roots import listed_root, single_root
from .rows import selected_of
from .scalars import Enum
from .sdl import block

__all__ = ["Output", "Outputs", "written"]

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1

#: Makes of a value what was asked for: plain values, and rows that a query shows.
Shaper = Callable[[Any, dict[str, Any]], Any]


@dataclass(frozen=True)
class Output:
    """The type of a result.

    Parameters:
        sdl: with its ``!``.
        shape: makes of a value what was asked for.
        has_rows: whether queries show parts of it.
    """

    sdl: str
    shape: Shaper
    has_rows: bool = False


class Outputs:
    """The types of results.

    Parameters:
        graph: the models' types.
        using: database alias of rows that know of none.
    """

    def __init__(self, graph: Graph, using: str) -> None:
        self._graph = graph
        self._using = using
        #: Definitions of object types by name.
        self.definitions: dict[str, str] = {}
        self._structs: dict[str, _Object] = {}

    def read(self, annotation: Any) -> tuple[Shape, Output]:
        """The type of an annotation.

        Errors:
            SchemaError: it has no counterpart.
        """
        shape = read_annotation(self._graph, annotation)
        return shape, self._output(shape, within_list=False)

    def _output(self, shape: Shape, *, within_list: bool) -> Output:
        match shape:
            case Nullable(inner):
                output = self._output(inner, within_list=within_list)
                return Output(output.sdl.removesuffix("!"), _nullable(output.shape), output.has_rows)
            case Listed(Row(name, model)):
                return Output(f"[{name}!]!", self._rows(name, model), has_rows=True)
            case Listed(item):
                output = self._output(item, within_list=True)
                return Output(f"[{output.sdl}]!", _each(output.shape))
            case Named(leaf):
                return Output(f"{leaf.name}!", _enum(leaf) if isinstance(leaf, Enum) else _scalar(leaf.name))
            case Struct(cls, name):
                self._define(cls, name, within_list)
                made = self._structs[name]
                return Output(f"{name}!", made, made.has_rows)
            case Row(name, model):
                if within_list:
                    raise SchemaError(
                        f"{name} is a row within a list of objects: each would need a statement of its own. Return a "
                        f"list[{name}] beside them, or the ids."
                    )
                # A row that is there may be none of those that exist for a client.
                return Output(name, self._row(name, model), has_rows=True)
            case _:
                raise SchemaError("a file cannot be a result.")

    # ── Objects ────────────────────────────────────────────────────────────────────────────────────────────────

    def _define(self, cls: Any, name: str, within_list: bool) -> None:
        known = self._structs.get(name)
        if known is not None:
            if known.cls is not cls:
                raise SchemaError(f"two classes are called {name}. Rename one of them.")
            if within_list and known.has_rows:
                raise SchemaError(f"{name} holds rows, and is an item of a list: each would need a statement.")
            return
        if name in self._graph.types:
            raise SchemaError(f"{name} is the name of a model in the graph. Rename the class.")
        made = self._structs[name] = _Object(cls, name)
        lines: list[str] = []
        for field in fields_of(cls) or ():
            if field.access == "write_only":
                continue
            output = self._output(read_annotation(self._graph, field.annotation), within_list=within_list)
            key = field_name(field.key)
            made.fields[key] = field.name, output.shape
            made.has_rows |= output.has_rows
            lines.append(f"{key}: {output.sdl}")
        self.definitions[name] = block(f"type {name}", lines)

    # ── Rows ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, name: str, model: Any) -> Shaper:
        root = single_root(self._graph.types[name])

        def row(value: Any, asked: dict[str, Any]) -> Any:
            return shown_row(root, name, _key(value, model), asked, self._alias(value))

        return row

    def _rows(self, name: str, model: Any) -> Shaper:
        root = listed_root(self._graph.types[name])

        def rows(value: Any, asked: dict[str, Any]) -> Any:
            items = list(value)
            if not items:
                return []
            keys = [_key(item, model) for item in items]
            arguments = {"ids": {"$": 0, "t": "[ID]"}, "order": {"$": 1, "t": "String"}}
            shape = {"f": root, "a": arguments, "s": {name: asked["s"].get(name, [])}}
            return Shown(shape, [[str(key) for key in keys], self._order(model, keys)], self._alias(items[0]))

        return rows

    def _alias(self, row: Any) -> str:
        """Where a row was read or written."""
        return getattr(getattr(row, "_state", None), "db", None) or self._using

    def _order(self, model: Any, keys: list[Any]) -> str:
        """The keys as the database writes them as text."""
        connection, pk = connections[self._using], model._meta.pk
        return "".join(f",{pk.get_db_prep_value(pk.to_python(key), connection)}" for key in keys) + ","


class _Object:
    """Makes objects of instances."""

    def __init__(self, cls: Any, name: str) -> None:
        self.cls = cls
        self.name = name
        self.fields: dict[str, tuple[str, Shaper]] = {}
        self.has_rows = False

    def __call__(self, value: Any, asked: dict[str, Any]) -> dict[str, Any]:
        """What was asked for of a value."""
        made: dict[str, Any] = {}
        for key, name, inner in map(selected_of, asked["s"].get(self.name, [])):
            if name == "__typename":
                made[key] = self.name
                continue
            attribute, shape = self.fields[name]
            made[key] = shape(value[attribute] if is_a(value, dict) else getattr(value, attribute), inner)
        return made


def _nullable(shape: Shaper) -> Shaper:
    return lambda value, asked: None if value is None else shape(value, asked)


def _each(shape: Shaper) -> Shaper:
    return lambda value, asked: [shape(item, asked) for item in value]


def _enum(leaf: Enum) -> Shaper:
    names = {value: name for name, value in leaf.members.items()}
    return lambda value, _: names[getattr(value, "value", value)]


def _scalar(name: str) -> Shaper:
    if name in ("ID", "BigInt"):
        return lambda value, _: str(value)
    return _int if name == "Int" else _same


def _int(value: Any, _: dict[str, Any]) -> Any:
    if is_a(value, int) and not _SMALLEST <= value <= _LARGEST:
        raise ValueError(f"{value} is no Int of GraphQL, which has 32 bits. Annotate it as plectrum.graphql.BigInt.")
    return value


def _same(value: Any, _: dict[str, Any]) -> Any:
    return value


def _key(row: Any, model: Any) -> Any:
    """Of an instance, or the key itself."""
    return row.pk if isinstance(row, model) else row


# ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def written(value: Any, values: list[Any], using: str) -> str:
    """A shaped value as Rust reads it (``crates/engine/src/graphql/answer.rs``).

    Parameters:
        value: what a :class:`Output` made.
        values: of the placeholders in the shape it was asked for with.
        using: database alias whose rows need no word of it.
    """
    pieces = _Pieces(values, using)
    pieces.add(value)
    return pieces.finish()


class _Pieces:
    """JSON text with places for rows."""

    def __init__(self, values: list[Any], using: str) -> None:
        self._values = values
        self._using = using
        self._text: list[str] = []
        self._done: list[Any] = []

    def add(self, value: Any) -> None:
        """Appends a value. Rows are in objects of objects only, never in lists."""
        if is_a(value, Shown):
            self._flush()
            self._done.append(value.placed(self._values, self._using))
        elif is_a(value, dict) and any(is_a(item, (dict, Shown)) for item in value.values()):
            for index, (key, item) in enumerate(value.items()):
                self._text.append(f"{',' if index else '{'}{json.dumps(key)}:")
                self.add(item)
            self._text.append("}")
        else:
            self._text.append(_core.encode(value).decode())

    def _flush(self) -> None:
        if self._text:
            self._done.append("".join(self._text))
            self._text.clear()

    def finish(self) -> str:
        """On one line."""
        if not self._done:
            return f'{{"v":{"".join(self._text)}}}'
        self._flush()
        return json.dumps({"p": self._done}, separators=(",", ":"))
