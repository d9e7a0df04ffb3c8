"""What a compiled queryset selects: a tree of objects over the result's columns, as Django's iterables would build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connections, models
from django.db.models.expressions import BaseExpression, Col, ColPairs
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import TruncDate, TruncTime

from plectrum.errors import PlanError

from .custom import CustomColumn
from .fields import kind_of_field, output_field
from .internal import is_a
from .plan import Column, Template

__all__ = ["Row", "Selected", "cell_template", "column_of", "model_row", "needs_python", "pk_fields", "positions"]

_FINISHED_IN_SQL: Final = (TruncDate, TruncTime)


@dataclass
class Selected:
    """A model instance within a row.

    Parameters:
        model: its class.
        columns: attribute name (``attname``) → column number.
        related: field or accessor name → the joined instance there.
        nullable: whether the instance may be missing (an outer join).
        only: whether ``only()`` named the columns.
        hidden: attribute of a column that is selected for its key alone.
    """

    model: type[models.Model]
    columns: dict[str, int]
    related: dict[str, Selected] = field(default_factory=dict[str, "Selected"])
    nullable: bool = False
    only: bool = False
    hidden: str | None = None

    @property
    def absent(self) -> int | None:
        """The column whose NULL says that the instance is missing."""
        if not self.nullable:
            return None
        pk = next(iter(pk_fields(self.model)))
        return self.columns[pk.attname]

    def column(self, field: models.Field[Any, Any]) -> int | None:
        """The column of a field; ``None`` where it is not selected."""
        return self.columns.get(field.attname) if field.attname != self.hidden else None


@dataclass
class Row:
    """A whole row.

    Parameters:
        instance: the model instance in it; ``None`` for ``values()``.
        extras: annotation (or ``values()``) name → its template.
    """

    instance: Selected | None
    extras: dict[str, Template]


def model_row(compiler: Any) -> Row:
    """What each row of a compiled model queryset holds.

    Parameters:
        compiler: after ``as_sql()``.
    """
    at = positions(compiler.select)
    expressions = [expression for expression, _, _ in compiler.select]
    instance = _selected(compiler.klass_info, expressions, at, nullable=False)
    instance.only = bool(compiler.query.deferred_loading[0]) and not compiler.query.deferred_loading[1]
    named: dict[str, int] = compiler.annotation_col_map
    extras = {name: _cell(expressions[index], at[index]) for name, index in named.items()}
    return Row(instance, extras)


def positions(select: Sequence[Any]) -> list[int]:
    """First result column of each selected expression: a composite key has several."""
    at: list[int] = []
    next_column = 0
    for expression, _, _ in select:
        at.append(next_column)
        next_column += len(expression) if isinstance(expression, ColPairs) else 1
    return at


def cell_template(expression: Any, at: int) -> Template:
    """A selected expression's value: a column, or an array of them for a composite key."""
    return _cell(expression, at)


def _cell(expression: Any, at: int) -> Template:
    if isinstance(expression, ColPairs):
        return {"array": [{"column": at + offset} for offset in range(len(expression))]}
    return {"column": at}


def _selected(info: Any, expressions: list[Any], at: list[int], *, nullable: bool) -> Selected:
    columns: dict[str, int] = {expressions[index].target.attname: at[index] for index in info["select_fields"]}
    selected = Selected(info["model"], columns, nullable=nullable)
    for related in info.get("related_klass_infos", ()):
        optional = nullable or related["reverse"] or related["field"].null
        selected.related[_attribute(related)] = _selected(related, expressions, at, nullable=optional)
    return selected


def _attribute(info: Any) -> str:
    """The attribute Django sets the joined instance as."""
    if not info["reverse"]:
        return str(info["field"].name)
    setter = info["remote_setter"]
    if hasattr(setter, "args") and setter.args:  # a FilteredRelation: partial(remote_setter, name)
        return str(setter.args[0])
    return str(info["field"].remote_field.get_accessor_name())


def pk_fields(model: type[models.Model]) -> Sequence[models.Field[Any, Any]]:
    """The fields of a model's primary key: several for a composite one."""
    return getattr(model._meta, "pk_fields", None) or [model._meta.pk]


def column_of(expression: Any, using: str, *, coerce_decimal: bool = True) -> Iterator[Column]:
    """How the columns of a selected expression are read.

    Parameters:
        expression: from ``compiler.select``.
        using: database alias.
        coerce_decimal: write decimals as strings.

    Errors:
        PlanError: nothing is known about the expression's type.
    """
    if isinstance(expression, ColPairs):
        for part in expression.get_cols():
            yield from column_of(part, using, coerce_decimal=coerce_decimal)
        return
    connection = connections[using]
    converters = tuple(connection.ops.get_db_converters(expression)) + tuple(expression.get_db_converters(connection))
    kind = _kind(expression, connection.vendor, coerce_decimal)
    if isinstance(kind, CustomColumn):
        yield Column({"kind": "json"}, converters, expression, kind)
    else:
        yield Column(kind, converters, expression)


def needs_python(expression: Any) -> str | None:
    """Why the expression's value is finished in Python by Django; ``None`` where it is not."""
    if not isinstance(expression, BaseExpression) or isinstance(expression, _FINISHED_IN_SQL):
        return None
    if type(expression).convert_value is BaseExpression.convert_value:
        return None
    return f"{type(expression).__name__}() is finished in Python by its convert_value()"


def _kind(expression: Any, vendor: str, coerce_decimal: bool) -> dict[str, Any] | CustomColumn:
    if vendor == "sqlite" and is_a(expression, KeyTransform):
        return CustomColumn(lambda value: value)  # text is unquoted there: only Django's converter knows
    if is_a(expression, Col):
        kind = kind_of_field(expression.target, coerce_decimal=coerce_decimal)
        if kind is None:
            raise _unknown_field(expression.target)
        return kind
    field = output_field(expression)
    kind = None if field is None else kind_of_field(field, coerce_decimal=coerce_decimal, is_column=False)
    if kind is None:
        raise PlanError(
            f"The type of the selected expression {_described(expression)} is not known. Give it one: "
            "ExpressionWrapper(…, output_field=models.…Field()), or output_field= where the expression takes it."
        )
    return kind


def _unknown_field(field: Any) -> PlanError:
    name = type(field).__qualname__
    return PlanError(
        f"{field.model._meta.label}.{field.name} is a {name}, and how its values become JSON is not known. Register a "
        f"writer, plectrum.orm.register_writer({name}, lambda value: …), give the field a value_to_string() method, or "
        "leave the field out."
    )


def _described(expression: Any) -> str:
    return str(getattr(expression, "sql", None) or repr(expression))
