"""Mutations of models: Django's rules, signals and transactions; answers by queries; mistakes as typed errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from plectrum import API
from plectrum.errors import ConfigurationError
from plectrum.graphql import GraphQL, Type, Viewer
from plectrum.resources.inputs import editable_fields
from plectrum.testing import TestClient, TestResponse
from tests.differential.strategies import edges_of
from tests.zoo.models import EVERYWHERE, POSTGRES, Label

pytestmark = pytest.mark.django_db

ALL = ("create", "update", "delete")
NOW = "2026-01-02T03:04:05Z"
REFUSED = "... on Refused { errors { field code } }"


def client(*types: Any, **options: Any) -> TestClient:
    api = API(openapi_url=None)
    api.graphql("/graphql", GraphQL(types, **options))
    return TestClient(api, debug=True)


@pytest.fixture
def graph(db: None) -> Iterator[TestClient]:
    types = [Type(model, writes=ALL) for model in (Article, Author, Category, Comment, Tag, Label)]
    with client(*types) as made:
        yield made


@pytest.fixture
def author(db: None) -> Author:
    return Author.objects.create(name="A", email="a@b.cd", country="fr", joined_at=NOW)


def post(graph: TestClient, query: str, headers: dict[str, str] | None = None, **variables: Any) -> TestResponse:
    return graph.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


def data(graph: TestClient, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    answer = post(graph, query, headers, **variables).json()
    assert "errors" not in answer, answer
    return answer["data"]


def result(graph: TestClient, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    """The only field's value."""
    (value,) = data(graph, query, headers, **variables).values()
    return value


def article(author: Author, **changes: Any) -> dict[str, Any]:
    """The input of a new article."""
    needed = {"title": "T", "slug": "t", "body": "b", "price": "12.50", "createdAt": NOW, "updatedAt": NOW}
    return {**needed, "authorId": author.pk, **changes}


CREATE = """mutation ($input: ArticleCreate!) { createArticle(input: $input) {
    ... on Article {
        id title price status publishedOn createdAt details readingTime airsAt author { name } category { name }
        tags(orderBy: [{name: ASC}]) { name }
    }
    ... on Refused { errors { field code message } }
} }"""


def test_a_row_is_made_and_shown_by_the_query_for_it(graph: TestClient, author: Author) -> None:
    category = Category.objects.create(name="C", slug="c")
    tags = [Tag.objects.create(name=name, slug=name) for name in "xy"]
    details = {"a": [1, None, {"b": 1.5}]}
    given = article(
        author,
        status="LIVE",
        publishedOn="2026-01-02",
        createdAt="2026-01-02T05:04:05+02:00",
        details=details,
        readingTime="00:01:30",
        airsAt="20:15:00",
        categoryId=str(category.pk),
        tags=[tag.pk for tag in tags],
    )
    shown = result(graph, CREATE, input=given)
    made = Article.objects.get()
    assert shown == {
        "id": str(made.pk),
        "title": "T",
        "price": "12.50",
        "status": "LIVE",
        "publishedOn": "2026-01-02",
        "createdAt": NOW,
        "details": details,
        "readingTime": "00:01:30",
        "airsAt": "20:15:00",
        "author": {"name": "A"},
        "category": {"name": "C"},
        "tags": [{"name": "x"}, {"name": "y"}],
    }
    assert made.status == Article.Status.LIVE
    assert set(made.tags.all()) == set(tags)


def test_literals_are_read_as_variables_are(graph: TestClient, author: Author) -> None:
    query = f"""mutation {{ createArticle(input: {{
        title: "T", slug: "t", body: "b", price: 2, createdAt: "{NOW}", updatedAt: "{NOW}", authorId: {author.pk},
        status: ARCHIVED, featured: true, details: {{a: [1, ENUM]}}, rating: 2, views: 7, categoryId: null
    }}) {{ ... on Article {{ price status featured details rating views categoryId }} }} }}"""
    assert result(graph, query) == {
        "price": "2.00", "status": "ARCHIVED", "featured": True, "details": {"a": [1, "ENUM"]}, "rating": 2.0,
        "views": 7, "categoryId": None,
    }  # fmt: skip


def test_every_mistake_has_its_field(graph: TestClient, author: Author) -> None:
    given = article(author, title="T" * 201, price="much", slug="no slug", createdAt="soon", authorId=77, views=-1)
    refused = result(graph, CREATE, input=given)
    assert {(error["field"], error["code"]) for error in refused["errors"]} == {
        ("title", "max_length"), ("price", "invalid"), ("slug", "invalid"), ("createdAt", "invalid"),
        ("authorId", "invalid"), ("views", "min_value"),
    }  # fmt: skip
    assert not Article.objects.exists()


