"""Fields of every kind and raw input of every kind, for the tests of validation."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers as s

PARIS = zoneinfo.ZoneInfo("Europe/Paris")


class Plain(str):
    __slots__ = ()


class Shade(enum.Enum):
    DARK = "dark"


class Level(models.IntegerChoices):
    HIGH = 1, "High"


RAW: list[Any] = [
    None, "", " ", "\x1f", "text", "  padded\n", "“ü”\u2028", "nul\x00", "\ud800", "😀" * 6, "x" * 30, Plain("plain"),
    b"b", 0, 1, -7, 10**17, 2**63, 10**40, True, False, "true", "F", "null", "yes", 2,
    "0", "-7", "+7", "007", "1.0", "1.50", "12345678.99", "1e3", "1_000", " 12 ", "-0.00", ".5", "5.", "NaN",
    "Infinity", "٣", "1" * 1001, "0.05", "123.456", 0.0, -0.0, 1.5, 1e16, 1e-7, float("nan"), float("inf"),
    Decimal("1.5"), Decimal("NaN"), Decimal("1E+3"),
    "2026-02-03", "2026-02-30", "2026-2-3", "20260203", "2026-W05-1", dt.date(2026, 2, 3),
    "2026-02-03T04:05:06Z", "2026-02-03 04:05:06.5+05:30", "2026-02-03T04:05", "2026-03-29T02:30:00",
    "2026-10-25T02:30:00", "2026-02-03T04:05:06", "2026-02-03T04:05:06.123456789", "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59-05:00", "2026-02-03T24:00:00", dt.datetime(2026, 2, 3), dt.datetime(2026, 2, 3, tzinfo=PARIS),
    "04:05:06", "04:05:06.789", "04:05", "04:05:06Z", "25:00:00", dt.time(4, 5),
    "1 00:00:01.5", "-1 00:00:00", "PT1H", "90", "1 day, 00:00:00", dt.timedelta(days=1), "999999999 00:00:00",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8", "{6ba7b8109dad11d180b400c04fd430c8}",
    "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", uuid.UUID(int=7), 7, -1,
    "a@b.co", "ü@b.co", "a@localhost", '"q"@b.co', "a@[127.0.0.1]", "a@b", "http://b.co/x", "https://user@b.co",
    "ftp://b.co", "http://localhost:80", "javascript:x", "a-b_c", "ä-b", "a b", "127.0.0.1", "::1",
    "dark", "b", "1", 2.5, Shade.DARK, Level.HIGH,
    [], [1], ["1", "x"], ["a", "1", "a", 1], [None], [[1]], ["a"] * 5, (1, 2), {1}, range(2),
    {}, {"a": 1}, {"a": "x", "b": None}, {1: 2}, {"deep": [{"a": [1.5, None, True]}]}, {"nan": float("nan")}, object,
]  # fmt: skip

FIELDS: list[Any] = [
    s.BooleanField, lambda: s.BooleanField(allow_null=True), s.CharField,
    lambda: s.CharField(max_length=5, min_length=2), lambda: s.CharField(allow_blank=True, allow_null=True),
    lambda: s.CharField(trim_whitespace=False, max_length=30),
    lambda: s.CharField(trim_whitespace=False, allow_blank=True),
    s.EmailField, lambda: s.RegexField("^[a-z]+$"), lambda: s.RegexField(r"(?i)^T", max_length=9),
    s.SlugField, lambda: s.SlugField(allow_unicode=True), s.URLField, s.IPAddressField,
    lambda: s.IPAddressField(protocol="ipv4"), s.UUIDField, lambda: s.UUIDField(format="hex"),
    s.IntegerField, lambda: s.IntegerField(min_value=0, max_value=100), s.BigIntegerField,
    s.FloatField, lambda: s.FloatField(min_value=0.5, max_value=10),
    lambda: s.DecimalField(10, 2), lambda: s.DecimalField(None, None), lambda: s.DecimalField(None, 2),
    lambda: s.DecimalField(4, None), lambda: s.DecimalField(3, 2, allow_null=True), lambda: s.DecimalField(10, 0),
    lambda: s.DecimalField(10, 2, localize=True),
    lambda: s.DecimalField(10, 2, min_value=1, max_value=Decimal("100.5")),
    lambda: s.DecimalField(10, 4, rounding=decimal.ROUND_DOWN),
    s.DateTimeField, lambda: s.DateTimeField(input_formats=["%Y"]),
    lambda: s.DateTimeField(input_formats=["%Y", "iso-8601"]),
    lambda: s.DateTimeField(default_timezone=PARIS), lambda: s.DateTimeField(default_timezone=dt.UTC),
    s.DateField, lambda: s.DateField(input_formats=["%d.%m.%Y"]), s.TimeField, s.DurationField,
    lambda: s.DurationField(max_value=dt.timedelta(hours=1)),
    lambda: s.ChoiceField(["dark", "b", 1, 2.5]), lambda: s.ChoiceField([("", "none"), ("b", "B")], allow_blank=True),
    lambda: s.ChoiceField(Level.choices), lambda: s.ChoiceField([(Shade.DARK, "Dark")]),
    lambda: s.MultipleChoiceField(choices=["a", 1]), lambda: s.MultipleChoiceField(choices=["a", 1], allow_empty=False),
    lambda: s.MultipleChoiceField(choices=["a", ""], allow_blank=True),
    s.FileField, s.ListField, lambda: s.ListField(child=s.IntegerField(max_value=1), max_length=3, allow_empty=False),
    lambda: s.ListField(child=s.ListField(child=s.CharField(max_length=1))),
    s.DictField, lambda: s.DictField(child=s.CharField(max_length=1), allow_empty=False), s.HStoreField,
    s.JSONField, lambda: s.JSONField(binary=True), lambda: s.HiddenField(default=5),
    lambda: s.HiddenField(default=list), s.ReadOnlyField,
]  # fmt: skip


def one(field: Any) -> Any:
    """A serializer with the field between two others."""
    body = {"before": s.CharField(), "value": field, "after": s.IntegerField()}
    return type("OneField", (s.Serializer,), body)


def record(value: Any) -> Any:
    """Input for it."""
    return {"before": "x", "value": value, "after": 1}
