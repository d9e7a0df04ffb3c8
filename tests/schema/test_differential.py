"""Generated inputs: every rule accepts and refuses what Django's validators and DRF's fields do, with DRF's codes."""

from __future__ import annotations

import decimal
import unicodedata
from typing import Any

import pytest
from django.core import validators
from django.core.exceptions import ValidationError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rest_framework import serializers

from plectrum.schema import CompiledValidator, Field, InvalidError, Schema

EXAMPLES = settings(max_examples=200, deadline=None)

#: Pieces that addresses are made of, in any order, and any text between them.
WORDS = (
    'a B 0 9 . - _ @ : / // :// http https ftp [ ] [::1] % ? # " \\ xn-- localhost com example.com 127.0.0.1 256 :: '
    "1:2 fe80::1 \u00f6 \u4e2d \u00b2 \u00a1 \uffff \U00010400 \u2100 \u0130 \u017f \u0301"
)
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\t", "\x1c", "a" * 63])
FEW = st.lists(PIECES, max_size=4).map("".join)
ADDRESSES = st.one_of(
    st.text(max_size=20),
    st.lists(PIECES, max_size=10).map("".join),
    st.builds("{}@{}".format, FEW, FEW),
    st.builds("http://{}{}".format, FEW, FEW),
)


def schema(field: Any) -> CompiledValidator[Any]:
    return Schema({"value": field})


def accepts(compiled: CompiledValidator[Any], value: object) -> bool:
    try:
        compiled.validate({"value": value})
    except InvalidError:
        return False
    return True


def passes(validator: Any, value: object) -> bool:
    try:
        validator(value)
    except ValidationError:
        return False
    return True


FORMATS: list[tuple[str, Any]] = [
    ("email", validators.validate_email),
    ("url", validators.URLValidator()),
    ("slug", validators.validate_slug),
    ("unicode_slug", validators.validate_unicode_slug),
    ("ipv4", validators.validate_ipv4_address),
    ("ipv6", validators.validate_ipv6_address),
    ("ip", validators.validate_ipv46_address),
]


@pytest.mark.parametrize(("name", "validator"), FORMATS, ids=[name for name, _ in FORMATS])
def test_formats(name: str, validator: Any) -> None:
    compiled = schema(Field(str, format=name))

    @EXAMPLES
    @example("a@[::1]")
    @example("http://[::1]:80/")
    @example("http://a[@example.com/")
    @example("http://example.com\u2100/")
    @given(ADDRESSES)
    def compare(text: str) -> None:
        # What is a letter is for Unicode's version to say, and Python's may be older than Rust's.
        assume(all(unicodedata.category(character) != "Cn" for character in text))
        assert accepts(compiled, text) == passes(validator, text), text

    compare()


def told_by_drf(field: Any, value: object) -> list[tuple[str, str]]:
    try:
        field.run_validation(value)
    except serializers.ValidationError as error:
        return [(str(one), one.code) for one in error.detail]
    return []


def told_by_us(compiled: CompiledValidator[Any], value: object) -> list[tuple[str, str]]:
    try:
        compiled.validate({"value": value})
    except InvalidError as error:
        return [(str(one), one.code) for one in error.as_drf({"value": value})["value"]]
    return []


TEXTS = st.text(st.sampled_from("ab \t\0ö\u3000\x1f"), max_size=8)
NUMBERS = st.one_of(st.integers(-20, 20), st.integers(), st.floats(-20, 20, allow_nan=False), st.none())
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(lambda d: abs(d.adjusted()) < 40)

FIELDS: list[tuple[Any, Any, st.SearchStrategy[Any]]] = [
    (
        Field(str, max_length=4, blank=False, strip=True, no_nul=True),
        serializers.CharField(max_length=4),
        st.one_of(TEXTS, st.none()),
    ),
    (
        Field(str, min_length=2, blank=True, strip=True, no_nul=True),
        serializers.CharField(min_length=2, allow_blank=True),
        TEXTS,
    ),
    (
        Field(str, max_length=3, pattern="^a", blank=False, strip=True, no_nul=True),
        serializers.RegexField("^a", max_length=3),
        TEXTS,
    ),
    (
        Field(str, min_length=4, format="slug", blank=False, strip=True, no_nul=True),
        serializers.SlugField(min_length=4),
        TEXTS,
    ),
    (
        Field(str, max_length=3, no_nul=True, null=True),
        serializers.CharField(max_length=3, allow_null=True, allow_blank=True, trim_whitespace=False),
        st.one_of(TEXTS, st.none()),
    ),
    (Field(int, ge=-3, le=7), serializers.IntegerField(min_value=-3, max_value=7), st.one_of(st.integers(), st.none())),
    (Field(float, ge=-2.5, le=4), serializers.FloatField(min_value=-2.5, max_value=4), NUMBERS),
    (
        Field(decimal.Decimal, max_digits=5, decimal_places=2, count_zeros=True, ge=-100, le=decimal.Decimal("99.5")),
        serializers.DecimalField(max_digits=5, decimal_places=2, min_value=-100, max_value=decimal.Decimal("99.5")),
        st.one_of(DECIMALS, st.decimals(-1000, 1000, places=2), st.decimals(-200, 200, places=1), st.none()),
    ),
    (
        Field(str, choices=["a", "bb"]),
        serializers.ChoiceField(["a", "bb"]),
        st.sampled_from(["a", "bb", "c", "", None]),
    ),
    (
        Field(list[int], min_length=1, max_length=3),
        serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=3),
        st.lists(st.integers(), max_size=5),
    ),
]


@pytest.mark.parametrize("position", range(len(FIELDS)))
def test_fields(position: int) -> None:
    ours, theirs, values = FIELDS[position]
    compiled = schema(ours)

    @EXAMPLES
    @given(values)
    def compare(value: object) -> None:
        assert told_by_us(compiled, value) == told_by_drf(theirs, value), value

    compare()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@EXAMPLES
@given(VALUES)
def test_json_comes_back(value: Any) -> None:
    anything: CompiledValidator[Any] = Schema.from_type(Any)  # type: ignore[arg-type]
    assert anything.validate_json(anything.dump(value)) == value
    assert anything.serialize(value) == value


BOTH = Schema(
    {
        "list": Field(list[int], required=False, min_length=1, max_length=2),
        "pair": Field(tuple[int, str], required=False),
        "map": Field(dict[str, int], required=False, max_length=2),
        "text": Field(str, required=False, max_length=3, pattern="^a"),
        "number": Field(decimal.Decimal, required=False, ge=2, multiple_of=2, max_digits=3),
    }
)


@EXAMPLES
@example({"list": [1, "x", 3]})
@example({"pair": ["x"]})
@given(st.dictionaries(st.sampled_from(["list", "pair", "map", "text", "number"]), VALUES))
def test_a_value_and_its_json_are_told_alike(value: Any) -> None:
    told: list[Any] = []
    for validate, data in ((BOTH.validate, value), (BOTH.validate_json, BOTH.dump(value))):
        try:
            told.append(validate(data))
        except InvalidError as error:
            # In the order of the schema, and in that of the document.
            told.append(sorted(((row["loc"], row["type"]) for row in error.errors), key=repr))
    assert told[0] == told[1]
