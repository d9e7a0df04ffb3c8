"""The bodies of a resource's writes: a type per action, made from the model."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Collection, Iterable, Iterator
from typing import Annotated, Any, NotRequired, Required

from plectrum.errors import ConfigurationError
from plectrum.params import Field

from .fields import key_type, nullable, value_type

__all__ = ["Inputs", "editable_fields", "make_inputs"]

_LIST: Any = list  # of a type known at run time only


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Body types of one model; unset keys are absent, so ``null`` and nothing differ.

    Parameters:
        model: the model.
        create: for POST and PUT: what the model needs is required.
        patch: for PATCH: nothing is required.
        nested: relations whose rows may be written as objects → their own inputs.
    """

    model: Any
    create: Any
    patch: Any
    nested: dict[str, Inputs] = dataclasses.field(default_factory=dict[str, "Inputs"])

    def with_key(self, base: Any, name: str, annotation: Any) -> Any:
        """A body type with the key of its row, for bulk updates and nested rows."""
        hints = typing.get_type_hints(base, include_extras=True)
        fields = {name: annotation, **{key: hint for key, hint in hints.items() if key != name}}
        return _typed_dict(base.__name__ + "Row", fields)


def make_inputs(
    model: Any,
    fields: Iterable[str] | None = None,
    nested: Iterable[str] = (),
    where: str = "",
    *,
    prefix: str = "",
    without: str | None = None,
) -> Inputs:
    """The body types of a model.

    Parameters:
        model: a Django model class.
        fields: names of the fields that may be written; all editable ones where absent.
        nested: relations whose rows may be given as objects beside keys.
        where: the user's line, for messages.
        prefix: put before the types' names.
        without: a relation back to the row that is written with it.

    Errors:
        ConfigurationError: a field is unknown, or cannot be had from JSON.
    """
    named = None if fields is None else list(fields)
    if without is not None:
        named = [f.name for f in _all_fields(model) if f.name != without and _is_wanted(f, None) and _is_writable(f)]
    inner = {name: _nested(model, name, where) for name in nested}
    chosen = [*_plain(model, named, where), *_relations(model, named, inner, where)]
    unknown = set(named or ()) - {name for name, _, _ in chosen}
    for name in sorted(unknown):
        raise ConfigurationError(f"{where}: {model.__name__}.{name} cannot be written. {_hint(model, name)}")
    create = {name: Required[hint] if required else NotRequired[hint] for name, hint, required in chosen}
    patch = {name: NotRequired[hint] for name, hint, _ in chosen}
    title = prefix + model.__name__
    return Inputs(model, _typed_dict(f"{title}Create", create), _typed_dict(f"{title}Patch", patch), inner)


def editable_fields(model: Any) -> Iterator[tuple[Any, bool, bool]]:
    """Fields that people may write: each, whether JSON can give it, and whether a new row needs it.

    Parameters:
        model: a Django model class.
    """
    for field in _all_fields(model):
        if not _is_wanted(field, None) or getattr(field.remote_field, "parent_link", False):
            continue
        if field.many_to_many:
            yield field, bool(field.remote_field.through._meta.auto_created), False
        else:
            yield field, field.is_relation or value_type(field) is not None, _is_required(field)


_Entry = tuple[str, Any, bool]


def _plain(model: Any, named: Collection[str] | None, where: str) -> Iterable[_Entry]:
    for field in model._meta.concrete_fields:
        if field.remote_field is not None or not _is_wanted(field, named):
            continue
        hint = value_type(field)
        required = _is_required(field)
        if hint is not None:
            yield field.name, hint, required
        elif required or (named and field.name in named):
            raise ConfigurationError(
                f"{where}: {model.__name__}.{field.name} is a {type(field).__name__}, which JSON cannot give. Leave "
                "it out (write_fields=…) and set it in a handler of your own."
            )


def _relations(model: Any, named: Collection[str] | None, nested: dict[str, Inputs], where: str) -> Iterable[_Entry]:
    for field in model._meta.concrete_fields:
        if field.remote_field is None or field.remote_field.parent_link or not _is_wanted(field, named):
            continue
        key: Any = key_type(field)
        hint = key | _row(nested[field.name]) if field.name in nested else key
        yield field.name, nullable(field, hint), _is_required(field)
    for field in model._meta.many_to_many:
        if not field.remote_field.through._meta.auto_created or not _is_wanted(field, named):
            continue
        item: Any = key_type(field)
        item = item | _row(nested[field.name]) if field.name in nested else item
        hint = _LIST[item] if field.blank else Annotated[_LIST[item], Field(min_length=1)]
        yield field.name, hint, not field.blank
    for name, inputs in nested.items():
        relation = model._meta.get_field(name)
        if relation.auto_created and (named is None or name in named):
            yield name, _LIST[_row(inputs)], False


def _row(inputs: Inputs) -> Any:
    """A nested row: with a key that row is changed, without one it is made."""
    pk = inputs.model._meta.pk
    return inputs.with_key(inputs.create, pk.name, NotRequired[value_type(pk)])


def _nested(model: Any, name: str, where: str) -> Inputs:
    try:
        relation = model._meta.get_field(name)
    except LookupError:
        relation = None
    except Exception as error:
        raise ConfigurationError(f"{where}: nested= names {name!r}: {error}.") from error
    if relation is None or not relation.is_relation or relation.related_model is None:
        raise ConfigurationError(f"{where}: nested= names {name!r}, which is no relation of {model.__name__}.")
    target = relation.related_model
    back = relation.field.name if relation.auto_created else None
    title = f"{model.__name__}{name.title().replace('_', '')}"
    return make_inputs(target, None, (), where, prefix=title, without=back)


def _all_fields(model: Any) -> list[Any]:
    return [*model._meta.concrete_fields, *model._meta.many_to_many]


def _is_writable(field: Any) -> bool:
    return field.is_relation or value_type(field) is not None or _is_required(field)


def _is_wanted(field: Any, named: Collection[str] | None) -> bool:
    if named is not None:
        return field.name in named
    own_key = field.primary_key and (field.get_internal_type().endswith("AutoField") or field.has_default())
    return bool(field.editable) and not own_key


def _is_required(field: Any) -> bool:
    """As DRF: what has no default and may be neither blank nor null."""
    return not (field.has_default() or field.blank or field.null) and _no_database_default(field)


def _no_database_default(field: Any) -> bool:
    from django.db.models.fields import NOT_PROVIDED

    return getattr(field, "db_default", NOT_PROVIDED) is NOT_PROVIDED


def _hint(model: Any, name: str) -> str:
    known = [field.name for field in _all_fields(model)]
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close and close[0] != name else f"Choose from: {', '.join(known)}."


def _typed_dict(name: str, fields: dict[str, Any]) -> Any:
    make: Any = typing.TypedDict  # checkers know its static form only
    return make(name, fields)
