"""JSON bytes beside those of DRF's renderer."""
# ruff: noqa: B023 - each function is called before the loop goes on

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import json
import uuid
from collections import OrderedDict, namedtuple
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers as s
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.utils.encoders import JSONEncoder

from plectrum.drf import RustJSONRenderer, RustSerializerMixin, to_json
from tests.drf.compare import outcome

Point = namedtuple("Point", "x y")


class Color(str, enum.Enum):  # noqa: UP042 - its `str` names the member
    RED = "r"


class Number(enum.IntEnum):
    ONE = 1


class Loud(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return "loud" if isinstance(obj, (decimal.Decimal, complex)) else super().default(obj)


class Sorting(JSONEncoder):
    def encode(self, o: Any) -> str:
        return "sorted"

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        return iter(["sorted"])


class Upward(OrderedDict[Any, Any]):
    def items(self) -> Any:
        return reversed(super().items())


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def cycle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


VALUES: list[Any] = [
    {}, [], "", 0, None, False, "ü\u2028\u2029\"\\/\x00\x1f\x7f😀", "\ud800", {"\u2028": 1, "\ud800": 2},
    -(2**63), 2**64, 10**50, 1.0, 1e16, 1e-7, -0.0, float("nan"), float("inf"), [float("-inf")],
    {1: 1, 1.5: 2, None: 3, False: 4, "a": 5}, {(1, 2): 3}, {float("nan"): 1}, {Color.RED: 1, Number.ONE: 2},
    Color.RED, Number.ONE, Point(1, [2]), OrderedDict(b=1, a=2), Upward(b=1, a=2),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6), dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.date(2026, 1, 2),
    dt.time(1, 2), dt.time(1, tzinfo=dt.UTC), dt.timedelta(seconds=1.5), decimal.Decimal("1.50"),
    decimal.Decimal("NaN"), uuid.UUID(int=5), ipaddress.ip_address("::1"), gettext_lazy("Yes"), b"bytes", b"\xff",
    {1, 2}, range(3), object(), 1j, nested(150), nested(250), nested(2000), cycle(),
]  # fmt: skip


def renderers(**attributes: Any) -> tuple[Any, Any]:
    return tuple(type(kind.__name__, (kind,), attributes)() for kind in (JSONRenderer, RustJSONRenderer))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strict": False},
        {"compact": False},
        {"ensure_ascii": True},
        {"encoder_class": Loud},
        {"encoder_class": Sorting},
        {"encoder_class": json.JSONEncoder},
    ],
    ids=repr,
)
@pytest.mark.parametrize("media_type", [None, "application/json; indent=2", "application/json; indent=0"])
def test_bytes_and_errors_are_drfs(attributes: dict[str, Any], media_type: str | None) -> None:
    drf, rust = renderers(**attributes)
    for value in VALUES:
        for wrapped in (value, {"results": [value], "count": 1}):
            expected = outcome(lambda: drf.render(wrapped, media_type))
            assert outcome(lambda: rust.render(wrapped, media_type)) == expected
    assert rust.render({"a": 1}, None, {"indent": 4}) == drf.render({"a": 1}, None, {"indent": 4})
    assert outcome(lambda: rust.render(iter([1, 2]))) == outcome(lambda: drf.render(iter([1, 2])))
    assert (rust.media_type, rust.format, rust.charset) == (drf.media_type, drf.format, None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.datetimes() | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
)


@given(_JSON)
def test_any_value(value: Any) -> None:
    assert outcome(lambda: RustJSONRenderer().render(value)) == outcome(lambda: JSONRenderer().render(value))


class Row(RustSerializerMixin, s.Serializer[Any]):
    name = s.CharField()
    when = s.ReadOnlyField()
    extra = s.JSONField(required=False)


def test_in_a_view() -> None:
    @api_view(["GET"])
    @renderer_classes([RustJSONRenderer])
    def rows(request: Any) -> Response:
        return Response({"results": Row([{"name": "ü", "when": dt.time(1)}], many=True).data})

    for accept, body in [
        ("application/json", '{"results":[{"name":"ü","when":"01:00:00"}]}'),
        ("application/json; indent=1", '{\n "results": [\n  {\n   "name": "ü",\n   "when": "01:00:00"\n  }\n ]\n}'),
    ]:
        response = rows(APIRequestFactory().get("/", HTTP_ACCEPT=accept)).render()
        assert response.content.decode() == body
        assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("when", [1, float("nan"), object(), {"x": (1, 2)}, decimal.Decimal("1.5"), "\ud800"], ids=type)
def test_straight_to_bytes(when: Any) -> None:
    rows = [{"name": "a", "when": when}, {"name": "b", "when": None, "extra": {"z": 1, "a": 2**70}}]
    expected = outcome(lambda: JSONRenderer().render(Row(rows, many=True).data))
    assert outcome(lambda: to_json(Row(rows, many=True))) == expected
    assert outcome(lambda: to_json(Row(rows[0]))) == outcome(lambda: JSONRenderer().render(Row(rows[0]).data))
    assert to_json(Row()) == JSONRenderer().render(Row().data)
    assert to_json(Row(many=True)) == JSONRenderer().render(Row(many=True).data)
    asked = Row(rows[1])
    asked.data["name"] = "changed"
    assert to_json(asked) == JSONRenderer().render(asked.data)


def test_an_iterator_that_fails_loses_no_row() -> None:
    def rows() -> Any:
        yield {"name": "a", "when": 1}
        yield {"name": "b", "when": float("nan")}
        raise LookupError("row 3")

    for data in (rows, lambda: {"results": rows()}, lambda: [iter([1, 2]), nested(250)], lambda: [rows(), nested(250)]):
        assert outcome(lambda: RustJSONRenderer().render(data())) == outcome(lambda: JSONRenderer().render(data()))
    assert outcome(lambda: to_json(Row(rows(), many=True))) == (LookupError, "row 3")
