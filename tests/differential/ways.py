"""The same rows by every way an answer can take, and by Django REST framework."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections, models, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from plectrum import API
from plectrum.orm import django_reason
from plectrum.testing import TestClient

__all__ = ["Ways", "assert_same", "exact", "reference", "serializer_of"]


class Ways:
    """A query, answered natively and by a handler, on Rust's connections and on Django's.

    Parameters:
        query: gives the QuerySet, or a result around one.
        alias: its database.
        annotation: the return annotation of both; none where absent.
    """

    def __init__(self, query: Callable[[], Any], alias: str, annotation: Any = None) -> None:
        def native() -> Any:
            return query()

        async def queryset() -> Any:
            return query()

        for function in (native, queryset):
            function.__annotations__ = {} if annotation is None else {"return": annotation}
        api = API(openapi_url=None)
        api.query.get("/native", using=alias)(native)
        api.get("/queryset")(queryset)
        self.alias = alias
        self.client = TestClient(api)

    def answers(self) -> dict[str, bytes]:
        """Each way's answer."""
        assert django_reason(self.alias) is None, django_reason(self.alias)
        answers = {f"{way} by Rust": self._get(way) for way in ("native", "queryset")}
        with transaction.atomic(using=self.alias):
            answers |= {f"{way} by Django": self._get(way) for way in ("native", "queryset")}
        return answers

    def answer(self) -> bytes:
        """The one answer that all ways give."""
        answers = self.answers()
        first = answers["native by Rust"]
        for way, answer in answers.items():
            if answer != first:
                raise AssertionError(_difference("native by Rust", _rows(first), way, _rows(answer)))
        return first

    def uses_only_rust(self) -> bool:
        """Whether answers outside of a transaction leave Django's connection closed."""
        connections[self.alias].close()
        for way in ("native", "queryset"):
            self._get(way)
        return connections[self.alias].connection is None

    def close(self) -> None:
        """Closes Rust's connections."""
        self.client.close()

    def _get(self, way: str) -> bytes:
        response = self.client.get(f"/{way}")
        assert response.status_code == 200, response.text
        return response.content

    def __enter__(self) -> Ways:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serializer_of(of: type[models.Model], /, **declared: Any) -> type[ModelSerializer[Any]]:
    """DRF's serializer of a model: all of its fields.

    Parameters:
        of: the model.
        declared: further fields, or other ones.
    """
    meta = type("Meta", (), {"model": of, "fields": "__all__"})
    return type(f"{of.__name__}Serializer", (ModelSerializer,), {"Meta": meta, **declared})


def reference(rows: Iterable[models.Model], serializer: type[ModelSerializer[Any]]) -> bytes:
    """DRF's answer."""
    return JSONRenderer().render(serializer(rows, many=True).data)


def assert_same(answer: bytes, expected: bytes) -> None:
    """Value for value: types count, the last bit of a float and the sign of zero too; the order of keys does not."""
    ours, theirs = exact(answer), exact(expected)
    if ours != theirs:
        raise AssertionError(_difference("DRF", _each(theirs), "Plectrum", _each(ours)))


def exact(text: bytes) -> Any:
    """JSON with every float as the text of its bits, so that `1.0` is neither `1` nor `1.0000000000000002`."""
    return json.loads(text, parse_float=lambda digits: f"float {float(digits).hex()}", parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rows(answer: bytes) -> list[Any]:
    """The rows' own text: what differs may be its spelling only."""
    try:
        return [json.dumps(row, ensure_ascii=False) for row in _each(exact(answer))] + [answer.decode()]
    except ValueError:
        return [answer]


def _difference(one: str, ones: list[Any], other: str, others: list[Any]) -> str:
    for left, right in zip(ones, others, strict=False):
        if left != right:
            return f"\n{one}: {left!r}\n{other}: {right!r}"
    return f"\n{one}: {len(ones)} rows\n{other}: {len(others)} rows"
