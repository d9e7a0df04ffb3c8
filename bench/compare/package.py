"""Run in each revision: times the package in one process, prints `name value unit` lines of the best of some runs."""

from __future__ import annotations

import datetime
import decimal
import resource
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from rest_framework import serializers  # noqa: E402 - needs configured settings

from plectrum import API, _core  # noqa: E402
from plectrum.drf import RustJSONRenderer, RustSerializerMixin  # noqa: E402
from plectrum.testing import TestClient  # noqa: E402

ROWS = 500
RUNS = 7


class Line(RustSerializerMixin, serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    price = serializers.DecimalField(max_digits=10, decimal_places=2)
    active = serializers.BooleanField()
    made = serializers.DateTimeField()


LINES = [
    SimpleNamespace(
        id=n,
        title=f"title {n}",
        price=decimal.Decimal(n) / 4,
        active=True,
        made=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    )
    for n in range(ROWS)
]
api = API(openapi_url=None)


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/typed/{id}")
async def typed(id: int, q: str) -> dict[str, Any]:
    return {"id": id, "q": q}


def best(work: Callable[[], Any], times: int) -> float:
    """Nanoseconds of one of ``times`` within a call."""
    took: list[int] = []
    for _ in range(RUNS):
        started = time.perf_counter_ns()
        work()
        took.append(time.perf_counter_ns() - started)
    return min(took) / times


def main() -> None:
    """Checks the answers, then prints the lines."""
    data = Line(LINES, many=True).data
    assert data[4]["price"] == "1.00"
    print(f"serializer data, per row {best(lambda: Line(LINES, many=True).data, ROWS):.1f} ns")
    renderer = RustJSONRenderer()
    print(f"renderer, per row {best(lambda: renderer.render(data), ROWS):.1f} ns")
    value = [{"id": n, "name": "x" * 20, "tags": ["a", "b"]} for n in range(ROWS)]
    print(f"encode, per row {best(lambda: _core.encode(value), ROWS):.1f} ns")
    with TestClient(api) as client:
        assert client.get("/typed/7?q=a").json() == {"id": 7, "q": "a"}
        print(f"request hello in process {best(lambda: [client.get('/hello') for _ in range(200)], 200):.1f} ns")
        print(f"request typed in process {best(lambda: [client.get('/typed/7?q=a') for _ in range(200)], 200):.1f} ns")
    print(f"memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
