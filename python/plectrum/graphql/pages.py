"""Connections in a plan: edges, ``pageInfo`` and ``totalCount``, each a statement where it is selected."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from plectrum.orm.binds import Slot
from plectrum.orm.compiled import compile_count
from plectrum.orm.param import Param
from plectrum.orm.parameters import fit_parameters
from plectrum.orm.plan import Column, Plan, Response, Template
from plectrum.orm.relations import KEY, Relation
from plectrum.orm.sql import Piece

from .aggregates import Aggregated
from .compile import Named
from .connections import Page, page_of
from .fields import Connection, ObjectType
from .rows import Selected, Statement, selected_of
from .scope import Scope

__all__ = ["connect", "connect_root"]

_REVERSED: Final = "SELECT * FROM page ORDER BY c{} DESC"


def connect(parent: Statement, field: Connection, asked: dict[str, Any], prefix: str) -> Template:
    """The place of a relation's connection in its parent's row."""
    scope = parent.scope
    target = scope.graph.types[field.target]
    page = page_of(scope, target, parent.filtered(target, asked.get("a", {})), asked.get("a", {}))
    relation = field.relation

    def edges(selection: list[Selected]) -> Template:
        return parent.child(relation, prefix, lambda: _edges(scope, target, page, selection, relation))

    def info(selection: list[Selected]) -> Template:
        missing = {key: _nothing(page, name) for key, name, _ in map(selected_of, selection)}
        make: Callable[[], tuple[Plan, int]] = lambda: _page_info(scope, page, selection, relation)  # noqa: E731
        return parent.child(relation, prefix, make, many=False, missing=missing)

    def total() -> Template:
        aggregated = Aggregated(target, ["count"], "")
        aggregated.template, aggregated.missing = {"column": "plectrum_count"}, 0
        return parent.aggregated(relation, page.everything, aggregated, prefix)

    ((type_name, selection),) = asked["s"].items()
    fields: list[list[Any]] = []
    for key, name, inner in map(selected_of, selection):
        made: Template = {"literal": type_name}
        if name == "edges":
            made = edges(_inner(inner))
        elif name == "pageInfo":
            made = info(_inner(inner))
        elif name == "totalCount":
            made = total()
        fields.append([key, made])
    return {"object": {"fields": fields}}


def connect_root(scope: Scope, one: ObjectType, asked: dict[str, Any]) -> tuple[list[Plan], Response]:
    """A connection of all rows of a type."""
    statement = Statement(scope)
    page = page_of(scope, one, statement.filtered(one, asked.get("a", {})), asked.get("a", {}))
    plans: list[Plan] = []
    ((type_name, selection),) = asked["s"].items()
    fields: list[list[Any]] = []
    for key, name, inner in map(selected_of, selection):
        made: Response = {"literal": type_name}
        if name == "edges":
            made = {"rows": len(plans)}
            plans.append(_edges(scope, one, page, _inner(inner), None)[0])
        elif name == "pageInfo":
            made = {"scalar": len(plans)}
            plans.append(_page_info(scope, page, _inner(inner), None)[0])
        elif name == "totalCount":
            made = _total(scope, page, plans)
        fields.append([key, made])
    return plans, {"object": fields}


def _inner(asked: dict[str, Any]) -> list[Selected]:
    ((_, selection),) = asked["s"].items()
    return list(selection)


def _total(scope: Scope, page: Page, plans: list[Plan]) -> Response:
    rows = page.everything.order_by()
    fit_parameters(rows.query, scope.using)
    compiled = compile_count(rows, scope.using)
    if compiled is None:
        return {"literal": 0}
    plans.append(Plan(compiled.statement, compiled.columns, {"column": 0}, (), compiled.reason))
    return {"scalar": len(plans) - 1}


def _edges(
    scope: Scope, one: ObjectType, page: Page, selection: list[Selected], relation: Relation | None
) -> tuple[Plan, int]:
    """The statement of the page's rows, and the column of the parent's key."""
    statement = Statement(scope)
    fields: list[list[Any]] = []
    for key, name, inner in map(selected_of, selection):
        made: Template = {"literal": f"{one.name}Edge"}
        if name == "cursor":
            made = {"column": statement.column(page.cursor, "cursor")}
        elif name == "node":
            made = statement.object(one, inner["s"][one.name], "", None)
        fields.append([key, made])
    template: Template = {"object": {"fields": fields}}
    named, parent = _keyed(statement, page, page.sliced, relation, numbered=page.backwards)
    if page.backwards:
        last = named.number[statement.column(None, "number")]
        named = dataclasses.replace(named, statement=named.within("", [_REVERSED.format(last)]))
    return statement.finish(named, template), named.number[parent] if parent else -1


def _keyed(
    statement: Statement, page: Page, rows: Any, relation: Relation | None, *, numbered: bool
) -> tuple[Named, str | None]:
    """Rows with their parent's key and, if asked for, their numbers."""
    parent = None
    attname = None
    if relation is not None:
        attname = relation.child_attname or KEY
        rows = relation.rows(rows, statement.scope.using)
        parent = statement.key(attname, "")
    if numbered:
        statement.column(page.number(attname), "number")
    return statement.compile(rows), parent


