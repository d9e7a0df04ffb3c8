"""What DRF's `ModelSerializer` gives for the same rows: the reference of every answer."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer


def serializer(model: Any, only: Any = "__all__", **fields: Any) -> Any:
    """A ModelSerializer class with everything of the model, or `only` some, and nested serializers by name."""
    meta = type("Meta", (), {"model": model, "fields": only})
    return type("Serializer", (serializers.ModelSerializer,), {"Meta": meta, **fields})


def rendered(rows: Any, of: Any = None, *, many: bool = True) -> Any:
    """DRF's JSON for the rows, parsed."""
    serializer_class = of or serializer(rows.model)
    return json.loads(JSONRenderer().render(serializer_class(rows, many=many).data))
