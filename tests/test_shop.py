"""The sample shop: its seed is the same every time and adds nothing twice."""

from __future__ import annotations

from io import StringIO

import pytest
from catalog import seeding
from catalog.models import Article, Author, Category, Comment
from catalog.progress import track
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plectrum import API
from plectrum.testing import TestClient


def seed(articles: int) -> str:
    out = StringIO()
    call_command("seed", articles=articles, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_seed_twice_adds_nothing() -> None:
    seed(30)
    counts = [model.objects.count() for model in (Article, Author, Category, Comment)]
    assert counts[:3] == [30, seeding.AUTHORS, 15]
    assert seed(30) == "The shop has 30 articles already.\n"
    assert [model.objects.count() for model in (Article, Author, Category, Comment)] == counts


@pytest.mark.django_db
def test_seed_continues_where_it_stopped() -> None:
    seed(10)
    seed(25)
    assert list(Article.objects.values_list("slug", flat=True)) == [f"article-{number}" for number in range(1, 26)]


def test_rows_are_the_same_every_time() -> None:
    first, second = (seeding.article(7, [1, 2, 3], [4, 5]) for _ in range(2))
    values = [{f.attname: getattr(row, f.attname) for f in Article._meta.concrete_fields} for row in (first, second)]
    assert values[0] == values[1]
    assert values[0] != {
        f.attname: getattr(seeding.article(8, [1], [4]), f.attname) for f in Article._meta.concrete_fields
    }


def test_rows_fit_their_fields() -> None:
    for number in range(1, 200):
        article = seeding.article(number, [1], [1])
        article.full_clean(exclude=["author", "category"], validate_unique=False)
        author = seeding.author(number)
        author.full_clean(validate_unique=False)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_in_a_terminal_is_one_line() -> None:
    out = Terminal()
    assert list(track([1, 2], "articles", 1500, out, size=1000)) == [1, 2]
    drawn = out.getvalue().split("\r")
    assert drawn[1].startswith("  articles     █████████████████████░░░░░░░░░░░   1,000 / 1,500")
    assert drawn[2].startswith("  articles     ████████████████████████████████   1,500 / 1,500")
    assert drawn[2].endswith("s\n")


def test_progress_elsewhere_is_a_line_per_tenth() -> None:
    out = StringIO()
    list(track(range(100), "articles", 100, out))
    assert len(out.getvalue().splitlines()) == 10


@pytest.mark.django_db
def test_rows_three_levels_deep_take_four_statements_at_most() -> None:
    from shop.graph import graph

    seed(30)
    api = API(openapi_url=None)
    api.graphql("/graphql", graph)
    query = """{ authors(limit: 100) { name articles(limit: 10) {
        title category { name } tags { name } comments(limit: 3) { name stars }
    } } }"""
    with TestClient(api) as client, CaptureQueriesContext(connection) as queries:
        answer = client.post("/graphql", json={"query": query}).json()
    assert "errors" not in answer
    assert any(article["comments"] for author in answer["data"]["authors"] for article in author["articles"])
    assert len(queries) <= 4
