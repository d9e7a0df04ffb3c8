"""Fields that the user's functions give: one call for all rows, errors of single rows, types from annotations."""

from __future__ import annotations

import asyncio
import decimal
from collections.abc import Callable
from typing import Any

import pytest

from plectrum import API
from plectrum.errors import ConfigurationError
from plectrum.graphql import GraphQL, GraphQLError, Info, Limits, Resolver, Type
from plectrum.testing import TestClient
from tests.differential.library import fill
from tests.zoo.models import Author, Book, Label

pytestmark = pytest.mark.django_db

calls: list[tuple[str, list[Any]]] = []


async def score(keys: list[int], info: Info) -> list[float | GraphQLError | None]:
    """How good it is."""
    calls.append(("score", keys))
    await asyncio.sleep(0.001)
    wrong = info.viewer.header("x-wrong", int)
    return [GraphQLError(f"no score for {key}") if key == wrong else None if key % 7 == 0 else key / 2 for key in keys]


def gross(rows: list[Any]) -> list[decimal.Decimal]:
    calls.append(("gross", [row.pk for row in rows]))
    return [row.price * 2 for row in rows]


def words(keys: list[int]) -> list[list[str]]:
    return [[str(key), "x"] for key in keys]


async def broken(keys: list[int]) -> list[int]:
    raise RuntimeError("out of order")


def strange(keys: list[int]) -> list[int]:
    return [2**40 for _ in keys]


def short(keys: list[int]) -> list[int | None]:
    return [1]


def graph(**options: Any) -> TestClient:
    api = API(openapi_url=None)
    resolved = {"score": score, "gross_price": Resolver(gross, needs=["price"]), "words": words, "broken": broken,
                "strange": strange, "short": short}  # fmt: skip
    types = [Type(Book, resolved=resolved), Type(Author, resolved={"score": score}), Label]
    api.graphql("/graphql", GraphQL(types, limits=Limits(depth=None), introspection=True, **options))
    return TestClient(api)


def ask(query: str, client: Callable[[], TestClient] = graph, **headers: str) -> dict[str, Any]:
    calls.clear()
    with client() as graph:
        sent = {f"x-{name}": value for name, value in headers.items()}
        answer: dict[str, Any] = graph.post("/graphql", json={"query": query}, headers=sent).json()
    return answer


def test_a_function_is_asked_once_for_all_rows() -> None:
    fill("default")
    answer = ask("{books {id score grossPrice words} labels {books {again: score}}}")
    assert "errors" not in answer, answer["errors"]
    books = list(Book.objects.all())
    assert answer["data"]["books"] == [
        {
            "id": str(book.pk),
            "score": None if book.pk % 7 == 0 else book.pk / 2,
            "grossPrice": str(book.price * 2),
            "words": [str(book.pk), "x"],
        }
        for book in books
    ]
    assert len(calls) == 3
    assert ("gross", [book.pk for book in books]) in calls
    labelled = [keys for name, keys in calls if name == "score" and len(keys) < len(books)]
    assert len(labelled) == 1
    assert len(set(labelled[0])) == len(labelled[0])


def test_levels_of_one_root_field_share_a_call() -> None:
    fill("default")
    answer = ask("{authors {score books {author {score} sequels {author {score}}}}}")
    assert "errors" not in answer
    assert [name for name, _ in calls] == ["score"]
    assert sorted(calls[0][1]) == sorted(Author.objects.values_list("pk", flat=True))


def test_an_error_of_one_row_is_one_of_its_field() -> None:
    fill("default")
    books = list(Book.objects.all()[:5])
    answer = ask("{books(limit: 5) {title score}}", wrong=str(books[2].pk))
    (error,) = answer["errors"]
    assert error["path"] == ["books", 2, "score"]
    assert error["message"] == f"no score for {books[2].pk}"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [book["title"] for book in answer["data"]["books"]] == [book.title for book in books]
    assert answer["data"]["books"][2]["score"] is None


@pytest.mark.parametrize("field", ["broken", "strange"])
def test_what_a_function_gets_wrong(field: str) -> None:
    fill("default")
    book = Book.objects.all()[0]
    answer = ask(f"{{book(id: {book.pk}) {{title {field}}} books(limit: 2) {{id}}}}")
    assert answer["data"]["book"] is None
    assert len(answer["data"]["books"]) == 2
    (error,) = answer["errors"]
    assert error["path"] == ["book", field]
    assert (error["extensions"]["code"], error["message"]) == ("INTERNAL_SERVER_ERROR", "Internal server error.")


def test_as_many_values_as_rows() -> None:
    fill("default")
    assert ask("{books(limit: 1) {short}}") == {"data": {"books": [{"short": 1}]}}
    answer = ask("{books(limit: 2) {short}}")
    assert answer["data"] == {"books": [{"short": None}, {"short": None}]}
    assert [error["path"] for error in answer["errors"]] == [["books", 0, "short"], ["books", 1, "short"]]


def test_no_rows_no_call() -> None:
    assert ask("{books {score}}") == {"data": {"books": []}}
    assert calls == []


def test_the_schema_has_the_types_of_annotations() -> None:
    query = '{__type(name: "Book") {fields {name description type {name kind ofType {name kind}}}}}'
    fields = {field["name"]: field for field in ask(query)["data"]["__type"]["fields"]}
    assert fields["score"]["type"] == {"name": "Float", "kind": "SCALAR", "ofType": None}
    assert fields["score"]["description"] == "How good it is."
    assert fields["grossPrice"]["type"]["ofType"] == {"name": "Decimal", "kind": "SCALAR"}
    assert fields["words"]["type"]["ofType"] == {"name": None, "kind": "LIST"}


def untyped(keys: list[int]):  # type: ignore[no-untyped-def]
    return keys


def untold() -> list[int]:
    return []


def object_of(keys: list[int]) -> list[object]:
    return [*keys]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (untyped, "annotate what it returns with a list of the field's type"),
        (untold, "it takes the keys of the rows and, if it wants to, the info"),
        (object_of, "object is no scalar of GraphQL"),
        (Resolver(gross, needs=["prize"]), "Book has no field 'prize'. Choose from: author"),
    ],
)
def test_mistakes_are_found_at_the_start(declared: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        GraphQL([Type(Book, resolved={"wrong": declared})]).sdl  # noqa: B018 - the property does the work
    assert "Type(Book, resolved=…): 'wrong'" in str(caught.value)
