"""A serializer class's fields, made once as DRF makes them and copied for each instance.

DRF works out a ``ModelSerializer``'s fields anew for every instance. What comes of it depends on the class, its
``Meta``, the model's fields, the settings and the language (of labels), as long as nobody overrides a step; then one
instance's fields are the pattern of all later ones. A field of DRF's own is copied attribute by attribute, every other
as ``Field.__deepcopy__`` copies it.
"""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import re
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import rest_framework.fields
import rest_framework.relations
from django.db.models import Manager, Q
from django.utils.functional import Promise
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.settings import api_settings
from rest_framework.utils.formatting import lazy_format

from . import kept
from .values import class_of, state_of

__all__ = ["GET_FIELDS", "GET_MODEL_FIELDS", "fields_for"]

_Serializer = cast("Any", serializers.Serializer)
_Model: Any = serializers.ModelSerializer
# DRF's own, as they were before anybody could patch them.
GET_FIELDS: Any = state_of(_Serializer)["get_fields"]
GET_MODEL_FIELDS: Any = state_of(_Model)["get_fields"]
_STEPS: dict[str, Any] = {
    name: value
    for name, value in state_of(_Model).items()
    if isinstance(value, types.FunctionType) and name not in ("create", "update", "get_fields", "get_validators")
}
_CHOICES: Final = tuple(name for name in state_of(_Model) if name.startswith("serializer_"))
_META: Final = ("model", "fields", "exclude", "depth", "read_only_fields", "extra_kwargs", "validators")
_MODULES: Final = (rest_framework.fields, rest_framework.relations)
# What copies can share.
_IMMUTABLE: Final = (
    *(str, int, float, bytes, decimal.Decimal, dt.date, dt.time, dt.timedelta, re.Pattern, type(None)),
    *(type, types.FunctionType, types.BuiltinFunctionType, Promise, Manager),
    *(serializers.CreateOnlyDefault, serializers.CurrentUserDefault),
)
_CHILDREN: Final = ("child", "child_relation")

_Signature = tuple[Any, ...]


class _Template:
    """The fields of a class, unbound."""

    def __init__(self, signature: _Signature, held: _Signature, copies: dict[str, Callable[[], Any]]) -> None:
        self.signature = signature
        self.held = held  # keeps alive what the signature names by address
        self.copies = copies


# By language; `None` once a class's fields were made, so that what is made once costs nothing more.
_templates: weakref.WeakKeyDictionary[type, dict[str | None, _Template | None]] = weakref.WeakKeyDictionary()


