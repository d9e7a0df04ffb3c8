"""`api.resource` writes as Django does: `full_clean`, `save`, signals, transactions; refusals name their field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.core.exceptions import ValidationError
from django.db.models.signals import post_delete, post_save

from plectrum import API, ConfigurationError
from plectrum.testing import TestClient

ALL = ("list", "retrieve", "create", "update", "partial_update", "delete", "bulk_create", "bulk_update", "bulk_delete")
pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def make_api() -> API:
    api = API()
    api.resource(Tag, actions=ALL)
    api.resource(Author, actions=ALL)
    api.resource(Article, actions=ALL, nested=["author", "tags", "comments"])
    api.resource(Category, actions=ALL, lookup="slug", fields=["id", "name", "slug", "parent"])
    api.resource(
        Comment,
        actions=ALL,
        queryset=lambda: Comment.objects.filter(approved=True),
        write_fields=["article", "name", "body", "approved", "created_at"],
    )
    return api


@pytest.fixture
def client(db: None) -> Iterator[TestClient]:
    with TestClient(make_api()) as client:
        yield client


@pytest.fixture
def author(db: None) -> Author:
    return Author.objects.create(name="Ada", email="ada@x.org", country="gb", joined_at=NOW)


def draft(author: Any, **more: Any) -> dict[str, Any]:
    moment = NOW.isoformat()
    return {"author": author, "title": "T", "slug": "t", "body": "b", "price": "1.50", "created_at": moment,
            "updated_at": moment, **more}  # fmt: skip


def told(response: Any) -> list[tuple[Any, ...]]:
    return [(*error["loc"], error["type"]) for error in response.json()["errors"]]


def test_create_answers_as_the_detail_route_does(client: TestClient, author: Author) -> None:
    tag = Tag.objects.create(name="a", slug="a")
    made = client.post("/articles", json=draft(author.pk, tags=[tag.pk], details={"k": [1]}))
    assert made.status_code == 201, made.text
    row = Article.objects.get()
    assert (row.author, row.price, list(row.tags.all()), row.details) == (author, row.price, [tag], {"k": [1]})
    assert made.json() == client.get(f"/articles/{row.pk}").json()


def test_what_full_clean_and_the_types_refuse_is_422_at_its_field(client: TestClient, author: Author) -> None:
    assert told(client.post("/articles", json=draft(author.pk, price="x", status="gone"))) == [
        ("body", "price", "decimal_parsing"),
        ("body", "status", "literal_error"),
    ]
    assert told(
        client.post("/authors", json={"name": "B", "email": "nope", "country": "gb", "joined_at": NOW.isoformat()})
    ) == [("body", "email", "invalid")]
    assert told(client.post("/articles", json=draft(author.pk + 1))) == [("body", "author", "invalid")]
    assert told(client.post("/articles", json=draft(author.pk, tags=[99]))) == [("body", "tags", 0, "not_found")]
    assert told(client.post("/articles", json={})) == [
        ("body", name, "missing") for name in ("title", "slug", "body", "price", "created_at", "updated_at", "author")
    ]
    assert not Article.objects.exists()


def test_a_unique_value_twice_is_422(client: TestClient) -> None:
    assert client.post("/tags", json={"name": "a", "slug": "a"}).status_code == 201
    twice = client.post("/tags", json={"name": "b", "slug": "a"})
    assert (twice.status_code, told(twice)) == (422, [("body", "slug", "unique")])


def test_what_only_the_database_knows_is_409(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> None:
    """Two requests at once: the second one's row came after `full_clean` had looked."""
    monkeypatch.setattr(Tag, "validate_unique", lambda *_args, **_options: None)
    Tag.objects.create(name="a", slug="a")
    clash = client.post("/tags", json={"name": "b", "slug": "a"})
    assert (clash.status_code, told(clash)) == (409, [("body", "slug", "unique")])


