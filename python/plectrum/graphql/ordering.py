"""The order of a list's rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import F
from django.db.models.expressions import OrderBy

from plectrum.orm.internal import Rows

from .fields import Column, ObjectType, One
from .graph import Graph

__all__ = ["ordered"]

_NULLS: Final[dict[str, dict[str, bool]]] = {"FIRST": {"nulls_first": True}, "LAST": {"nulls_last": True}}


def ordered(graph: Graph, one: ObjectType, rows: Rows, shape: list[Any] | None) -> Rows:
    """Rows in the order a client asked for; else in the model's, else by key. The key decides among equals.

    Parameters:
        graph: what there is.
        one: the type of the rows.
        rows: to be ordered.
        shape: value of ``orderBy``.
    """
    asked = [expression for item in shape or () for expression in _expressions(graph, one, item or {}, "")]
    if asked:
        return rows.order_by(*asked, "pk")
    if rows.query.order_by or (rows.query.default_ordering and one.model._meta.ordering):
        return rows
    return rows.order_by("pk")


def _expressions(graph: Graph, one: ObjectType, shape: dict[str, Any], prefix: str) -> Iterator[OrderBy]:
    for name, part in shape.items():
        field = one.fields[name]
        if part is None:
            continue
        if isinstance(field, Column):
            yield _directed(f"{prefix}{field.path}", part)
        elif isinstance(field, One):
            path = f"{prefix}{field.relation.path or field.relation.name}__"
            yield from _expressions(graph, graph.types[field.target], part, path)


def _directed(path: str, order: str) -> OrderBy:
    direction, _, nulls = order.partition("_NULLS_")
    options: Any = _NULLS.get(nulls, {})
    return F(path).asc(**options) if direction == "ASC" else F(path).desc(**options)
