"""A pytest plugin that applies `plectrum.drf` to all serializers of a test run; see `tools/drf_suite.py`."""

from __future__ import annotations

import os
from typing import Any


def pytest_collection(session: Any) -> None:
    """Switches once settings are there, and before test modules are imported."""
    from plectrum.drf import RustSerializerMixin, install, kept

    if os.environ.get("PLECTRUM_DRF_EAGER"):
        # Also what is left to DRF because compiling would not pay.
        lazily: Any = kept.current
        module: Any = kept
        module.current = lambda *args, first: lazily(*args, first=False)
    if not os.environ.get("PLECTRUM_DRF_MIXIN"):
        install()
        return
    from rest_framework.serializers import ModelSerializer, Serializer

    for kind in (Serializer, ModelSerializer):
        for name in ("to_representation", "to_internal_value", "get_fields", "many_init"):
            setattr(kind, name, vars(RustSerializerMixin)[name])
