"""Connections, aggregates and groups; ids that name their type."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.db.models import Avg, Count, F, Max, Sum

from plectrum.graphql import GraphQL
from tests.zoo.models import Author, Book

from .support import MODELS, Asker

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

INFO = "pageInfo {hasNextPage hasPreviousPage startCursor endCursor}"


def walk(zoo: Asker, order: str, size: int, *, backwards: bool = False) -> list[str]:
    """The titles of all pages, one after the other."""
    titles: list[str] = []
    count, cursor = ("last", "before") if backwards else ("first", "after")
    query = f"""query ($size: Int!, $cursor: Cursor) {{
        booksConnection(orderBy: {order}, {count}: $size, {cursor}: $cursor) {{{INFO} edges {{cursor node {{title}}}}}}
    }}"""
    at, more = None, True
    while more:
        page = zoo.data(query, size=size, cursor=at)["booksConnection"]
        edges, info = page["edges"], page["pageInfo"]
        found = [edge["node"]["title"] for edge in edges]
        titles = found + titles if backwards else titles + found
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        at, more = (
            (info["startCursor"], info["hasPreviousPage"])
            if backwards
            else (
                info["endCursor"],
                info["hasNextPage"],
            )
        )
    return titles


ORDERS: list[tuple[str, list[Any]]] = [
    ("[{title: ASC}]", ["title"]),
    ("[{price: DESC}]", ["-price"]),
    ("[{printedOn: ASC}, {price: ASC}]", [F("printed_on").asc(nulls_last=True), "price"]),
    ("[{printedOn: DESC}]", [F("printed_on").desc(nulls_first=True)]),
    ("[{publisher: {number: ASC_NULLS_FIRST}}]", [F("publisher__number").asc(nulls_first=True)]),
]


@pytest.mark.parametrize("backwards", [False, True])
def test_pages_make_the_whole_list(zoo: Asker, alias: str, backwards: bool) -> None:
    for shape, order in ORDERS:
        expected = [book.title for book in Book.objects.using(alias).order_by(*order, "pk")]
        assert walk(zoo, shape, 7, backwards=backwards) == expected, shape


def test_a_connection_for_each_parent(zoo: Asker, alias: str) -> None:
    query = f"""query ($first: Int!) {{authors {{name booksConnection(orderBy: {{price: DESC}}, first: $first) {{
        totalCount {INFO} edges {{node {{title labels {{slug}}}}}}
    }}}}}}"""
    for found, author in zip(zoo.data(query, first=3)["authors"], Author.objects.using(alias), strict=True):
        books = list(author.books.using(alias).order_by("-price", "pk"))
        page = found["booksConnection"]
        assert page["totalCount"] == len(books)
        assert [edge["node"]["title"] for edge in page["edges"]] == [book.title for book in books[:3]]
        assert page["pageInfo"]["hasNextPage"] == (len(books) > 3)
        assert (page["pageInfo"]["endCursor"] is None) == (not books)
    last = zoo.data("{authors {booksConnection(last: 2) {edges {node {title}} pageInfo {hasPreviousPage}}}}")["authors"]
    for found, author in zip(last, Author.objects.using(alias), strict=True):
        books = list(author.books.using(alias).order_by("pk"))
        titles = [edge["node"]["title"] for edge in found["booksConnection"]["edges"]]
        assert titles == [book.title for book in books[-2:]]
        assert found["booksConnection"]["pageInfo"]["hasPreviousPage"] == (len(books) > 2)


def test_cursors_of_other_lists_are_refused(zoo: Asker) -> None:
    cursor = base64.b64encode(b"[1, 2, 3]").decode()
    for wrong in (cursor, "no cursor", base64.b64encode(b"{}").decode()):
        answer = zoo.ask("query ($at: Cursor) {booksConnection(after: $at) {totalCount}}", at=wrong)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", answer
    answer = zoo.ask("{booksConnection(first: 1, last: 1) {totalCount}}")
    assert answer["errors"][0]["path"] == ["booksConnection"]


def test_aggregates(zoo: Asker, alias: str) -> None:
    query = """{
        booksAggregate(filter: {price: {lt: "25"}}) {count sum {price} avg {price} min {printedOn title} max {price}}
        nothing: booksAggregate(filter: {id: {in: []}}) {count sum {price} __typename}
        authors {name booksAggregate {count max {price} sum {__typename}}}
    }"""
    data = zoo.data(query)
    books = Book.objects.using(alias).filter(price__lt=25)
    assert data["booksAggregate"]["count"] == books.count()
    assert float(data["booksAggregate"]["sum"]["price"]) == float(books.aggregate(x=Sum("price"))["x"])
    assert float(data["booksAggregate"]["avg"]["price"]) == pytest.approx(float(books.aggregate(x=Avg("price"))["x"]))
    assert data["nothing"] == {"count": 0, "sum": {"price": None}, "__typename": "BookAggregate"}
    authors = Author.objects.using(alias).annotate(count=Count("books"), dearest=Max("books__price")).order_by("pk")
    for found, author in zip(data["authors"], authors, strict=True):
        aggregate = found["booksAggregate"]
        assert aggregate["count"] == author.count
        assert aggregate["sum"] == {"__typename": "BookSum"}
        assert (aggregate["max"]["price"] and float(aggregate["max"]["price"])) == (
            author.dearest and float(author.dearest)
        )


def test_groups(zoo: Asker, alias: str) -> None:
    query = "{booksGroups(by: [publisherId], limit: 10) {key {publisherId title} count sum {price}}}"
    found = zoo.data(query)["booksGroups"]
    rows = Book.objects.using(alias).order_by().values("publisher").annotate(n=Count("*"), s=Sum("price"))
    expected = {row["publisher"]: (row["n"], float(row["s"])) for row in rows}
    assert {row["key"]["publisherId"]: (row["count"], float(row["sum"]["price"])) for row in found} == expected
    assert all(row["key"]["title"] is None for row in found)


def test_ids_that_name_their_type(alias: str, zoo: Asker) -> None:
    asker = Asker(GraphQL(MODELS, using=alias, global_ids=True), alias)
    book = Book.objects.using(alias).all()[0]
    found = asker.data("{books(limit: 1) {id authorId __typename}}")["books"][0]
    assert base64.b64decode(found["id"]).decode() == f"Book:{book.pk}"
    query = """query ($id: ID!, $author: ID!) {
        node(id: $id) {id ... on Book {title} ... on Author {name}} author: node(id: $author) {... on Author {name}}
        book(id: $id) {title} books(filter: {id: {in: [$id]}}) {title} none: node(id: "nothing") {id}
    }"""
    data = asker.data(query, id=found["id"], author=found["authorId"])
    assert data["node"] == {"id": found["id"], "title": book.title}
    assert data["author"] == {"name": book.author.name}
    assert (data["book"], data["books"], data["none"]) == ({"title": book.title}, [{"title": book.title}], None)
    assert asker.error("query ($id: ID!) {author(id: $id) {name}}", id=found["id"])["path"] == ["author"]
    asker.close()
