"""Rows of the zoo's related models: every relation present, missing, shared and empty."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal

from tests.zoo.models import (
    Author,
    Book,
    Contribution,
    Country,
    Cover,
    Door,
    Label,
    Note,
    Place,
    Publisher,
    Restaurant,
    Trattoria,
)

__all__ = ["fill"]

BOOKS = 60


def fill(alias: str) -> None:
    """Makes the rows, the same ones every time; floats that SQLite of any version adds up alike.

    Parameters:
        alias: database alias.
    """
    chance = random.Random(7)
    countries = Country.objects.using(alias).bulk_create(
        Country(id=uuid.UUID(int=chance.getrandbits(128)), name=name) for name in ("Österreich", "日本", "Chile")
    )
    authors = Author.objects.using(alias).bulk_create(
        Author(
            name=f"Author {number}",
            born_in=chance.choice([None, *countries]),
            born_at=chance.choice([None, dt.datetime(1937, 6, 1, number, tzinfo=dt.UTC)]),
        )
        for number in range(9)
    )
    publishers = Publisher.objects.using(alias).bulk_create(
        Publisher(code=f"p {number}/é", number=Decimal(number) / 4) for number in range(4)
    )
    labels = Label.objects.using(alias).bulk_create(
        Label(slug=f"label-{number}", rank=chance.randrange(3)) for number in range(6)
    )
    for number in range(BOOKS):
        book = Book.objects.using(alias).create(
            title=f"Book {number} {'x' * (number % 4)}",
            price=Decimal(chance.randrange(120)) / 4,
            printed_on=chance.choice([None, dt.date(2000, 1, 1 + number % 28)]),
            author=chance.choice(authors[:-1]),
            editor=chance.choice([None, *authors]),
            country=chance.choice([None, *countries]),
            publisher=chance.choice([None, *publishers]),
            series=chance.choice([None, *publishers]),
            sequel_to=Book.objects.using(alias).last() if number % 3 == 1 else None,
        )
        book.labels.set(chance.sample(labels[:-1], number % 4))
        Contribution.objects.using(alias).bulk_create(
            Contribution(book=book, author=author, share=chance.randrange(64) / 64)
            for author in chance.sample(authors, number % 3)
        )
        if number % 2:
            cover = Cover.objects.using(alias).create(
                book=book, picture=f"covers/{number} é.png" if number % 4 == 1 else ""
            )
            Note.objects.using(alias).bulk_create(Note(cover=cover, text=f"n{i}") for i in range(number % 3))
    Note.objects.using(alias).create(cover=None, text="of none")
    _fill_places(alias, authors)


def _fill_places(alias: str, authors: list[Author]) -> None:
    place = Place.objects.using(alias).create(name="Only a place")
    Restaurant.objects.using(alias).create(name="Zum Hirschen", stars=2, owner=authors[0])
    trattoria = Trattoria.objects.using(alias).create(name="Da Noi", stars=1, menu={"b": [1, 2.5], "a": None})
    doors = [("a", True, place), ("ä", False, place), ("z", True, trattoria.place_ptr), ("y", True, None)]
    Door.all_objects.using(alias).bulk_create(
        Door(label=label, is_open=is_open, place=of) for label, is_open, of in doors
    )
