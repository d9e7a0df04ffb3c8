"""Models → types: which fields they have, what the choices are, which abstract models they share."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from plectrum.errors import ConfigurationError, PlanError, SchemaError
from plectrum.orm.relations import relation_named

from .fields import Aggregate, Column, Computed, Connection, Field, Many, ObjectType, One
from .names import enum_member, field_name, pascal, plural, singular
from .options import GraphQL, Type
from .scalars import ID, Enum, Leaf, leaf_of_field

__all__ = ["Graph"]


class Graph:
    """The types of a graph.

    Parameters:
        declared: what the user declared.

    Errors:
        ConfigurationError: a model or a name that cannot be shown.
    """

    def __init__(self, declared: GraphQL) -> None:
        self.declared = declared
        self.types: dict[str, ObjectType] = {}
        self.enums: dict[str, Enum] = {}
        self.interfaces: dict[str, list[str]] = {}
        self._by_model: dict[Any, ObjectType] = {}
        for options in declared.types:
            self._add(options)
        for one in self.types.values():
            one.fields = {found.name: found for found in self._fields(one)}
        for one in self.types.values():
            one.interfaces = tuple(self._interfaces(one))

    def type_of(self, model: Any) -> ObjectType | None:
        """The type of a model; ``None`` where it is not in the graph."""
        return self._by_model.get(model)

    def wrong(self, what: str) -> ConfigurationError:
        """An error that begins with the user's line."""
        return ConfigurationError(f"{self.declared.where}: {what}")

    def _add(self, options: Type) -> None:
        model = options.model
        if not (isinstance(model, type) and issubclass(model, models.Model)) or model._meta.abstract:
            raise self.wrong(f"GraphQL(models=…) takes Django models that have a table, not {model!r}.")
        if getattr(model._meta, "pk_fields", None) and len(model._meta.pk_fields) > 1:
            raise self.wrong(f"{model._meta.label} has a composite primary key, which no ID can hold. Leave it out.")
        name = options.name or model.__name__
        if name in self.types or model in self._by_model:
            raise self.wrong(f"{model._meta.label} is the second type {name!r}. Give one of them another name=.")
        self.types[name] = self._by_model[model] = ObjectType(name, model, options)

    # ── Fields ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _fields(self, one: ObjectType) -> Iterator[Field]:
        options, taken = one.options, set[str]()
        wanted = None if options.fields is None else set(options.fields)
        excluded = set(options.exclude)
        known = set[str]()
        for source, field in self._candidates(one):
            known.add(source)
            if source in excluded or (wanted is not None and source not in wanted) or field.name in taken:
                continue
            taken.add(field.name)
            yield field
        for name, expression in options.computed.items():
            known.add(name)
            yield self._computed(one, name, expression)
        for name, declared in options.resolved.items():
            known.add(name)
            yield self._resolved(one, name, declared)
        self._check_names(one, known)

    def _check_names(self, one: ObjectType, known: set[str]) -> None:
        named = {"fields": one.options.fields or (), "exclude": one.options.exclude, "visible": one.options.visible}
        for option, names in named.items():
            for name in names:
                if name not in known:
                    close = difflib.get_close_matches(name, known, n=1)
                    hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(sorted(known))}."
                    raise self.wrong(f"Type({one.model.__name__}, {option}=…): there is no field {name!r}. {hint}")

    def _candidates(self, one: ObjectType) -> Iterator[tuple[str, Field]]:
        """Fields with the names users know them by."""
        meta = one.model._meta
        visible = one.options.visible
        yield "id", Column("id", "pk", ID, False, description="Primary key.", visible=visible.get("id"))
        for field in meta.concrete_fields:
            if getattr(field.remote_field, "parent_link", False):
                continue
            if field.is_relation:
                yield from self._foreign_key(one, field)
            elif not (field.primary_key and field.name == "id"):
                column = self.column_of(one, field)
                if column is not None:
                    yield field.name, column
        for field in (*meta.many_to_many, *meta.private_fields):
            if field.is_relation:
                yield from self._related(one, field.name, field.name)
        for rel in meta.related_objects:
            name = rel.get_accessor_name()
            if name and not rel.hidden and not getattr(rel, "parent_link", False):
                yield from self._related(one, name, self._reverse_name(one, rel, name))

    def column_of(self, one: ObjectType, field: Any) -> Column | None:
        """A plain field as a column; ``None`` where nothing is known of its values."""
        found = leaf_of_field(field)
        if found is None:
            return None
        scalar, depth = found
        leaf: Leaf = scalar
        if field.choices and not depth and scalar.name in ("String", "Int", "BigInt"):
            leaf = self._enum(one, field) or scalar
        visible = one.options.visible.get(field.name)
        nullable = field.null or visible is not None or _may_be_no_file(field)
        return Column(field_name(field.name), field.name, leaf, nullable, depth, str(field.help_text), visible)

    def _foreign_key(self, one: ObjectType, field: Any) -> Iterator[tuple[str, Field]]:
        visible = one.options.visible.get(field.name)
        nullable = field.null or visible is not None
        yield field.name, Column(field_name(field.attname), field.attname, ID, nullable, visible=visible)
        if visible is None:
            yield from self._related(one, field.name, field.name, nullable=field.null)

    def _related(self, one: ObjectType, name: str, shown: str, *, nullable: bool = True) -> Iterator[tuple[str, Field]]:
        try:
            relation = relation_named(one.model, name)
        except PlanError:
            return
        target = None if relation is None else self.type_of(relation.model)
        if relation is None or target is None:
            return
        if relation.many:
            camel = field_name(shown)
            yield name, Many(camel, relation, target.name)
            yield name, Connection(f"{camel}Connection", relation, target.name)
            yield name, Aggregate(f"{camel}Aggregate", relation, target.name)
        else:
            # A row that exists may be none of those its type shows.
            optional = nullable or target.options.rows is not None
            yield name, One(field_name(shown), relation, target.name, optional)

    def _reverse_name(self, one: ObjectType, rel: Any, accessor: str) -> str:
        """``article_set`` is ``articles``, unless that is taken."""
        if rel.field.remote_field.related_name:
            return accessor
        name = plural(rel.related_model) if rel.multiple else singular(rel.related_model)
        taken = {field_name(field.name) for field in one.model._meta.get_fields() if field is not rel}
        return name if name not in taken else accessor

    def _computed(self, one: ObjectType, name: str, expression: Any) -> Computed:
        try:
            annotated: Any = one.model._base_manager.annotate(plectrum_computed=expression)
            output: Any = getattr(annotated.query.annotations["plectrum_computed"], "_output_field_or_none", None)
        except FieldError as error:
            raise self.wrong(f"Type({one.model.__name__}, computed=…): {name!r}: {error}") from error
        found = leaf_of_field(output, is_column=False) if output is not None else None
        if found is None:
            raise self.wrong(
                f"Type({one.model.__name__}, computed=…): the type of {name!r} is not known. Give the expression an "
                "output_field=."
            )
        visible = one.options.visible.get(name)
        return Computed(field_name(name), expression, found[0], True, found[1], visible=visible)

    def _resolved(self, one: ObjectType, name: str, declared: Any) -> Field:
        from .resolvers import compiled

        try:
            return compiled(one.model, name, declared)
        except SchemaError as error:
            raise self.wrong(f"Type({one.model.__name__}, resolved=…): {name!r}: {error}") from error

    # ── Enums and interfaces ───────────────────────────────────────────────────────────────────────────────────

    def _enum(self, one: ObjectType, field: Any) -> Enum | None:
        """The enum of a field's choices; ``None`` where their names would be ambiguous."""
        members: dict[str, Any] = {}
        labels: dict[str, str] = {}
        choices = [(value, label) for value, label in field.flatchoices if value is not None]
        if field.blank and not any(value == "" for value, _ in choices) and isinstance(choices[0][0], str):
            choices.append(("", ""))
        for value, label in choices:
            name = enum_member(value)
            if name in members:
                return None
            members[name] = value
            labels[name] = str(label)
        declared = self._declaring(one.model, field)
        enum = Enum(f"{declared}{pascal(field.name)}", members, labels)
        return self.enums.setdefault(enum.name, enum)

    def _declaring(self, model: Any, field: Any) -> str:
        """The type whose field it is: an abstract or parent model's enum is one enum."""
        for ancestor in reversed(model.__mro__):
            meta = getattr(ancestor, "_meta", None)
            if meta is not None and any(f.name == field.name for f in meta.local_fields):
                known = self.type_of(ancestor)
                return known.name if known else str(ancestor.__name__)
        return str(model.__name__)

    def _interfaces(self, one: ObjectType) -> Iterator[str]:
        if self.declared.global_ids:
            self.interfaces.setdefault("Node", ["id"])
            yield "Node"
        for ancestor in one.model.__mro__[1:]:
            meta = getattr(ancestor, "_meta", None)
            if meta is None or not meta.abstract or ancestor.__name__ in self.types:
                continue
            sources = {field.name for field in meta.local_fields}
            names = [f.name for f in one.fields.values() if isinstance(f, Column) and f.path in sources]
            if not names:
                continue
            shared = self.interfaces.setdefault(ancestor.__name__, names)
            if set(shared) <= set(one.fields):
                yield ancestor.__name__


def _may_be_no_file(field: Any) -> bool:
    """An empty file's URL is null."""
    return isinstance(field, models.FileField)
