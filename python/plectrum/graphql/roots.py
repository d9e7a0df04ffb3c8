"""Fields of ``Query``: what each model adds, and how it is planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plectrum.orm.plan import Plan, Response

from .fields import ObjectType
from .filters import condition
from .graph import Graph
from .names import plural, singular
from .ordering import ordered
from .rows import plan_rows, sliced
from .scope import Scope

__all__ = ["Root", "roots_of"]


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
        for name, root in (_many(graph, one), _single(one)):
            if name in roots:
                raise graph.wrong(f"two models make the field Query.{name}. Give one of them another name=.")
            roots[name] = root
    return roots


def _names(one: ObjectType) -> tuple[str, str]:
    """The fields of many rows and of one."""
    if one.options.name is None:
        many, single = plural(one.model), singular(one.model)
        return (many, single) if many != single else (f"{single}List", single)
    single = one.name[:1].lower() + one.name[1:]
    return f"{single}s", single


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


def _single(one: ObjectType) -> tuple[str, Root]:
    name = _names(one)[1]

    def plan(scope: Scope, shape: dict[str, Any]) -> tuple[list[Plan], Response]:
        key = scope.value(one, _id(one), shape["a"]["id"])
        rows = scope.rows(one).order_by().filter(pk=key)
        return [plan_rows(scope, one, rows, shape["s"][one.name])], {"scalar": 0}

    return name, Root(f"{name}(id: ID!): {one.name}", plan)


def _id(one: ObjectType) -> Any:
    from .fields import Column
    from .scalars import ID

    return Column("id", "pk", ID, False)
