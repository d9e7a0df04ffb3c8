"""The graph as text, in the schema definition language: what clients may ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .aggregates import FUNCTIONS, columns_for, groupable, leaf_for
from .fields import Aggregate, Column, Computed, Connection, Field, Many, ObjectType, One, Resolved
from .graph import Graph
from .operators import operators_of
from .roots import connection_arguments, roots_of
from .scalars import CUSTOM, Enum, Leaf

__all__ = ["block", "described", "write_sdl"]

_ORDER: Final = '''enum Order {
  """Smallest first."""
  ASC
  """Largest first."""
  DESC
  ASC_NULLS_FIRST
  ASC_NULLS_LAST
  DESC_NULLS_FIRST
  DESC_NULLS_LAST
}'''

_PAGE_INFO: Final = """type PageInfo {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: Cursor
  endCursor: Cursor
}"""


def write_sdl(graph: Graph, queries: Iterable[str] = (), more: Iterable[str] = ()) -> str:
    """The schema of a graph.

    Parameters:
        graph: its models.
        queries: further fields of ``Query``.
        more: definitions of what else it has.
    """
    return "\n\n".join((*_definitions(graph, queries), *more)) + "\n"


def _definitions(graph: Graph, queries: Iterable[str]) -> Iterator[str]:
    yield block("type Query", [*(root.sdl for root in roots_of(graph).values()), *queries])
    yield from (_interface(graph, name, fields) for name, fields in graph.interfaces.items())
    for one in graph.types.values():
        yield _object(graph, one)
        yield _filter(one)
        yield _list_filter(one)
        yield _order(graph, one)
        yield from _connection(one)
        yield from _aggregate(one)
    yield from (_enum(enum) for enum in graph.enums.values())
    yield from dict.fromkeys(_leaf_filter(column.leaf) for one in graph.types.values() for column in one.columns)
    yield _ORDER
    yield _PAGE_INFO
    yield f"{described('A place in a list, for first and after or last and before.')}scalar Cursor"
    yield from (f"{described(scalar.description)}scalar {name}" for name, scalar in CUSTOM.items())


def block(head: str, lines: Iterable[str]) -> str:
    """A definition with a body."""
    return head + " {\n" + "\n".join(f"  {line}" for line in lines) + "\n}"


def described(text: str, indent: str = "") -> str:
    """A description, in front of what it describes."""
    if not text.strip():
        return ""
    escaped = text.strip().replace("\\", "\\\\").replace('"""', '\\"""')
    return f'"""{escaped}{" " if escaped.endswith(chr(34)) else ""}"""\n{indent}'


def _object(graph: Graph, one: ObjectType) -> str:
    implements = f" implements {' & '.join(one.interfaces)}" if one.interfaces else ""
    lines = [_field(graph, field) for field in one.fields.values()]
    return described(one.description) + block(f"type {one.name}{implements}", lines)


def _interface(graph: Graph, name: str, fields: list[str]) -> str:
    one = next(one for one in graph.types.values() if name in one.interfaces)
    return block(f"interface {name}", [_field(graph, one.fields[field]) for field in fields])


def _field(graph: Graph, field: Field) -> str:
    return described(field.description, "  ") + f"{field.name}{_arguments(field)}: {_type(field)}"


def _arguments(field: Field) -> str:
    match field:
        case Many():
            return f"(filter: {field.target}Filter, orderBy: [{field.target}Order!], limit: Int, offset: Int)"
        case Connection():
            return f"({connection_arguments(field.target)}, first: Int)"
        case Aggregate():
            return f"(filter: {field.target}Filter)"
        case _:
            return ""


def _connection(one: ObjectType) -> Iterator[str]:
    edge = f"{one.name}Edge"
    lines = [f"edges: [{edge}!]!", "pageInfo: PageInfo!", '"""Rows on all pages."""\n  totalCount: Int!']
    yield block(f"type {one.name}Connection", lines)
    yield block(f"type {edge}", ["cursor: Cursor!", f"node: {one.name}!"])


def _aggregate(one: ObjectType) -> Iterator[str]:
    lines = ["count: Int!"]
    for function in FUNCTIONS:
        columns = columns_for(one, function)
        if columns:
            name = f"{one.name}{function.capitalize()}"
            lines.append(f"{function}: {name}!")
            yield block(f"type {name}", [f"{c.name}: {leaf_for(one, function, c).name}" for c in columns])
    yield block(f"type {one.name}Aggregate", lines)
    columns = groupable(one)
    yield block(f"enum {one.name}Column", [column.name for column in columns])
    yield block(f"type {one.name}GroupKey", [f"{column.name}: {column.leaf.name}" for column in columns])
    yield block(f"type {one.name}Group", [f"key: {one.name}GroupKey!", *lines])


def _type(field: Field) -> str:
    match field:
        case Column() | Computed() | Resolved():
            inner = field.leaf.name
            for _ in range(field.depth):
                inner = f"[{inner}]"
            return inner if field.nullable else f"{inner}!"
        case One():
            return field.target if field.nullable else f"{field.target}!"
        case Many():
            return f"[{field.target}!]!"
        case Connection():
            return f"{field.target}Connection!"
        case Aggregate():
            return f"{field.target}Aggregate!"


def _filter(one: ObjectType) -> str:
    name = f"{one.name}Filter"
    lines = [f"and: [{name}!]", f"or: [{name}!]", f"not: {name}"]
    lines += [f"{column.name}: {column.leaf.name}Filter" for column in one.columns]
    for field in one.fields.values():
        if isinstance(field, One):
            lines.append(f"{field.name}: {field.target}Filter")
        elif isinstance(field, Many):
            lines.append(f"{field.name}: {field.target}ListFilter")
    return block(f"input {name}", lines)


def _list_filter(one: ObjectType) -> str:
    name = f"{one.name}Filter"
    return block(f"input {one.name}ListFilter", [f"some: {name}", f"every: {name}", f"none: {name}"])


def _leaf_filter(leaf: Leaf) -> str:
    return block(f"input {leaf.name}Filter", [f"{op.name}: {op.type_of(leaf)}" for op in operators_of(leaf)])


def _order(graph: Graph, one: ObjectType) -> str:
    lines = [f"{column.name}: Order" for column in one.columns if column.leaf.name != "JSON"]
    # The order of rows tells about rows that are not shown.
    ones = [field for field in one.fields.values() if isinstance(field, One)]
    lines += [f"{field.name}: {field.target}Order" for field in ones if graph.types[field.target].options.rows is None]
    return block(f"input {one.name}Order", lines)


def _enum(enum: Enum) -> str:
    return block(f"enum {enum.name}", [described(enum.labels[name], "  ") + name for name in enum.members])
