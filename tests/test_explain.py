"""`plectrum explain`: a route's way and why, its statements, and the database's plans for them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from catalog.models import Article, Author
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from pytest_django import Settings

from plectrum import API, ConfigurationError, PageNumber
from plectrum.explain import explain, plan_of

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def api() -> API:
    api = API(prefix="/api")

    @api.query.get("/authors/{author_id}/articles", ordering=["views"], page=PageNumber(size=5), filters=["status"])
    def articles(author_id: int) -> QuerySet[Article]:
        return Article.objects.filter(author_id=author_id).prefetch_related("tags")

    @api.get("/authors/{author_id}")
    async def author(author_id: int) -> Author:
        return Author.objects.filter(pk=author_id)  # type: ignore[return-value]

    @api.get("/authors/best")
    async def best() -> dict[str, Any]:
        return {}

    @api.post("/authors/best", sync=True)
    def vote() -> None: ...

    return api


def test_a_native_route(api: API) -> None:
    found = explain(api, "articles")
    assert (found.method, found.way) == ("GET", "native")
    assert found.why == ["A query function: planned at start-up, no Python runs for a request."]
    assert found.variants == ["status", "ordering=views"]
    # The page's rows, their tags, and how many there are.
    assert len(found.statements) == 3
    assert found.where.startswith("tests/test_explain.py:")
    rows = next(statement for statement in found.statements if "LIMIT" in statement.sql)
    wanted = "catalog_article" if connection.vendor == "sqlite" else "on catalog_article"
    assert wanted in rows.plan


def test_a_queryset_route(api: API) -> None:
    found = explain(api, "/api/authors/7")
    assert (found.path, found.way, found.statements) == ("/api/authors/{author_id}", "queryset", [])
    [why] = found.why
    assert (
        why == "The handler returns Author: Python builds the query for each request, Rust executes it and writes JSON."
    )


def test_an_object_route_is_written_out_before_parameters(api: API) -> None:
    assert explain(api, "/api/authors/best").name == "best"
    found = explain(api, "/api/authors/best", "post")
    assert (found.method, found.why[-1]) == ("POST", "sync=True: it runs in the thread pool.")


def test_a_request_that_is_sent(api: API) -> None:
    Author.objects.create(pk=7, name="Ada", email="ada@example.com", joined_at="2024-01-01T00:00Z")
    found = explain(api, "/api/authors/7", run=True)
    [statement] = found.statements
    assert statement.sql.startswith("SELECT")
    assert "catalog_author" in statement.plan
    with pytest.raises(ConfigurationError, match=r"GET /api/authors/x answered 422"):
        explain(api, "/api/authors/x", run=True)
    with pytest.raises(ConfigurationError, match="--run sends a GET"):
        explain(api, "articles", run=True)


def test_who_is_meant(api: API) -> None:
    with pytest.raises(ConfigurationError, match=r"^No route answers 'artikles'\. Did you mean 'articles'\?$"):
        explain(api, "artikles")
    with pytest.raises(ConfigurationError, match=r"^No route answers PUT 'articles'\."):
        explain(api, "articles", "put")


def test_what_cannot_be_explained_says_so_and_spoils_nothing() -> None:
    assert "nowhere" in plan_of("SELECT * FROM nowhere")
    assert Author.objects.count() == 0
    assert plan_of("SELECT 'a % b'")


def test_the_command(settings: Settings) -> None:
    settings.PLECTRUM = {"API": "shop.api.api"}
    out = StringIO()
    call_command("plectrum", "explain", "/api/categories", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("GET /api/categories  (categories, ")
    assert lines[1:4] == [
        "way         native",
        "why         A query function: planned at start-up, no Python runs for a request.",
        "statements  2",
    ]
    assert lines[5].startswith("1. SELECT")
    out = StringIO()
    call_command("plectrum", "explain", "full_article", "--json", "--no-plan", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["way"], len(found["statements"]), found["statements"][0]["plan"]) == ("native", 3, "")
    with pytest.raises(CommandError, match="No route answers '/nowhere'"):
        call_command("plectrum", "explain", "/nowhere")
