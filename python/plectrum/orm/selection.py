"""Narrows a queryset to what a class wants: columns by ``only()``, single relations by ``select_related()``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import QuerySet

from plectrum.errors import PlanError

from .output import pk_fields
from .relations import PrefetchNode, relation_named
from .wanted import Wanted, WantedField

__all__ = ["select_also", "select_wanted"]


@dataclass
class _Needs:
    """What has to be selected.

    Parameters:
        columns: field paths for ``only()``.
        joins: relation paths for ``select_related()``.
    """

    columns: list[str] = field(default_factory=list[str])
    joins: list[str] = field(default_factory=list[str])


def select_wanted(queryset: QuerySet[Any], wanted: Wanted, prefetches: dict[str, PrefetchNode]) -> QuerySet[Any]:
    """The queryset with exactly the columns and joins the class needs.

    Parameters:
        queryset: of model instances.
        wanted: a class with fields.
        prefetches: relations the queryset prefetches, by ``to_attr``.

    Errors:
        PlanError: a field of the class is nothing the queryset knows.
    """
    needs = _Needs()
    model = queryset.model
    _gather(needs, model, wanted, prefetches, set(queryset.query.annotation_select), "")
    if queryset.query.combinator:
        return queryset  # its columns are fixed; the row takes what it needs of them
    queryset = queryset.select_related(None)
    if needs.joins:
        queryset = queryset.select_related(*dict.fromkeys(needs.joins))
    return queryset.defer(None).only(*dict.fromkeys(needs.columns))


def select_also(queryset: QuerySet[Any], attname: str) -> tuple[QuerySet[Any], bool]:
    """The queryset with a column that ``only()`` or ``defer()`` may have left out, and whether it had.

    Parameters:
        queryset: of model instances.
        attname: the column's attribute.
    """
    names, deferred = queryset.query.deferred_loading
    field = next(f for f in queryset.model._meta.concrete_fields if f.attname == attname)
    own = {field.name, field.attname}
    if not names or field.primary_key or (bool(own & names) != deferred):
        return queryset, False
    if deferred:
        return queryset.defer(None).defer(*(names - own)), True
    return queryset.only(*names, field.name), True


def _gather(
    needs: _Needs,
    model: type[models.Model],
    wanted: Wanted,
    prefetches: dict[str, PrefetchNode],
    annotations: set[str],
    prefix: str,
) -> None:
    needs.columns += [prefix + field.name for field in pk_fields(model)]
    if wanted.fields is None:
        needs.columns += [prefix + f.name for f in model._meta.concrete_fields]
        needs.columns += [prefix + _parent_name(model, many.name) for many in model._meta.many_to_many]
        return
    for item in wanted.fields:
        if item.name not in annotations:
            _gather_field(needs, model, wanted, item, prefetches, prefix)


def _gather_field(
    needs: _Needs,
    model: type[models.Model],
    owner: Wanted,
    item: WantedField,
    prefetches: dict[str, PrefetchNode],
    prefix: str,
) -> None:
    concrete = _concrete(model, item.name)
    if concrete is not None and item.wanted is None and item.name not in prefetches:
        needs.columns.append(prefix + concrete.name)
        return
    node = prefetches.get(item.name)
    relation = relation_named(model, node.attribute if node else item.name)
    if relation is None:
        raise _unknown(model, owner, item, prefetches)
    _check_hint(model, item, relation.many)
    if relation.many or (node is not None and item.wanted is not None):
        needs.columns.append(prefix + _parent_name(model, relation.name))
        return
    needs.joins.append(prefix + relation.path)
    if concrete is not None:
        needs.columns.append(prefix + concrete.name)
    inner = item.wanted or Wanted("", ())
    _gather(needs, relation.model, inner, {}, set(), f"{prefix}{relation.path}__")


def _check_hint(model: type[models.Model], item: WantedField, many: bool) -> None:
    if many and not item.many and item.hint not in (list, Any):
        raise PlanError(
            f"{model._meta.label}.{item.name} leads to several rows: declare it as a list, `list[{_name(item.hint)}]`."
        )
    if not many and item.many:
        raise PlanError(
            f"{model._meta.label}.{item.name} leads to one row: declare it as `{_name(item.hint)}`, not as a list."
        )


def _parent_name(model: type[models.Model], name: str) -> str:
    """Field of the model that holds a relation's key."""
    relation = relation_named(model, name)
    assert relation is not None
    return next(f.name for f in model._meta.concrete_fields if f.attname == relation.parent_attname)


def _concrete(model: type[models.Model], name: str) -> models.Field[Any, Any] | None:
    if name == "pk":
        return model._meta.pk
    return next((f for f in model._meta.concrete_fields if name in (f.name, f.attname)), None)


def _unknown(
    model: type[models.Model], owner: Wanted, item: WantedField, prefetches: dict[str, PrefetchNode]
) -> PlanError:
    from .rows import did_you_mean, relation_names

    label = model._meta.label
    attribute = getattr(model, item.name, None)
    if attribute is not None and not isinstance(attribute, models.Manager):
        return PlanError(
            f"{owner.name}.{item.name} is Python code on {label} ({type(attribute).__name__}), which SQL cannot run. "
            "Annotate the queryset with it, leave it out, or build the response in an `async def` handler."
        )
    choices = [f.name for f in model._meta.concrete_fields] + relation_names(model) + list(prefetches)
    return PlanError(
        f"{owner.name}.{item.name} is neither a field, a relation nor an annotation of {label}"
        f"{did_you_mean(item.name, choices)}."
    )


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
