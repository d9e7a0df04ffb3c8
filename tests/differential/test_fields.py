"""Every field type on every engine, over generated rows: all ways give the same bytes, and DRF's values."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from tests.zoo.models import EVERYWHERE, POSTGRES, Specimen

from .strategies import edges_of, values_of
from .ways import Ways, assert_same, reference, serializer_of

#: Times the profile's 40 examples: 1,000 rows.
BATCH = 25

CASES = [pytest.param("default", kind, id=f"default-{kind}") for kind in EVERYWHERE]
CASES += [pytest.param("default", kind, id=f"default-{kind}", marks=pytest.mark.postgresql) for kind in POSTGRES]
CASES += [pytest.param("sqlite", kind, id=f"sqlite-{kind}") for kind in EVERYWHERE]


class WordsField(serializers.Field[Any, Any, Any, Any]):
    """What the zoo registered for its field of this name, as DRF has it declared."""

    def to_representation(self, value: list[str]) -> dict[str, Any]:
        return {"words": value, "count": len(value)}


CUSTOM = {"words": {"value": WordsField(), "maybe": WordsField()}}


def rows_of(model: type[Specimen], values: list[Any], maybes: list[Any]) -> list[Specimen]:
    names = {field.name for field in model._meta.concrete_fields}
    if model._meta.pk.name == "value":
        return [model(value=value) for value in dict.fromkeys(values)]
    if "maybe" not in names:
        return [model(value=value) for value in values]
    return [model(value=value, maybe=maybe) for value, maybe in zip(values, maybes, strict=True)]


def batches(kind: str, vendor: str) -> st.SearchStrategy[tuple[list[Any], list[Any]]]:
    values = values_of(kind, vendor)
    edges = edges_of(kind, vendor)
    if edges:
        values |= st.sampled_from(edges)
    return st.tuples(
        st.lists(values, min_size=BATCH, max_size=BATCH), st.lists(st.none() | values, min_size=BATCH, max_size=BATCH)
    )


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(("alias", "kind"), CASES)
def test_field(alias: str, kind: str) -> None:
    model = (EVERYWHERE | POSTGRES)[kind]
    vendor = connections[alias].vendor
    rows = model._default_manager.using(alias)
    serializer = serializer_of(model, **CUSTOM.get(kind, {}))

    with Ways(rows.all, alias) as ways:

        def check(values: list[Any], maybes: list[Any]) -> None:
            rows._raw_delete(alias)  # type: ignore[attr-defined]
            rows.bulk_create(rows_of(model, values, maybes))
            assert_same(ways.answer(), reference(rows.all(), serializer))

        @given(batches(kind, vendor))
        def generated(batch: tuple[list[Any], list[Any]]) -> None:
            check(*batch)

        edges = edges_of(kind, vendor)
        check(edges, edges)
        check([], [])
        generated()
