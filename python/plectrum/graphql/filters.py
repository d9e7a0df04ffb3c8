"""Filters → conditions."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q

from plectrum.orm.relations import Relation

from .fields import Column, Many, ObjectType, One
from .operators import operators_of
from .scope import Scope

__all__ = ["condition"]


def condition(scope: Scope, one: ObjectType, shape: dict[str, Any] | None, prefix: str = "") -> Q:
    """The condition of a filter.

    Parameters:
        scope: the plan in the making.
        one: the type it is of.
        shape: the filter's shape.
        prefix: path to the type's rows, as lookups have it.
    """
    found = Q()
    for name, part in (shape or {}).items():
        if part is not None:
            found &= _member(scope, one, name, part, prefix)
    return found


def _member(scope: Scope, one: ObjectType, name: str, part: Any, prefix: str) -> Q:
    if name == "and":
        found = Q()
        for item in part:
            found &= condition(scope, one, item, prefix)
        return found
    if name == "or":
        return _any(scope, one, part, prefix)
    if name == "not":
        inner = condition(scope, one, part, prefix)
        return ~inner if inner else _nothing()
    field = one.fields[name]
    match field:
        case Column():
            return _column(scope, one, field, part, prefix)
        case One():
            return _one(scope, field, part, prefix)
        case Many():
            return _many(scope, field, part, prefix)
        case _:
            raise AssertionError(name)


def _nothing() -> Q:
    """No row: the negation of a condition that every row fulfils."""
    return Q(pk__in=[])


def _any(scope: Scope, one: ObjectType, parts: list[Any], prefix: str) -> Q:
    found = _nothing()
    for part in parts:
        inner = condition(scope, one, part, prefix)
        if not inner:
            return Q()  # an empty filter lets everything pass
        found |= inner
    return found


def _column(scope: Scope, one: ObjectType, column: Column, shape: dict[str, Any], prefix: str) -> Q:
    found = Q()
    for operator in operators_of(column.leaf):
        if operator.name not in shape:
            continue
        value, path = shape[operator.name], prefix + column.path
        if operator.lookup == "isnull":
            single = Q() if value is None else Q(**{f"{path}__isnull": value})
        elif value is None:
            # Nothing compares with null but equality.
            single = Q(**{f"{path}__isnull": not operator.negated}) if operator.lookup == "exact" else Q()
        else:
            single = Q(**{f"{path}__{operator.lookup}": scope.value(one, column, value)})
            single = ~single if operator.negated else single
        found &= single
    return found


def _one(scope: Scope, field: One, shape: dict[str, Any], prefix: str) -> Q:
    target = scope.graph.types[field.target]
    if target.options.rows is None:
        path = f"{prefix}{field.relation.path or field.relation.name}"
        # Without a row nothing of it holds, not even that a column is unequal to something.
        exists = Q(**{f"{path}__isnull": False}) if field.nullable else Q()
        return exists & condition(scope, target, shape, f"{path}__")
    return Q(Exists(_related(scope, target, field.relation, prefix).filter(condition(scope, target, shape))))


def _many(scope: Scope, field: Many, shape: dict[str, Any], prefix: str) -> Q:
    target = scope.graph.types[field.target]
    related = _related(scope, target, field.relation, prefix)
    found = Q()
    if shape.get("some") is not None:
        found &= Q(Exists(related.filter(condition(scope, target, shape["some"]))))
    if shape.get("none") is not None:
        found &= ~Q(Exists(related.filter(condition(scope, target, shape["none"]))))
    if shape.get("every") is not None:
        inner = condition(scope, target, shape["every"])
        found &= ~Q(Exists(related.filter(~inner))) if inner else Q()
    return found


def _related(scope: Scope, target: ObjectType, relation: Relation, prefix: str) -> Any:
    """Related rows of the row in the query around."""
    rows = scope.rows(target).order_by().filter(**{relation.lookup: OuterRef(prefix + relation.parent_attname)})
    return rows if relation.extra is None else rows.filter(relation.extra)