def fields_for(serializer: Any, make: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What ``serializer.get_fields()`` returns.

    Parameters:
        make: ``GET_FIELDS`` or ``GET_MODEL_FIELDS``, whichever is asked.
    """
    kind, language = class_of(serializer), get_language()
    declared_alone = make is GET_FIELDS and issubclass(kind, _Model)
    if declared_alone:
        return make(serializer)
    templates = _templates.setdefault(kind, {})
    if language not in templates:
        templates[language] = None
        return make(serializer)
    template = templates[language]
    signature, held = _signature(serializer, kind)
    if template is None or template.signature != signature:
        fields = make(serializer)
        templates[language] = _template(serializer, signature, held, fields)
        return fields
    if issubclass(kind, _Model) and serializer.url_field_name is None:
        serializer.url_field_name = api_settings.URL_FIELD_NAME
    return {name: made() for name, made in template.copies.items()}


def _signature(serializer: Any, kind: Any) -> tuple[_Signature, _Signature]:
    """Addresses of all the fields depend on, and what is there."""
    declared: dict[str, Any] = serializer._declared_fields
    held: list[Any] = [kept.era(), *declared.values()]
    for field in declared.values():
        held += _parts(field)
    if issubclass(kind, _Model):
        meta = getattr(serializer, "Meta", None)
        held += [serializer.url_field_name, *(getattr(kind, name, None) for name in (*_STEPS, *_CHOICES))]
        mapping: Any = getattr(kind, "serializer_field_mapping", None)
        held += mapping.values() if isinstance(mapping, dict) else ()
        for name in _META:
            held += _flat(getattr(meta, name, None))
        held += _of_model(getattr(meta, "model", None))
    return (*declared, *map(id, held)), tuple(held)


def _of_model(model: Any) -> list[Any]:
    """What a model's fields are made of."""
    options: Any = getattr(model, "_meta", None)
    if options is None:
        return []
    held: list[Any] = [options.fields, options.many_to_many, options.related_objects, options.unique_together]
    for field in (*options.fields, *options.many_to_many):
        held += state_of(field).values()
    return [*held, *options.constraints]


def _parts(field: Any) -> list[Any]:
    """What a declared field is made of."""
    return [*field._args, *field._kwargs, *_flat(field._kwargs)]


def _flat(value: Any) -> list[Any]:
    """A value and all there is in it, where those are lists and dicts."""
    if isinstance(value, dict):
        keys = cast("Iterable[Any]", value)
        inner = [item for key in keys for item in (key, *_flat(value[key]))]
        return [cast("object", value), *inner]
    if isinstance(value, (list, tuple)):
        return [cast("object", value), *(inner for item in cast("Iterable[Any]", value) for inner in _flat(item))]
    return [value]


def _template(serializer: Any, signature: _Signature, held: _Signature, fields: dict[str, Any]) -> _Template | None:
    kind = class_of(serializer)
    if issubclass(kind, _Model) and any(getattr(kind, name, None) is not step for name, step in _STEPS.items()):
        return None
    declared: dict[str, Any] = serializer._declared_fields
    copies: dict[str, Callable[[], Any]] = {}
    for name, field in fields.items():
        made = _copier(field) or (_deep(declared[name]) if name in declared else None)
        if made is None:
            return None
        copies[name] = made
    return _Template(signature, held, copies)


def _deep(field: Any) -> Callable[[], Any]:
    return lambda: copy.deepcopy(field)


def _copier(field: Any) -> Callable[[], Any] | None:
    """Makes copies of one of DRF's own fields as it was made; ``None`` where only its constructor knows how."""
    kind = class_of(field)
    if not any(vars(module).get(kind.__name__) is kind for module in _MODULES):
        return None
    if field._args or not all(_is_plain(name, value) for name, value in field._kwargs.items()):
        return None
    options: dict[str, Any] = dict(field._kwargs)
    children: dict[str, Callable[[], Any]] = {}
    for name in _CHILDREN:
        if hasattr(field, name):
            child = _copier(getattr(field, name))
            if child is None:
                return None
            children[name], options[name] = child, child()
    return _copying(kind, {**state_of(kind(**options)), "_kwargs": dict(field._kwargs)}, children)


def _copying(kind: Any, pattern: dict[str, Any], children: dict[str, Callable[[], Any]]) -> Callable[[], Any]:
    shared = {name: value for name, value in pattern.items() if not isinstance(value, (list, dict))}
    own: list[tuple[str, Any]] = [item for item in pattern.items() if item[0] not in shared]

    def made() -> Any:
        field = object.__new__(kind)
        state = state_of(field)
        state.update(shared)
        for name, value in own:
            state[name] = [_validator(item) for item in value] if name == "_validators" else value.copy()
        for name, child in children.items():
            state[name] = child()
            state[name].bind(field_name="", parent=field)
            if name in state["_kwargs"]:
                state["_kwargs"][name] = state[name]
        return field

    return made


def _validator(validator: Any) -> Any:
    """A validator whose message is not formatted yet: it keeps the language it is first shown in."""
    message: Any = getattr(validator, "message", None)
    if class_of(message) is not lazy_format:
        return validator
    copied = object.__new__(class_of(validator))
    fresh = lazy_format(message.format_string, *message.args, **message.kwargs)
    state_of(copied).update(state_of(validator), message=fresh)
    return copied


def _is_plain(name: str, value: Any) -> bool:
    """Whether an option can be shared by copies, or copied one level deep."""
    if name in _CHILDREN or name == "validators":
        return True
    if isinstance(value, dict):
        pairs = cast("Iterable[tuple[Any, Any]]", value.items())
        return all(isinstance(item, _IMMUTABLE) for pair in pairs for item in pair)
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        return all(isinstance(item, _IMMUTABLE) or (isinstance(item, tuple) and _is_plain("", item)) for item in items)
    return isinstance(value, (*_IMMUTABLE, Q)) or value is rest_framework.fields.empty
