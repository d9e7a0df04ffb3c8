"""The mixin that takes over a serializer's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework import serializers

from .compile import current, ours, take_over

__all__ = ["RustSerializerMixin"]

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object


class RustSerializerMixin(_Base):
    """Put before ``Serializer`` or ``ModelSerializer``: the same ``.data``, made in Rust.

    ``many=True`` and nested serializers are included. What the serializer overrides still runs: its own
    ``to_representation`` may call ``super()``, method fields, custom fields and hooks are called as DRF calls them.
    Validation and saving are not touched.

    Errors:
        What DRF would raise, from the same place in DRF's code.
    """

    def to_representation(self, instance: Any) -> Any:
        """See ``rest_framework.serializers.Serializer.to_representation``."""
        found = current(self, RustSerializerMixin)
        return super().to_representation(instance) if found is None else found.represent(instance)

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """See ``rest_framework.serializers.BaseSerializer.many_init``."""
        made: Any = cast("Any", super()).many_init(*args, **kwargs)
        take_over(made)
        return made


ours(RustSerializerMixin.to_representation)
