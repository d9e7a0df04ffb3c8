"""Fields that functions answer: their types in the schema, arguments, results, rows among them, and what is refused."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import decimal
import enum
import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from catalog.models import Article, Author, Comment, Tag
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Invalid
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from plectrum import API, Field, Request, Schema, UploadFile
from plectrum.errors import ConfigurationError, NotFound, Unauthorized
from plectrum.graphql import ID, BigInt, GraphQL, GraphQLError, Info, Type
from plectrum.params import File
from plectrum.testing import TestClient

pytestmark = pytest.mark.django_db

NOW = "2026-01-02T03:04:05Z"


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Draft(Schema):
    word_count: Annotated[int, Field(ge=1)]
    sizes: list[Size] = Field(default_factory=list)
    note: str | None = None


@dataclasses.dataclass
class Inner:
    moment: datetime.datetime
    price: decimal.Decimal


@dataclasses.dataclass
class Summary:
    draft: Draft
    size: Size | None
    inner: list[Inner]
    best: Article | None = None
    rest: list[Article] = dataclasses.field(default_factory=list)


def client(graph: GraphQL) -> TestClient:
    api = API(openapi_url=None)
    api.graphql("/graphql", graph)
    return TestClient(api)


def ask(graph: TestClient, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    return graph.post("/graphql", json={"query": query, "variables": variables}, headers=headers).json()


def value(graph: TestClient, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    """The only field of an answer without errors."""
    answer = ask(graph, query, headers, **variables)
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    return found


@pytest.fixture
def articles(db: None) -> list[Article]:
    author = Author.objects.create(name="A", email="a@b.cd", country="fr", joined_at=NOW)
    return [
        Article.objects.create(
            author=author, title=title, slug=title, body="b", price=1, created_at=NOW, updated_at=NOW, status=status
        )
        for title, status in (("one", "live"), ("two", "draft"), ("three", "live"))
    ]


# ── Types ──────────────────────────────────────────────────────────────────────────────────────


def test_annotations_become_types() -> None:
    graph = GraphQL([Article])

    @graph.query
    async def everything(
        a: int,
        b_c: BigInt | None,
        d: list[uuid.UUID],
        e: ID,
        f: dict[str, Any],
        draft: Draft,
        article: Article,
        status: Article.Status = Article.Status.LIVE,
        g: float = 1.5,
    ) -> Summary | None:
        """All there is."""

    @graph.mutation
    async def count() -> int:
        return 1

    @graph.mutation(name="shown")
    async def show() -> Article:
        raise NotImplementedError

    @graph.subscription
    async def ticks() -> AsyncIterator[datetime.timedelta]:
        yield datetime.timedelta()

    sdl = graph.sdl
    arguments = (
        "a: Int!, bC: BigInt, d: [UUID!]!, e: ID!, f: JSON!, draft: DraftInput!, article: ID!, "
        "status: ArticleStatus, g: Float"
    )
    for definition in (
        f'"""All there is."""\n  everything({arguments}): Summary\n',
        "input DraftInput {\n  wordCount: Int!\n  sizes: [Size!]\n  note: String\n}",
        "type Draft {\n  wordCount: Int!\n  sizes: [Size!]!\n  note: String\n}",
        "type Summary {\n  draft: Draft!\n  size: Size\n  inner: [Inner!]!\n  best: Article\n  rest: [Article!]!\n}",
        "type Inner {\n  moment: DateTime!\n  price: Decimal!\n}",
        "enum Size {\n  SMALL\n  LARGE\n}",
        "type CountDone {\n  value: Int!\n}",
        "union CountResult = CountDone | Refused",
        "type Mutation {\n  count: CountResult\n  shown: ShownResult\n}",
        "union ShownResult = Article | Refused",
        "type Subscription {\n  ticks: Duration!\n}",
    ):
        assert definition in sdl, f"{definition}\nis not in\n{sdl}"


def test_what_cannot_be_a_field_is_refused_with_its_line() -> None:
    graph = GraphQL([Article])

    def plain() -> int:
        return 1

    async def waiting() -> int:
        return 1

    async def many() -> AsyncIterator[int]:
        yield 1

    for declare, function, why in (
        (graph.query, plain, "is a plain 'def'"),
        (graph.mutation(sync=True), waiting, "Remove sync=True"),
        (graph.subscription, waiting, "is no async generator"),
        (graph.query, many, "only a subscription's function does"),
    ):
        with pytest.raises(ConfigurationError, match=rf"test_functions\.py:\d+: .*{why}"):
            declare(function)  # type: ignore[operator]


async def untyped(a) -> int: ...  # type: ignore[no-untyped-def,empty-body]
async def silent(a: int): ...  # type: ignore[no-untyped-def]
async def strange(a: int) -> object: ...  # type: ignore[empty-body]
async def unknown(a: int) -> Tag: ...  # type: ignore[empty-body]
async def nested(a: int) -> list[Summary]: ...  # type: ignore[empty-body]
async def either(a: int | str) -> int: ...  # type: ignore[empty-body]
async def spread(*a: int) -> int: ...  # type: ignore[empty-body]
async def articles_again(a: int) -> int: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (untyped, "the parameter 'a' has no annotation"),
        (silent, "its result has no type"),
        (strange, "object has no counterpart in GraphQL"),
        (unknown, "Tag is not in the graph. Add it to GraphQL"),
        (nested, "Article is a row within a list of objects"),
        (either, "only 'X | None' has"),
        (spread, "the parameter 'a' has no name"),
    ],
)
def test_what_has_no_type_is_refused_at_start(function: Any, why: str) -> None:
    graph = GraphQL([Article])
    graph.query(function)
    with pytest.raises(ConfigurationError, match=rf"test_functions\.py:\d+: {function.__name__}\(\): .*{why}"):
        _ = graph.sdl


def test_nobody_takes_the_place_of_a_model() -> None:
    graph = GraphQL([Article])
    graph.query(name="articles")(articles_again)
    with pytest.raises(ConfigurationError, match=r"the models make the field Query.articles already"):
        _ = graph.sdl
    graph = GraphQL([Article])
    graph.query(articles_again)
    graph.query(articles_again)
    with pytest.raises(ConfigurationError, match=r"has a second Query.articlesAgain"):
        _ = graph.sdl
    made = GraphQL([Article])
    _ = made.sdl
    with pytest.raises(ConfigurationError, match="made already"):
        made.query(articles_again)


# ── Arguments and results ──────────────────────────────────────────────────────────────────────


def test_arguments_are_pythons_and_results_graphqls() -> None:
    graph = GraphQL([Article])
    seen: list[Any] = []

    @graph.query
    async def echo(
        draft: Draft, size: Size, big: BigInt, ids: list[ID], when: datetime.datetime, n: int = 7, raw: bytes = b""
    ) -> Summary:
        await asyncio.sleep(0)
        seen.append((draft, size, big, ids, when, n, raw))
        return Summary(draft, size, [Inner(when, decimal.Decimal("1.50"))])

    query = """query ($d: DraftInput!, $when: DateTime!) {
        x: echo(draft: $d, size: LARGE, big: "9007199254740993", ids: [1, "b"], when: $when, raw: "aGk=") {
            d: draft { wordCount sizes note } size inner { moment price __typename } best { id } __typename
        }
    }"""
    with client(graph) as asked:
        shown = value(asked, query, d={"wordCount": 3, "sizes": ["SMALL", "LARGE"]}, when="2026-01-02T03:04:05+01:00")
    assert shown == {
        "d": {"wordCount": 3, "sizes": ["SMALL", "LARGE"], "note": None},
        "size": "LARGE",
        "inner": [{"moment": "2026-01-02T03:04:05+01:00", "price": "1.50", "__typename": "Inner"}],
        "best": None,
        "__typename": "Summary",
    }
    ((draft, size, big, ids, when, n, raw),) = seen
    assert draft == Draft(word_count=3, sizes=[Size.SMALL, Size.LARGE])
    assert (size, big, ids, n, raw) == (Size.LARGE, 9007199254740993, ["1", "b"], 7, b"hi")
    assert when.utcoffset() == datetime.timedelta(hours=1)


def test_every_mistake_is_told_at_its_place() -> None:
    graph = GraphQL([Article])

    @graph.mutation
    async def make(draft: Draft, n: Annotated[int, Field(le=5)]) -> int:
        raise AssertionError("not called")

    @graph.query
    async def read(n: Annotated[int, Field(le=5)]) -> int:
        raise AssertionError("not called")

    query = """mutation ($d: DraftInput!) { make(draft: $d, n: 6) {
        ... on CountDone { value } ... on Refused { errors { field code message } }
    } }""".replace("CountDone", "MakeDone")
    with client(graph) as asked:
        refused = value(asked, query, d={"wordCount": 0})
        assert [(error["field"], error["code"]) for error in refused["errors"]] == [
            ("draft.wordCount", "greater_than_equal"),
            ("n", "less_than_equal"),
        ]
        answer = ask(asked, "{ read(n: 9) }")
    assert answer["data"] == {"read": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["read"], "BAD_USER_INPUT")
    assert error["message"].startswith("n: ")


def test_an_integer_past_32_bits_is_ours(caplog: pytest.LogCaptureFixture) -> None:
    graph = GraphQL([Article])

    @graph.query
    async def large() -> int:
        return 2**31

    with client(graph) as asked:
        (error,) = ask(asked, "{ large }")["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "BigInt" in caplog.text


# ── Rows ───────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_shown_by_queries_in_their_order(articles: list[Article]) -> None:
    graph = GraphQL([Article, Author])

    @graph.query
    async def best() -> Article:
        return articles[1]

    @graph.query
    async def ranked(keys: list[int]) -> list[Article]:
        return [Article(pk=key) for key in keys]

    @graph.query
    async def summary() -> Summary:
        return Summary(Draft(word_count=1), None, [], articles[2], [articles[1], articles[0]])

    keys = [article.pk for article in (articles[2], articles[0], articles[1])]
    with client(graph) as asked:
        shown = value(asked, "{ best { title author { name } } }")
        assert shown == {"title": "two", "author": {"name": "A"}}
        query = "query ($k: [Int!]!, $n: Int!) { ranked(keys: $k) { title author { articles(limit: $n) { id } } } }"
        with CaptureQueriesContext(connection) as queries:
            shown = value(asked, query, k=[*keys, -1], n=2)
        assert [row["title"] for row in shown] == ["three", "one", "two"]
        assert [len(row["author"]["articles"]) for row in shown] == [2, 2, 2]
        assert len(queries) == 2
        assert value(asked, "{ ranked(keys: []) { title } }") == []
        query = "{ summary { draft { wordCount } b: best { title } rest { title } inner { price } } }"
        assert value(asked, query) == {
            "draft": {"wordCount": 1},
            "b": {"title": "three"},
            "rest": [{"title": "two"}, {"title": "one"}],
            "inner": [],
        }


def test_rows_exist_for_functions_as_for_queries(articles: list[Article]) -> None:
    graph = GraphQL([Type(Article, rows=lambda rows, viewer: rows.filter(status=viewer.header("x-status"))), Author])

    @graph.query
    async def best() -> Article:
        return articles[1]

    @graph.query(sync=True)
    def every() -> list[Article]:
        return list(Article.objects.order_by("-pk"))

    @graph.mutation(sync=True)
    def publish(article: Article) -> Article:
        Article.objects.filter(pk=article.pk).update(title="changed")
        return article

    live, draft = {"x-status": "live"}, {"x-status": "draft"}
    mutation = """mutation ($id: ID!) { publish(article: $id) {
        ... on Article { title } ... on Refused { errors { field code } }
    } }"""
    with client(graph) as asked:
        assert value(asked, "{ best { title } }", draft) == {"title": "two"}
        assert value(asked, "{ best { title } }", live) is None
        assert [row["title"] for row in value(asked, "{ every { title } }", live)] == ["three", "one"]
        refused = {"errors": [{"field": "article", "code": "not_found"}]}
        for key in (articles[1].pk, "x", 77):
            assert value(asked, mutation, live, id=key) == refused
        assert value(asked, mutation, draft, id=articles[1].pk) == {"title": "changed"}
    assert set(Article.objects.values_list("title", flat=True)) == {"one", "changed", "three"}


def test_global_ids_name_rows_of_functions(articles: list[Article]) -> None:
    graph = GraphQL([Article, Author, Comment], global_ids=True)

    @graph.query
    async def of(article: Article, plain: ID) -> list[Article]:
        assert plain == id
        return [article]

    with client(graph) as asked:
        (first,) = value(asked, '{ articles(filter: {title: {eq: "two"}}) { id } }')
        id = first["id"]
        assert value(asked, "query ($id: ID!) { of(article: $id, plain: $id) { id title } }", id=id) == [
            {"id": id, "title": "two"}
        ]


# ── Files ──────────────────────────────────────────────────────────────────────────────────────

ASKED = {"graphql-require-preflight": "1"}


def uploads() -> GraphQL:
    graph = GraphQL([Article])

    @graph.mutation
    async def read(file: UploadFile, note: str = "") -> str:
        return f"{file.filename} {file.content_type} {(await file.read()).decode()}{note}"

    @graph.mutation
    async def sizes(
        files: list[UploadFile], photo: Annotated[UploadFile, File(max_size=3, media_types=("image/*",))] | None = None
    ) -> list[int]:
        return [file.size for file in files]

    return graph


def send(asked: TestClient, query: str, variables: Any, places: Any, headers: Any = None, **files: Any) -> Any:
    data = {"operations": json.dumps({"query": query, "variables": variables}), "map": json.dumps(places)}
    return asked.post("/graphql", data=data, files=files, headers=ASKED if headers is None else headers)


READ = """mutation ($f: Upload!) { read(file: $f) {
    ... on ReadDone { value } ... on Refused { errors { field code } }
} }"""
SIZES = """mutation ($f: [Upload!]!, $p: Upload) { sizes(files: $f, photo: $p) {
    ... on SizesDone { value } ... on Refused { errors { field code } }
} }"""


def test_files_come_in_multipart_requests() -> None:
    assert "read(file: Upload!, note: String): ReadResult" in uploads().sdl
    with client(uploads()) as asked:
        answer = send(asked, READ, {"f": None}, {"0": ["variables.f"]}, **{"0": ("a.txt", b"hello", "text/plain")})
        assert answer.json() == {"data": {"read": {"value": "a.txt text/plain hello"}}}
        places = {"x": ["variables.f.1"], "y": ["variables.f.0"]}
        answer = send(asked, SIZES, {"f": [None, None]}, places, x=("x", b"1"), y=("y", b"22"))
        assert answer.json() == {"data": {"sizes": {"value": [2, 1]}}}


def test_a_page_of_another_origin_cannot_send_files_unasked() -> None:
    with client(uploads()) as asked:
        answer = send(asked, READ, {"f": None}, {"0": ["variables.f"]}, {}, **{"0": ("a", b"x")})
        assert answer.status_code == 400
        assert "GraphQL-Require-Preflight" in answer.json()["errors"][0]["message"]


def test_what_is_no_file_is_refused() -> None:
    with client(uploads()) as asked:
        for given in (0, "x", {"a": 1}):
            assert value(asked, READ, f=given) == {"errors": [{"field": "file", "code": "file"}]}
        answer = send(asked, READ, {"f": 1}, {"0": ["variables.f"]}, **{"0": ("a", b"x")})
        assert answer.status_code == 400
        places = {"x": ["variables.f.0"], "y": ["variables.p"]}
        for content, kind, code in ((b"1234", "image/png", "file_too_large"), (b"1", "text/plain", "file_type")):
            answer = send(asked, SIZES, {"f": [None], "p": None}, places, x=("x", b"1"), y=("y", content, kind))
            assert answer.json()["data"]["sizes"] == {"errors": [{"field": "photo", "code": code}]}


def test_forms_are_for_graphs_that_take_files() -> None:
    with client(GraphQL([Article])) as asked:
        answer = send(asked, "{ __typename }", {}, {})
        assert answer.status_code == 415


# ── Who may, and what is refused ───────────────────────────────────────────────────────────────


def test_refusals_are_typed() -> None:
    graph = GraphQL([Article])
    errors: dict[str, Exception] = {
        "denied": PermissionDenied("Not you."),
        "missing": Http404("Gone."),
        "unknown": NotFound("Not here."),
        "who": Unauthorized("Say who you are."),
        "wrong": Invalid({"title": [Invalid("Too long.", code="max_length")]}),
        "other": GraphQLError("Not like this."),
    }

    @graph.mutation
    async def change(how: str) -> int:
        raise errors[how]

    @graph.query
    async def read(how: str) -> int:
        raise errors[how]

    mutation = "mutation ($how: String!) { change(how: $how) { ... on Refused { errors { field code message } } } }"
    expected = {
        "denied": (None, "forbidden", "Not you.", "FORBIDDEN"),
        "missing": (None, "not_found", "Gone.", "NOT_FOUND"),
        "unknown": (None, "not_found", "Not here.", "NOT_FOUND"),
        "who": (None, "unauthorized", "Say who you are.", "UNAUTHENTICATED"),
        "wrong": ("title", "max_length", "Too long.", "BAD_USER_INPUT"),
        "other": (None, "invalid", "Not like this.", "BAD_USER_INPUT"),
    }
    with client(graph) as asked:
        for how, (field, code, message, told) in expected.items():
            (error,) = value(asked, mutation, how=how)["errors"]
            assert (error["field"], error["code"], error["message"]) == (field, code, message)
            (error,) = ask(asked, "query ($how: String!) { read(how: $how) }", how=how)["errors"]
            assert error["extensions"] == {"code": told}
            assert message in error["message"]


def test_what_fails_is_an_error_of_its_field_alone(caplog: pytest.LogCaptureFixture) -> None:
    graph = GraphQL([Article])
    calls: list[str] = []

    @graph.mutation
    async def step(name: str) -> str:
        calls.append(name)
        await asyncio.sleep(0)
        if name == "b":
            raise RuntimeError("a secret")
        return name

    fields = " ".join(f'{name}: step(name: "{name}") {{ ... on StepDone {{ value }} }}' for name in "abc")
    with client(graph) as asked:
        answer = ask(asked, f"mutation {{ {fields} }}")
    assert calls == ["a", "b", "c"], "one after the other, whatever becomes of them"
    assert answer["data"] == {"a": {"value": "a"}, "b": None, "c": {"value": "c"}}
    (error,) = answer["errors"]
    assert (error["path"], error["message"]) == (["b"], "Internal server error.")
    assert "a secret" in caplog.text


def test_the_request_is_at_hand() -> None:
    graph = GraphQL([Article])

    @graph.query
    async def told(info: Info, request: Request) -> list[str]:
        assert not info.params
        return [request.path, info.request.method, str(info.viewer.header("x-a", int)), str(request.header("x-a"))]

    @graph.query(allow=lambda viewer: viewer.header("x-a") == "1")
    async def guarded() -> bool:
        return True

    with client(graph) as asked:
        assert value(asked, "{ told }", {"x-a": "1"}) == ["/graphql", "POST", "1", "1"]
        answer = ask(asked, "{ a: guarded b: articlesAggregate { count } }")
        assert answer["data"] == {"a": None, "b": {"count": 0}}
        assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
        assert value(asked, "{ guarded }", {"x-a": "1"}) is True
