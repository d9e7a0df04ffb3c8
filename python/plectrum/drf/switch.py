"""The mixin for all serializers of a process, without editing them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any, cast

from rest_framework.mixins import ListModelMixin
from rest_framework.serializers import ListSerializer, ModelSerializer, Serializer

from . import compile as output
from . import templates, validate, views
from .values import is_exactly

__all__ = ["fields", "install", "installed", "internal", "is_installed", "model_fields", "represent", "uninstall"]

_One = cast("Any", Serializer)
_Many = cast("Any", ListSerializer)
_Model = cast("Any", ModelSerializer)
_Listing = cast("Any", ListModelMixin)


def install() -> None:
    """Takes over the output and the validation of every DRF serializer in this process, also of existing classes; and
    the lists of generic views.

    ``PLECTRUM = {"DRF": True}`` in the settings calls this when Django starts. Calling it again changes nothing.
    """
    _One.to_representation, _Many.to_representation = represent, _represent_rows
    _One.to_internal_value, _Many.to_internal_value = internal, validate.ROWS
    _One.get_fields, _Model.get_fields = fields, model_fields
    _Listing.list = _list


def uninstall() -> None:
    """Gives every serializer back to DRF."""
    _One.to_representation, _Many.to_representation = output.REPRESENT, output.REPRESENT_LIST
    _One.to_internal_value, _Many.to_internal_value = validate.INTERNAL, validate.INTERNAL_LIST
    _One.get_fields, _Model.get_fields = templates.GET_FIELDS, templates.GET_MODEL_FIELDS
    _Listing.list = views.LIST


def is_installed() -> bool:
    """Whether every serializer is taken over."""
    return bool(_One.to_representation is represent)


@contextlib.contextmanager
def installed() -> Generator[None]:
    """:func:`install` for the length of a ``with`` block, for tests."""
    before = _One.to_representation
    install()
    try:
        yield
    finally:
        if before is not represent:
            uninstall()


def represent(self: Any, instance: Any) -> Any:
    """``Serializer.to_representation``."""
    found = output.current(self, Serializer)
    return output.REPRESENT(self, instance) if found is None else found.represent(instance)


def _represent_rows(self: Any, data: Any) -> Any:
    return output.rows(self, data)


def internal(self: Any, data: Any) -> Any:
    """``Serializer.to_internal_value``."""
    found = validate.current(self, Serializer) if is_exactly(data, dict) else None
    return validate.INTERNAL(self, data) if found is None else found.internal(data)


def _list(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    return views.list_rows(self, request)


def fields(self: Any) -> Any:
    """``Serializer.get_fields``."""
    return templates.fields_for(self, templates.GET_FIELDS)


def model_fields(self: Any) -> Any:
    """``ModelSerializer.get_fields``."""
    return templates.fields_for(self, templates.GET_MODEL_FIELDS)


output.ours(represent)
output.our_list(_represent_rows)
validate.ours(internal)
