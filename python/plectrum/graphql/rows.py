"""Selected fields of rows → a statement, what its rows become, and the statements of their relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, F, When

from plectrum.orm.internal import Rows
from plectrum.orm.plan import Child, Plan, Template
from plectrum.orm.relations import KEY, Relation

from .aggregates import Aggregated
from .compile import Named, compile_rows
from .errors import GraphQLError
from .expressions import distinct, global_id
from .fields import Aggregate, Column, Computed, Connection, Field, Many, ObjectType, One, Resolved
from .filters import condition
from .ordering import ordered
from .scalars import ID, Leaf
from .scope import Scope

__all__ = ["Selected", "Statement", "failing", "plan_rows", "selected_of", "sliced"]

_PREFIX: Final = "plectrum_"

#: A selected field: its name, or ``{"k": key, "f": name, "a": arguments, "s": selections by type}``.
Selected = str | dict[str, Any]


def selected_of(selected: Selected) -> tuple[str, str, dict[str, Any]]:
    """Response key, name and everything else of a selected field."""
    if isinstance(selected, str):
        return selected, selected, {}
    name: str = selected["f"]
    return selected.get("k", name), name, selected


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
    statement = Statement(scope)
    template = statement.object(one, selection, "", None)
    return statement.finish(statement.compile(rows), template)


@dataclass(frozen=True)
class _Waiting:
    """A relation's statement, to be made once its parent's columns have numbers."""

    parent: str
    make: Callable[[], tuple[Plan, int]]
    many: bool
    missing: Any
    required: bool


class Statement:
    """Columns of one statement, by name; templates refer to them by name until Django has numbered them.

    Parameters:
        scope: the plan in the making.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.expressions: dict[str, Any] = {}
        self.leaves: dict[str, Leaf] = {}
        self._names: dict[Any, str] = {}
        self._children: list[_Waiting] = []

    # ── Templates ──────────────────────────────────────────────────────────────────────────────────────────────

    def object(
        self, one: ObjectType, selection: list[Selected], prefix: str, absent: str | None, *, required: bool = False
    ) -> Template:
        """An object of a type.

        Parameters:
            one: the type.
            selection: what is selected of it.
            prefix: path to its row, as lookups have it.
            absent: column whose NULL says that there is none.
            required: whether that is an error.
        """
        body: dict[str, Any] = {"fields": [[*self._field(one, selected, prefix)] for selected in selection]}
        if absent is not None:
            body |= {"absent": absent, "required": required}
        return {"object": body}

    def _field(self, one: ObjectType, selected: Selected, prefix: str) -> tuple[str, Template]:
        key, name, asked = selected_of(selected)
        if name == "__typename":
            return key, {"literal": one.name}
        if "e" in asked:
            return key, failing("e", asked["e"])
        before = len(self._children)
        try:
            return key, self._template(one, one.fields[name], asked, prefix)
        except GraphQLError as error:
            del self._children[before:]
            return key, failing("m", str(error))

    def _template(self, one: ObjectType, field: Field, asked: dict[str, Any], prefix: str) -> Template:
        match field:
            case Column() | Computed():
                required = not field.nullable
                return {"leaf": {"column": self._value(one, field, prefix), "required": required}}
            case Resolved():
                self.scope.resolves = True
                keys = [self.key(name, prefix) for name in ("pk", *field.needs)]
                data = [{"literal": one.name}, {"literal": field.name}, *({"column": key} for key in keys)]
                return {"mark": {"letter": "r", "data": data}}
            case One():
                return self._one(field, asked, prefix)
            case Many():
                return self._many(field, asked, prefix)
            case Connection():
                from .pages import connect

                return connect(self, field, asked, prefix)
            case Aggregate():
                return self._aggregate(field, asked, prefix)

    def _value(self, one: ObjectType, field: Column | Computed, prefix: str) -> str:
        expression = F(prefix + field.path) if isinstance(field, Column) else field.expression
        leaf: Leaf | None = field.leaf
        if leaf is ID and isinstance(field, Column) and (target := self._target(one, field)) is not None:
            expression, leaf = global_id(target, prefix + field.path), None
        if field.visible is not None:
            expression = Case(When(self.scope.visible(field.visible), then=expression), default=None)
        return self.column(expression, (prefix, field.name), leaf)

    def _target(self, one: ObjectType, field: Column) -> str | None:
        """The type an id names; ``None`` where ids are plain keys."""
        if not self.scope.graph.declared.global_ids:
            return None
        if field.path == "pk":
            return one.name
        target = self.scope.graph.type_of(one.model._meta.get_field(field.path).related_model)
        return target.name if target is not None else None

    def column(self, expression: Any, identity: Any, leaf: Leaf | None = None) -> str:
        """The name of a column; the same for the same identity.

        Parameters:
            expression: Django's.
            identity: what tells it from the statement's other columns.
            leaf: how it is written; as Django's field would be where absent.
        """
        if identity not in self._names:
            name = self._names[identity] = f"{_PREFIX}{len(self._names)}"
            self.expressions[name] = expression
            if leaf is not None:
                self.leaves[name] = leaf
        return self._names[identity]

    def key(self, attname: str, prefix: str) -> str:
        """The name of a column that relates rows."""
        return self.column(F(prefix + attname), ("key", prefix, attname))

    # ── Relations ──────────────────────────────────────────────────────────────────────────────────────────────

    def _one(self, field: One, asked: dict[str, Any], prefix: str) -> Template:
        target = self.scope.graph.types[field.target]
        selection = asked["s"][target.name]
        if not _joins(target, selection):
            rows = self.scope.rows(target).order_by()
            return self._rows(field.relation, target, selection, rows, prefix, required=not field.nullable)
        path = f"{prefix}{field.relation.path or field.relation.name}__"
        absent = self.key("pk", path) if field.nullable or prefix else None
        return self.object(target, selection, path, absent, required=not field.nullable)

    def _many(self, field: Many, asked: dict[str, Any], prefix: str) -> Template:
        target = self.scope.graph.types[field.target]
        arguments = asked.get("a", {})
        rows = ordered(self.scope.graph, target, self.filtered(target, arguments), arguments.get("orderBy"))
        selection = asked["s"][target.name]
        return self._rows(field.relation, target, selection, sliced(self.scope, rows, arguments), prefix)

    def filtered(self, target: ObjectType, arguments: dict[str, Any]) -> Rows:
        """Rows of a type that a filter lets pass."""
        return self.scope.rows(target).filter(condition(self.scope, target, arguments.get("filter")))

    def _rows(
        self,
        relation: Relation,
        target: ObjectType,
        selection: list[Selected],
        rows: Rows,
        prefix: str,
        *,
        required: bool = False,
    ) -> Template:
        statement = Statement(self.scope)
        template = statement.object(target, selection, "", None)
        rows = relation.rows(rows, self.scope.using)
        return self.child(relation, prefix, lambda: statement.related(relation, rows, template), required=required)

    def related(self, relation: Relation, rows: Rows, template: Template) -> tuple[Plan, int]:
        """This statement as that of a relation: its plan, and the column of the parent's key."""
        key = self.key(relation.child_attname or KEY, "")
        named = self.compile(rows)
        return self.finish(named, template), named.number[key]

    def child(
        self,
        relation: Relation,
        prefix: str,
        make: Callable[[], tuple[Plan, int]],
        *,
        many: bool | None = None,
        missing: Any = None,
        required: bool = False,
    ) -> Template:
        """The place of a relation's rows.

        Parameters:
            relation: the relation.
            prefix: path to the rows it starts from.
            make: its plan, and the column of the parent's key.
            many: whether its rows are a list; as the relation says where absent.
            missing: what stands for a single row that is not there.
            required: whether that is an error.
        """
        parent = self.key(relation.parent_attname, prefix)
        self._children.append(_Waiting(parent, make, relation.many if many is None else many, missing, required))
        return {"child": len(self._children) - 1}

    def _aggregate(self, field: Aggregate, asked: dict[str, Any], prefix: str) -> Template:
        target = self.scope.graph.types[field.target]
        ((type_name, selection),) = asked["s"].items()
        aggregated = Aggregated(target, selection, type_name)
        rows = self.filtered(target, asked.get("a", {})).order_by()
        return self.aggregated(field.relation, rows, aggregated, prefix)

    def aggregated(self, relation: Relation, rows: Rows, asked: Aggregated, prefix: str) -> Template:
        """The place of aggregates of related rows."""

        def make() -> tuple[Plan, int]:
            key = f"{_PREFIX}parent"
            keyed = relation.rows(rows, self.scope.using).annotate(**{key: F(relation.child_attname or KEY)})
            groups = keyed.values(key).annotate(**asked.expressions)
            named = compile_rows(groups, self.scope.using, asked.leaves)
            return named.plan(asked.template), named.number[key]

        return self.child(relation, prefix, make, many=False, missing=asked.missing)

    # ── Compilation ────────────────────────────────────────────────────────────────────────────────────────────

    def compile(self, rows: Rows) -> Named:
        """The statement of these rows."""
        if not self.expressions:
            self.key("pk", "")
        named = rows.annotate(**distinct(rows, self.expressions)).values_list(*self.expressions)
        return compile_rows(named, self.scope.using, self.leaves)

    def finish(self, named: Named, template: Template) -> Plan:
        """The compiled statement with its relations'."""
        return named.plan(template, tuple(self._finished(child, named) for child in self._children))

    def _finished(self, waiting: _Waiting, named: Named) -> Child:
        plan, key = waiting.make()
        return Child(named.number[waiting.parent], key, waiting.many, plan, waiting.missing, waiting.required)


def failing(letter: str, data: Any) -> Template:
    """The place of a field that cannot be answered (see ``crates/graphql/src/partial.rs``).

    Parameters:
        letter: ``e``, the reason is the shape's; ``m``, it is the data.
        data: number or text of the reason.
    """
    return {"mark": {"letter": letter, "data": [{"literal": data}]}}


def _joins(target: ObjectType, selection: list[Selected]) -> bool:
    """Whether one row can be joined: nothing of it depends on conditions or expressions of its own."""
    if target.options.rows is not None:
        return False
    for selected in selection:
        field = target.fields.get(selected_of(selected)[1])
        if isinstance(field, Computed) or getattr(field, "visible", None) is not None:
            return False
    return True
