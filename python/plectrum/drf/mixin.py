"""The mixin that takes over one serializer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework import serializers

from . import compile as output
from . import templates, validate
from .values import is_exactly

__all__ = ["RustSerializerMixin"]

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object


class RustSerializerMixin(_Base):
    """Put before ``Serializer`` or ``ModelSerializer``: the same ``.data`` and ``.is_valid()``, made in Rust.

    ``many=True`` and nested serializers are included. What the serializer overrides still runs: its own
    ``to_representation`` or ``to_internal_value`` may call ``super()``; method fields, custom fields, validators and
    hooks are called as DRF calls them. Saving is not touched.

    Errors:
        What DRF would raise, from the same place in DRF's code.
    """

    def to_representation(self, instance: Any) -> Any:
        """See ``rest_framework.serializers.Serializer.to_representation``."""
        found = output.current(self, RustSerializerMixin)
        return super().to_representation(instance) if found is None else found.represent(instance)

    def to_internal_value(self, data: Any) -> Any:
        """See ``rest_framework.serializers.Serializer.to_internal_value``."""
        found = validate.current(self, RustSerializerMixin) if is_exactly(data, dict) else None
        return super().to_internal_value(data) if found is None else found.internal(data)

    def get_fields(self) -> Any:
        """See ``rest_framework.serializers.Serializer.get_fields``."""
        made = cast("Any", super()).get_fields
        drfs = getattr(made, "__func__", None) in (templates.GET_FIELDS, templates.GET_MODEL_FIELDS)
        return templates.fields_for(self, made) if drfs else made()

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """See ``rest_framework.serializers.BaseSerializer.many_init``."""
        made: Any = cast("Any", super()).many_init(*args, **kwargs)
        output.take_over(made)
        validate.take_over(made)
        return made


output.ours(RustSerializerMixin.to_representation)
validate.ours(RustSerializerMixin.to_internal_value)
