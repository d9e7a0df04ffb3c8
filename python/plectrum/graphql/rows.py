"""Selected fields of rows → a statement, what its rows become, and the statements of their relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, F, When

from plectrum.orm.compiled import compile_query
from plectrum.orm.internal import Rows
from plectrum.orm.output import positions
from plectrum.orm.parameters import fit_parameters
from plectrum.orm.plan import Child, Plan, Template
from plectrum.orm.plan import Column as PlanColumn
from plectrum.orm.relations import KEY, Relation

from .fields import Column, Computed, Many, ObjectType, One
from .filters import condition
from .ordering import ordered
from .scalars import Leaf
from .scope import Scope

__all__ = ["Selected", "plan_rows", "sliced"]

_PREFIX: Final = "plectrum_"

#: A selected field: its name, or ``{"k": key, "f": name, "a": arguments, "s": selections by type}``.
Selected = str | dict[str, Any]


def sliced(scope: Scope, rows: Rows, arguments: dict[str, Any]) -> Rows:
    """Rows between ``offset`` and ``limit``."""
    limit, offset = arguments.get("limit"), arguments.get("offset")
    start = None if offset is None else scope.bound(offset, "offset")
    if limit is None:
        return rows if start is None else rows[start:]
    length = scope.bound(limit, "limit", scope.graph.declared.max_limit)
    return rows[:length] if start is None else rows[start : start + length]


def plan_rows(scope: Scope, one: ObjectType, rows: Rows, selection: list[Selected]) -> Plan:
    """The plan of rows.

    Parameters:
        scope: the plan in the making.
        one: their type.
        rows: filtered, ordered and sliced.
        selection: what is selected of each.
    """
    statement = _Statement(scope)
    template = statement.object(one, selection, "", None)
    return statement.plan(rows, template)[0]


@dataclass(frozen=True)
class _Waiting:
    """A relation's statement, whose columns have names yet."""

    parent: str
    key: str
    many: bool
    statement: _Statement
    rows: Rows
    template: Template


