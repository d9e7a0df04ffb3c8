"""Aggregates: counts, sums, averages, smallest and largest values; of all rows, of groups, of related rows."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Avg, Count, F, Max, Min, Sum

from plectrum.orm.compiled import compile_aggregate
from plectrum.orm.internal import Rows
from plectrum.orm.parameters import fit_parameters
from plectrum.orm.plan import Plan, Response, Template

from .compile import numbered, written
from .fields import Column, ObjectType
from .scalars import Leaf, Scalar, leaf_of_field
from .scope import Scope

__all__ = ["FUNCTIONS", "Aggregated", "aggregate", "columns_for", "groupable", "grouped", "leaf_for"]

#: Function → Django's aggregate and the scalars it takes.
FUNCTIONS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "sum": (Sum, ("Int", "BigInt", "Float", "Decimal", "Duration")),
    "avg": (Avg, ("Int", "BigInt", "Float", "Decimal", "Duration")),
    "min": (Min, ("Int", "BigInt", "Float", "Decimal", "String", "Date", "Time", "DateTime", "Duration")),
    "max": (Max, ("Int", "BigInt", "Float", "Decimal", "String", "Date", "Time", "DateTime", "Duration")),
}


def columns_for(one: ObjectType, function: str) -> list[Column]:
    """The columns an aggregate function takes."""
    names = FUNCTIONS[function][1]
    return [column for column in one.columns if isinstance(column.leaf, Scalar) and column.leaf.name in names]


def leaf_for(one: ObjectType, function: str, column: Column) -> Leaf:
    """The scalar of an aggregate's value."""
    expression = FUNCTIONS[function][0](column.path)
    output = expression.resolve_expression(one.model._base_manager.all().query, summarize=False).output_field
    found = leaf_of_field(output, is_column=False)
    leaf = found[0] if found else column.leaf
    return _BIG if function == "sum" and leaf.name == "Int" else leaf


def groupable(one: ObjectType) -> list[Column]:
    """The columns rows can be grouped by."""
    return [column for column in one.columns if column.leaf.name not in ("JSON", "Base64")]


_BIG: Final = Scalar("BigInt", int)


class Aggregated:
    """What is selected of an aggregate.

    Parameters:
        one: type of the rows.
        selection: its selected fields.
        type_name: of the aggregate's type.
        groups: fields that rows are grouped by.
    """

    def __init__(self, one: ObjectType, selection: list[Any], type_name: str, groups: tuple[str, ...] = ()) -> None:
        self.groups = groups
        self.one = one
        self.type_name = type_name
        self.expressions: dict[str, Any] = {}
        self.leaves: dict[str, Leaf] = {}
        #: What no rows make.
        self.missing: Any = {}
        self.template = self._template(selection)

    def _template(self, selection: list[Any]) -> Template:
        fields: list[list[Any]] = []
        for selected in selection:
            field = {"f": selected} if isinstance(selected, str) else selected
            key, name = field.get("k", field["f"]), field["f"]
            if name == "__typename":
                self.missing[key] = self.type_name
                fields.append([key, {"literal": self.type_name}])
            elif name == "count":
                self.missing[key] = 0
                fields.append([key, {"column": self._named("count", Count("*"), None)}])
            elif name == "key":
                fields.append([key, self._of_key(field)])
            else:
                fields.append([key, self._of_function(key, name, field)])
        return {"object": {"fields": fields}}

    def _of_function(self, key: str, function: str, field: dict[str, Any]) -> Template:
        ((type_name, selection),) = field["s"].items()
        fields: list[list[Any]] = []
        missing = self.missing[key] = dict[str, Any]()
        for selected in selection:
            inner = {"f": selected} if isinstance(selected, str) else selected
            inner_key, name = inner.get("k", inner["f"]), inner["f"]
            missing[inner_key] = type_name if name == "__typename" else None
            if name == "__typename":
                fields.append([inner_key, {"literal": type_name}])
                continue
            column = self.one.fields[name]
            assert isinstance(column, Column)
            leaf = leaf_for(self.one, function, column)
            made = self._named(f"{function}_{name}", FUNCTIONS[function][0](column.path), leaf)
            fields.append([inner_key, {"column": made}])
        return {"object": {"fields": fields}}

    def _of_key(self, field: dict[str, Any]) -> Template:
        ((type_name, selection),) = field["s"].items()
        fields: list[list[Any]] = []
        for selected in selection:
            inner = {"f": selected} if isinstance(selected, str) else selected
            name = inner["f"]
            made: Template = {"literal": type_name} if name == "__typename" else self._group_column(name)
            fields.append([inner.get("k", name), made])
        return {"object": {"fields": fields}}

    def _group_column(self, name: str) -> Template:
        """What rows are not grouped by is null."""
        return {"column": group_name(name)} if name in self.groups else {"literal": None}

    def _named(self, name: str, expression: Any, leaf: Leaf | None) -> str:
        self.expressions[f"plectrum_{name}"] = expression
        if leaf is not None:
            self.leaves[f"plectrum_{name}"] = leaf
        return f"plectrum_{name}"


def group_name(field: str) -> str:
    """The name of a column that rows are grouped by."""
    return f"plectrum_by_{field}"


def aggregate(scope: Scope, rows: Rows, asked: Aggregated) -> tuple[list[Plan], Response]:
    """The aggregate of all rows.

    Parameters:
        scope: the plan in the making.
        rows: filtered.
        asked: what is selected.
    """
    rows = rows.order_by()
    fit_parameters(rows.query, scope.using)
    expressions = asked.expressions or {"plectrum_count": Count("*")}
    compiled = compile_aggregate(rows, expressions, scope.using)
    if compiled is None:
        return [], {"literal": asked.missing}
    number = {name: index for index, name in enumerate(expressions)}
    columns = list(compiled.columns)
    for name, leaf in asked.leaves.items():
        columns[number[name]] = written(leaf, columns[number[name]])
    template = numbered(asked.template, number)
    return [Plan(compiled.statement, tuple(columns), template, (), compiled.reason)], {"scalar": 0}


def grouped(rows: Rows, columns: list[Column], asked: Aggregated) -> Rows:
    """Groups with their aggregates, in the order of their keys.

    Parameters:
        rows: filtered.
        columns: what they are grouped by.
        asked: what is selected.
    """
    by = {group_name(column.name): F(column.path) for column in columns}
    asked.leaves.update({group_name(column.name): column.leaf for column in columns})
    return rows.order_by().annotate(**by).values(*by).annotate(**asked.expressions).order_by(*by)
