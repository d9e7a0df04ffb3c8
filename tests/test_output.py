"""What leaves a handler is what its return annotation announces."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from plectrum import API, JSON, Field, Response, Schema
from plectrum.testing import TestClient


class Person(Schema):
    id: int
    name: Annotated[str, Field(max_length=5)] = "Ada"


class Account(Person):
    password: str = "secret"


@dataclasses.dataclass
class Point:
    x: int


class Typed(TypedDict):
    id: int


class Struct(msgspec.Struct):
    id: int


PERSON = {"id": 1, "name": "Ada"}


def serve(annotation: Any, value: Any, **settings: Any) -> TestClient:
    api = API()

    async def answer() -> Any:
        return value() if callable(value) else value

    answer.__annotations__["return"] = annotation
    api.get("/")(answer)
    return TestClient(api, **settings)


def numbers() -> Iterator[dict[str, Any]]:
    yield {"id": 1, "name": "Ada", "password": "secret"}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("annotation", "value", "answered"),
    [
        (Person, {**PERSON, "password": "secret"}, PERSON),
        (Person, Account(id=1), PERSON),
        (list[Person], [Account(id=1), {**PERSON, "password": "secret"}], [PERSON, PERSON]),
        (list[Person], numbers, [PERSON]),
        (dict[str, Person], {"a": Account(id=1)}, {"a": PERSON}),
        (Person | None, None, None),
        (Person | None, Account(id=1), PERSON),
        (Point, {"x": 1, "y": 2}, {"x": 1}),
        (Typed, {"id": 1, "password": "secret"}, {"id": 1}),
        (Struct, {"id": 1, "password": "secret"}, {"id": 1}),
    ],
    ids=["mapping", "subclass", "list", "generator", "dict", "none", "optional", "dataclass", "typed-dict", "msgspec"],
)
def test_what_is_not_announced_stays(annotation: Any, value: Any, answered: Any, debug: bool) -> None:
    assert serve(annotation, value, debug=debug).get("/").json() == answered


@pytest.mark.parametrize(("annotation", "value"), [(Any, {"a": 1}), (dict[str, int], {"a": 1}), (dict, {"a": 1})])
def test_what_announces_no_fields_is_written_as_it_is(annotation: Any, value: Any) -> None:
    assert serve(annotation, value).get("/").json() == value


def test_responses_are_the_handlers_own() -> None:
    assert serve(Person, JSON({"other": 1}, status=202)).get("/").json() == {"other": 1}
    assert serve(Response, JSON({"other": 1})).get("/").json() == {"other": 1}


def test_what_lacks_a_field_is_a_fault_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert serve(Person, {"name": "Ada"}).get("/").status_code == 500
    assert "is annotated '-> Person', and returned dict without 'id'." in caplog.text


@pytest.mark.parametrize("value", [{"id": "one", "name": "Ada"}, {"id": 1, "name": "Ada Lovelace"}])
def test_rules_are_checked_in_development_only(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert serve(Person, value).get("/").json() == value
    with caplog.at_level(logging.ERROR):
        refused = serve(Person, value, debug=True).get("/")
    assert refused.status_code == 500
    assert "is annotated '-> Person', and returned something else" in refused.text
