"""What clients may ask of models: fields, relations, filters, order, slices."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Count, Q

from tests.zoo.models import Author, Book, Country, Label, Publisher

from .support import Asker

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_columns_of_rows(zoo: Asker, alias: str) -> None:
    rows = Book.objects.using(alias)[:5]
    expected = [
        {
            "id": str(book.pk),
            "title": book.title,
            "price": f"{book.price:.2f}",
            "printedOn": book.printed_on and book.printed_on.isoformat(),
            "authorId": str(book.author_id),
            "editorId": book.editor_id and str(book.editor_id),
            "countryId": book.country_id and str(book.country_id),
            "publisherId": book.publisher_id,
            "__typename": "Book",
        }
        for book in rows
    ]
    query = "{books(limit:5){id title price printedOn authorId editorId countryId publisherId __typename}}"
    assert zoo.data(query) == {"books": expected}


def test_one_row_by_its_key(zoo: Asker, alias: str) -> None:
    book, country = Book.objects.using(alias).all()[3], Country.objects.using(alias).all()[0]
    query = (
        'query Q($book: ID!, $country: ID!) {book(id:$book){title} country(id:$country){name} label(id:"none"){rank}}'
    )
    expected = {"book": {"title": book.title}, "country": {"name": country.name}, "label": None}
    assert zoo.data(query, book=book.pk, country=str(country.pk)) == expected


def test_relations_of_every_kind(zoo: Asker, alias: str) -> None:
    query = """{books(limit: 40) {
        title author {name bornIn {name}} editor {name} publisher {id number} series {id} sequelTo {title author {name}}
        sequels {title} labels {slug rank} contributions {share author {name}} cover {picture notes {text}}
    }}"""

    def row(book: Book) -> dict[str, Any]:
        def name(author: Author | None) -> Any:
            return author and {"name": author.name}

        cover = getattr(book, "cover", None)
        born_in = book.author.born_in
        return {
            "title": book.title,
            "author": {"name": book.author.name, "bornIn": born_in and {"name": born_in.name}},
            "editor": name(book.editor),
            "publisher": book.publisher and {"id": book.publisher.pk, "number": f"{book.publisher.number:.2f}"},
            "series": book.series and {"id": book.series.pk},
            "sequelTo": book.sequel_to
            and {"title": book.sequel_to.title, "author": {"name": book.sequel_to.author.name}},
            "sequels": [{"title": sequel.title} for sequel in book.sequels.all()],
            "labels": [{"slug": label.slug, "rank": label.rank} for label in book.labels.all()],
            "contributions": [
                {"share": one.share, "author": {"name": one.author.name}} for one in book.contributions.all()
            ],
            "cover": cover
            and {
                "picture": cover.picture.url if cover.picture else None,
                "notes": [{"text": note.text} for note in cover.notes.all()],
            },
        }

    assert zoo.data(query)["books"] == [row(book) for book in Book.objects.using(alias)[:40]]


LABELLED = Book.labels.through.objects.filter(label="label-2").values("book")
FILTERS: list[tuple[str, Q]] = [
    ('{title: {contains: "1"}}', Q(title__contains="1")),
    ('{title: {istartsWith: "BOOK 1"}}', Q(title__istartswith="BOOK 1")),
    ('{title: {ne: "Book 4 "}}', ~Q(title="Book 4 ")),
    ('{price: {gte: "10", lt: "20.5"}}', Q(price__gte="10", price__lt="20.5")),
    ("{printedOn: {isNull: true}}", Q(printed_on__isnull=True)),
    ("{printedOn: {eq: null}}", Q(printed_on__isnull=True)),
    ("{printedOn: {ne: null}}", Q(printed_on__isnull=False)),
    ('{printedOn: {ne: "2000-01-03"}}', ~Q(printed_on="2000-01-03")),
    ('{or: [{title: {endsWith: "x"}}, {not: {price: {lt: "10"}}}]}', Q(title__endswith="x") | ~Q(price__lt="10")),
    ('{and: [{title: {endsWith: "x"}}, {price: {lt: "10"}}]}', Q(title__endswith="x", price__lt="10")),
    ("{or: []}", Q(pk__in=[])),
    ("{not: {}}", Q(pk__in=[])),
    ("{and: []}", Q()),
    ('{author: {name: {eq: "Author 3"}}}', Q(author__name="Author 3")),
    ('{not: {editor: {name: {eq: "Author 3"}}}}', ~Q(editor__name="Author 3")),
    ('{editor: {bornIn: {name: {eq: "Chile"}}}}', Q(editor__born_in__name="Chile")),
    (
        '{labels: {some: {slug: {eq: "label-2"}}}}',
        Q(pk__in=LABELLED),
    ),
    (
        '{labels: {none: {slug: {eq: "label-2"}}}}',
        ~Q(pk__in=LABELLED),
    ),
    ("{publisherId: {isNull: true}}", Q(publisher__isnull=True)),
    ('{publisherId: {in: ["p 1/é", "p 2/é"]}}', Q(publisher__in=["p 1/é", "p 2/é"])),
    ("{id: {in: []}}", Q(pk__in=[])),
]


def test_filters(zoo: Asker, alias: str) -> None:
    for shape, condition in FILTERS:
        expected = [str(key) for key in Book.objects.using(alias).filter(condition).values_list("pk", flat=True)]
        found = zoo.data(f"{{books(filter: {shape}) {{id}}}}")["books"]
        assert [book["id"] for book in found] == expected, shape


def test_every_row_of_a_relation(zoo: Asker, alias: str) -> None:
    cheap = [
        author.name
        for author in Author.objects.using(alias)
        if all(book.price < 20 for book in author.books.using(alias))
    ]
    found = zoo.data('{authors(filter: {books: {every: {price: {lt: "20"}}}}) {name}}')["authors"]
    assert [author["name"] for author in found] == cheap


def test_order_and_slices(zoo: Asker, alias: str) -> None:
    query = """query ($limit: Int!, $offset: Int) {
        books(orderBy: [{publisher: {number: DESC_NULLS_LAST}}, {title: ASC}], limit: $limit, offset: $offset) {title}
    }"""
    from django.db.models import F

    rows = Book.objects.using(alias).order_by(F("publisher__number").desc(nulls_last=True), "title", "pk")
    for offset, limit in ((0, 5), (7, 3), (58, 10), (100, 1), (0, 0)):
        found = zoo.data(query, limit=limit, offset=offset)["books"]
        assert [book["title"] for book in found] == [book.title for book in rows[offset : offset + limit]]


def test_slices_of_relations_are_taken_for_each_parent(zoo: Asker, alias: str) -> None:
    query = """query ($limit: Int!) {
        authors {name cheapest: books(orderBy: [{price: ASC}], limit: $limit, offset: 1) {title}
                 dear: books(orderBy: {price: DESC}, limit: 2, filter: {title: {contains: "x"}}) {title}}
    }"""
    expected = [
        {
            "name": author.name,
            "cheapest": [{"title": book.title} for book in author.books.using(alias).order_by("price", "pk")[1:4]],
            "dear": [
                {"title": book.title}
                for book in author.books.using(alias).filter(title__contains="x").order_by("-price", "pk")[:2]
            ],
        }
        for author in Author.objects.using(alias)
    ]
    assert zoo.data(query, limit=3)["authors"] == expected


def test_many_to_many_from_either_end(zoo: Asker, alias: str) -> None:
    found = zoo.data("{labels {slug books(limit: 2) {title labels {slug}}}}")["labels"]
    expected = [
        {
            "slug": label.slug,
            "books": [
                {"title": book.title, "labels": [{"slug": one.slug} for one in book.labels.all()]}
                for book in label.books.using(alias)[:2]
            ],
        }
        for label in Label.objects.using(alias)
    ]
    assert found == expected


def test_fragments_directives_and_merged_fields(zoo: Asker, alias: str) -> None:
    query = """query ($yes: Boolean!, $no: Boolean = false) {
        authors(limit: 1) {...A ... on Author @include(if: $no) {id} books(limit: 1) {title} bornAt @skip(if: $yes)}
    }
    fragment A on Author {again: name books(limit: 1) {price}}"""
    author = Author.objects.using(alias).all()[0]
    books = [{"price": f"{book.price:.2f}", "title": book.title} for book in author.books.using(alias)[:1]]
    assert zoo.data(query, yes=True) == {"authors": [{"again": author.name, "books": books}]}


def test_text_keys_with_slashes(zoo: Asker, alias: str) -> None:
    counted = Publisher.objects.using(alias).annotate(count=Count("books")).order_by("pk")
    found = zoo.data("{publishers {id books {id}}}")["publishers"]
    assert [(one["id"], len(one["books"])) for one in found] == [(one.pk, one.count) for one in counted]


def test_wrong_values_are_errors_of_their_field(zoo: Asker) -> None:
    error = zoo.error('{book(id: "seven") {title}}')
    assert (error["path"], error["extensions"]["code"]) == (["book"], "BAD_USER_INPUT")
    error = zoo.error("query ($limit: Int) {books(limit: $limit) {title}}", limit=-1)
    assert (error["path"], error["extensions"]["code"]) == (["books"], "BAD_USER_INPUT")
    answer = zoo.ask('{book(id: "seven") {title} labels(limit: 1) {slug}}')
    assert answer["data"]["book"] is None
    assert len(answer["data"]["labels"]) == 1
    assert zoo.ask("{books(limit: 5000) {title}}")["data"] is None
