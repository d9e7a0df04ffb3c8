"""Schemas of Django models: what they take, what they ask the database, what they write."""

from __future__ import annotations

import datetime
import decimal
import json
import zoneinfo
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework import serializers

from plectrum.errors import SchemaError
from plectrum.schema import InvalidError, Schema
from tests.project.models import EveryField, Money, Wallet
from tests.zoo.models import EVERYWHERE

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 20, 12, 30, tzinfo=datetime.UTC)


@pytest.fixture
def article() -> Article:
    author = Author.objects.create(name="Ada", email="ada@example.com", country="gb", joined_at=NOW)
    article = Article.objects.create(
        author=author,
        title="On engines",
        slug="on-engines",
        body="…",
        price=decimal.Decimal("12.50"),
        reading_time=datetime.timedelta(days=1, seconds=2),
        details={"z": [1], "a": None},
        cover="covers/a b.png",
        created_at=NOW,
        updated_at=NOW,
    )
    article.tags.add(Tag.objects.create(name="steam", slug="steam"))
    return article


def wrong(call: Any, *args: Any, **options: Any) -> list[tuple[list[Any], str]]:
    with pytest.raises(InvalidError) as raised:
        call(*args, **options)
    return [(error["loc"], error["type"]) for error in raised.value.errors]


def drf_of(model: Any, *names: str) -> Any:
    meta = type("Meta", (), {"model": model, "fields": names or "__all__"})
    return type("Made", (serializers.ModelSerializer,), {"Meta": meta})


def names_of(model: Any) -> list[str]:
    return [field.name for field in model._meta.concrete_fields]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_what_is_written_is_what_drf_writes(article: Article, zone: str) -> None:
    schema = Schema.from_model(Article)
    with timezone.override(zoneinfo.ZoneInfo(zone)):
        expected = json.loads(json.dumps(drf_of(Article, *names_of(Article))(article).data, default=str))
        fresh = Article.objects.get(pk=article.pk)
        assert schema.serialize_instance(fresh) == expected
        assert schema.serialize_many([fresh]) == [expected]
        assert json.loads(schema.serialize_to_bytes([fresh], many=True)) == [expected]
        assert list(schema.serialize(fresh)) == names_of(Article)
        rows = Article.objects.all()
        assert json.loads(schema.serialize_queryset(rows)) == [expected]


def test_every_field_is_written_as_drf_writes_it() -> None:
    EveryField.objects.create()
    row = EveryField.objects.get()
    names = [name for name in names_of(EveryField) if not name.startswith(("binary", "json"))]
    schema = Schema.from_model(EveryField, fields=names)
    expected = json.loads(json.dumps(drf_of(EveryField, *names)(row).data, default=str))
    assert schema.serialize(row) == expected
    assert json.loads(schema.serialize_queryset(EveryField.objects.all())) == [expected]


def test_a_queryset_is_one_statement_of_the_wanted_columns(article: Article) -> None:
    schema = Schema.from_model(Article, fields=["id", "title", "author"])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert json.loads(schema.serialize_queryset(Article.objects.filter(title="On engines"))) == [
            {"id": article.pk, "title": "On engines", "author": article.author_id}
        ]
    [query] = queries.captured_queries
    assert "body" not in query["sql"]


def test_rows_of_values_list(article: Article) -> None:
    schema = Schema.from_model(Article, fields=["id", "title", "author"])
    rows = Article.objects.values_list("id", "title", "author_id")
    assert json.loads(schema.serialize_values_list(rows)) == [
        {"id": article.pk, "title": "On engines", "author": article.author_id}
    ]
    columns = ["title"]
    assert schema.serialize_values_list(Article.objects.values_list(*columns), columns) == b'[{"title":"On engines"}]'
    with pytest.raises(KeyError, match="nothing"):
        schema.serialize_values_list([("a",)], ["nothing"])


def test_relations(article: Article) -> None:
    authors = Schema.from_model(Author, fields=["id", "name"])
    schema = Schema.from_model(Article, fields=["id", "tags"], nested={"author": authors})
    expected = {
        "id": article.pk,
        "tags": [tag.pk for tag in article.tags.all()],
        "author": {"id": article.author_id, "name": "Ada"},
    }
    assert schema.serialize_instance(article) == expected
    assert schema.validate({"author": "ignored", "tags": "ignored"}) == {}
    shop = Schema.from_model(Author, fields=["name"], nested={"articles": Schema.from_model(Article, fields=["title"])})
    assert shop.serialize(article.author) == {"name": "Ada", "articles": [{"title": "On engines"}]}


