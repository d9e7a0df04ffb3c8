"""A queryset's rows → a plan: what to select, and the JSON each row becomes."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.db.models import QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesIterable,
    ValuesListIterable,
)

from plectrum.errors import PlanError

from .compiled import Compiled, compile_query
from .cursor import EDGE
from .internal import Rows, is_a
from .output import Row, Selected, cell_template, model_row, positions
from .parameters import fit_parameters
from .plan import Child, Column, Plan, Template
from .relations import KEY, PrefetchNode, prefetch_tree, relation_named
from .scalars import fitted_kind
from .selection import select_also, select_wanted
from .wanted import Wanted, WantedField

__all__ = ["Options", "plan_rows"]


@dataclass(frozen=True)
class Options:
    """How rows are written.

    Parameters:
        using: database alias.
        coerce_decimal: write decimals as strings.
        elide_empty: without, a query known to have no rows is planned all the same.
    """

    using: str
    coerce_decimal: bool = True
    elide_empty: bool = True


def plan_rows(queryset: QuerySet[Any], wanted: Wanted | None, options: Options) -> Plan | None:
    """The plan of a queryset; ``None`` where Django knows that it has no rows.

    Parameters:
        queryset: any queryset but ``raw()``.
        wanted: what the return annotation asks for; everything where absent.
        options: how rows are written.

    Errors:
        PlanError: something in it cannot be planned.
    """
    built = _build(queryset, wanted, options)
    return built[0] if built is not None else None


def _build(queryset: Rows, wanted: Wanted | None, options: Options, key: str | None = None) -> tuple[Plan, Row] | None:
    if not is_a(queryset, QuerySet):
        raise PlanError(
            f"A {type(queryset).__name__} cannot be planned: its SQL is not Django's. Use a QuerySet, or build the "
            "response in an `async def` handler."
        )
    queryset = queryset._chain()
    if queryset._iterable_class is ModelIterable:
        return _build_models(queryset, wanted, options, key)
    return _build_values(queryset, wanted, options)


def _build_models(queryset: Rows, wanted: Wanted | None, options: Options, key: str | None) -> tuple[Plan, Row] | None:
    prefetches = prefetch_tree(queryset._prefetch_related_lookups)
    if wanted is not None and wanted.fields is not None:
        queryset = select_wanted(queryset, wanted, prefetches)
    hides = False
    if key is not None:
        queryset, hides = select_also(queryset, key)
    compiled = _compiled(queryset, options)
    if compiled is None:
        return None
    row = model_row(compiled.compiler)
    assert row.instance is not None
    row.instance.hidden = key if hides else None
    extra_key = row.extras.pop(KEY, None)
    edges = [row.extras.pop(name)["column"] for name in list(row.extras) if name.startswith(EDGE)]
    writer = _Writer(list(compiled.columns), options)
    if wanted is None or wanted.fields is None:
        template = writer.everything(row.instance, prefetches, row.extras)
    else:
        template = writer.wanted(row.instance, wanted, prefetches, row.extras)
    if extra_key is not None:
        row.extras[KEY] = extra_key
    return dataclasses.replace(writer.plan(compiled, template), edges=tuple(edges)), row


def _build_values(queryset: Rows, wanted: Wanted | None, options: Options) -> tuple[Plan, Row] | None:
    if queryset._iterable_class not in _VALUES:
        raise PlanError(
            f"The queryset yields {queryset._iterable_class.__name__}, which only Python can build. Return a plain "
            "queryset, values() or values_list()."
        )
    compiled = _compiled(queryset, options)
    if compiled is None:
        return None
    query = queryset.query
    names = list(query.selected or [*query.extra_select, *query.values_select, *query.annotation_select])
    at = positions(compiled.compiler.select)
    cells = [cell_template(expression, at[index]) for index, (expression, _, _) in enumerate(compiled.compiler.select)]
    edges = [cell["column"] for name, cell in zip(names, cells, strict=False) if name.startswith(EDGE)]
    cells = [cell for name, cell in zip(names, cells, strict=False) if not name.startswith(EDGE)]
    names = [name for name in names if not name.startswith(EDGE)]
    writer = _Writer(list(compiled.columns), options)
    if wanted is not None and wanted.fields is not None:
        values = dict(zip(names, cells, strict=False))
        template = writer.wanted_values(values, wanted)
    elif queryset._iterable_class is FlatValuesListIterable:
        template = cells[0]
    elif queryset._iterable_class is ValuesListIterable:
        template = {"array": cells}
    else:
        if queryset._iterable_class is NamedValuesListIterable and queryset._fields:
            names = list(queryset._fields)
        template = _object(list(zip(names, cells, strict=False)))
    return dataclasses.replace(writer.plan(compiled, template), edges=tuple(edges)), Row(None, {})


_VALUES: Final = (ValuesIterable, ValuesListIterable, NamedValuesListIterable, FlatValuesListIterable)


def _compiled(queryset: Rows, options: Options) -> Compiled | None:
    fit_parameters(queryset.query, options.using)
    return compile_query(
        queryset.query, options.using, coerce_decimal=options.coerce_decimal, elide_empty=options.elide_empty
    )


def _object(fields: list[tuple[str, Template]], absent: int | None = None) -> Template:
    body: dict[str, Any] = {"fields": [list(field) for field in fields]}
    if absent is not None:
        body["absent"] = absent
    return {"object": body}


class _Writer:
    """Writes templates over one statement's columns and collects the children they refer to."""

    def __init__(self, columns: list[Column], options: Options) -> None:
        self.columns = columns
        self.options = options
        self.children: list[Child] = []

    def plan(self, compiled: Compiled, template: Template) -> Plan:
        return Plan(compiled.statement, tuple(self.columns), template, tuple(self.children), compiled.reason)

    def everything(
        self, selected: Selected, prefetches: dict[str, PrefetchNode], extras: dict[str, Template] | None = None
    ) -> Template:
        """All of an instance: concrete fields, many-to-many keys, joined and prefetched relations, annotations."""
        fields: list[tuple[str, Template]] = []
        left = dict(prefetches)
        related = dict(selected.related)
        for field in selected.model._meta.concrete_fields:
            column = selected.column(field)
            if field.name in related:
                node = left.pop(field.name, None)
                fields.append((field.name, self.everything(related.pop(field.name), node.below if node else {})))
            elif field.name in left:
                fields.append((field.name, self._prefetched(selected, left.pop(field.name))))
            elif column is not None and not getattr(field.remote_field, "parent_link", False):
                fields.append((field.name, {"column": column}))
        for many in selected.model._meta.many_to_many:
            if many.name in left:
                fields.append((many.name, self._prefetched(selected, left.pop(many.name))))
            elif not selected.only:
                fields.append((many.name, self._keys(selected, many.name)))
        for name, instance in related.items():
            node = left.pop(name, None)
            fields.append((name, self.everything(instance, node.below if node else {})))
        fields += [(to_attr, self._prefetched(selected, node)) for to_attr, node in left.items()]
        fields += list((extras or {}).items())
        return _object(fields, selected.absent)

    def wanted(
        self,
        selected: Selected,
        wanted: Wanted,
        prefetches: dict[str, PrefetchNode],
        extras: dict[str, Template] | None = None,
    ) -> Template:
        """An instance as a class describes it."""
        if wanted.fields is None:
            return self.everything(selected, prefetches, extras)
        fields = [
            (field.key, self._wanted_field(selected, field, wanted, prefetches, extras or {}))
            for field in wanted.fields
        ]
        return _object(fields, selected.absent)

    def wanted_values(self, values: dict[str, Template], wanted: Wanted) -> Template:
        """A row of ``values()`` as a class describes it."""
        fields: list[tuple[str, Template]] = []
        for field in wanted.fields or ():
            if field.name not in values:
                raise unknown_field(wanted, field, list(values), "the queryset's values()")
            fields.append((field.key, self._scalar(values[field.name], field, wanted)))
        return _object(fields)

    def _wanted_field(
        self,
        selected: Selected,
        field: WantedField,
        owner: Wanted,
        prefetches: dict[str, PrefetchNode],
        extras: dict[str, Template],
    ) -> Template:
        name = field.name
        if name in extras:
            return self._scalar(extras[name], field, owner)
        node = prefetches.get(name)
        if name in selected.related and field.wanted is not None:
            below = node.below if node else {}
            return self.wanted(selected.related[name], field.wanted, below)
        if node is not None:
            return self._related(selected, node, field.wanted, as_keys=field.wanted is None and _is_scalar(field))
        column = _column_named(selected, name)
        if column is not None and field.wanted is None:
            return self._scalar({"column": column}, field, owner)
        if name in selected.related:  # the key of a reverse one-to-one
            related = selected.related[name]
            pk = related.model._meta.pk
            assert pk is not None
            return self._scalar({"column": related.columns[pk.attname]}, field, owner)
        return self._related(selected, PrefetchNode(name, name), field.wanted, as_keys=_is_scalar(field))

    def _scalar(self, template: Template, field: WantedField, owner: Wanted) -> Template:
        index: int | None = template.get("column")
        if index is not None and field.wanted is None and not field.many:
            column = self.columns[index]
            kind = fitted_kind(column.kind, field.hint, f"{owner.name}.{field.name}")
            self.columns[index] = dataclasses.replace(column, kind=kind)
        return template

    def _prefetched(self, selected: Selected, node: PrefetchNode) -> Template:
        return self._related(selected, node, None, as_keys=False)

    def _keys(self, selected: Selected, name: str) -> Template:
        return self._related(selected, PrefetchNode(name, name), None, as_keys=True)

    def _related(self, selected: Selected, node: PrefetchNode, wanted: Wanted | None, *, as_keys: bool) -> Template:
        relation = relation_named(selected.model, node.attribute)
        if relation is None:
            raise PlanError(
                f"{selected.model._meta.label} has no relation {node.attribute!r} to prefetch"
                f"{did_you_mean(node.attribute, relation_names(selected.model))}."
            )
        rows = relation.rows(node.queryset, self.options.using)
        if node.below:
            rows = rows.prefetch_related(*_lookups(node.below))
        if as_keys:
            rows = rows.only("pk").prefetch_related(None)
        built = _build(rows, wanted, self.options, relation.child_attname)
        empty: Template = {"literal": [] if relation.many else None}
        if built is None:
            return empty
        plan, row = built
        assert row.instance is not None
        if as_keys:
            pk = relation.model._meta.pk
            assert pk is not None
            plan = dataclasses.replace(plan, row={"column": row.instance.columns[pk.attname]}, children=())
        key = (
            row.extras[KEY]["column"]
            if relation.child_attname is None
            else row.instance.columns[relation.child_attname]
        )
        parent = selected.columns[relation.parent_attname]
        self.children.append(Child(parent, key, relation.many, plan))
        return {"child": len(self.children) - 1}