def test_patch_changes_what_is_there_and_null_is_not_nothing(client: TestClient, author: Author) -> None:
    article = Article.objects.create(
        author=author, title="T", slug="t", body="b", price=1, rating=2.5, created_at=NOW, updated_at=NOW
    )
    article.tags.add(Tag.objects.create(name="a", slug="a"))
    path = f"/articles/{article.pk}"
    assert client.patch(path, json={"title": "U"}).json()["rating"] == 2.5
    assert client.patch(path, json={"rating": None}).json()["rating"] is None
    article.refresh_from_db()
    assert (article.title, article.tags.count()) == ("U", 1)
    assert client.patch(path, json={"tags": []}).status_code == 200
    assert article.tags.count() == 0
    assert told(client.patch(path, json={"title": None})) == [("body", "title", "string_type")]
    assert told(client.put(path, json={"title": "V"}))[0] == ("body", "slug", "missing")
    assert client.patch("/articles/999", json={}).status_code == 404


def test_an_old_value_does_not_stand_in_the_way(client: TestClient, author: Author) -> None:
    Author.objects.update(email="not an address")
    assert client.patch(f"/authors/{author.pk}", json={"name": "B"}).status_code == 200
    assert client.patch(f"/authors/{author.pk}", json={"email": "still not"}).status_code == 422


