"""Errors of fields: null at the nearest place that may be null, a path through lists, everything else answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from django.db.models import ExpressionWrapper, F, Func, IntegerField, TextField

from plectrum.graphql import GraphQL, Type
from tests.differential.library import fill
from tests.zoo.models import Author, Book, Contribution

from .support import MODELS, Asker

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def paths(answer: dict[str, Any]) -> list[list[Any]]:
    return [error["path"] for error in answer["errors"]]


def test_a_wrong_argument_is_an_error_of_every_object_that_has_the_field(zoo: Asker, alias: str) -> None:
    books = list(Book.objects.using(alias)[:20])
    answer = zoo.ask("{books(limit: 20) {title editor {name again: books(limit: -1) {id}}}}")
    edited = [number for number, book in enumerate(books) if book.editor_id]
    assert 0 < len(edited) < 20
    assert answer["data"]["books"] == [{"title": book.title, "editor": None} for book in books]
    assert paths(answer) == [["books", number, "editor", "again"] for number in edited]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 39}]


def test_null_goes_up_to_the_response_where_nothing_around_may_be_null(zoo: Asker) -> None:
    answer = zoo.ask("{authors {name books(limit: 5000) {id}} labels(limit: 1) {slug}}")
    assert answer["data"] is None
    assert paths(answer) == [["authors", 0, "books"]]


def test_no_object_no_error(zoo: Asker) -> None:
    answer = zoo.ask('{label(id: "none") {slug books(limit: -1) {id}} labels(limit: 0) {books(limit: -1) {id}}}')
    assert answer == {"data": {"label": None, "labels": []}}


def test_several_errors_have_each_its_path(zoo: Asker, alias: str) -> None:
    book = Book.objects.using(alias).filter(sequel_to__isnull=False, editor__isnull=False)[0]
    query = """query ($most: Int!, $id: ID!) {
        one: book(id: $id) {
            editor { edited(limit: $most) {id} }
            sequelTo { title labels(limit: $most) {slug} }
            author { name booksConnection(first: 1, last: 1) {totalCount} }
            title
        }
        two: book(id: "x") {title}
        three: book(id: $id) {title}
    }"""
    answer = zoo.ask(query, most=-1, id=str(book.pk))
    assert answer["data"] == {"one": None, "two": None, "three": {"title": book.title}}
    assert paths(answer) == [
        ["one", "editor", "edited"],
        ["one", "sequelTo", "labels"],
        ["one", "author", "booksConnection"],
        ["two"],
    ]
    lines = [error["locations"][0]["line"] for error in answer["errors"]]
    assert lines == [3, 4, 5, 8]


def test_merged_fields_have_a_location_each(zoo: Asker) -> None:
    query = "{books(limit: 1) {...A sequels(limit: -1) {id}}}\nfragment A on Book {sequels(limit: -1) {title}}"
    answer = zoo.ask(query)
    assert answer["errors"][0]["locations"] == [{"line": 2, "column": 21}, {"line": 1, "column": 24}]
    assert paths(answer) == [["books", 0, "sequels"]]


def test_a_wrong_cursor_within(zoo: Asker, alias: str) -> None:
    query = (
        'query ($id: ID!) {authors(limit: 2) {name} author(id: $id) {booksConnection(after: "nothing") {totalCount}}}'
    )
    answer = zoo.ask(query, id=Author.objects.using(alias).all()[0].pk)
    assert len(answer["data"]["authors"]) == 2
    assert answer["data"]["author"] is None
    assert paths(answer) == [["author", "booksConnection"]]


def test_columns_are_counted_in_characters(zoo: Asker) -> None:
    answer = zoo.ask('{a: books(filter: {title: {eq: "日本é"}}) {id} b: book(id: "x") {id}}')
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 46}]


@pytest.mark.postgresql
def test_a_value_that_json_does_not_have() -> None:
    fill("default")
    zoo = Asker(GraphQL(MODELS))
    contribution = Contribution.objects.all()[0]
    Contribution.objects.filter(pk=contribution.pk).update(share=float("nan"))
    query = """query ($id: ID!) {
        contribution(id: $id) {share author {name}}
        again: contribution(id: $id) {author {name}}
    }"""
    answer = zoo.ask(query, id=contribution.pk)
    assert answer["data"] == {"contribution": None, "again": {"author": {"name": contribution.author.name}}}
    assert paths(answer) == [["contribution", "share"]]
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    zoo.close()


@pytest.mark.parametrize("media", ["application/json", "application/graphql-response+json"])
def test_partial_data_has_status_200_in_either_media_type(alias: str, media: str) -> None:
    Author.objects.using(alias).create(name="One")
    asker = Asker(GraphQL([Author, Book], using=alias), alias)
    query = '{authors {name} author(id: "x") {name}}'
    response = asker.client.post("/graphql", json={"query": query}, headers={"accept": media})
    assert response.status_code == 200
    assert response.json()["data"] == {"authors": [{"name": "One"}], "author": None}
    assert response.text.index('"errors"') < response.text.index('"data"')
    asker.close()


def test_a_statement_that_fails_below_the_top_is_null_where_it_may_be(alias: str, transactional_db: None) -> None:
    fill(alias)
    one = ExpressionWrapper(F("pk") - F("pk") + 1, output_field=IntegerField())
    broken: Any = one / (one - 1) if connections[alias].vendor == "postgresql" else Func("title", function="json")
    broken = ExpressionWrapper(broken, output_field=TextField() if isinstance(broken, Func) else IntegerField())
    models = [Type(Book, computed={"broken": broken}), *(model for model in MODELS if model is not Book)]
    asker = Asker(GraphQL(models, using=alias), alias)
    books = list(Book.objects.using(alias)[:20])
    edited = [number for number, book in enumerate(books) if book.editor_id]
    query = "{books(limit: 20) {title labels {slug} editor {name edited {id broken}}}}"
    answer = asker.post(query).json()
    assert [(book["title"], book["editor"]) for book in answer["data"]["books"]] == [(one.title, None) for one in books]
    assert any(book["labels"] for book in answer["data"]["books"])
    assert paths(answer) == [["books", number, "editor", "edited"] for number in edited]
    answer = asker.post("{authors {name books {broken}} labels {slug}}").json()
    assert answer["data"] is None
    assert paths(answer) == [["authors", 0, "books"]]
    asker.close()
