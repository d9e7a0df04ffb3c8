"""A serializer whose every field is a plain column or a relation to such, as what a queryset's plan is asked for."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Field, GeneratedField, Model
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init

from ..orm.fields import Kind, kind_of_field
from ..orm.wanted import Wanted, WantedField
from . import compile as output
from .describe import Description, describe
from .relations import related
from .values import class_of, column_of, is_exactly

__all__ = ["wanted_of"]

_Model: Any = Model
_INSTANCES: dict[str, object] = {
    "__init__": _Model.__init__,
    "__getattribute__": object.__getattribute__,
    "__setattr__": object.__setattr__,
    "__new__": object.__new__,
}
_FROM_DB: object = _Model.from_db.__func__

#: What a field makes of a value → kinds of columns whose JSON is the same. Decimals and choices have their own rules.
_FITS: dict[str, frozenset[str]] = {
    "boolean": frozenset({"bool"}),
    "text": frozenset({"text"}),
    "integer": frozenset({"int"}),
    "float": frozenset({"float"}),
    "uuid": frozenset({"uuid"}),
    "datetime": frozenset({"datetime"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "duration": frozenset({"duration"}),
    "same": frozenset({"bool", "int", "float", "text", "json"}),
}
_KEYS = frozenset({"int", "text", "uuid"})


def wanted_of(child: Any, model: type[Model], prefetched: frozenset[str] = frozenset()) -> Wanted | None:
    """What a serializer shows of a model's rows; ``None`` where anything but columns decides it.

    Parameters:
        child: a serializer that represents one instance.
        model: the rows' class.
        prefetched: relations that the rows bring along, by their paths.

    Returns:
        The same object for the same fields, as plans are kept by it.
    """
    if output.obstacle(child) or not _is_plain_model(model):
        return None
    shown: list[WantedField] = []
    for field in output.fields_of(child) or ():
        if not field.write_only:
            found = _column(field, model) or related(field, model, prefetched, wanted_of)
            if found is None:
                return None
            shown.append(found)
    return _wanted(model, tuple(shown)) if shown else None


def _is_plain_model(model: type[Model]) -> bool:
    """Whether nothing runs when an instance is made, or sees its attributes being set or read."""
    if any(getattr(model, name) is not djangos for name, djangos in _INSTANCES.items()) or issubclass(model, Mapping):
        return False
    if getattr(model.from_db, "__func__", None) is not _FROM_DB:
        return False
    return not (pre_init.has_listeners(model) or post_init.has_listeners(model))


@functools.lru_cache(maxsize=512)
def _wanted(model: type[Model], fields: tuple[WantedField, ...]) -> Wanted:
    return Wanted(model.__name__, fields)


def _column(field: Any, model: type[Model]) -> WantedField | None:
    """The column that a serializer field shows; ``None`` where it is not just that."""
    access, convert = describe(field)
    match access:
        case ("key", name):
            is_key = True
        case ("path", [name]):
            is_key = False
        case _:
            return None
    attname, stored = column_of(model, name, is_key)
    source = _concrete(model).get(attname or "")
    if source is None or not stored or not _is_plain_attribute(model, source.attname):
        return None
    kind = kind_of_field(source)
    if not isinstance(kind, dict):
        return None
    fits = kind["kind"] in _KEYS if is_key else _is_alike(convert, kind, source)
    hint: Any = uuid.UUID if is_key and kind["kind"] == "uuid" else Any
    return WantedField(field.field_name, source.attname, hint) if fits else None


@functools.cache
def _concrete(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {field.attname: field for field in model._meta.concrete_fields}


def _is_plain_attribute(model: type[Model], attname: str) -> bool:
    """Whether what is set is what is stored: Django's own descriptors change nothing."""
    found = next((vars(kind)[attname] for kind in model.__mro__ if attname in vars(kind)), None)
    return isinstance(found, DeferredAttribute) and class_of(found).__module__.startswith("django.")


def _is_alike(convert: Description, kind: Kind, source: Any) -> bool:
    """Whether a field's representation of a column is the column's own JSON."""
    match convert:
        case ("decimal", places, digits, as_text):
            exact = places is not None and (places, digits) == (kind.get("places"), getattr(source, "max_digits", None))
            return bool(as_text and exact and kind.get("string") and not isinstance(source, GeneratedField))
        case ("choice", choices):
            of = {"int": int, "text": str}.get(kind["kind"])
            return of is not None and all(is_exactly(value, of) and str(value) == key for key, value in choices.items())
        case (name,):
            return kind["kind"] in _FITS.get(name, ())
        case _:
            return False
