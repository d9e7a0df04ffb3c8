"""Relations fetched by their own statement: which rows belong to which parent.

The querysets are those of Django's ``prefetch_related``: the same managers, the same filter on the parents' keys, the
same window for sliced querysets. The keys are a placeholder that Rust fills in.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models
from django.db.models import F, Prefetch
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Expression
from django.db.models.fields import related_descriptors

from plectrum.errors import PlanError

from .binds import Keys
from .internal import Rows, attributes_of
from .param import as_expression

__all__ = ["KEY", "PrefetchNode", "Relation", "managers_used", "prefetch_tree", "relation_named"]

#: Annotation that holds a many-to-many row's parent key.
KEY: Final = "_plectrum_key"


#: Managers asked for a relation's rows while a plan is made, where somebody wants to know.
managers_used: ContextVar[list[Any] | None] = ContextVar("managers_used", default=None)


#: Django's own: a filter on the keys, by a window where the queryset is sliced.
_filter_by_keys: Final[Any] = attributes_of(related_descriptors)["_filter_prefetch_queryset"]


class ParentKeys(Expression):
    """The keys of the parent's rows, as the right-hand side of ``__in``."""

    def __init__(self) -> None:
        super().__init__(output_field=models.Field())

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A placeholder for the list."""
        return "PLECTRUM_ANY(%s)", [Keys()]


@dataclass(frozen=True)
class Relation:
    """A relation from a model.

    Parameters:
        name: attribute on the model.
        model: the model at its other end.
        many: whether it leads to several rows.
        parent_attname: attribute of the parent that holds the key.
        lookup: name on the other model that is filtered by the keys.
        child_attname: attribute of the other model that holds the key; ``None`` where a join table holds it.
        manager: the manager Django prefetches with.
        extra: further condition on the other model's rows.
        path: name of the relation in queries.
    """

    name: str
    model: type[models.Model]
    many: bool
    parent_attname: str
    lookup: str
    child_attname: str | None
    manager: Any
    extra: models.Q | None = None
    path: str = ""

    def rows(self, queryset: Rows | None, using: str) -> Rows:
        """The related rows of all parents, their key included.

        Parameters:
            queryset: the one given to ``Prefetch``; the manager's where absent.
            using: database alias of the parents.
        """
        if queryset is None:
            rows: Rows = self.manager.all()
            managers = managers_used.get()
            if managers is not None:
                managers.append(self.manager)
        else:
            rows = queryset._chain()
        if rows._db is None:
            rows = rows.using(using)
        if self.extra is not None:
            rows = rows.filter(self.extra)
        query = rows.query
        # A slice becomes a window there: bounds by a parameter are compared as expressions.
        query.low_mark, query.high_mark = as_expression(query.low_mark), as_expression(query.high_mark)
        rows = _filter_by_keys(rows, self.lookup, ParentKeys())
        if not self.many:
            rows.query.clear_ordering()
        if self.child_attname is None:
            rows = rows.annotate(**{KEY: F(self.lookup)})
        return rows


def relation_named(model: type[models.Model], name: str) -> Relation | None:
    """The relation an attribute of the model stands for; ``None`` where it is none.

    Parameters:
        model: the class.
        name: field name or reverse accessor.

    Errors:
        PlanError: a relation whose other end is not one table.
    """
    found: Any = _forward(model, name) or _reverse(model, name)
    if found is None:
        return None
    if isinstance(found, models.ManyToManyField):
        return _many_to_many(name, found, found.related_model, found.related_query_name(), found.m2m_field_name())
    if isinstance(found, models.ManyToManyRel):
        forward: Any = found.field
        return _many_to_many(name, forward, found.related_model, forward.name, forward.m2m_reverse_field_name())
    if isinstance(found, models.ManyToOneRel):
        return _to_children(name, found)
    if isinstance(found, models.ForeignKey):
        target = found.target_field
        manager = found.related_model._base_manager
        parent = found.attname
        return Relation(name, found.related_model, False, parent, target.name, target.attname, manager, path=name)
    return _generic(model, name, found)


def _many_to_many(name: str, field: Any, model: Any, lookup: str, source: str) -> Relation:
    key = field.remote_field.through._meta.get_field(source)
    return Relation(name, model, True, key.target_field.attname, lookup, None, model._default_manager)


def _to_children(name: str, rel: Any) -> Relation:
    many = not isinstance(rel, models.OneToOneRel)
    manager = rel.related_model._default_manager if many else rel.related_model._base_manager
    field = rel.field
    parent, path = field.target_field.attname, field.related_query_name()
    return Relation(name, rel.related_model, many, parent, field.name, field.attname, manager, path=path)


def _generic(model: Any, name: str, field: Any) -> Relation:
    if not hasattr(field, "object_id_field_name"):
        raise PlanError(
            f"{model._meta.label}.{name} is a {type(field).__name__}: its rows come from tables known only row by "
            "row. Leave it out, or build the response in an `async def` handler."
        )
    related = field.related_model
    object_id = related._meta.get_field(field.object_id_field_name)
    if not isinstance(object_id, type(model._meta.pk)) and not _same_storage(object_id, model._meta.pk):
        raise PlanError(
            f"{model._meta.label}.{name}: the key {model._meta.pk.name} is a {type(model._meta.pk).__name__} and "
            f"{related._meta.label}.{object_id.name} a {type(object_id).__name__}; they cannot be compared in SQL as "
            "they are."
        )
    label: Any = model._meta.concrete_model._meta if field.for_concrete_model else model._meta
    content_type = field.content_type_field_name
    # By name, not by the id that ContentType would look up: planning runs no queries.
    extra = models.Q(**{f"{content_type}__app_label": label.app_label, f"{content_type}__model": label.model_name})
    attname = object_id.attname
    pk = model._meta.pk.attname
    return Relation(name, related, True, pk, object_id.name, attname, related._default_manager, extra)


def _same_storage(left: Any, right: Any) -> bool:
    whole = models.IntegerField
    return isinstance(left, whole) and isinstance(right, whole)


def _forward(model: type[models.Model], name: str) -> Any:
    fields = [*model._meta.fields, *model._meta.many_to_many, *model._meta.private_fields]
    return next((f for f in fields if f.name == name and f.is_relation), None)


def _reverse(model: type[models.Model], name: str) -> Any:
    return next((rel for rel in model._meta.related_objects if rel.get_accessor_name() == name), None)


@dataclass
class PrefetchNode:
    """A relation named in ``prefetch_related``.

    Parameters:
        attribute: the relation's attribute.
        to_attr: where its rows go.
        queryset: the one given to ``Prefetch``.
        below: relations prefetched from its rows, by ``to_attr``.
    """

    attribute: str
    to_attr: str
    queryset: Rows | None = None
    below: dict[str, PrefetchNode] = field(default_factory=dict[str, "PrefetchNode"])


def prefetch_tree(lookups: Iterable[str | Prefetch[Any]]) -> dict[str, PrefetchNode]:
    """Lookups of ``prefetch_related`` as a tree, by ``to_attr``.

    Parameters:
        lookups: paths and ``Prefetch`` objects.

    Errors:
        PlanError: a relation is named twice with different querysets.
    """
    roots: dict[str, PrefetchNode] = {}
    for lookup in lookups:
        prefetch: Any = lookup if isinstance(lookup, Prefetch) else Prefetch(lookup)
        level = roots
        node: PrefetchNode | None = None
        through, to = prefetch.prefetch_through.split(LOOKUP_SEP), prefetch.prefetch_to.split(LOOKUP_SEP)
        known = True
        for attribute, to_attr in zip(through, to, strict=True):
            known = to_attr in level
            node = level.setdefault(to_attr, PrefetchNode(attribute, to_attr))
            level = node.below
        if node is not None and prefetch.queryset is not None:
            if known:
                raise PlanError(
                    f"prefetch_related names {prefetch.prefetch_to!r} twice, the second time with a queryset. Put "
                    "the one with the queryset first."
                )
            node.queryset = prefetch.queryset
    return roots
