"""Relations, joined and prefetched, and kinds of inheritance, against DRF's nested serializers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Prefetch, QuerySet

from tests.zoo.models import (
    Author,
    Book,
    Contribution,
    Country,
    Cover,
    Door,
    FrontDoor,
    Label,
    Note,
    Place,
    Publisher,
    Restaurant,
    Trattoria,
)

from .library import fill
from .ways import Ways, assert_same, reference, serializer_of

Case = tuple[Callable[[], QuerySet[Any]], Any]

MANY: dict[str, Any] = {"many": True}
MAYBE: dict[str, Any] = {"allow_null": True}
AUTHOR, LABEL, BOOK, COVER = (serializer_of(model) for model in (Author, Label, Book, Cover))
BORN = serializer_of(Author, born_in=serializer_of(Country)(**MAYBE))
CONTRIBUTION = serializer_of(Contribution, author=AUTHOR())
NOTED = serializer_of(Cover, notes=serializer_of(Note)(**MANY))

CASES: dict[str, Case] = {
    **{
        model.__name__: (model._default_manager.all, serializer_of(model))
        for model in (
            Author,
            Book,
            Contribution,
            Country,
            Cover,
            Door,
            FrontDoor,
            Label,
            Note,
            Place,
            Publisher,
            Restaurant,
            Trattoria,
        )
    },
    "hidden rows": (Door.all_objects.all, serializer_of(Door)),
    "manager methods": (Book.objects.cheap, BOOK),
    "joined": (lambda: Book.objects.select_related("author"), serializer_of(Book, author=AUTHOR())),
    "joined twice": (
        lambda: Book.objects.select_related("author__born_in", "editor"),
        serializer_of(Book, author=BORN(), editor=AUTHOR(**MAYBE)),
    ),
    "joined beyond null": (
        lambda: Book.objects.select_related("editor__born_in"),
        serializer_of(Book, editor=BORN(**MAYBE)),
    ),
    "joined by another key": (
        lambda: Book.objects.select_related("publisher", "series"),
        serializer_of(Book, publisher=serializer_of(Publisher)(**MAYBE), series=serializer_of(Publisher)(**MAYBE)),
    ),
    "joined to itself": (
        lambda: Book.objects.select_related("sequel_to__author"),
        serializer_of(Book, sequel_to=serializer_of(Book, author=AUTHOR())(**MAYBE)),
    ),
    "joined backwards": (lambda: Book.objects.select_related("cover"), serializer_of(Book, cover=COVER(**MAYBE))),
    "joined to a child": (
        lambda: Door.objects.select_related("place"),
        serializer_of(Door, place=serializer_of(Place)(**MAYBE)),
    ),
    "prefetched keys of a relation": (
        lambda: Book.objects.prefetch_related("labels"),
        serializer_of(Book, labels=LABEL(**MANY)),
    ),
    "prefetched through": (
        lambda: Book.objects.prefetch_related("contributors"),
        serializer_of(Book, contributors=AUTHOR(**MANY)),
    ),
    "prefetched backwards": (
        lambda: Author.objects.prefetch_related("books"),
        serializer_of(Author, books=BOOK(**MANY)),
    ),
    "prefetched backwards by many": (
        lambda: Label.objects.prefetch_related("books"),
        serializer_of(Label, books=BOOK(**MANY)),
    ),
    "prefetched by another key": (
        lambda: Publisher.objects.prefetch_related("series"),
        serializer_of(Publisher, series=BOOK(**MANY)),
    ),
    "prefetched to one": (lambda: Book.objects.prefetch_related("author"), serializer_of(Book, author=AUTHOR())),
    "prefetched to one or none": (
        lambda: Book.objects.prefetch_related("editor"),
        serializer_of(Book, editor=AUTHOR(**MAYBE)),
    ),
    "prefetched one to one": (
        lambda: Book.objects.prefetch_related("cover"),
        serializer_of(Book, cover=COVER(**MAYBE)),
    ),
    "prefetched three deep": (
        lambda: Author.objects.prefetch_related("books__contributions__author"),
        serializer_of(Author, books=serializer_of(Book, contributions=CONTRIBUTION(**MANY))(**MANY)),
    ),
    "prefetched of a joined row": (
        lambda: Book.objects.select_related("cover").prefetch_related("cover__notes"),
        serializer_of(Book, cover=NOTED(**MAYBE)),
    ),
    "prefetched by a queryset": (
        lambda: Author.objects.prefetch_related(
            Prefetch("books", Book.objects.filter(price__gte=10).select_related("publisher").order_by("-price", "pk"))
        ),
        serializer_of(Author, books=serializer_of(Book, publisher=serializer_of(Publisher)(**MAYBE))(**MANY)),
    ),
    "prefetched to an attribute": (
        lambda: Author.objects.prefetch_related(
            Prefetch("books", Book.objects.cheap(), to_attr="bargains"),
            Prefetch("books", to_attr="all_of_them"),
        ),
        serializer_of(Author, bargains=BOOK(**MANY), all_of_them=BOOK(**MANY)),
    ),
    "prefetched slices": (
        lambda: Author.objects.prefetch_related(
            Prefetch("books", Book.objects.order_by("title", "pk")[1:4], to_attr="some")
        ),
        serializer_of(Author, some=BOOK(**MANY)),
    ),
    "prefetched of an inherited key": (
        lambda: Restaurant.objects.prefetch_related("doors"),
        serializer_of(Restaurant, doors=serializer_of(Door)(**MANY)),
    ),
}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_relations(alias: str, subtests: Any) -> None:
    fill(alias)
    for name, (query, serializer) in CASES.items():
        with subtests.test(name), Ways(lambda query=query: query().using(alias), alias) as ways:
            assert_same(ways.answer(), reference(query().using(alias), serializer))
