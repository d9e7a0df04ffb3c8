"""``plectrum.strawberry``: pipeline results inside a Strawberry schema, over real FastAPI and Django views."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

strawberry = pytest.importorskip("strawberry")

from django.http import HttpRequest  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from strawberry.django.views import GraphQLView  # noqa: E402
from strawberry.fastapi import GraphQLRouter  # noqa: E402
from strawberry.types import Info  # noqa: E402

from plectrum.pipeline import (  # noqa: E402  # noqa: E402
    Field,
    RustResponseBytes,
    build_list_response,
    build_multi_field_response,
    build_single_response,
)
from plectrum.strawberry import PipelineExecutionContext, PipelineResponses, Spliced, selection  # noqa: E402

ROWS = [
    '{"id": 1, "full_title": "a \\"quoted\\" }} title", "views": 12345678901234567890, "author": {"full_name": "Ada"}}',
    '{"id": 2, "full_title": "two", "views": 1.10, "author": null}',
]


@strawberry.type
class Author:
    full_name: str


@strawberry.type
class Article:
    id: int
    full_title: str
    views: float
    author: Author | None

    @strawberry.field
    def comments(self, first: int = 10) -> list[str]:
        return []


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Shelf(Named):
    @strawberry.field
    async def articles(self, info: Info) -> list[Article]:
        return RustResponseBytes(build_list_response(ROWS, "articles", select=selection(info)))  # type: ignore[return-value]


def finished(body: bytes) -> Any:
    return RustResponseBytes(body)


@strawberry.type
class Query:
    @strawberry.field
    async def articles(self, info: Info) -> list[Article]:
        return finished(build_list_response(ROWS, "articles", "Article", select=selection(info)))

    @strawberry.field
    def article(self, info: Info, id: int) -> Article | None:
        row = ROWS[id - 1] if id <= len(ROWS) else None
        return finished(build_single_response(row, "article", "Article", select=selection(info)))

    @strawberry.field
    def needed(self) -> Article:
        return finished(build_single_response(None, "needed"))

    @strawberry.field
    def mistaken(self) -> list[Article] | None:
        return finished(build_single_response(ROWS[0], "mistaken"))

    @strawberry.field
    def several(self) -> Article | None:
        fields = [Field("a", ROWS[0], many=False), Field("b", ROWS[1], many=False)]
        return finished(build_multi_field_response(fields))

    @strawberry.field
    def text(self) -> str | None:
        return finished(build_single_response(ROWS[0], "text"))

    @strawberry.field
    def anything(self, info: Info) -> Named | None:
        return finished(build_single_response(ROWS[0], "anything", select=selection(info)))

    @strawberry.field
    def plain(self) -> str:
        return "plain"

    @strawberry.field
    def shelves(self) -> list[Shelf]:
        return [Shelf(name="one"), Shelf(name="two")]


schema = strawberry.Schema(Query, execution_context_class=PipelineExecutionContext)


class Router(PipelineResponses, GraphQLRouter[None, None]): ...


class View(PipelineResponses, GraphQLView[None, None]): ...


app = FastAPI()
app.include_router(Router(schema), prefix="/graphql")


def ask(query: str, **variables: Any) -> httpx.Response:
    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
            return await client.post("/graphql", json={"query": query, "variables": variables})

    return asyncio.run(post())


def test_bytes_of_a_list_reach_the_client_untouched() -> None:
    answer = ask("{ plain articles { title: fullTitle views author { fullName } } }")
    assert answer.headers["content-type"] == "application/json"
    assert b'"articles":[{"title":"a \\"quoted\\" }} title","views":12345678901234567890,' in answer.content
    assert b'"views":1.10,"author":null}]' in answer.content
    assert answer.json()["data"]["plain"] == "plain"


def test_aliases_fragments_and_directives_choose_the_fields() -> None:
    query = """query ($no: Boolean!, $yes: Boolean!) {
      first: article(id: 1) { ...F number: id views @include(if: $no) }
      second: article(id: 2) { __typename id @skip(if: $yes) }
    }
    fragment F on Article { author { ... on Author { name: fullName } } }"""
    assert ask(query, no=False, yes=True).json() == {
        "data": {"first": {"author": {"name": "Ada"}, "number": 1}, "second": {"__typename": "Article"}}
    }


def test_results_inside_of_lists_are_spliced_each() -> None:
    answer = ask("{ shelves { name articles { id } } }").json()
    assert answer == {"data": {"shelves": [{"name": n, "articles": [{"id": 1}, {"id": 2}]} for n in ("one", "two")]}}


def test_null_follows_the_types() -> None:
    assert ask("{ article(id: 9) { id } }").json() == {"data": {"article": None}}
    answer = ask("{ needed { id } }").json()
    assert answer["data"] is None
    assert "Cannot return null for non-nullable field Query.needed" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ mistaken { id } }", '"mistaken" is of type [Article!] and its pipeline result is not: use build_list'),
        ("{ several { id } }", "not a response of one field: expected the end of a response of one field at byte"),
        ("{ text }", '"text" is of type String; a pipeline result is an object or a list of objects.'),
        ("{ anything { name } }", "Named is an interface or a union; a pipeline result needs to know"),
        ("{ article(id: 1) { comments(first: 2) } }", '"comments" takes arguments'),
    ],
)
def test_mistakes_are_errors_of_their_field(query: str, message: str) -> None:
    answer = ask(query).json()
    assert message in answer["errors"][0]["message"]
    assert list(answer["data"].values()) == [None]


def test_a_client_cannot_name_a_spliced_value() -> None:
    guess = str(Spliced(RustResponseBytes(b'{"data":{"a":{"secret":1}}}')))
    answer = ask(f'{{ __typename @include(if: true) a: __type(name: "{guess}") {{ name }} plain }}')
    assert "secret" not in answer.text


def test_django_views_write_them_too() -> None:
    request: HttpRequest = RequestFactory().post(
        "/graphql", json.dumps({"query": "{ article(id: 2) { id fullTitle } }"}), content_type="application/json"
    )
    response = View.as_view(schema=schema)(request)
    assert response.content == b'{"data":{"article":{"id":2,"fullTitle":"two"}}}'
