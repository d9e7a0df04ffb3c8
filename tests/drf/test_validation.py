"""Every field of DRF over input it is made for and input it is not: the same values, the same errors."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from django.core import validators as v
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import QueryDict
from django.test import override_settings
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers as s

from plectrum.drf import RustSerializerMixin
from tests.drf.compare import accepts_alike, validated
from tests.drf.inputs import FIELDS, PARIS, RAW, one, record

pytestmark = pytest.mark.filterwarnings("ignore:The list-based error format")


@pytest.mark.parametrize("make", FIELDS, ids=lambda make: repr(make())[:70].split(" at 0x")[0])
def test_every_field_over_every_input(make: Any) -> None:
    made = one(make())
    for value in RAW:
        accepts_alike(made, record(value))


KINDS: list[Any] = [s.IntegerField, s.JSONField, s.ListField, s.HiddenField]
OPTIONS: list[dict[str, Any]] = [
    {}, {"required": False}, {"allow_null": True}, {"default": 1}, {"default": None, "allow_null": True},
    {"default": lambda: 3}, {"source": "other"}, {"source": "deep.er"}, {"source": "before.x"}, {"write_only": True},
    {"default": s.CreateOnlyDefault(4)}, {"read_only": True}, {"read_only": True, "default": 9},
    {"source": "*", "allow_null": True}, {"error_messages": {"required": "gimme", "invalid": "bad", "null": "nil"}},
    {"validators": []}, {"validators": [v.MinValueValidator(2), v.MaxValueValidator(lambda: 5)]},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_options(kind: Any, options: dict[str, Any]) -> None:
    if kind is s.HiddenField:
        if "default" not in options or "read_only" in options:
            pytest.skip("it has a default")
        made = one(kind(**{name: value for name, value in options.items() if name != "write_only"}))
    else:
        made = one(kind(**options))
    for value in (1, 3, 9, None, "x", [], {"k": 1}):
        for partial in (False, True):
            accepts_alike(made, record(value), partial=partial)
    for partial in (False, True):
        for data in ({}, {"before": "x"}, {"value": 3}, {"after": None}):
            accepts_alike(made, data, partial=partial)
    accepts_alike(made, {"before": "x", "after": 1}, instance=object())


@pytest.mark.parametrize(
    "data", [None, [], "x", 5, QueryDict("before=x&value=5"), MappingProxyType({"value": 1})], ids=type
)
def test_input_that_is_no_dict(data: Any) -> None:
    made = one(s.IntegerField())
    accepts_alike(made, data)
    accepts_alike(type("Outer", (s.Serializer,), {"one": made(), "many": made(many=True)}), {"one": data, "many": data})


def test_nested_serializers_and_lists() -> None:
    class Inner(s.Serializer[Any]):
        name = s.CharField(max_length=3)
        size = s.IntegerField(required=False)

        def validate(self, attrs: Any) -> Any:
            if attrs.get("size") == 13:
                raise s.ValidationError("unlucky")
            return {**attrs, "seen": True}

    class Outer(s.Serializer[Any]):
        one = Inner()
        many = Inner(many=True, required=False, max_length=3)
        maybe = Inner(allow_null=True, default=None)
        listed = s.ListField(child=Inner(), required=False)

    good, long, unlucky = {"name": "n"}, {"name": "long"}, {"name": "n", "size": 13}
    for data in (
        {"one": good}, {"one": long}, {"one": unlucky, "many": [good, long, unlucky]}, {"one": None},
        {"one": good, "maybe": None}, {"one": good, "maybe": {}}, {"one": good, "many": []}, {"one": good, "many": 5},
        {"one": good, "many": [good] * 4}, {"one": good, "listed": [long, good, None]}, {"one": [], "many": {}}, {},
    ):  # fmt: skip
        for partial in (False, True):
            accepts_alike(Outer, data, partial=partial)


calls: list[Any] = []


class Hooked(s.Serializer[Any]):
    a = s.IntegerField(validators=[v.MinValueValidator(1)])
    b = s.CharField(required=False)
    c = s.CharField(default="c", allow_null=True)
    sum = s.IntegerField(read_only=True, default=s.CreateOnlyDefault(7))

    def validate_a(self, value: Any) -> Any:
        calls.append(("a", value))
        if value == 2:
            raise s.ValidationError({"inner": ["two"]}, code="two")
        if value == 3:
            raise DjangoValidationError("three %(x)s", code="three", params={"x": 1})
        if value == 4:
            raise s.SkipField
        return value * 10

    def validate_b(self, value: Any) -> Any:
        calls.append(("b", value))
        return value.upper()

    def validate_c(self, value: Any) -> Any:
        calls.append(("c", value))
        return value

    def validate(self, attrs: Any) -> Any:
        calls.append(("all", dict(attrs)))
        if attrs.get("a") == 50:
            raise DjangoValidationError({"a": ["fifty"], "b": ["fifty"]})
        return None if attrs.get("a") == 60 else attrs


def test_hooks_run_in_order_with_the_same_arguments() -> None:
    for a in range(8):
        for rest in ({}, {"b": "x", "c": None}, {"b": 5}):
            seen = []
            for count in (1, 3):
                for kind in (Hooked, type("Fast", (RustSerializerMixin, Hooked), {})):
                    calls.clear()
                    made = kind(data=[{"a": a, **rest}] * count, many=True)
                    with contextlib.suppress(AssertionError):  # of a `validate` that gives nothing
                        made.is_valid()
                    seen.append(list(calls))
            assert seen[0] == seen[1]
            assert seen[2] == seen[3]
            accepts_alike(Hooked, {"a": a, **rest})


def test_user_code_may_change_the_fields_meanwhile() -> None:
    class Shifting(s.Serializer[Any]):
        kind = s.CharField()
        size = s.IntegerField(required=False)
        name = s.CharField(max_length=5)

        def validate_kind(self, value: Any) -> Any:
            self.fields["size"].required = value == "strict"
            self.fields["name"].validators[:] = [] if value == "lax" else self.fields["name"].validators
            return value

    rows = [{"kind": kind, "name": "a name"} for kind in ("x", "strict", "x", "lax", "x")]
    accepts_alike(Shifting, rows[0])
    for start in range(5):
        plain = Shifting(data=rows[start:] + rows[:start], many=True)
        fast = type("Fast", (RustSerializerMixin, Shifting), {})(data=rows[start:] + rows[:start], many=True)
        assert (fast.is_valid(), fast.errors, fast.validated_data) == (
            plain.is_valid(),
            plain.errors,
            plain.validated_data,
        )


class Above(s.Serializer[Any]):
    a = s.IntegerField()

    def to_internal_value(self, data: Any) -> Any:
        return {"above": super().to_internal_value({"a": data.get("b")})}


class Whole(s.Serializer[Any]):
    a = s.IntegerField()

    def run_validation(self, data: Any = None) -> Any:
        return {"whole": super().run_validation(data)}


class Double(s.IntegerField):
    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) * 2


class Upper(s.CharField):
    def run_validation(self, data: Any = s.empty) -> Any:
        return super().run_validation(str(data).upper())


class Elsewhere(s.CharField):
    def get_value(self, dictionary: Any) -> Any:
        return dictionary.get("elsewhere", s.empty)


class Lax(s.CharField):
    def validate_empty_values(self, data: Any) -> Any:
        return (True, "lax") if data is None else super().validate_empty_values(data)


class Quiet(s.CharField):
    def run_validators(self, value: Any) -> None:
        pass


class Rows(s.ListSerializer[Any]):
    def run_child_validation(self, data: Any) -> Any:
        return {"row": super().run_child_validation(data)}


class InRows(s.Serializer[Any]):
    a = s.IntegerField()

    class Meta:
        list_serializer_class = Rows


def test_overrides_run() -> None:
    for kind in (Above, Whole, InRows):
        for data in ({"a": 1}, {"b": 2}, {"a": "x"}, None):
            accepts_alike(kind, data)
    for field in (Double(), Upper(max_length=3), Elsewhere(), Lax(), Quiet(max_length=1), Double(max_value=5)):
        for value in (1, "abc", "abcd", None, s.empty):
            accepts_alike(one(field), record(value) if value is not s.empty else {"elsewhere": "y"})


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/St_Johns"])
def test_time_zones(zone: str) -> None:
    with timezone.override(zone):
        for field in (s.DateTimeField(), s.DateTimeField(default_timezone=PARIS)):
            for value in RAW:
                accepts_alike(one(field), record(value))


@pytest.mark.parametrize(
    "settings",
    [
        {"USE_TZ": False},
        {"REST_FRAMEWORK": {"DATETIME_INPUT_FORMATS": ["%Y"], "DATE_INPUT_FORMATS": ["%Y", "iso-8601"]}},
        {"REST_FRAMEWORK": {"NON_FIELD_ERRORS_KEY": "all", "LIST_SERIALIZER_ERRORS_AS_DICT": True}},
        {"LANGUAGE_CODE": "de", "USE_I18N": True},
    ],
    ids=repr,
)
def test_settings_are_heeded(settings: dict[str, Any]) -> None:
    fields = (s.DateTimeField(), s.DateField(), s.TimeField(), s.DecimalField(5, 2), s.CharField(max_length=3))
    with override_settings(**settings), translation.override(settings.get("LANGUAGE_CODE", "en")):
        for field in fields:
            for value in RAW:
                accepts_alike(one(field), record(value))
        accepts_alike(one(s.IntegerField()), 5)


@pytest.mark.parametrize("precision", [2, 28])
def test_the_decimal_context_is_heeded(precision: int) -> None:
    with decimal.localcontext(prec=precision):
        for value in ("1.5", "12.34", "123", 7, Decimal("1.2")):
            accepts_alike(one(s.DecimalField(None, 2)), record(value))


def test_records_that_are_not_alike() -> None:
    class In(s.Serializer[Any]):
        a = s.IntegerField()
        b = s.IntegerField(required=False)
        ü = s.CharField(default="ü")

    def text(of: str) -> str:
        return "".join(of)  # an object of its own

    class Strange(str):
        __slots__ = ()

    deleted = {"z": 0, "a": 1, "b": 2}
    del deleted["z"]
    rows: list[dict[Any, Any]] = [
        {"a": 1, "b": 2, "ü": "x"}, {"b": 2, "ü": "x", "a": 1}, {"a": 1, "ü": "x"}, {"a": 3, "x": 4, "b": 5}, deleted,
        {text("a"): 6, text("b"): 7, text("ü"): "y"}, {"b": 8}, {}, {Strange("a"): 9}, {1: 2, None: 3, "a": 4},
    ]  # fmt: skip
    for start in range(len(rows)):
        data = rows[start:] + rows[:start]
        expected = validated(In, data, many=True)
        assert validated(type("Fast", (RustSerializerMixin, In), {}), data, many=True) == expected
        document = json.dumps([row for row in data if all(isinstance(key, str) for key in row)])
        expected = validated(In, json.loads(document), many=True)
        assert validated(type("Fast", (RustSerializerMixin, In), {}), json.loads(document), many=True) == expected


def test_user_code_may_change_the_record_meanwhile() -> None:
    class In(s.Serializer[Any]):
        a = s.IntegerField()
        b = s.IntegerField(required=False)
        c = s.IntegerField(default=0)

        def validate_a(self, value: Any) -> Any:
            data = at.pop(0)
            del data["a"]
            data["c"] = data.pop("b")
            return value

    outcomes = []
    for kind in (In, type("Fast", (RustSerializerMixin, In), {})):
        rows = [{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": 5, "c": 6}, {"a": 7, "b": 8, "c": 9}]
        at = list(rows)
        outcomes.append((validated(kind, rows, many=True), rows))
    assert outcomes[0] == outcomes[1]


def test_list_sizes() -> None:
    made = one(s.IntegerField())
    for options in ({"max_length": 2}, {"min_length": 4}, {"allow_empty": False}, {"max_length": 3, "min_length": 3}):
        accepts_alike(type("Outer", (s.Serializer,), {"rows": made(many=True, **options)}), {"rows": [record(1)] * 3})
        accepts_alike(type("Outer", (s.Serializer,), {"rows": made(many=True, **options)}), {"rows": []})


_TEXT = st.text() | st.from_regex(r"[\w.+-]+@[\w.-]+") | st.from_regex(r"https?://[\w.:-]+[/?#]?\S*") | st.emails()


@given(_TEXT | st.none())
def test_any_text(value: Any) -> None:
    for field in (
        s.CharField(max_length=9), s.EmailField(), s.URLField(), s.SlugField(), s.RegexField(r"^\w+$"), s.UUIDField(),
        s.CharField(trim_whitespace=False),
    ):  # fmt: skip
        accepts_alike(one(field), record(value))


_NUMBERS = (
    st.integers() | st.floats() | st.decimals() | st.from_regex(r"-?[0-9]{0,12}\.?[0-9]{0,8}") | st.decimals().map(str)
)


@given(_NUMBERS, st.none() | st.integers(1, 12), st.none() | st.integers(0, 6))
def test_any_number(value: Any, digits: Any, places: Any) -> None:
    if digits is not None and places is not None and places > digits:
        digits = places
    for field in (s.DecimalField(digits, places), s.IntegerField(), s.FloatField(), s.DecimalField(9, 2, max_value=50)):
        accepts_alike(one(field), record(value))


_MOMENTS = (
    st.datetimes(timezones=st.none() | st.timezones()).map(str)
    | st.datetimes(timezones=st.none() | st.just(dt.UTC)).map(dt.datetime.isoformat)
    | st.dates().map(str)
    | st.times().map(str)
    | st.timedeltas().map(str)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{5,15}(Z|[+-][0-9:]{2,8})?", fullmatch=True)
)


@given(_MOMENTS, st.sampled_from(["UTC", "Europe/Paris", "Asia/Kathmandu"]))
def test_any_moment(value: str, zone: str) -> None:
    with timezone.override(zone):
        for field in (s.DateTimeField(), s.DateField(), s.TimeField(), s.DurationField()):
            accepts_alike(one(field), record(value))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@given(_JSON)
def test_any_json(value: Any) -> None:
    for field in (s.JSONField(), s.ListField(child=s.FloatField()), s.DictField(child=s.IntegerField()), s.ListField()):
        accepts_alike(one(field), record(value))


def test_python_spaces_are_trimmed() -> None:
    made = one(s.CharField(allow_blank=True))
    data = [record(f"{chr(code)}x{chr(code)}") for code in range(0x11000) if not 0xD800 <= code <= 0xDFFF]
    plain, fast = made(data=data, many=True), type("Fast", (RustSerializerMixin, made), {})(data=data, many=True)
    assert (fast.is_valid(), fast.errors, fast.validated_data) == (
        plain.is_valid(),
        plain.errors,
        plain.validated_data,
    )
