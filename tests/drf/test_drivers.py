"""Values read out of Django's drivers: only where these are as Django leaves them, and nobody notices afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.renderers import JSONRenderer

from plectrum.drf import drivers, to_json
from plectrum.drf.columns import wanted_of
from plectrum.orm import plan
from tests.drf.compare import outcome
from tests.drf.test_direct import PLAIN
from tests.orm.drf import serializer
from tests.project.models import EveryField

pytestmark = pytest.mark.django_db(databases="__all__")


def same(kind: Any, rows: Any) -> None:
    expected = outcome(lambda: JSONRenderer().render(kind(rows.all(), many=True).data))
    assert outcome(lambda: to_json(kind(rows.all(), many=True))) == expected


def readable(rows: Any, kind: Any = PLAIN) -> bool:
    return drivers.readable(plan(rows, wanted_of(kind(), rows.model)).operation) is not None


@contextmanager
def counted(rows: Any) -> Iterator[list[str]]:
    found: list[str] = []
    with CaptureQueriesContext(connections[rows.db]) as captured:
        yield found
    found += [query["sql"] for query in captured]


def test_it_is_the_way_of_usual_querysets(alias: str) -> None:
    rows = EveryField.objects.using(alias)
    assert readable(rows.all())
    assert readable(rows.filter(integer__in=[1, 2]).order_by("-char")[5:9])
    rows.create()
    with counted(rows) as statements:
        to_json(PLAIN(rows, many=True))
    assert len(statements) == 1


def test_sqlite_is_asked_for_no_declared_types() -> None:
    rows = EveryField.objects.using("sqlite")
    assert not readable(rows.distinct())
    rows.create()
    with counted(rows) as statements:
        to_json(PLAIN(rows, many=True))
    assert statements[0].startswith('SELECT +"')
    assert rows.get().char == ""  # text is text again


def test_statements_are_logged_as_they_are(alias: str) -> None:
    rows = EveryField.objects.using(alias).filter(char="o'clock")
    with counted(rows) as statements:
        to_json(PLAIN(rows, many=True))
    assert "o''clock" in statements[0]
    assert "bytearray" not in statements[0]


def test_more_keys_than_a_statement_takes(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    features: Any = connections[alias].features
    monkeypatch.setattr(type(features), "max_query_params", 1)
    rows = EveryField.objects.using(alias).filter(char="a", text="b")
    same(PLAIN, rows)


def test_sqlite_shared_by_threads_is_left_as_it_is() -> None:
    rows = EveryField.objects.using("sqlite")
    rows.create(char="ü")
    connections["sqlite"].inc_thread_sharing()
    try:
        same(PLAIN, rows)
    finally:
        connections["sqlite"].dec_thread_sharing()


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '"\\ud800"', "[1e999]", '{"a": 1.10, "b": [ ]}', '"\\u00fc\\ud83d\\ude00"', "-0"]
)
def test_json_that_others_stored(text: str) -> None:
    rows = EveryField.objects.using("sqlite")
    row = rows.create()
    with connections["sqlite"].cursor() as cursor:
        cursor.execute(f"UPDATE {EveryField._meta.db_table} SET json = %s WHERE id = %s", [text, row.pk])
    same(serializer(EveryField, ["id", "json"]), rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("boolean", 2),
        ("decimal", 10**12),
        ("decimal", "1.23456"),
        ("date", "2026-1-1"),
        ("datetime", "yesterday"),
        ("datetime", "2026-01-01 00:00:00+05:30"),
        ("char", 5),
        ("uuid", "0"),
    ],
)
def test_values_of_other_types(column: str, value: Any) -> None:
    rows = EveryField.objects.using("sqlite")
    row = rows.create()
    with connections["sqlite"].cursor() as cursor:
        cursor.execute(f"UPDATE {EveryField._meta.db_table} SET {column} = %s WHERE id = %s", [value, row.pk])
    same(serializer(EveryField, ["id", column]), rows)


@pytest.mark.postgresql
def test_sessions_that_are_not_as_django_left_them() -> None:
    rows = EveryField.objects.using("default")
    rows.create(char="Ã¼", datetime=dt.datetime(2026, 7, 1, tzinfo=dt.UTC), duration=dt.timedelta(days=1, seconds=1))
    settings = (
        "TIME ZONE 'Asia/Tokyo'",
        "client_encoding TO latin1",
        "datestyle TO german",
        "intervalstyle TO iso_8601",
    )
    for setting in settings:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(f"SET {setting}")
            same(PLAIN, rows)
            transaction.set_rollback(True)


@pytest.mark.postgresql
def test_loaders_of_ones_own() -> None:
    from psycopg.types.string import TextLoader

    class Shout(TextLoader):
        def load(self, data: Any) -> Any:
            return str(super().load(data)).upper()

    rows = EveryField.objects.using("default")
    rows.create(char="quiet")
    inner: Any = connections["default"].connection
    usual = inner.adapters.get_loader(1043, 0)
    inner.adapters.register_loader("varchar", Shout)
    try:
        same(serializer(EveryField, ["char"]), rows)
        assert b"QUIET" in to_json(serializer(EveryField, ["char"])(rows, many=True))
    finally:
        inner.adapters.register_loader("varchar", usual)


@pytest.mark.postgresql
@pytest.mark.parametrize("value", ["'infinity'", "'0044-03-15 BC'"])
def test_dates_python_does_not_know(value: str) -> None:
    rows = EveryField.objects.using("default")
    row = rows.create()
    with connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE {EveryField._meta.db_table} SET date = {value} WHERE id = %s", [row.pk])
    same(serializer(EveryField, ["id", "date"]), rows)


def test_without_time_zones(alias: str) -> None:
    rows = EveryField.objects.using(alias)
    rows.create(datetime=dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC))
    with override_settings(USE_TZ=False):
        same(serializer(EveryField, ["datetime"]), rows)
