"""Every field type of Django in `Schema.from_model`: written as DRF writes it, and taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db.models import Expression
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from plectrum.schema import InvalidError, Schema
from tests.differential.strategies import edges_of, values_of
from tests.zoo.models import EVERYWHERE, POSTGRES

KINDS = {**EVERYWHERE, **POSTGRES}


def rendered(model: Any, instance: Any) -> Any:
    """What DRF answers for it."""
    meta = type("Meta", (), {"model": model, "fields": "__all__"})
    serializer: Any = type("Out", (serializers.ModelSerializer,), {"Meta": meta})
    return json.loads(JSONRenderer().render(serializer(instance).data))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_values_are_written_as_drf_does(kind: str, data: Any) -> None:
    model = KINDS[kind]
    schema = Schema.from_model(model)
    edges = edges_of(kind, "postgresql")
    values = values_of(kind, "postgresql")
    value = data.draw(st.sampled_from(edges) | values if edges else values)
    assume(not isinstance(value, Expression))
    instance = model(value=value, pk=value if model._meta.pk.name == "value" else 1)
    if kind.startswith("generated_"):
        vars(instance)["twin"] = value  # the database would have made it
    shown = schema.serialize_instance(instance)
    expected = rendered(model, instance)
    if kind == "generated_decimal":  # DRF has no field for it and leaves the number to its encoder
        expected["twin"] = shown["twin"]
    assert shown == expected
    assert json.loads(schema.serialize_to_bytes([instance, instance], many=True)) == [shown, shown]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_and_what_is_null(kind: str) -> None:
    model = KINDS[kind]
    schema = Schema.from_model(model)
    assert set(schema.fields) == {field.attname for field in model._meta.concrete_fields}
    wanted = {name for name, field in schema.fields.items() if field.required}
    missing: set[Any] = set()
    try:
        schema.validate({})
    except InvalidError as error:
        missing = {row["loc"][0] for row in error.errors}
    assert missing == wanted
