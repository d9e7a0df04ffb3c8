"""What Rust did for a request is counted where it is asked for, and nowhere else."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import serializers

from plectrum.drf import RustSerializerMixin, renderer, to_json
from plectrum.drf import compile as output
from plectrum.drf.metrics import HEADER, PlectrumMetricsMiddleware, _stop, count_fields


class Inner(RustSerializerMixin, serializers.Serializer[Any]):
    a = serializers.CharField()
    b = serializers.CharField()


class Outer(RustSerializerMixin, serializers.Serializer[Any]):
    name = serializers.CharField()
    secret = serializers.CharField(write_only=True)
    shout = serializers.SerializerMethodField()
    inner = Inner()

    def get_shout(self, row: Any) -> str:
        return str(row.name).upper()


ROWS = [SimpleNamespace(name=f"n{n}", inner=SimpleNamespace(a="a", b="b")) for n in range(10)]


def test_fields_are_counted_by_who_writes_them() -> None:
    with count_fields() as stats:
        _ = Outer(ROWS, many=True).data
    assert (stats.rust, stats.python) == (30, 10)  # name, inner.a, inner.b; shout
    assert stats.saved_ms > 0
    with count_fields() as stats:
        to_json(Outer(ROWS, many=True))
    assert (stats.rust, stats.python) == (30, 10)


def test_one_object_is_python_work_and_counted_as_that() -> None:
    with count_fields() as stats:
        _ = Inner(ROWS[0].inner).data
    assert (stats.rust, stats.python) == (0, 2)
    with count_fields() as stats:
        _ = Outer(ROWS[0]).data
    assert (stats.rust, stats.python) == (0, 4)


def test_blocks_do_not_see_each_other_and_leave_nothing_behind() -> None:
    before = (output.represent_many, output.current, renderer.represent_json)
    with count_fields() as outer:
        with count_fields() as inner:
            _ = Outer(ROWS, many=True).data
        assert output.represent_many is not before[0]
    assert (inner.rust, outer.rust) == (30, 0)
    assert (output.represent_many, output.current, renderer.represent_json) == before


def view(request: HttpRequest) -> HttpResponse:
    return JsonResponse(Outer(ROWS, many=True).data, safe=False)


async def async_view(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return view(request)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_middleware_tells_it_in_a_header(kind: str) -> None:
    try:
        if kind == "sync":
            response: Any = PlectrumMetricsMiddleware(view)(HttpRequest())
        else:
            middleware: Any = PlectrumMetricsMiddleware(async_view)
            response = asyncio.run(middleware(HttpRequest()))
        assert re.fullmatch(r"rust=30, python=10, saved-ms=\d+\.\d{3}", response[HEADER])
        plain: Any = PlectrumMetricsMiddleware(lambda request: HttpResponse("nothing"))(HttpRequest())
        _stop()
        assert HEADER not in plain
    finally:
        _stop()
