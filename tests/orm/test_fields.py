"""Every field type becomes the JSON that DRF gives, on every engine and by either backend."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange, NumericRange
from django.test.utils import isolate_apps

from plectrum.errors import PlanError
from plectrum.orm import register_writer
from plectrum.orm.custom import CustomColumn, _writers
from plectrum.orm.fields import kind_of_field
from plectrum.orm.operation import plan_result
from tests.orm.drf import rendered
from tests.orm.interpret import answer
from tests.project.models import (
    AutoKey,
    Door,
    EveryField,
    FrontDoor,
    PostgresField,
    Related,
    Restaurant,
    SmallKey,
    TextKey,
    UuidKey,
    Wallet,
)

pytestmark = pytest.mark.django_db(databases="__all__")
BACKENDS = pytest.mark.parametrize("backend", [None, "django"])

MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30)))
ROWS: list[dict[str, Any]] = [
    {},
    {
        "boolean": True, "boolean_null": False, "small": -32768, "small_null": 0, "integer": 2**31 - 1,
        "integer_null": -1, "big": -(2**63), "big_null": 2**63 - 1, "positive": 2**31 - 1, "positive_big": 2**63 - 1,
        "positive_small": 32767,
        "floating": -0.0, "floating_null": 1.7976931348623157e308, "decimal": Decimal("-999999999.999"),
        "decimal_null": Decimal("0.1"), "decimal_whole": Decimal(10**15), "char": 'Ünïcode "\\/\n\t€😀',
        "char_null": "", "text": "\x01\x1f\u2028\x7f", "text_null": "null", "slug": "a-b", "slug_null": "",
        "email": "a@b.c",
        "url": "https://example.org/?a=b&c=<d>", "uuid": uuid.UUID(int=1), "uuid_null": uuid.UUID(int=2**128 - 1),
        "date": dt.date(1, 1, 1), "date_null": dt.date(9999, 12, 31), "time": dt.time(23, 59, 59, 999999),
        "time_null": dt.time(1), "datetime": MOMENT, "datetime_null": dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        "duration": dt.timedelta(days=-3, hours=5, microseconds=1), "duration_null": dt.timedelta(seconds=59),
        "binary": bytes(range(256)), "binary_null": b"", "json": {"b": [1, None, True, {"a": "é"}], "a": 10**20},
        "json_null": "text", "ip": "2001:db8::1", "ip_null": "10.0.0.1", "file": "files/a b/ü?#.txt", "file_null": "x",
        "file_path": "/etc/hosts", "color": 2, "color_null": 1,
    },
]  # fmt: skip


@BACKENDS
def test_every_field(alias: str, backend: str | None) -> None:
    rows = EveryField.objects.using(alias)
    for values in ROWS:
        rows.create(**values)
    operation = plan_result(rows.all())
    assert operation.backend == "rust"
    assert answer(operation, backend=backend) == rendered(rows.all())


@BACKENDS
@pytest.mark.parametrize("name", [field.name for field in EveryField._meta.concrete_fields])
def test_every_field_in_values(alias: str, backend: str | None, name: str) -> None:
    rows = EveryField.objects.using(alias)
    for values in ROWS:
        rows.create(**values)
    found = answer(plan_result(rows.values_list(name, flat=True)), backend=backend)
    assert found == [row[name] for row in rendered(rows.all())]


@pytest.mark.postgresql
@BACKENDS
def test_postgresql_fields(backend: str | None) -> None:
    create = PostgresField.objects.create
    create()
    create(
        integers=[1, 2], integers_null=[None, 3], words=["a,b", '"', "é\\"], matrix=[[1, 2], [3, 4]], moments=[MOMENT],
        prices=[Decimal("1.5")], hstore={"a": "1", "b": None, "é": '"'}, hstore_null={},
        integer_range=NumericRange(1, 5), big_range=NumericRange(None, 7), citext="AbC",
        decimal_range=NumericRange(Decimal("1.5"), None),
        date_range=DateRange(dt.date(2026, 1, 1), dt.date(2026, 2, 1)),
        datetime_range=DateTimeTZRange(MOMENT, None), )  # fmt: skip
    create(integer_range=NumericRange(empty=True), matrix=[], words=[])
    assert answer(plan_result(PostgresField.objects.all()), backend=backend) == rendered(PostgresField.objects.all())


@BACKENDS
def test_keys_of_every_kind(alias: str, backend: str | None) -> None:
    small, auto = SmallKey.objects.using(alias).create(name="s"), AutoKey.objects.using(alias).create(name="a")
    key, text = UuidKey.objects.using(alias).create(name="u"), TextKey.objects.using(alias).create(code="é/", name="t")
    first = Related.objects.using(alias).create(small=small, auto=auto, uuid=key, text=text, one=auto)
    first.several.set([key, UuidKey.objects.using(alias).create(name="v")])
    Related.objects.using(alias).create(parent=first)
    found = answer(plan_result(Related.objects.using(alias).all()), backend=backend)
    expected = rendered(Related.objects.using(alias).all())
    for row in (*found, *expected):
        row["several"].sort()
    assert found == expected


@BACKENDS
def test_kinds_of_models(alias: str, backend: str | None) -> None:
    """Multi-table inheritance, abstract parents, proxies, custom managers and odd names."""
    Restaurant.objects.using(alias).create(name="r", stars=3)
    for label, is_open in (("b", True), ("a", True), ("closed", False)):
        Door.all_objects.using(alias).create(label=label, is_open=is_open)
    for rows in (Restaurant.objects.all(), Door.objects.all(), Door.all_objects.all(), FrontDoor.objects.all()):
        assert answer(plan_result(rows.using(alias)), backend=backend) == rendered(rows.using(alias))


def test_custom_field_runs_in_python(alias: str) -> None:
    Wallet.objects.using(alias).create(owner="o", balance=1234)
    operation = plan_result(Wallet.objects.using(alias).all())
    assert (operation.backend, operation.reasons) == ("django", ("project.Wallet.balance is rendered in Python",))
    assert answer(operation) == [{"id": Wallet.objects.using(alias).get().pk, "owner": "o", "balance": "12.34"}]
    without = plan_result(Wallet.objects.using(alias).values("owner"))
    assert without.backend == "rust"


class Upper(models.CharField):  # type: ignore[type-arg]
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value and value.upper()


@isolate_apps("tests.project")
def test_unknown_field_is_an_error_with_the_fix() -> None:
    class Shouting(models.Model):
        name = Upper(max_length=9)

        class Meta:
            app_label = "project"

    with pytest.raises(PlanError) as caught:
        plan_result(Shouting.objects.all())
    assert str(caught.value) == (
        "project.Shouting.name is a Upper, and how its values become JSON is not known. Register a writer, "
        "plectrum.orm.register_writer(Upper, lambda value: …), give the field a value_to_string() method, or leave the "
        "field out."
    )
    register_writer(Upper, lambda value: [value])
    try:
        assert plan_result(Shouting.objects.all()).backend == "django"
    finally:
        del _writers[Upper]


class Validated(models.CharField):  # type: ignore[type-arg]
    def clean(self, *args: Any) -> Any:
        return super().clean(*args)


class Decoder(json.JSONDecoder):
    pass


def test_kinds() -> None:
    assert kind_of_field(Validated(max_length=3)) == {"kind": "text"}
    assert kind_of_field(models.JSONField(encoder=json.JSONEncoder)) == {"kind": "json"}
    assert isinstance(kind_of_field(models.JSONField(decoder=Decoder)), CustomColumn)
    assert kind_of_field(models.DecimalField(max_digits=5, decimal_places=2), coerce_decimal=False) == {
        "kind": "decimal",
        "string": False,
        "places": 2,
    }
    stored = models.FileField(storage=FileSystemStorage(base_url="/m/"))
    assert kind_of_field(stored) == {"kind": "file", "base": "/m/"}
    assert isinstance(kind_of_field(models.FileField(storage=InMemoryStorage(base_url="/m/"))), CustomColumn)
    assert kind_of_field(models.Field()) is None