def test_nothing_is_written_where_a_related_row_is_missing(graph: TestClient, author: Author) -> None:
    for keys, code in (([77], "not_found"), (["no number"], "invalid")):
        refused = result(graph, CREATE, input=article(author, tags=keys))
        assert [(error["field"], error["code"]) for error in refused["errors"]] == [("tags", code)]
    assert not Article.objects.exists()


def test_what_the_database_refuses_has_its_field(
    graph: TestClient, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Article, "full_clean", lambda *_, **__: None)  # as if another request came in between
    result(graph, CREATE, input=article(author))
    refused = result(graph, CREATE, input=article(author))
    assert [(error["field"], error["code"]) for error in refused["errors"]] == [("slug", "unique")]


def test_only_what_is_given_changes(graph: TestClient) -> None:
    parent = Category.objects.create(name="P", slug="p", position=4)
    child = Category.objects.create(name="C", slug="c", parent=parent, position=5)
    query = """mutation ($id: ID!, $input: CategoryUpdate!) {
        updateCategory(id: $id, input: $input) { ... on Category { name slug position parent { name } } }
    }"""
    changed = {"name": "D", "slug": "c", "position": 5, "parent": {"name": "P"}}
    assert result(graph, query, id=child.pk, input={"name": "D"}) == changed
    assert result(graph, query, id=child.pk, input={"parentId": None}) == {**changed, "parent": None}
    assert result(graph, query, id=child.pk, input={}) == {**changed, "parent": None}


def test_related_rows_are_replaced(graph: TestClient, author: Author) -> None:
    keys = [Tag.objects.create(name=name, slug=name).pk for name in "xyz"]
    (made,) = data(graph, CREATE, input=article(author, tags=keys[:2])).values()
    query = """mutation ($id: ID!, $tags: [ID!]) {
        updateArticle(id: $id, input: {tags: $tags}) { ... on Article { tags { name } } }
    }"""
    assert result(graph, query, id=made["id"], tags=keys[1:]) == {"tags": [{"name": "y"}, {"name": "z"}]}
    assert result(graph, query, id=made["id"], tags=None) == {"tags": []}


@pytest.mark.parametrize("key", ["77", "no number", "9" * 30])
def test_a_row_that_is_not_there(graph: TestClient, key: str) -> None:
    update = f'mutation ($id: ID!) {{ updateCategory(id: $id, input: {{name: "B"}}) {{ {REFUSED} }} }}'
    delete = f"mutation ($id: ID!) {{ deleteCategory(id: $id) {{ {REFUSED} }} }}"
    for query in (update, delete):
        assert result(graph, query, id=key) == {"errors": [{"field": None, "code": "not_found"}]}


def test_a_row_is_deleted_with_what_depends_on_it(graph: TestClient, author: Author) -> None:
    result(graph, CREATE, input=article(author))
    query = "mutation ($id: ID!) { gone: deleteAuthor(id: $id) { __typename ... on Deleted { key: id } } }"
    assert data(graph, query, id=author.pk) == {"gone": {"__typename": "Deleted", "key": str(author.pk)}}
    assert not Author.objects.exists()
    assert not Article.objects.exists()


def test_a_natural_key_is_given_and_does_not_change(graph: TestClient) -> None:
    query = """mutation { createLabel(input: {slug: "a-b", rank: 3}) { ... on Label { id rank } } }"""
    assert result(graph, query) == {"id": "a-b", "rank": 3}
    again = """mutation { createLabel(input: {slug: "a-b"}) { ... on Refused { errors { field code } } } }"""
    assert result(graph, again) == {"errors": [{"field": "slug", "code": "unique"}]}
    answer = post(graph, 'mutation { updateLabel(id: "a-b", input: {slug: "c"}) { __typename } }').json()
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_signals_are_sent(graph: TestClient) -> None:
    saved: list[str] = []

    def receive(instance: Any, **_: Any) -> None:
        saved.append(instance.name)

    post_save.connect(receive, sender=Tag)
    try:
        data(graph, 'mutation { createTag(input: {name: "A", slug: "a"}) { __typename } }')
    finally:
        post_save.disconnect(receive, sender=Tag)
    assert saved == ["A"]


