"""Rows with named columns → a statement, and where each name is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plectrum.orm.compiled import compile_query
from plectrum.orm.internal import Rows
from plectrum.orm.output import positions
from plectrum.orm.parameters import fit_parameters
from plectrum.orm.plan import Child, Column, Plan, Template
from plectrum.orm.sql import Piece, Statement

from .scalars import Leaf

__all__ = ["Named", "compile_rows", "numbered", "written"]


@dataclass(frozen=True)
class Named:
    """A compiled statement whose columns have names.

    Parameters:
        statement: its SQL.
        columns: in order.
        number: name → number.
        reason: why it has to run on Django's connection.
    """

    statement: Statement
    columns: tuple[Column, ...]
    number: dict[str, int]
    reason: str | None

    def plan(self, template: Template, children: tuple[Child, ...] = ()) -> Plan:
        """The plan of its rows, whose template names columns."""
        return Plan(self.statement, self.columns, numbered(template, self.number), children, self.reason)

    def within(self, before: str, after: list[Piece]) -> Statement:
        """The statement as the table ``page`` of another one; its columns are ``c0``, ``c1`` …

        Parameters:
            before: SQL in front of the other one.
            after: the other one.
        """
        names = ", ".join(f"c{index}" for index in range(len(self.columns)))
        pieces: list[Piece] = [f"WITH page({names}) AS (", *self.statement.pieces, f"){before} ", *after]
        return Statement(tuple(pieces), self.statement.using)


def compile_rows(rows: Rows, using: str, leaves: Mapping[str, Leaf]) -> Named:
    """Compile rows whose selected columns are all annotations.

    Parameters:
        rows: with ``values_list()`` or ``values()``.
        using: database alias.
        leaves: how columns are written that are not written as Django's field would be.
    """
    query = rows.query
    fit_parameters(query, using)
    compiled = compile_query(query, using, elide_empty=False)
    assert compiled is not None
    at = positions(compiled.compiler.select)
    named: dict[str, int] = compiled.compiler.annotation_col_map
    number = {name: at[index] for name, index in named.items()}
    columns = list(compiled.columns)
    for name, leaf in leaves.items():
        columns[number[name]] = written(leaf, columns[number[name]])
    return Named(compiled.statement, tuple(columns), number, compiled.reason)


def written(leaf: Leaf, column: Column) -> Column:
    """A column as its scalar is written; one that Python renders is finished already."""
    return column if column.custom is not None else leaf.column(column)


def numbered(template: Template, number: Mapping[str, int]) -> Template:
    """A template with columns by number."""
    if "column" in template:
        return {"column": number[template["column"]]}
    if "leaf" in template:
        return {"leaf": {**template["leaf"], "column": number[template["leaf"]["column"]]}}
    if "mark" in template:
        return {"mark": {**template["mark"], "data": [numbered(item, number) for item in template["mark"]["data"]]}}
    if "object" not in template:
        return template
    body: dict[str, Any] = dict(template["object"])
    body["fields"] = [[key, numbered(value, number)] for key, value in body["fields"]]
    if "absent" in body:
        body["absent"] = number[body["absent"]]
    return {"object": body}