class _Statement:
    """Columns of one statement, by name; templates refer to them by name until Django has numbered them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.expressions: dict[str, Any] = {}
        self.leaves: dict[str, Leaf] = {}
        self.names: dict[Any, str] = {}
        self.children: list[_Waiting] = []

    # ── Templates ──────────────────────────────────────────────────────────────────────────────────────────────

    def object(self, one: ObjectType, selection: list[Selected], prefix: str, absent: str | None) -> Template:
        """An object of a type, whose rows are reached by ``prefix``."""
        fields = [[*self._field(one, selected, prefix)] for selected in selection]
        body: dict[str, Any] = {"fields": fields}
        if absent is not None:
            body["absent"] = absent
        return {"object": body}

    def _field(self, one: ObjectType, selected: Selected, prefix: str) -> tuple[str, Template]:
        if isinstance(selected, str):
            selected = {"f": selected}
        name: str = selected["f"]
        key: str = selected.get("k", name)
        if name == "__typename":
            return key, {"literal": one.name}
        field = one.fields[name]
        match field:
            case Column() | Computed():
                return key, {"column": self._value(field, prefix)}
            case One():
                return key, self._one(field, selected, prefix)
            case Many():
                return key, self._many(field, selected, prefix)

    def _value(self, field: Column | Computed, prefix: str) -> str:
        expression = F(prefix + field.path) if isinstance(field, Column) else field.expression
        if field.visible is not None:
            output = {} if isinstance(field, Column) else {"output_field": field.expression.output_field}
            expression = Case(When(field.visible, then=expression), default=None, **output)
        return self.column(expression, (prefix, field.name), field.leaf)

    def column(self, expression: Any, identity: Any, leaf: Leaf | None = None) -> str:
        """The name of a column; the same for the same identity.

        Parameters:
            expression: Django's.
            identity: what tells it from the statement's other columns.
            leaf: how it is written; as Django's field would be where absent.
        """
        if identity not in self.names:
            name = self.names[identity] = f"{_PREFIX}{len(self.names)}"
            self.expressions[name] = expression
            if leaf is not None:
                self.leaves[name] = leaf
        return self.names[identity]

    def key(self, attname: str, prefix: str) -> str:
        """The name of a column that relates rows."""
        return self.column(F(prefix + attname), ("key", prefix, attname))

    def _one(self, field: One, selected: dict[str, Any], prefix: str) -> Template:
        target = self.scope.graph.types[field.target]
        selection = selected["s"][target.name]
        if not _joins(target, selection):
            return self._child(field.relation, target, selection, self.scope.rows(target).order_by(), prefix)
        path = f"{prefix}{field.relation.path or field.relation.name}__"
        absent = self.key("pk", path) if field.nullable or prefix else None
        return self.object(target, selection, path, absent)

    def _many(self, field: Many, selected: dict[str, Any], prefix: str) -> Template:
        target = self.scope.graph.types[field.target]
        arguments = selected.get("a", {})
        rows = self.scope.rows(target).filter(condition(self.scope, target, arguments.get("filter")))
        rows = sliced(self.scope, ordered(self.scope.graph, target, rows, arguments.get("orderBy")), arguments)
        return self._child(field.relation, target, selected["s"][target.name], rows, prefix)

    def _child(
        self, relation: Relation, target: ObjectType, selection: list[Selected], rows: Rows, prefix: str
    ) -> Template:
        """A relation fetched by a statement of its own."""
        parent = self.key(relation.parent_attname, prefix)
        statement = _Statement(self.scope)
        template = statement.object(target, selection, "", None)
        key = statement.key(relation.child_attname or KEY, "")
        rows = relation.rows(rows, self.scope.using)
        self.children.append(_Waiting(parent, key, relation.many, statement, rows, template))
        return {"child": len(self.children) - 1}

    # ── Compilation ────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, rows: Rows, template: Template) -> tuple[Plan, dict[str, int]]:
        """The statement compiled, with its children; and the numbers of its columns."""
        if not self.expressions:
            self.key("pk", "")
        rows = rows.annotate(**self.expressions).values_list(*self.expressions)
        query = rows.query
        fit_parameters(query, self.scope.using)
        compiled = compile_query(query, self.scope.using, elide_empty=False)
        assert compiled is not None
        at = positions(compiled.compiler.select)
        named: dict[str, int] = compiled.compiler.annotation_col_map
        number = {name: at[index] for name, index in named.items()}
        columns = list(compiled.columns)
        for name, leaf in self.leaves.items():
            columns[number[name]] = _written(leaf, columns[number[name]])
        children = tuple(self._finished(child, number) for child in self.children)
        row = _numbered(template, number.__getitem__)
        return Plan(compiled.statement, tuple(columns), row, children, compiled.reason), number

    def _finished(self, waiting: _Waiting, number: dict[str, int]) -> Child:
        plan, own = waiting.statement.plan(waiting.rows, waiting.template)
        return Child(number[waiting.parent], own[waiting.key], waiting.many, plan)


def _written(leaf: Leaf, column: PlanColumn) -> PlanColumn:
    return column if column.custom is not None else leaf.column(column)


def _joins(target: ObjectType, selection: list[Selected]) -> bool:
    """Whether one row can be joined: nothing of it depends on conditions or expressions of its own."""
    if target.options.rows is not None:
        return False
    for selected in selection:
        field = target.fields.get(selected if isinstance(selected, str) else selected["f"])
        if isinstance(field, Computed) or getattr(field, "visible", None) is not None:
            return False
    return True


def _numbered(template: Template, number: Callable[[str], int]) -> Template:
    """A template with columns by number."""
    if "column" in template:
        return {"column": number(template["column"])}
    if "object" not in template:
        return template
    body = dict(template["object"])
    body["fields"] = [[key, _numbered(value, number)] for key, value in body["fields"]]
    if "absent" in body:
        body["absent"] = number(body["absent"])
    return {"object": body}