def test_a_custom_field_is_written_by_value_to_string() -> None:
    wallet = Wallet.objects.create(owner="Ada", balance=Money(1234))
    assert Schema.from_model(Wallet, fields=["owner", "balance"]).serialize(wallet) == {
        "owner": "Ada",
        "balance": "12.34",
    }


def test_what_is_validated_makes_an_instance(article: Article) -> None:
    schema = Schema.from_model(Comment)
    data = {
        "article": article.pk,
        "name": " Bob ",
        "body": "!",
        "stars": 5,
        "created_at": "2026-11-20T12:30:00Z",
        "id": 9,
    }
    values = schema.validate(data)
    assert values == {
        "article_id": article.pk,
        "name": "Bob",
        "body": "!",
        "stars": 5,
        "created_at": NOW,
    }
    comment = Comment.objects.create(**values)
    assert comment.approved is True


def test_the_rules_of_a_model() -> None:
    schema = Schema.from_model(Comment, exclude=["created_at", "article"])
    assert wrong(
        schema.validate,
        {"name": "x" * 81, "email": "nobody", "body": "  ", "stars": -1, "approved": None},
    ) == [
        (["name"], "string_too_long"),
        (["email"], "string_format"),
        (["body"], "string_blank"),
        (["stars"], "greater_than_equal"),
        (["approved"], "bool_type"),
    ]
    assert wrong(schema.validate, {"name": "a\0", "body": "b"}) == [(["name"], "string_nul")]
    assert schema.validate({"name": "a", "body": "b", "email": ""}) == {"name": "a", "body": "b", "email": ""}
    assert wrong(Schema.from_model(Article, fields=["price"]).validate, {"price": "123456789.00"}) == [
        (["price"], "decimal_max_digits")
    ]
    assert wrong(Schema.from_model(Author, fields=["country"]).validate, {"country": "xx"}) == [
        (["country"], "literal_error")
    ]


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(SchemaError, match=r"Tag has no field 'nam'\. It has: .*name"):
        Schema.from_model(Tag, fields=["nam"])


def test_unique_is_asked_once_per_rule(article: Article) -> None:
    Tag.objects.create(name="coal", slug="coal")
    schema = Schema.from_model(Tag)
    rows = [
        {"name": "coal", "slug": "new"},
        {"name": "new", "slug": "steam"},
        {"name": "fresh", "slug": "fresh"},
        {"name": "fresh", "slug": "other"},
    ]
    with CaptureQueriesContext(connection) as queries:
        found = wrong(schema.validate_many, rows, unique=True)
    assert found == [([0, "name"], "unique"), ([1, "slug"], "unique"), ([3, "name"], "unique")]
    assert len(queries) == 2
    assert schema.validate_many(rows[2:3], unique=True) == rows[2:3]


def test_a_row_does_not_stand_in_its_own_way() -> None:
    tag = Tag.objects.create(name="coal", slug="coal")
    schema = Schema.from_model(Tag)
    data = {"name": "coal", "slug": "coal"}
    assert schema.validate(data, unique=True, instance=tag) == data
    assert wrong(schema.validate, data, unique=True) == [(["name"], "unique"), (["slug"], "unique")]
    with pytest.raises(InvalidError) as raised:
        schema.validate(data, unique=True)
    assert raised.value.errors[0]["msg"] == "Tag with this Name already exists."
    with pytest.raises(SchemaError, match="unique=True asks a model's table"):
        Schema({"a": int}).validate({"a": 1}, unique=True)


def test_lists_and_objects_may_be_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    model = EVERYWHERE["json"]
    monkeypatch.setattr("plectrum.schema.unique._rules", lambda _: [("value",)])
    model.objects.create(value={"b": 1, "a": [2]})
    schema = Schema.from_model(model, fields=["value"])
    rows: list[Any] = [{"value": value} for value in ({"b": 1, "a": [2]}, ["x"], "x", ["x"], {"a": [3]}, 5)]
    assert wrong(schema.validate_many, rows, unique=True) == [([0, "value"], "unique"), ([3, "value"], "unique")]


def test_a_category_may_be_its_own_parent() -> None:
    schema = Schema.from_model(Category)
    assert schema.validate({"name": "a", "slug": "a", "parent": None}) == {"name": "a", "slug": "a", "parent_id": None}
    assert wrong(schema.validate, {"name": "a", "slug": "a b"}) == [(["slug"], "string_format")]
