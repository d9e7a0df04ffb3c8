"""Aware datetimes in the current time zone, naive ones without; zones whose offsets have seconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from tests.zoo.models import EVERYWHERE, POSTGRES

from .strategies import datetimes, edges_of
from .ways import Ways, assert_same, reference, serializer_of

BATCH = 25
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Africa/Monrovia",
    "Europe/Amsterdam",
    "America/St_Johns",
    "Etc/GMT+12",
]
#: Either side of a change of offsets, and times that the zones above had odd offsets at.
MOMENTS = [
    dt.datetime(1937, 6, 30, 22, 40, tzinfo=dt.UTC),
    dt.datetime(1937, 7, 1, 0, 0, tzinfo=dt.UTC),
    dt.datetime(1971, 12, 31, 12, tzinfo=dt.UTC),
    dt.datetime(1972, 1, 7, 0, 44, 30, tzinfo=dt.UTC),
    dt.datetime(1940, 5, 15, 22, 40, tzinfo=dt.UTC),
    *(dt.datetime(2024, 3, 31, 0, 59, 59, 999999, tzinfo=dt.UTC) + dt.timedelta(microseconds=n) for n in (0, 1)),
    *(dt.datetime(2024, 10, 27, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)),
    dt.datetime(2200, 7, 1, tzinfo=dt.UTC),
]


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    settings.TIME_ZONE = request.param
    return request.param


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("kind", ["datetime", "array_of_datetimes", "datetime_range"])
def test_aware(alias: str, zone: str, kind: str) -> None:
    if kind in POSTGRES and connections[alias].vendor != "postgresql":
        pytest.skip("a field of PostgreSQL")
    model = (EVERYWHERE | POSTGRES)[kind]
    rows = model._default_manager.using(alias)
    values = (
        datetimes() | st.sampled_from(MOMENTS) if kind == "datetime" else st.sampled_from(edges_of(kind, "") or [[]])
    )
    if kind == "array_of_datetimes":
        values = st.lists(datetimes() | st.sampled_from(MOMENTS), max_size=3)

    with Ways(rows.all, alias) as ways:

        @given(st.lists(values, min_size=BATCH, max_size=BATCH))
        def generated(values: list[Any]) -> None:
            rows._raw_delete(alias)  # type: ignore[attr-defined]
            rows.bulk_create(model(value=value, maybe=value) for value in values)
            assert_same(ways.answer(), reference(rows.all(), serializer_of(model)))

        generated()


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("naive_zone", ["UTC", "Europe/Berlin", "Africa/Monrovia"])
def test_naive(alias: str, naive_zone: str, settings: Any) -> None:
    settings.USE_TZ = False
    settings.TIME_ZONE = naive_zone
    model = EVERYWHERE["datetime"]
    rows = model._default_manager.using(alias)
    serializer = serializer_of(model)

    with Ways(rows.all, alias) as ways:

        @given(st.lists(st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1)), min_size=BATCH, max_size=BATCH))
        def generated(values: list[dt.datetime]) -> None:
            rows._raw_delete(alias)  # type: ignore[attr-defined]
            rows.bulk_create(model(value=value, maybe=value) for value in values)
            assert_same(ways.answer(), reference(rows.all(), serializer))

        generated()
