"""How many statements an answer takes: one per to-many level plus one, plus one for a count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext

from plectrum import API
from plectrum.orm import Count, One, Page
from plectrum.pagination import PageNumber
from plectrum.testing import TestClient
from tests.zoo.models import Author, Book, Country, Label

from .library import fill
from .tap import Tap
from .ways import Ways

#: A Book has two many-to-many relations, whose keys it shows.
CASES: dict[str, tuple[Callable[[], Any], int]] = {
    "rows": (Author.objects.all, 1),
    "joined rows": (lambda: Author.objects.select_related("born_in"), 1),
    "one": (lambda: One(Author.objects.filter(pk=Author.objects.values("pk")[:1])), 1),
    "a count": (lambda: Count(Book.objects.filter(price__gt=3)), 1),
    "values": (lambda: Book.objects.values("title"), 1),
    "many-to-many keys": (Book.objects.all, 3),
    "a level": (lambda: Label.objects.prefetch_related(Prefetch("books", Book.objects.only("title"))), 2),
    "the same for more rows": (lambda: Book.objects.prefetch_related("labels", "contributors"), 3),
    "to one": (lambda: Author.objects.prefetch_related("born_in"), 2),
    "two levels": (
        lambda: Country.objects.prefetch_related(Prefetch("authors__books", Book.objects.only("title"))),
        3,
    ),
    "siblings": (lambda: Author.objects.prefetch_related("contributions", "born_in"), 3),
    "a dict": (lambda: {"all": Author.objects.all(), "n": Count(Author.objects.all())}, 2),
    "nothing": (Book.objects.none, 0),
}


@pytest.fixture
def tap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    """Between Rust and PostgreSQL."""
    settings = connections["default"].settings_dict
    host, port = settings["HOST"] or "localhost", int(settings["PORT"] or 5432)
    connections["default"].ensure_connection()  # Django's own connection does not go through it
    with Tap(tmp_path, host, port).listening() as tap:
        monkeypatch.setitem(settings, "HOST", str(tmp_path))
        monkeypatch.setitem(settings, "PORT", "5432")
        yield tap


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_rust(tap: Tap, subtests: Any) -> None:
    fill("default")
    for name, (query, expected) in CASES.items():
        with subtests.test(name), Ways(query, "default") as ways:
            for way in ("native", "queryset"):
                ways._get(way)  # opens the connection
                before = tap.executed
                ways._get(way)
                assert tap.executed - before == expected


@pytest.mark.django_db(transaction=True)
def test_of_django(subtests: Any) -> None:
    fill("default")
    for name, (query, expected) in CASES.items():
        with subtests.test(name), Ways(query, "default") as ways:
            for way in ("native", "queryset"):
                with CaptureQueriesContext(connections["default"]) as queries:
                    ways._get(way)
                assert len(queries) == expected


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_pages(tap: Tap) -> None:
    fill("default")
    api = API()
    api.resource(Author, page=PageNumber(size=4))

    @api.get("/page")
    async def page() -> Page[Author]:
        return Page(Author.objects.all(), number=2, size=4)

    with TestClient(api) as client:
        for path in ("/authors?page=2", "/page"):
            assert len(client.get(path).json()["results"]) == 4
            before = tap.executed
            client.get(path)
            assert tap.executed - before == 2
        with CaptureQueriesContext(connections["default"]) as queries:
            client.get("/authors?page=2")
        assert len(queries) == 2