def test_fields_are_written_one_after_the_other(graph: TestClient) -> None:
    query = """mutation {
        a: createLabel(input: {slug: "s"}) { ... on Label { rank } }
        b: updateLabel(id: "s", input: {rank: 5}) { ... on Label { rank } }
        c: createLabel(input: {slug: "s"}) { __typename }
        d: deleteLabel(id: "s") { __typename }
        e: updateLabel(id: "s", input: {rank: 6}) { __typename }
        __typename
    }"""
    assert data(graph, query) == {
        "a": {"rank": 0}, "b": {"rank": 5}, "c": {"__typename": "Refused"}, "d": {"__typename": "Deleted"},
        "e": {"__typename": "Refused"}, "__typename": "Mutation",
    }  # fmt: skip


def test_the_answer_may_select_nothing_of_the_row(graph: TestClient) -> None:
    query = 'mutation { createLabel(input: {slug: "s"}) { ... on Refused { errors { code } } } }'
    assert result(graph, query) == {}


def test_arguments_within_the_answer_are_bound(graph: TestClient) -> None:
    parent = Category.objects.create(name="P", slug="p")
    for name in "xyz":
        Category.objects.create(name=name, slug=name, parent=parent)
    query = """mutation ($id: ID!, $name: String!, $n: Int!, $of: [String!]) {
        updateCategory(id: $id, input: {name: $name}) {
            ... on Category { name children(limit: $n, filter: {name: {in: $of}}, orderBy: [{name: DESC}]) { name } }
        }
    }"""
    shown = result(graph, query, id=parent.pk, name="B", n=1, of=["x", "y"])
    assert shown == {"name": "B", "children": [{"name": "y"}]}


def test_a_fault_of_one_field_leaves_the_others(graph: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(Tag, "save", fail)
    query = """mutation {
        a: createTag(input: {name: "A", slug: "a"}) { __typename }
        b: createLabel(input: {slug: "s"}) { __typename }
    }"""
    answer = post(graph, query).json()
    assert answer["data"] == {"a": None, "b": {"__typename": "Label"}}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["a"], "INTERNAL_SERVER_ERROR")
    ]


def test_only_post_changes_anything(graph: TestClient) -> None:
    query = 'mutation { createLabel(input: {slug: "s"}) { __typename } }'
    answer = graph.get("/graphql", params={"query": query})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert not Label.objects.exists()


