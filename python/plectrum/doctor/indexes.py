"""Filters, orderings and searches that no index serves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import connections, router
from django.db.models import F, Field, Model, OrderBy
from django.db.models.constants import LOOKUP_SEP
from django.db.models.sql import Query

from .report import Issue

__all__ = ["missing"]

#: Lookups that an ordinary index cannot serve: the text begins with a wildcard.
_WITHIN = frozenset({"contains", "icontains", "endswith", "iendswith", "regex", "iregex"})
_ANY_CASE = frozenset({"iexact", "istartswith"})
#: Two or three values: reading the table is quicker.
_FEW_VALUES = frozenset({"BooleanField", "NullBooleanField"})


def missing(
    model: type[Model], lookups: Iterable[str], purpose: str, where: str, fixed: Collection[str] = ()
) -> Iterator[Issue]:
    """Issues for the lookups that have no index.

    Parameters:
        model: of the rows.
        lookups: as ``filter()`` takes them; orderings with or without ``-``.
        purpose: ``filter``, ``ordering`` or ``search``.
        where: who declares them.
        fixed: fields that always have one value: an index may begin with them.
    """
    for lookup in dict.fromkeys(lookups):
        found = _resolved(model, lookup.lstrip("-"))
        if found is None:
            continue
        field, kind = found
        owner: Any = field.model
        if field.get_internal_type() in _FEW_VALUES or not owner._meta.managed:
            continue
        kind = "icontains" if purpose == "search" else kind
        if kind in _WITHIN or kind in _ANY_CASE:
            if _is_postgres(owner) and not _has_text_index(owner, field, kind):
                yield _text_issue(owner, field, kind, lookup, purpose, where)
        elif not _leads_an_index(owner, field, fixed if owner is model else ()):
            label = owner._meta.label
            yield Issue(
                "index",
                "warning",
                where,
                f"{purpose} {lookup!r} reads all rows of {label}: no index begins with {field.name!r}",
                f'{owner.__name__}.Meta.indexes: models.Index(fields=["{field.name}"])',
            )


def _resolved(model: type[Model], lookup: str) -> tuple[Field[Any, Any], str] | None:
    """The field a lookup ends at and the kind of comparison; ``None`` for annotations and transforms."""
    if lookup == "?":
        return None
    try:
        query: Any = Query(model)
        parts, path, _ = query.solve_lookup_type(lookup)
        _, field, targets, rest = query.names_to_path(path, model._meta, fail_on_missing=True)
    except (FieldError, FieldDoesNotExist):
        return None
    if rest or len(parts) > 1 or not targets:
        return None
    target, kind = targets[0] if field.is_relation else field, parts[0] if parts else "exact"
    # Other parts of a date are computed; a year is a range.
    return (target, kind) if kind == "year" or target.get_lookup(kind) is not None else None


def _leads_an_index(model: type[Model], field: Any, fixed: Collection[str]) -> bool:
    if field.primary_key or field.unique or field.db_index:
        return True
    return field.name in {_first(names, fixed) for names in _indexed(model)}


def _indexed(model: type[Model]) -> Iterator[list[str]]:
    """Fields of each index that holds all rows."""
    meta: Any = model._meta
    for index in (*meta.indexes, *meta.constraints):
        if getattr(index, "condition", None) is not None:
            continue
        if getattr(index, "fields", None):
            yield list(index.fields)
        elif getattr(index, "expressions", None):
            yield [_name(expression) for expression in index.expressions]
    yield from (list(names) for names in meta.unique_together)


def _name(expression: Any) -> str:
    inner = expression.expression if isinstance(expression, OrderBy) else expression
    return str(getattr(inner, "name", "")) if isinstance(inner, F) else ""


def _first(names: list[str], fixed: Collection[str]) -> str:
    """The first field of an index, not counting those of one value."""
    return next((name for item in names if (name := item.lstrip("-")) not in fixed), "")


def _has_text_index(model: type[Model], field: Any, kind: str) -> bool:
    """Whether an index mentions the field by an expression or an operator class; what for is its author's business."""
    if kind in _ANY_CASE and getattr(field, "db_collation", None):
        return True
    indexes: list[Any] = list(model._meta.indexes)
    for index in indexes:
        named = [name.lstrip("-") for name in index.fields]
        if field.name in named and index.opclasses:
            return True
        if f"F({field.name})" in "".join(str(expression) for expression in index.expressions):
            return True
    return False


def _text_issue(model: type[Model], field: Field[Any, Any], kind: str, lookup: str, purpose: str, where: str) -> Issue:
    name = f"{model._meta.model_name}_{field.name}_{'trgm' if kind in _WITHIN else 'upper'}"[:30]
    if kind in _WITHIN:
        column = f'Upper("{field.name}")' if kind.startswith("i") else f'F("{field.name}")'
        index = f'GinIndex(OpClass({column}, "gin_trgm_ops"), name="{name}"), with TrigramExtension() in a migration'
    else:
        index = f'models.Index(OpClass(Upper("{field.name}"), "text_pattern_ops"), name="{name}")'
    return Issue(
        "index",
        "info" if purpose == "search" else "warning",
        where,
        f"{purpose} {lookup.rpartition(LOOKUP_SEP)[0] or lookup!r} compares {model._meta.label}.{field.name} by "
        f"{kind}, which an ordinary index does not serve",
        f"{model.__name__}.Meta.indexes: {index}",
    )


def _is_postgres(model: type[Model]) -> bool:
    return connections[router.db_for_read(model)].vendor == "postgresql"
