"""Relations that a serializer shows, where a join or one statement for all rows gives what DRF finds row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast
from uuid import UUID

import rest_framework.relations
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model, QuerySet, UUIDField
from django.db.models.fields import related_descriptors as descriptors
from django.db.models.manager import BaseManager

from ..errors import PlanError
from ..orm.relations import Relation, relation_named
from ..orm.wanted import Wanted, WantedField
from .describe import describe, own
from .values import class_of, is_exactly

__all__ = ["joins_keep_rows", "prefetched_paths", "related"]

_Describe: TypeAlias = Callable[[Any, type[Model], frozenset[str]], Wanted | None]
_relations: Any = rest_framework.relations
_Many = _relations.ManyRelatedField
_KEY: object = _relations.PrimaryKeyRelatedField.to_representation
_MANY_STEPS = {name: getattr(_Many, name) for name in ("get_attribute", "to_representation")}
_ONE = (descriptors.ForwardManyToOneDescriptor, descriptors.ForwardOneToOneDescriptor)
_SEVERAL = (descriptors.ReverseManyToOneDescriptor, descriptors.ManyToManyDescriptor)
_manager: Any = BaseManager
_PLAIN_ROWS = _manager.get_queryset


def related(field: Any, model: type[Model], prefetched: frozenset[str], describe_rows: _Describe) -> WantedField | None:
    """The relation that a serializer field shows; ``None`` where only instances tell.

    Parameters:
        field: a bound field of a serializer of the model's instances.
        model: the rows' class.
        prefetched: relations that the rows bring along, by their paths.
        describe_rows: what a serializer shows of a model's rows, given what those bring along.
    """
    if is_exactly(field, _Many):
        return _keys(field, model, prefetched)
    access, convert = describe(field)
    if access[0] != "path" or convert[0] not in ("record", "records") or len(access[1]) != 1:
        return None
    name, many = access[1][0], convert[0] == "records"
    relation = _relation(model, name, prefetched, many=many)
    if relation is None:
        return None
    wanted = describe_rows(convert[1], relation.model, _below(prefetched, name))
    return None if wanted is None else WantedField(field.field_name, name, Any, many, wanted)


def _keys(field: Any, model: type[Model], prefetched: frozenset[str]) -> WantedField | None:
    """A to-many relation as a list of primary keys."""
    child = field.child_relation
    usual = all(own(field, name) is method for name, method in _MANY_STEPS.items())
    if not usual or own(child, "to_representation") is not _KEY or child.pk_field is not None:
        return None
    if len(field.source_attrs) != 1:
        return None
    name = field.source_attrs[0]
    relation = _relation(model, name, prefetched, many=True)
    if relation is None:
        return None
    hint = list[UUID] if isinstance(relation.model._meta.pk, UUIDField) else list
    return WantedField(field.field_name, name, hint, many=True)


def _relation(model: type[Model], name: str, prefetched: frozenset[str], *, many: bool) -> Relation | None:
    """A relation whose rows are the same, in the same order, however many parents are asked for at once."""
    descriptor = next((vars(kind)[name] for kind in model.__mro__ if name in vars(kind)), None)
    if class_of(descriptor) not in (_SEVERAL if many else _ONE):
        return None
    try:
        relation = relation_named(model, name)
    except PlanError:
        return None
    if relation is None or relation.many is not many:
        return None
    if not many:
        return relation if _is_constrained(model, name) and _is_plain(relation.manager) else None
    ordered = bool(relation.model._meta.ordering) and _is_plain(relation.manager)
    return relation if ordered or name in prefetched else None


def _is_constrained(model: type[Model], name: str) -> bool:
    """Whether the database vouches for the row at the other end, so that a join loses none at this one."""
    field: Any = model._meta.get_field(name)
    return issubclass(class_of(field), ForeignKey) and bool(field.db_constraint)


def _is_plain(manager: Any) -> bool:
    """Whether the manager shows every row of its table."""
    rows: Any = getattr(manager, "_queryset_class", None)
    return getattr(class_of(manager), "get_queryset", None) is _PLAIN_ROWS and rows is QuerySet


def _below(paths: frozenset[str], name: str) -> frozenset[str]:
    start = name + "__"
    return frozenset(path.removeprefix(start) for path in paths if path.startswith(start))


def prefetched_paths(model: type[Model], lookups: Any) -> frozenset[str] | None:
    """The relations named in ``prefetch_related``, by their paths; ``None`` where one is more than a plain relation.

    Parameters:
        model: the rows' class.
        lookups: as the queryset keeps them.
    """
    paths: set[str] = set()
    for lookup in lookups:
        if not isinstance(lookup, str):
            return None
        at: Any = model
        path: list[str] = []
        for name in lookup.split("__"):
            try:
                relation = relation_named(at, name)
            except PlanError:
                return None
            if relation is None:
                return None
            at = relation.model
            path.append(name)
            paths.add("__".join(path))
    return frozenset(paths)


def joins_keep_rows(model: Any, joins: Any) -> bool:
    """Whether ``select_related`` leaves no row out, so that its joins may be left out themselves.

    Parameters:
        model: the rows' class.
        joins: as the query keeps them: names to what is joined further.
    """
    if not joins:
        return True
    if not isinstance(joins, dict):
        return False  # every relation, however far
    for name, further in cast("dict[str, Any]", joins).items():
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        if not field.is_relation or (field.concrete and not field.db_constraint):
            return False
        if not joins_keep_rows(field.related_model, further):
            return False
    return True
