"""Which rows and fields a client may know of: conditions in the SQL of every way to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Length

from plectrum import API
from plectrum.errors import ConfigurationError
from plectrum.graphql import GraphQL, Type, Viewer
from plectrum.testing import TestClient
from tests.differential.library import fill
from tests.zoo.models import Author, Book, Contribution, Country, Label, Note

pytestmark = pytest.mark.django_db


def cheap(books: Any, viewer: Viewer) -> Any:
    return books.filter(price__lt=viewer.header("x-most", int))


@pytest.fixture
def graph(db: None) -> Iterator[TestClient]:
    fill("default")
    api = API(openapi_url=None)
    types = [
        Type(Book, rows=cheap, visible={"title": lambda viewer: Q(author__name=viewer.header("x-name"))}),
        Type(Author, exclude=["born_at"], rows=lambda authors, _: authors.exclude(name="Author 1"), computed={
            "shout": Concat("name", Value("!")), "length": Length("name"),
        }),
        Label,
        Contribution,
    ]  # fmt: skip
    api.graphql("/graphql", GraphQL(types))
    with TestClient(api) as client:
        yield client


def ask(graph: TestClient, query: str, **headers: str) -> Any:
    answer = graph.post(
        "/graphql", json={"query": query}, headers={f"x-{name}": value for name, value in headers.items()}
    )
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def test_rows_of_a_type_are_narrowed_wherever_they_are_reached(graph: TestClient) -> None:
    visible = {str(key) for key in Book.objects.filter(price__lt=10).values_list("pk", flat=True)}
    query = """{
        books {id} authors {books {id}} labels {books {id}}
        booksAggregate {count} booksConnection(first: 100) {totalCount edges {node {id}}}
    }"""
    data = ask(graph, query, most="10")
    assert {book["id"] for book in data["books"]} == visible
    assert {book["id"] for author in data["authors"] for book in author["books"]} <= visible
    assert {book["id"] for label in data["labels"] for book in label["books"]} <= visible
    assert data["booksAggregate"]["count"] == data["booksConnection"]["totalCount"] == len(visible)
    hidden = Book.objects.filter(price__gte=10)[0]
    assert ask(graph, f"{{book(id: {hidden.pk}) {{id}}}}", most="10") == {"book": None}


def test_who_says_nothing_sees_nothing(graph: TestClient) -> None:
    assert ask(graph, "{books {id} booksAggregate {count}}") == {"books": [], "booksAggregate": {"count": 0}}
    assert ask(graph, "{books {id}}", most="much") == {"books": []}


def test_a_row_that_is_not_shown_is_null_to_its_relations(graph: TestClient) -> None:
    data = ask(graph, "{books {authorId author {name}}}", most="1000")["books"]
    names = dict(Author.objects.values_list("pk", "name"))
    for book in data:
        name = names[int(book["authorId"])]
        assert book["author"] == (None if name == "Author 1" else {"name": name})
    assert any(book["author"] is None for book in data)


def test_filters_do_not_tell_of_rows_that_are_not_shown(graph: TestClient) -> None:
    assert ask(graph, '{books(filter: {author: {name: {eq: "Author 1"}}}) {id}}', most="1000") == {"books": []}
    authors = ask(graph, '{authors(filter: {books: {some: {price: {gte: "10"}}}}) {name}}', most="10")
    assert authors == {"authors": []}


def test_fields_are_null_where_their_condition_fails(graph: TestClient) -> None:
    data = ask(graph, "{books {title author {name}}}", most="1000", name="Author 3")["books"]
    for book in data:
        assert (book["title"] is None) == ((book["author"] or {}).get("name") != "Author 3")
    answer = graph.post("/graphql", json={"query": '{books(filter: {title: {eq: "x"}}) {id}}'})
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_computed_fields(graph: TestClient) -> None:
    data = ask(graph, "{authors(limit: 1) {shout length} books(limit: 1) {author {shout}}}", most="1000")
    author = Author.objects.all()[0]
    assert data["authors"] == [{"shout": f"{author.name}!", "length": len(author.name)}]
    assert data["books"][0]["author"]["shout"].endswith("!")


def test_fields_left_out_are_not_in_the_schema(graph: TestClient) -> None:
    answer = graph.post("/graphql", json={"query": "{authors {bornAt}}"}).json()
    assert 'Cannot query field "bornAt" on type "Author".' in [error["message"] for error in answer["errors"]]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([Type(Author, fields=["nam"])], r"there is no field 'nam'\. Did you mean 'name'\?"),
        ([Author, Author], "is the second type 'Author'"),
        ([object], "takes Django models that have a table"),
        ([Type(Author, computed={"x": F("id") + Value("a")})], "'x': Cannot infer type"),
        ([Type(Author), Type(Note, name="Author")], "Give one of them another name="),
    ],
)
def test_mistakes_are_found_at_the_start(models: list[Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        GraphQL(models).sdl  # noqa: B018 - the property does the work
    assert str(caught.value).startswith(f"{__file__}:") or "test_rules.py:" in str(caught.value)


def test_statements_are_bounded_by_depth(graph: TestClient, django_assert_num_queries: Any) -> None:
    query = "{labels {slug books {id contributions {share} sequels {id labels {slug}}}}}"
    with django_assert_num_queries(5):
        ask(graph, query, most="1000")


def test_countries_are_not_shown(graph: TestClient) -> None:
    assert Country.objects.exists()
    assert "Country" not in graph.post("/graphql", json={"query": "{countries {id}}"}).json().get("data", {})