def _lookups(nodes: dict[str, PrefetchNode]) -> list[Any]:
    from django.db.models import Prefetch

    lookups: list[Any] = []
    for node in nodes.values():
        to_attr = node.to_attr if node.to_attr != node.attribute else None
        queryset = node.queryset
        lookups.append(Prefetch(node.attribute, queryset=queryset, to_attr=to_attr))
        for below in _lookups(node.below):
            below.add_prefix(node.to_attr)
            lookups.append(below)
    return lookups


def _is_scalar(field: WantedField) -> bool:
    return field.wanted is None


def _column_named(selected: Selected, name: str) -> int | None:
    if name == "pk":
        pk: Any = selected.model._meta.pk
        return selected.columns.get(pk.attname)
    for field in selected.model._meta.concrete_fields:
        if name in (field.name, field.attname):
            return selected.column(field)
    return None


def relation_names(model: type[models.Model]) -> list[str]:
    """Names of everything that can be prefetched from a model."""
    forward = [f.name for f in (*model._meta.fields, *model._meta.many_to_many) if f.is_relation]
    return forward + [name for rel in model._meta.related_objects if (name := rel.get_accessor_name())]


def did_you_mean(name: str, choices: list[str]) -> str:
    """`` (did you mean 'x'?)``, or nothing."""
    close = difflib.get_close_matches(name, choices, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def unknown_field(owner: Wanted, field: WantedField, choices: list[str], where: str) -> PlanError:
    """The error for a field of a class that is nothing the query knows."""
    return PlanError(
        f"{owner.name}.{field.name} is neither a field, a relation nor an annotation of {where}"
        f"{did_you_mean(field.name, choices)}."
    )
