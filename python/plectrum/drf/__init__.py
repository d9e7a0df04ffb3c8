"""Django REST framework, faster: serializers and JSON renderer that answer as DRF's own do.

:class:`RustSerializerMixin` takes over the output of one serializer, :func:`install` (or ``PLECTRUM = {"DRF": True}``)
of all. A field is taken over where its class, its options and the serializer's own methods leave no doubt about what
DRF would do; any other field is called as DRF calls it, in the same pass. :func:`explain` tells which are which.
"""

from __future__ import annotations

from .explain import Decision, FieldExplanation, SerializerExplanation, explain
from .metrics import PlectrumMetricsMiddleware, Stats, count_fields
from .mixin import RustSerializerMixin
from .renderer import RustJSONRenderer, to_json
from .switch import install, installed, uninstall
from .views import RustListModelMixin

__all__ = [
    "Decision",
    "FieldExplanation",
    "PlectrumMetricsMiddleware",
    "RustJSONRenderer",
    "RustListModelMixin",
    "RustSerializerMixin",
    "SerializerExplanation",
    "Stats",
    "count_fields",
    "explain",
    "install",
    "installed",
    "to_json",
    "uninstall",
]