def test_signals_and_save_are_django_s(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def note(sender: Any, created: Any = "deleted", **_: Any) -> None:
        seen.append(created)

    original = Tag.save

    def save(self: Tag, *args: Any, **options: Any) -> None:
        seen.append("save")
        original(self, *args, **options)

    monkeypatch.setattr(Tag, "save", save)
    post_save.connect(note, sender=Tag)
    post_delete.connect(note, sender=Tag)
    try:
        key = client.post("/tags", json={"name": "a", "slug": "a"}).json()["id"]
        client.patch(f"/tags/{key}", json={"name": "b"})
        assert client.delete(f"/tags/{key}").status_code == 204
    finally:
        post_save.disconnect(note, sender=Tag)
        post_delete.disconnect(note, sender=Tag)
    assert seen == ["save", True, "save", False, "deleted"]


def test_clean_of_the_model_is_asked(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def clean(self: Tag) -> None:
        raise ValidationError({"name": ValidationError("no %(name)s", "banned", {"name": self.name})})

    monkeypatch.setattr(Tag, "clean", clean)
    refused = client.post("/tags", json={"name": "a", "slug": "a"})
    assert refused.json()["errors"] == [{"loc": ["body", "name"], "type": "banned", "msg": "no a"}]


def test_protected_rows_stay(client: TestClient, monkeypatch: pytest.MonkeyPatch, author: Author) -> None:
    from django.db.models import PROTECT

    Article.objects.create(author=author, title="T", slug="t", body="b", price=1, created_at=NOW, updated_at=NOW)
    monkeypatch.setattr(Article._meta.get_field("author").remote_field, "on_delete", PROTECT)
    refused = client.delete(f"/authors/{author.pk}")
    assert (refused.status_code, told(refused)) == (409, [("path", "protected")])
    assert "article" in refused.json()["detail"]


def test_a_lookup_of_ones_own(client: TestClient) -> None:
    assert client.post("/categories", json={"name": "A", "slug": "a"}).status_code == 201
    changed = client.patch("/categories/a", json={"slug": "b"})
    assert changed.json()["slug"] == "b"
    assert client.delete("/categories/a").status_code == 404
    assert client.delete("/categories/b").status_code == 204


def test_what_the_queryset_leaves_out_is_still_shown_once(client: TestClient, author: Author) -> None:
    article = Article.objects.create(
        author=author, title="T", slug="t", body="b", price=1, created_at=NOW, updated_at=NOW
    )
    body = {"article": article.pk, "name": "n", "body": "b", "approved": False, "created_at": NOW.isoformat()}
    made = client.post("/comments", json=body)
    assert (made.status_code, made.json()["approved"]) == (201, False)
    assert client.patch(f"/comments/{made.json()['id']}", json={}).status_code == 404


# Nested ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nested_rows_are_made_changed_and_related(client: TestClient) -> None:
    writer = {"name": "Ada", "email": "ada@x.org", "country": "gb", "joined_at": NOW.isoformat()}
    comment = {"name": "n", "body": "hi", "created_at": NOW.isoformat()}
    old = Tag.objects.create(name="old", slug="old")
    tags = [old.pk, {"name": "new", "slug": "new"}]
    made = client.post("/articles", json=draft(writer, tags=tags, comments=[comment, comment]))
    assert made.status_code == 201, made.text
    article = Article.objects.get()
    assert article.author.name == "Ada"
    assert sorted(article.tags.values_list("name", flat=True)) == ["new", "old"]
    first, second = article.comments.order_by("pk")

    changed = client.patch(
        f"/articles/{article.pk}",
        json={
            "author": {"id": article.author.pk, "name": "Grace", **{k: v for k, v in writer.items() if k != "name"}},
            "comments": [{"id": second.pk, "name": "m", "body": "yo", "created_at": NOW.isoformat()}],
        },
    )
    assert changed.status_code == 200, changed.text
    article.refresh_from_db()
    assert (article.author.name, Author.objects.count()) == ("Grace", 1)
    assert [(c.pk, c.name) for c in article.comments.all()] == [(second.pk, "m")]
    foreign = {"comments": [{"id": first.pk, "name": "m", "body": "yo", "created_at": NOW.isoformat()}]}
    assert told(client.patch(f"/articles/{article.pk}", json=foreign)) == [("body", "comments", 0, "id", "not_found")]


def test_nothing_is_left_of_a_refused_body(client: TestClient) -> None:
    writer = {"name": "Ada", "email": "ada@x.org", "country": "gb", "joined_at": NOW.isoformat()}
    Tag.objects.create(name="x", slug="x")
    refused = client.post("/articles", json=draft(writer, tags=[{"name": "y", "slug": "x"}]))
    assert told(refused) == [("body", "tags", 0, "slug", "unique")]
    assert (Author.objects.count(), Article.objects.count()) == (0, 0)


# Bulk ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bulk_is_all_or_nothing_and_tells_of_every_row(client: TestClient) -> None:
    rows = [{"name": n, "slug": n} for n in ("a", "b", "a", "c")]
    refused = client.post("/tags/bulk", json=rows)
    assert (refused.status_code, told(refused)) == (422, [("body", 2, "name", "unique"), ("body", 2, "slug", "unique")])
    assert not Tag.objects.exists()
    made = client.post("/tags/bulk", json=[rows[0], rows[1], rows[3]])
    assert (made.status_code, [row["name"] for row in made.json()]) == (201, ["a", "b", "c"])
    keys = [row["id"] for row in made.json()]

    refused = client.patch("/tags/bulk", json=[{"id": keys[0], "name": "z"}, {"id": 999, "name": "y"}])
    assert told(refused) == [("body", 1, "id", "not_found")]
    assert not Tag.objects.filter(name="z").exists()
    changed = client.patch("/tags/bulk", json=[{"id": keys[0], "name": "z"}, {"id": keys[1], "name": "y"}])
    assert [row["name"] for row in changed.json()] == ["z", "y"]

    assert told(client.request("DELETE", "/tags/bulk", json=[keys[0], 999])) == [("body", 1, "not_found")]
    assert client.request("DELETE", "/tags/bulk", json=keys).status_code == 204
    assert not Tag.objects.exists()
    assert told(client.post("/tags/bulk", json=[])) == [("body", "too_short")]


# Start-up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actions": ["remove"]}, "has no action 'remove'"),
        ({"actions": ["create"], "write_fields": ["nam"]}, "Did you mean 'name'?"),
        ({"actions": ["create"], "nested": ["name"]}, "no relation of Tag"),
        ({"actions": ["create"], "nested": ["nothing"]}, "nested= names 'nothing'"),
    ],
)
def test_mistakes_stop_the_start(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"tests/resources/test_writes\.py:") as caught:
        API().resource(Tag, **options)
    assert message in str(caught.value)


def test_openapi_tells_what_is_required(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert schemas["TagCreate"]["required"] == ["name", "slug"]
    assert "required" not in schemas["TagPatch"] or schemas["TagPatch"]["required"] == []
    assert schemas["TagCreate"]["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 40}
    assert set(document["paths"]["/tags/{id}"]) == {"get", "put", "patch", "delete"}
