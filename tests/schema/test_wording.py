"""The same errors in the words and codes of DRF and Django, beside what those say themselves."""

from __future__ import annotations

import copy
import datetime
import decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from rest_framework import serializers

from plectrum.schema import Field, InvalidError, Schema

#: Our field, DRF's, and inputs that both refuse.
PAIRS: list[tuple[Any, Any, list[Any]]] = [
    (
        Field(str, max_length=3, blank=False, strip=True),
        serializers.CharField(max_length=3),
        ["abcd", "", "  ", None, []],
    ),
    (Field(str, min_length=3), serializers.CharField(min_length=3), ["ab"]),
    (  # several rules broken at once
        Field(str, max_length=3, no_nul=True, format="email"),
        serializers.EmailField(max_length=3),
        ["nobody", "a\0b", "abc\0"],
    ),
    (Field(str, min_length=3, pattern="^a"), serializers.RegexField("^a", min_length=3), ["b"]),
    (Field(str, no_nul=True), serializers.CharField(), ["a\0"]),
    (Field(str, format="email"), serializers.EmailField(), ["nobody"]),
    (Field(str, format="url"), serializers.URLField(), ["nothing"]),
    (Field(str, format="slug"), serializers.SlugField(), ["a b"]),
    (Field(str, format="unicode_slug"), serializers.SlugField(allow_unicode=True), ["a b"]),
    (Field(str, format="ip"), serializers.IPAddressField(), ["1.2.3"]),
    (Field(str, pattern="^a$"), serializers.RegexField("^a$"), ["b"]),
    (Field(int, ge=1, le=5), serializers.IntegerField(min_value=1, max_value=5), [0, 6, "x", None]),
    (Field(float, ge=1.5), serializers.FloatField(min_value=1.5), [1.0, "x"]),
    (Field(bool), serializers.BooleanField(), ["x", None]),
    (
        Field(decimal.Decimal, max_digits=4, decimal_places=2, count_zeros=True),
        serializers.DecimalField(max_digits=4, decimal_places=2),
        ["x", "12345", "1.234", "123.4"],
    ),
    (Field(datetime.date), serializers.DateField(), ["x", datetime.datetime(2026, 1, 1)]),
    (Field(datetime.datetime), serializers.DateTimeField(), ["x", datetime.date(2026, 1, 1)]),
    (Field(datetime.time), serializers.TimeField(), ["x"]),
    (Field(datetime.timedelta), serializers.DurationField(), ["x"]),
    (Field(str, choices=["a", "b"]), serializers.ChoiceField(["a", "b"]), ["c"]),
    (Field(list[int], min_length=1, max_length=2), serializers.ListField(min_length=1, max_length=2), [[], [1, 2, 3]]),
]


def table(field: Any, value: object) -> InvalidError:
    with pytest.raises(InvalidError) as raised:
        Schema({"value": field}).validate({"value": value})
    return raised.value


CASES = [(ours, theirs, value) for ours, theirs, values in PAIRS for value in values]


@pytest.mark.parametrize("language", ["en", "de", "pl"])
@pytest.mark.parametrize(("ours", "theirs", "value"), CASES, ids=lambda case: type(case).__name__)
def test_drf_says_the_same(ours: Any, theirs: Any, value: object, language: str) -> None:
    with translation.override(language):
        error = table(ours, value)
        with pytest.raises(serializers.ValidationError) as raised:
            copy.deepcopy(theirs).run_validation(value)  # a message keeps its first language
        expected = raised.value.detail
        found = error.as_drf({"value": value})["value"]
        assert [(str(one), one.code) for one in found] == [(str(one), one.code) for one in expected]


def test_nested_errors_are_a_tree() -> None:
    inner = Schema({"n": Field(int)}, name="Inner")
    with pytest.raises(InvalidError) as raised:
        Schema({"a": Field(list[inner]), "b": int, "c": int}).validate({"a": [{"n": "x"}, {}], "b": None})  # type: ignore[valid-type]
    assert raised.value.as_drf() == {
        "a": {0: {"n": ["A valid integer is required."]}, 1: {"n": ["This field is required."]}},
        "b": ["This field may not be null."],
        "c": ["This field is required."],
    }
    with pytest.raises(InvalidError) as raised:
        Schema({"a": int}).validate(3)
    assert list(raised.value.as_drf()) == ["non_field_errors"]


MODEL_PAIRS: list[tuple[Any, Any, list[Any]]] = [
    (Field(str, max_length=3, blank=False), models.CharField(max_length=3), ["abcd", "", None]),
    (Field(str, format="email", blank=False), models.EmailField(), ["nobody"]),
    (Field(str, format="slug", max_length=2, blank=False), models.SlugField(max_length=2), ["a b"]),
    (Field(str, format="url", blank=False), models.URLField(), ["nothing"]),
    (Field(str, format="slug", blank=False), models.SlugField(), ["a b"]),
    (Field(str, format="ipv4"), models.GenericIPAddressField(protocol="ipv4"), ["1.2.3"]),
    (Field(int), models.IntegerField(), ["x", None]),
    (Field(int, ge=0), models.PositiveIntegerField(), [-1]),
    (Field(float), models.FloatField(), ["x"]),
    (Field(bool), models.BooleanField(), ["x"]),
    (Field(datetime.timedelta), models.DurationField(), ["x"]),
    (Field(str, choices=["a", "b"]), models.CharField(max_length=3, choices=[("a", "A")]), ["c"]),
]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("ours", "theirs", "value"), [(ours, theirs, value) for ours, theirs, values in MODEL_PAIRS for value in values]
)
def test_django_says_the_same(ours: Any, theirs: Any, value: object, language: str) -> None:
    theirs.set_attributes_from_name("value")
    with translation.override(language):
        with pytest.raises(ValidationError) as raised:
            theirs.clean(value, None)
        found = table(ours, value).as_django({"value": value}).error_dict["value"]
        told = [sorted((one.messages, one.code) for one in errors) for errors in (found, raised.value.error_list)]
        assert told[0] == told[1]
