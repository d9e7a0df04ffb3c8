"""The mixin that takes over one serializer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework import serializers

from . import compile as output
from . import switch, templates, validate
from .values import class_of, is_exactly

__all__ = ["RustSerializerMixin"]

_Model: Any = serializers.ModelSerializer
_MANY_INIT: Any = vars(serializers.BaseSerializer)["many_init"].__func__

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object


class RustSerializerMixin(_Base):
    """Put before ``Serializer`` or ``ModelSerializer``: the same ``.data`` and ``.is_valid()``, made in Rust.

    ``many=True`` and nested serializers are included. What the serializer overrides still runs: its own
    ``to_representation`` or ``to_internal_value`` may call ``super()``; method fields, custom fields, validators and
    hooks are called as DRF calls them. Saving is not touched. Its methods may also be set on DRF's own classes.

    Errors:
        What DRF would raise, from the same place in DRF's code.
    """

    def to_representation(self, instance: Any) -> Any:
        """See ``rest_framework.serializers.Serializer.to_representation``."""
        if not _has_mixin(class_of(self)):
            return switch.represent(self, instance)
        found = output.current(self, RustSerializerMixin)
        return super().to_representation(instance) if found is None else found.represent(instance)

    def to_internal_value(self, data: Any) -> Any:
        """See ``rest_framework.serializers.Serializer.to_internal_value``."""
        if not _has_mixin(class_of(self)):
            return switch.internal(self, data)
        found = validate.current(self, RustSerializerMixin) if is_exactly(data, dict) else None
        return super().to_internal_value(data) if found is None else found.internal(data)

    def get_fields(self) -> Any:
        """See ``rest_framework.serializers.Serializer.get_fields``."""
        if not _has_mixin(class_of(self)):
            return switch.model_fields(self) if isinstance(self, _Model) else switch.fields(self)
        made = cast("Any", super()).get_fields
        drfs: Any = getattr(made, "__func__", None)
        known = drfs is templates.GET_FIELDS or drfs is templates.GET_MODEL_FIELDS
        return templates.fields_for(self, drfs) if known else made()

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """See ``rest_framework.serializers.BaseSerializer.many_init``."""
        if _has_mixin(cls):
            made: Any = cast("Any", super()).many_init(*args, **kwargs)
        else:
            made = _MANY_INIT(cls, *args, **kwargs)
        output.take_over(made)
        validate.take_over(made)
        return made


def _has_mixin(kind: type) -> bool:
    """Whether a class inherits the mixin: its methods may have been set on a class instead."""
    return issubclass(kind, RustSerializerMixin)


output.ours(RustSerializerMixin.to_representation)
validate.ours(RustSerializerMixin.to_internal_value)
