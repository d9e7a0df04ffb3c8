"""Every field of DRF over the values it is made for and those it is not."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
import zoneinfo
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models
from django.test import override_settings
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers as s

from tests.drf.compare import both_ways, same

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
UTC = zoneinfo.ZoneInfo("UTC")


class Plain(str):
    __slots__ = ()


class Shade(enum.Enum):
    DARK = "dark"


class Size(models.TextChoices):
    BIG = "b", "Big"


class Level(models.IntegerChoices):
    HIGH = 1, "High"


class Whole(int):
    def __str__(self) -> str:
        return "whole"


VALUES: list[Any] = [
    None, "", "text", "“ü”\u2028\n\"\\\x00", Plain("plain"), mark_safe("<b>"), gettext_lazy("Yes"), b"bytes",
    0, 1, -7, 2**63, 10**40, Whole(3), True, False, "true", "f", "null",
    0.0, -0.0, 1.5, 1e16, 1e-7, float("nan"), float("inf"),
    Decimal(0), Decimal("-0.00"), Decimal("1.5"), Decimal("1.23456"), Decimal("12.345"), Decimal("1E+3"),
    Decimal("0E-8"), Decimal("12345678901234567890123456789012.12"), Decimal("99999999.99"), Decimal("NaN"),
    Decimal("Infinity"), "1.10", " 2.5 ",
    dt.date(2026, 2, 3), dt.date(1, 1, 1), "2026-02-03",
    dt.datetime(2026, 2, 3, 4, 5, 6), dt.datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=dt.UTC),
    dt.datetime(2026, 7, 3, 4, 5, 6, 700_000, tzinfo=PARIS), dt.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1),
    dt.datetime(1850, 1, 1, tzinfo=PARIS), dt.datetime(2026, 1, 1, tzinfo=UTC),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(-dt.timedelta(hours=5, minutes=30))),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=1, microseconds=5))),
    dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC),
    dt.time(1, 2, 3), dt.time(1, 2, 3, 4), dt.time(1, tzinfo=dt.UTC),
    dt.timedelta(0), dt.timedelta(days=-1, seconds=5, microseconds=6), dt.timedelta(days=400, hours=3),
    uuid.UUID(int=0), uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "6ba7b810",
    Shade.DARK, Size.BIG, Level.HIGH, "dark", "b",
    [], [1, None, "a"], (1, 2), {"b": 1, "a": [2]}, {1: 2, None: 3, 1.5: 4, False: 5}, {2: "x", "2": "y"}, {1},
    SimpleNamespace(pk=1), iter([]), range(3),
]  # fmt: skip

FIELDS: list[Any] = [
    s.BooleanField, lambda: s.BooleanField(allow_null=True), s.CharField, s.EmailField,
    lambda: s.RegexField("a"), s.SlugField, s.URLField, s.IPAddressField,
    s.UUIDField, lambda: s.UUIDField(format="hex"), lambda: s.UUIDField(format="int"),
    s.IntegerField, s.BigIntegerField, lambda: s.BigIntegerField(coerce_to_string=True),
    s.FloatField,
    lambda: s.DecimalField(10, 2), lambda: s.DecimalField(None, None), lambda: s.DecimalField(None, 2),
    lambda: s.DecimalField(60, 30), lambda: s.DecimalField(3, 2), lambda: s.DecimalField(10, 0),
    lambda: s.DecimalField(10, 2, coerce_to_string=False), lambda: s.DecimalField(10, 2, localize=True),
    lambda: s.DecimalField(10, 3, normalize_output=True),
    lambda: s.DecimalField(10, 1, rounding=decimal.ROUND_DOWN),
    s.DateTimeField, lambda: s.DateTimeField(format=None), lambda: s.DateTimeField(format="%d.%m.%Y"),
    lambda: s.DateTimeField(default_timezone=PARIS), lambda: s.DateTimeField(default_timezone=dt.UTC),
    lambda: s.DateTimeField(default_timezone=None),
    s.DateField, lambda: s.DateField(format=None), s.TimeField, lambda: s.TimeField(format="%H"),
    s.DurationField, lambda: s.DurationField(format="iso-8601"), lambda: s.DurationField(format=None),
    lambda: s.ChoiceField(["dark", "b", 1, 2.5]), lambda: s.ChoiceField(Size.choices),
    lambda: s.ChoiceField(Level.choices), lambda: s.ChoiceField([(Shade.DARK, "Dark")]),
    lambda: s.MultipleChoiceField(choices=["a", 1]), s.FileField,
    s.ListField, lambda: s.ListField(child=s.IntegerField()),
    lambda: s.ListField(child=s.DecimalField(5, 1)), s.DictField, lambda: s.DictField(child=s.CharField()),
    s.HStoreField, s.JSONField, lambda: s.JSONField(binary=True), s.ReadOnlyField,
    s.StringRelatedField, lambda: s.SlugRelatedField("pk", read_only=True),
    lambda: s.PrimaryKeyRelatedField(read_only=True),
    lambda: s.PrimaryKeyRelatedField(read_only=True, pk_field=s.CharField()),
    lambda: s.HyperlinkedRelatedField("none", read_only=True),
]  # fmt: skip


def serializer(field: Any) -> Any:
    return type("OneField", (s.Serializer,), {"before": s.CharField(), "value": field, "after": s.IntegerField()})


@pytest.mark.parametrize("make", FIELDS, ids=lambda make: repr(make())[:70].split(" at 0x")[0])
def test_every_field_over_every_value(make: Any) -> None:
    made = serializer(make())
    for value in VALUES:
        same(made, [SimpleNamespace(before="x", value=value, after=1)] * 2, many=True)
        same(made, [{"before": "x", "value": value, "after": 1}] * 2, many=True)


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kathmandu", "America/St_Johns"])
def test_time_zones(zone: str) -> None:
    with timezone.override(zone):
        for options in ({}, {"default_timezone": PARIS}, {"default_timezone": None}):
            made = serializer(s.DateTimeField(**options))
            for value in VALUES:
                same(made, [{"before": "x", "value": value, "after": 1}] * 2, many=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"USE_TZ": False},
        {"REST_FRAMEWORK": {"COERCE_DECIMAL_TO_STRING": False, "COERCE_BIGINT_TO_STRING": True}},
        {"REST_FRAMEWORK": {"DATETIME_FORMAT": None, "DATE_FORMAT": "%Y", "TIME_FORMAT": None}},
        {"REST_FRAMEWORK": {"DATETIME_FORMAT": "ISO-8601", "DURATION_FORMAT": "iso-8601"}},
    ],
    ids=repr,
)
def test_settings_are_heeded(settings: dict[str, Any]) -> None:
    with override_settings(**settings):
        for make in FIELDS:
            for value in VALUES:
                same(serializer(make()), [{"before": "x", "value": value, "after": 1}] * 2, many=True)


@pytest.mark.parametrize("precision", [6, 28, 50])
def test_the_decimal_context_is_heeded(precision: int) -> None:
    with decimal.localcontext(prec=precision):
        for value in VALUES:
            same(serializer(s.DecimalField(None, 5)), [{"before": "x", "value": value, "after": 1}] * 2, many=True)


@given(st.decimals(), st.none() | st.integers(1, 40), st.none() | st.integers(0, 20), st.booleans())
def test_decimals_are_quantized_as_drf_does(value: Decimal, digits: Any, places: Any, as_text: bool) -> None:
    field = s.DecimalField(digits, places, coerce_to_string=as_text)
    same(serializer(field), [{"before": "x", "value": value, "after": 1}] * 2, many=True)


@given(st.datetimes(timezones=st.none() | st.timezones() | st.just(dt.UTC)), st.timezones())
def test_datetimes_are_shown_in_the_current_zone(value: dt.datetime, zone: zoneinfo.ZoneInfo) -> None:
    with timezone.override(zone):
        both_ways(serializer(s.DateTimeField()), {"before": "x", "value": value, "after": 1})


_PIECES = st.sampled_from(
    ["%Y", "%m", "%d", "%H", "%M", "%S", "%f", "%%", "%y", "%z", "%A", "%-d", "%", '"', "é", "-", " ", "T"]
)


@given(
    st.datetimes(timezones=st.none() | st.timezones() | st.just(dt.UTC)), st.lists(_PIECES).map("".join), st.timezones()
)
def test_formats_of_their_own(value: dt.datetime, layout: str, zone: zoneinfo.ZoneInfo) -> None:
    with timezone.override(zone):
        fields = (s.DateTimeField, value), (s.DateField, value.date()), (s.TimeField, value.time()), (s.DateField, "")
        for kind, shown in fields:
            same(serializer(kind(format=layout)), [{"before": "x", "value": shown, "after": 1}] * 2, many=True)


@given(st.lists(st.sampled_from(["a", "b", "", "1", 1, 2, True, None, 1.0, Size.BIG, Plain("a")])))
def test_several_choices(values: list[Any]) -> None:
    for choices in (["a", 1], ["a", ""], Size.choices, [(True, "yes"), (2, "two")]):
        made = serializer(s.MultipleChoiceField(choices=choices))
        for value in (values, tuple(values)):
            same(made, [{"before": "x", "value": value, "after": 1}] * 2, many=True)


class Shouting(s.StringRelatedField):
    def to_representation(self, value: Any) -> str:
        return str(value).upper()


class Keyed:
    pk = "key"
    name = "name"

    def __str__(self) -> str:
        return "text"


@pytest.mark.parametrize(
    "child",
    [
        lambda: s.PrimaryKeyRelatedField(read_only=True),
        lambda: s.PrimaryKeyRelatedField(read_only=True, pk_field=s.CharField()),
        lambda: s.SlugRelatedField("name", read_only=True),
        s.StringRelatedField,
        Shouting,
    ],
    ids=lambda make: repr(make()),
)
def test_related_objects(child: Any) -> None:
    rows: list[Any] = [[], [Keyed()], (Keyed(), Keyed()), [None], [Keyed(), None], {}, 5, None]
    for options in ({"read_only": True}, {"allow_null": True}, {"required": False}, {"default": ()}):
        field = s.ManyRelatedField(child_relation=child(), **options)
        for value in rows:
            same(serializer(field), [SimpleNamespace(before="x", value=value, after=1)] * 2, many=True)
            same(serializer(field), [SimpleNamespace(before="x", value=value, after=1, pk=None)] * 2, many=True)
        same(serializer(field), [SimpleNamespace(before="x", after=1)] * 2, many=True)


class Doubling(s.IntegerField):
    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) * 2


class Elsewhere(s.CharField):
    def get_attribute(self, instance: Any) -> Any:
        return "elsewhere"


class Half(s.DecimalField):
    def quantize(self, value: Decimal) -> Decimal:
        return value / 2


class Validating(s.CharField):
    def run_validation(self, data: Any = None) -> Any:
        return "validated"


@pytest.mark.parametrize(
    "field", [Doubling(), Elsewhere(), Half(10, 2), Validating()], ids=lambda it: type(it).__name__
)
def test_subclasses_keep_what_they_override(field: Any) -> None:
    both_ways(serializer(field), {"before": "x", "value": Decimal("4.00"), "after": 1})


def test_a_field_instance_may_be_patched() -> None:
    class Patched(s.Serializer[Any]):
        value = s.IntegerField()

        def get_fields(self) -> Any:
            fields = super().get_fields()
            fields["value"].to_representation = lambda value: value + 100
            return fields

    assert "101" in str(same(Patched, [{"value": 1}] * 2, many=True))


def test_a_field_class_may_be_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s.IntegerField, "to_representation", lambda self, value: value + 100)
    assert "101" in str(same(serializer(s.IntegerField()), [{"before": "x", "value": 1, "after": 1}] * 2, many=True))
