"""Fields of ``Query``: what each model adds, and how it is planned."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import TextField, Value
from django.db.models.functions import Cast, Concat, StrIndex

from plectrum.orm.plan import Plan, Response

from .aggregates import Aggregated, aggregate, groupable, grouped
from .compile import compile_rows
from .errors import GraphQLError
from .fields import Column, ObjectType
from .filters import condition
from .graph import Graph
from .names import plural, singular
from .ordering import ordered
from .pages import connect_root
from .rows import plan_rows, sliced
from .scalars import ID
from .scope import Scope

__all__ = ["Root", "changed_root", "connection_arguments", "internal_roots", "listed_root", "roots_of", "single_root"]


@dataclass(frozen=True)
class Root:
    """A field of ``Query``.

    Parameters:
        sdl: its definition.
        plan: makes the statements and the response of a shape.
    """

    sdl: str
    plan: Callable[[Scope, dict[str, Any]], tuple[list[Plan], Response]]


def roots_of(graph: Graph) -> dict[str, Root]:
    """The fields of ``Query``, by name.

    Errors:
        ConfigurationError: two models would have the same field.
    """
    roots: dict[str, Root] = {}
    for one in graph.types.values():
        for name, root in (_many(graph, one), _single(one), _connection(graph, one), _aggregate(one), _groups(one)):
            if name in roots:
                raise graph.wrong(f"two models make the field Query.{name}. Give one of them another name=.")
            roots[name] = root
    if graph.declared.global_ids:
        roots["node"] = Root("node(id: ID!): Node", _node)
    return roots


def _names(one: ObjectType) -> tuple[str, str]:
    """The fields of many rows and of one."""
    if one.options.name is None:
        many, single = plural(one.model), singular(one.model)
        return (many, single) if many != single else (f"{single}List", single)
    single = one.name[:1].lower() + one.name[1:]
    return f"{single}s", single


def single_root(one: ObjectType) -> str:
    """The field of one row of a type."""
    return _names(one)[1]


def listed_root(one: ObjectType) -> str:
    """What is no field of the schema: rows of given keys, in their order."""
    return f"[{one.name}]"


def changed_root(one: ObjectType) -> str:
    """What is no field of the schema: a row that has changed, where a filter lets it pass."""
    return f"changed {one.name}"


def internal_roots(graph: Graph) -> dict[str, Root]:
    """Plans that no client can ask for by name: of rows that functions and changes give."""
    types = graph.types.values()
    listed = {listed_root(one): Root("", functools.partial(_listed, one)) for one in types}
    return listed | {changed_root(one): Root("", functools.partial(_changed, one)) for one in types}


def _listed(one: ObjectType, scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
    given = shape["a"]
    place = StrIndex(scope.arguments.take(given["order"], str, "order"), _between(one))
    rows = scope.rows(one).filter(pk__in=scope.value(one, _ID, given["ids"])).order_by(place)
    return [plan_rows(scope, one, rows, shape["s"][one.name])], {"rows": 0}


def _between(one: ObjectType) -> Any:
    """A row's key between commas, as it stands in the list of keys."""
    comma: Any = Value(",", output_field=TextField())
    return Concat(comma, Cast("pk", TextField()), comma, output_field=TextField())


def _changed(one: ObjectType, scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
    given = shape["a"]
    rows = scope.rows(one).filter(condition(scope, one, given.get("filter"))).order_by()
    rows = rows.filter(pk=scope.value(one, _ID, given["id"]))
    return [plan_rows(scope, one, rows, shape["s"][one.name])], {"scalar": 0}


def _many(graph: Graph, one: ObjectType) -> tuple[str, Root]:
    name, default = _names(one)[0], graph.declared.default_limit
    limit = f"limit: Int{'' if default is None else f' = {default}'}"
    arguments = f"filter: {one.name}Filter, orderBy: [{one.name}Order!], {limit}, offset: Int"

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        given = shape.get("a", {})
        rows = scope.rows(one).filter(condition(scope, one, given.get("filter")))
        rows = sliced(scope, ordered(scope.graph, one, rows, given.get("orderBy")), given)
        return [plan_rows(scope, one, rows, shape["s"][one.name])], {"rows": 0}

    return name, Root(f"{name}({arguments}): [{one.name}!]!", plan)


def connection_arguments(type_name: str) -> str:
    """Arguments of a connection, but for ``first``."""
    cursors = "after: Cursor, last: Int, before: Cursor"
    return f"filter: {type_name}Filter, orderBy: [{type_name}Order!], {cursors}"


def _connection(graph: Graph, one: ObjectType) -> tuple[str, Root]:
    name = f"{_names(one)[0]}Connection"

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        return connect_root(scope, one, shape)

    return name, Root(f"{name}({connection_arguments(one.name)}, first: Int): {one.name}Connection!", plan)


def _aggregate(one: ObjectType) -> tuple[str, Root]:
    name = f"{_names(one)[0]}Aggregate"

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        ((type_name, selection),) = shape["s"].items()
        rows = scope.rows(one).filter(condition(scope, one, shape.get("a", {}).get("filter")))
        return aggregate(scope, rows, Aggregated(one, selection, type_name))

    return name, Root(f"{name}(filter: {one.name}Filter): {one.name}Aggregate!", plan)


def _groups(one: ObjectType) -> tuple[str, Root]:
    name = f"{_names(one)[0]}Groups"
    columns = {column.name: column for column in groupable(one)}

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        given = shape["a"]
        ((type_name, selection),) = shape["s"].items()
        by = tuple(dict.fromkeys(given["by"]))
        if not by:
            raise GraphQLError("Groups need at least one column to group by.")
        asked = Aggregated(one, selection, type_name, by)
        rows = scope.rows(one).filter(condition(scope, one, given.get("filter")))
        groups = sliced(scope, grouped(rows, [columns[column] for column in by], asked), given)
        return [compile_rows(groups, scope.using, asked.leaves).plan(asked.template)], {"rows": 0}

    arguments = f"by: [{one.name}Column!]!, filter: {one.name}Filter, limit: Int, offset: Int"
    return name, Root(f"{name}({arguments}): [{one.name}Group!]!", plan)


def _node(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
    asked = shape["a"]["id"]
    one = scope.graph.types.get(asked.get("of", ""))
    if one is None:
        scope.arguments.take(asked, str, "id")
        return [], {"literal": None}
    rows = scope.rows(one).order_by().filter(pk=scope.value(one, _ID, asked))
    return [plan_rows(scope, one, rows, shape["s"][one.name])], {"scalar": 0}


def _single(one: ObjectType) -> tuple[str, Root]:
    name = single_root(one)

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        key = scope.value(one, _ID, shape["a"]["id"])
        rows = scope.rows(one).order_by().filter(pk=key)
        return [plan_rows(scope, one, rows, shape["s"][one.name])], {"scalar": 0}

    return name, Root(f"{name}(id: ID!): {one.name}", plan)


_ID: Final = Column("id", "pk", ID, False)
