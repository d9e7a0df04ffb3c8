"""The test project itself: both engines are real and hold every model."""

from __future__ import annotations

import pytest
from django.db import connections

from tests.project.models import EveryField, Money, PostgresField, Wallet


@pytest.mark.django_db(databases="__all__")
def test_every_field_round_trips(alias: str) -> None:
    made = EveryField.objects.using(alias).create(char="ÀB")
    made.refresh_from_db()
    assert made.generated == ("àb" if connections[alias].vendor == "postgresql" else "Àb")


@pytest.mark.django_db(databases="__all__")
def test_custom_field(alias: str) -> None:
    Wallet.objects.using(alias).create(owner="Ada", balance=Money(1234))
    assert Wallet.objects.using(alias).get().balance == Money(1234)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_postgresql_fields() -> None:
    PostgresField.objects.create(integers=[1, 2], matrix=[[1], [2]], hstore={"a": None}, citext="Ada")
    found = PostgresField.objects.get(citext="aDA")
    assert (found.integers, found.matrix, found.hstore) == ([1, 2], [[1], [2]], {"a": None})