def _nothing(page: Page, name: str) -> Any:
    """A field of a page without rows."""
    return {"hasNextPage": page.backwards and page.before, "hasPreviousPage": not page.backwards and page.after}.get(
        name, "PageInfo" if name == "__typename" else None
    )


def _page_info(scope: Scope, page: Page, selection: list[Selected], relation: Relation | None) -> tuple[Plan, int]:
    """The statement that tells about a page: one row, or one for each parent."""
    statement = Statement(scope)
    statement.column(page.cursor, "cursor")
    named, parent = _keyed(statement, page, page.one_more, relation, numbered=True)
    number, cursor = (f"c{named.number[statement.column(None, name)]}" for name in ("number", "cursor"))
    key = f"c{named.number[parent]}" if parent else ""
    about = _ABOUT_EACH if key else _ABOUT_ALL
    size = _size(page)
    pieces: list[Piece] = []
    for text in about.replace("(number)", number).replace("(cursor)", cursor).replace("(key)", key).split("(size)"):
        pieces += [text, size]
    sql = named.within(", ends AS (", pieces[:-1])
    columns = [
        named.columns[named.number[parent]] if parent else Column({"kind": "text"}),
        Column({"kind": "bool"}, (_truth,)),
        *(dataclasses.replace(named.columns[int(cursor[1:])]) for _ in range(2)),
    ]
    template = {"object": {"fields": [[key, _about(page, name)] for key, name, _ in map(selected_of, selection)]}}
    return Plan(sql, tuple(columns), template, (), named.reason), 0


#: What ends a page: the number of rows found, and the last one's number. Names in parentheses are filled in.
_ABOUT_ALL: Final = """
SELECT COUNT(*) AS found, MAX(CASE WHEN (number) <= (size) THEN (number) END) AS final FROM page)
SELECT NULL, found > (size), (SELECT (cursor) FROM page WHERE (number) = 1),
(SELECT (cursor) FROM page WHERE (number) = ends.final) FROM ends"""
_ABOUT_EACH: Final = """
SELECT (key) AS parent, COUNT(*) AS found, MAX(CASE WHEN (number) <= (size) THEN (number) END) AS final
FROM page GROUP BY (key))
SELECT parent, found > (size), (SELECT (cursor) FROM page WHERE (number) = 1 AND (key) = ends.parent),
(SELECT (cursor) FROM page WHERE (number) = ends.final AND (key) = ends.parent) FROM ends"""


def _truth(value: Any, _expression: Any, _connection: Any) -> bool:
    """SQLite's truth is a number."""
    return bool(value)


def _size(page: Page) -> Piece:
    match page.size:
        case None:
            return "2147483647"
        case int():
            return str(page.size)
        case Param(index=index, name=name):
            return Slot(index, "int", cast="bigint", name=name)


def _about(page: Page, name: str) -> Template:
    """A field of ``PageInfo`` over the columns parent, more, first cursor, last cursor."""
    more: Template = {"column": 1}
    if name == "hasNextPage":
        return {"literal": page.before} if page.backwards else more
    if name == "hasPreviousPage":
        return more if page.backwards else {"literal": page.after}
    if name == "startCursor":
        return {"column": 3 if page.backwards else 2}
    if name == "endCursor":
        return {"column": 2 if page.backwards else 3}
    return {"literal": "PageInfo"}