def test_a_write_is_one_transaction(graph: TestClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        data(graph, 'mutation { createTag(input: {name: "A", slug: "a"}) { ... on Tag { id name } } }')
    first, *middle, last, shown = [query["sql"].split()[0] for query in captured.captured_queries]
    assert (first, last, shown) == ("SAVEPOINT", "RELEASE", "SELECT")
    assert middle.count("INSERT") == 1


# ── Rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mine(authors: Any, viewer: Viewer) -> Any:
    return authors.filter(name=viewer.header("x-name"))


def may_write(action: str, viewer: Viewer) -> bool:
    return action != "delete" or viewer.header("x-staff", bool) is True


@pytest.fixture
def ruled(db: None) -> Iterator[TestClient]:
    with client(
        Type(Author, rows=mine, writes=ALL, may_write=may_write), Type(Article, writes=ALL), Tag, global_ids=True
    ) as made:
        yield made


def test_rows_of_others_are_not_there(ruled: TestClient, author: Author) -> None:
    query = f'mutation ($id: ID!) {{ updateAuthor(id: $id, input: {{bio: "x"}}) {{ __typename {REFUSED} }} }}'
    for headers in ({}, {"x-name": "B"}):
        assert result(ruled, query, headers, id=author.pk)["errors"] == [{"field": None, "code": "not_found"}]
    assert result(ruled, query, {"x-name": "A"}, id=author.pk) == {"__typename": "Author"}


def test_no_row_is_written_that_its_writer_must_not_know_of(ruled: TestClient, author: Author) -> None:
    forbidden = [{"field": None, "code": "forbidden"}]
    create = f"mutation ($input: AuthorCreate!) {{ createAuthor(input: $input) {{ {REFUSED} }} }}"
    given = {"name": "B", "email": "b@c.de", "country": "FR", "joinedAt": NOW}
    assert result(ruled, create, {"x-name": "A"}, input=given)["errors"] == forbidden
    update = f'mutation ($id: ID!) {{ updateAuthor(id: $id, input: {{name: "B"}}) {{ {REFUSED} }} }}'
    assert result(ruled, update, {"x-name": "A"}, id=author.pk)["errors"] == forbidden
    assert [one.name for one in Author.objects.all()] == ["A"]


def test_nobody_refers_to_rows_of_others(ruled: TestClient, author: Author) -> None:
    query = f"mutation ($input: ArticleCreate!) {{ createArticle(input: $input) {{ __typename {REFUSED} }} }}"
    given = article(author)
    refused = result(ruled, query, {"x-name": "B"}, input=given)
    assert refused["errors"] == [{"field": "authorId", "code": "not_found"}]
    assert result(ruled, query, {"x-name": "A"}, input=given) == {"__typename": "Article"}


def test_who_may_not_write(ruled: TestClient, author: Author) -> None:
    query = f"mutation ($id: ID!) {{ deleteAuthor(id: $id) {{ __typename {REFUSED} ... on Deleted {{ id }} }} }}"
    headers = {"x-name": "A"}
    assert result(ruled, query, headers, id=author.pk)["errors"] == [{"field": None, "code": "forbidden"}]
    known = data(ruled, "{authors {id}}", headers)["authors"][0]["id"]
    gone = result(ruled, query, {**headers, "x-staff": "true"}, id=known)
    assert gone == {"__typename": "Deleted", "id": known}
    assert not Author.objects.exists()


def test_an_id_of_another_type(ruled: TestClient, author: Author) -> None:
    tag = data(ruled, "query ($id: ID!) {tag(id: $id) {id}}", id=Tag.objects.create(name="t", slug="t").pk)["tag"]["id"]
    query = f"mutation ($input: ArticleCreate!) {{ createArticle(input: $input) {{ {REFUSED} }} }}"
    refused = result(ruled, query, {"x-name": "A"}, input=article(author, authorId=tag, tags=[tag]))
    assert refused["errors"] == [{"field": "authorId", "code": "invalid"}]
    delete = f"mutation ($id: ID!) {{ deleteArticle(id: $id) {{ {REFUSED} }} }}"
    assert result(ruled, delete, id=tag)["errors"] == [{"field": None, "code": "not_found"}]


# ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_writable(model: Any) -> bool:
    """Whether its column can be changed by what JSON can give."""
    given = {field.name for field, given, _ in editable_fields(model) if given}
    return "value" in given and model._meta.pk.name != "value"


def writable_kinds() -> Iterator[Any]:
    for kind, model in (EVERYWHERE | POSTGRES).items():
        if is_writable(model):
            yield pytest.param(kind, marks=[pytest.mark.postgresql] if kind in POSTGRES else [])


@pytest.mark.parametrize("kind", list(writable_kinds()))
def test_what_is_shown_can_be_written(db: None, kind: str) -> None:
    model = (EVERYWHERE | POSTGRES)[kind]
    update = f"""mutation ($id: ID!, $input: RowUpdate!) {{
        updateRow(id: $id, input: $input) {{ ... on Row {{ value }} {REFUSED} }}
    }}"""
    with client(Type(model, name="Row", writes=["update"], write_fields=["value"])) as graph:
        for value in edges_of(kind, connection.vendor):
            row = model._default_manager.create(value=value)
            shown = result(graph, "query ($id: ID!) { row(id: $id) { value } }", id=row.pk)
            written = result(graph, update, id=row.pk, input=shown)
            if "errors" in written:
                with pytest.raises(ValidationError):
                    row.clean_fields(exclude={"maybe"})
            else:
                assert written == shown


# ── The schema ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_can_be_written_unless_it_is_said() -> None:
    assert "Mutation" not in GraphQL([Tag]).sdl
    sdl = GraphQL([Type(Tag, writes=["update"])]).sdl
    assert "updateTag" in sdl
    assert "createTag" not in sdl
    assert "data" not in post(client(Tag), "mutation { createTag }").json()


def test_what_is_not_shown_is_not_written() -> None:
    hidden = GraphQL([Type(Category, exclude=["parent"], visible={"position": Q()}, writes=["create"])]).sdl
    assert "input CategoryCreate {\n  name: String!\n  slug: String!\n}" in hidden
    named = [Type(Category, fields=["name"], writes=["create"], write_fields=["name", "slug", "parent"])]
    assert "input CategoryCreate {\n  name: String!\n  slug: String!\n  parentId: ID\n}" in GraphQL(named).sdl


def test_mistakes_are_found_at_start_up() -> None:
    with pytest.raises(ConfigurationError, match="has no 'upsert'"):
        _ = GraphQL([Type(Tag, writes=["upsert"])]).sdl
    with pytest.raises(ConfigurationError, match="a new row needs 'title', which is not shown"):
        _ = GraphQL([Type(Article, exclude=["title"], writes=["create"])]).sdl
    with pytest.raises(ConfigurationError, match="no field can be written"):
        _ = GraphQL([Type(Tag, fields=["id"], writes=["update"])]).sdl
    with pytest.raises(ConfigurationError, match="cannot be written"):
        _ = GraphQL([Type(Tag, writes=["create"], write_fields=["nothing"])]).sdl
