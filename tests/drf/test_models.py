"""ModelSerializers over rows from the database: every field type, relations, deferred columns, no query too many."""
# ruff: noqa: B023 - each function is called before the loop goes on

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers as s

from tests.drf.compare import both_ways, outcome, rust, same
from tests.orm.drf import serializer
from tests.project import models
from tests.project.models import EveryField, Related

pytestmark = pytest.mark.django_db(databases="__all__")


class AuthorOut(s.ModelSerializer[Author]):
    class Meta:
        model = Author
        fields = ["id", "name", "country", "portrait"]


class CommentOut(s.ModelSerializer[Comment]):
    class Meta:
        model = Comment
        fields = "__all__"


class CategoryOut(s.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ["name", "parent"]
        depth = 2


class ArticleOut(s.ModelSerializer[Article]):
    # Declared fields keep their own rules, not the model field's.
    price = s.DecimalField(12, 4, coerce_to_string=False)
    title = s.SerializerMethodField()
    author = AuthorOut()
    author_name = s.CharField(source="author.name")
    author_key = s.PrimaryKeyRelatedField(source="author", read_only=True)
    author_id = s.IntegerField()
    category = CategoryOut()
    parent = s.CharField(source="category.parent.name", default="none")
    comments = CommentOut(many=True)
    tag_names = s.SlugRelatedField("name", source="tags", many=True, read_only=True)
    strings = s.StringRelatedField(source="tags", many=True)
    whole = AuthorOut(source="author")
    status_text = s.CharField(source="get_status_display")

    class Meta:
        model = Article
        fields = "__all__"
        extra_kwargs = {"slug": {"write_only": True}}

    def get_title(self, article: Article) -> str:
        return article.title.upper()


def queries(make: Any, alias: str = "default") -> Any:
    """What `make()` gives and how many statements it took."""
    with CaptureQueriesContext(connections[alias]) as captured:
        result = outcome(make)
    return result, len(captured)


@pytest.fixture
def articles() -> Any:
    author = Author.objects.create(name="A", email="a@x.org", joined_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    root = Category.objects.create(name="root", slug="root")
    leaf = Category.objects.create(name="leaf", slug="leaf", parent=root)
    for number, category in enumerate([root, leaf, None]):
        article = Article.objects.create(
            author=author,
            category=category,
            title=f"t{number}",
            slug=f"s{number}",
            body="b",
            price=Decimal("1.50"),
            created_at=dt.datetime(2026, 1, 1, 2, 3, 4, number, tzinfo=dt.UTC),
            updated_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
            reading_time=dt.timedelta(minutes=number) if number else None,
        )
        article.tags.add(Tag.objects.create(name=f"tag{number}", slug=f"tag{number}"))
        Comment.objects.create(article=article, name="n", body="x", created_at=article.created_at)
    return Article.objects.all()


def test_the_whole_shop(articles: Any) -> None:
    for options in ({}, {"context": {"request": RequestFactory().get("/")}}):
        same(ArticleOut, articles.all(), many=True, **options)
        assert all("slug" not in row for row in rust(ArticleOut)(articles.all(), many=True, **options).data)
        same(ArticleOut, articles.select_related("author").prefetch_related("tags", "comments"), many=True, **options)
        same(ArticleOut, articles.first(), **options)
        same(ArticleOut, articles.none(), many=True)
    for model in (Article, Author, Category, Comment, Tag):
        same(serializer(model), model.objects.all(), many=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows,
        lambda rows: rows.only("slug"),
        lambda rows: rows.defer("price", "author", "created_at"),
        lambda rows: rows.select_related("author", "category__parent"),
        lambda rows: rows.prefetch_related("tags", "comments"),
    ],
)
def test_no_query_more_than_drf(articles: Any, change: Any) -> None:
    for kind in (ArticleOut, serializer(Article), serializer(Article, ["id", "author", "category"])):
        fast = rust(kind)
        expected = queries(lambda: kind(change(articles.all()), many=True).data)
        assert queries(lambda: fast(change(articles.all()), many=True).data) == expected
        one = change(articles.all())
        assert queries(lambda: fast(one.get(slug="s2")).data) == queries(lambda: kind(one.get(slug="s2")).data)


def test_a_foreign_key_alone_loads_nothing(articles: Any) -> None:
    fast = rust(serializer(Article, ["author", "category"]))
    rows = list(articles)
    data, count = queries(lambda: fast(rows, many=True).data)
    assert count == 0
    assert "None" in str(data)


def test_every_model_field(alias: str) -> None:
    EveryField.objects.using(alias).create()
    EveryField.objects.using(alias).create(
        boolean_null=True, big=2**62, big_null=-(2**62), floating=1.5, floating_null=1e300,
        decimal=Decimal("-123.456"), decimal_null=Decimal(0), decimal_long=Decimal("1234567890123456789012345678.1"),
        decimal_whole=Decimal(10), char="ü“\u2028", char_null="", time=dt.time(1, 2, 3, 4), time_null=dt.time(0),
        datetime_null=dt.datetime(2026, 5, 6, 7, 8, 9, 10, tzinfo=dt.UTC), date_null=dt.date(1, 1, 1),
        duration=dt.timedelta(days=-3, microseconds=5), duration_null=dt.timedelta(1), binary=b"\0a", binary_null=b"",
        json={"b": [10**30, 1.0], "a": None}, json_null=[], ip_null="::1", file="files/a b.txt", color_null=2,
    )  # fmt: skip
    every = type(
        "Every",
        (serializer(EveryField),),
        # DRF has no way to write these two as JSON.
        {"binary": s.ReadOnlyField(), "binary_null": s.CharField()},
    )
    same(every, EveryField.objects.using(alias).all(), many=True)
    for row in EveryField.objects.using(alias).all():
        both_ways(every, row)


def test_relations_to_keys_of_every_kind(alias: str) -> None:
    uuid = models.UuidKey.objects.using(alias).create(name="u")
    row = Related.objects.using(alias).create(
        small=models.SmallKey.objects.using(alias).create(id=3, name="s"),
        auto=models.AutoKey.objects.using(alias).create(name="a"),
        uuid=uuid,
        text=models.TextKey.objects.using(alias).create(code="c", name="t"),
        one=models.AutoKey.objects.using(alias).create(name="o"),
    )
    row.several.add(uuid)
    Related.objects.using(alias).create(parent=row)
    same(serializer(Related), Related.objects.using(alias).all(), many=True)
    back = serializer(models.AutoKey, ["id", "one", "many"])
    same(back, models.AutoKey.objects.using(alias).all(), many=True)
    same(serializer(Related), Related(), many=False)
    for pk_field in (s.UUIDField(format="hex"), None):
        keyed = {"uuid": s.PrimaryKeyRelatedField(read_only=True, pk_field=pk_field)}
        same(serializer(Related, ["uuid"], **keyed), Related.objects.using(alias).all(), many=True)


def test_custom_fields_and_inheritance(alias: str) -> None:
    models.Wallet.objects.using(alias).create(owner="me", balance=models.Money(105))
    models.Restaurant.objects.using(alias).create(name="r", stars=2)
    same(serializer(models.Wallet), models.Wallet.objects.using(alias).all(), many=True)
    same(serializer(models.Restaurant), models.Restaurant.objects.using(alias).all(), many=True)


def test_models_with_their_own_look_up(articles: Any) -> None:
    class Loud(Article):
        class Meta:
            proxy = True
            app_label = "project"

        def __getattribute__(self, name: str) -> Any:
            return "LOUD" if name == "title" else super().__getattribute__(name)

    class Computed(Article):
        class Meta:
            proxy = True
            app_label = "project"

        slug = property(lambda self: "computed", lambda self, value: None)  # type: ignore[assignment]

        def serializable_value(self, field_name: str) -> Any:
            return 99 if field_name == "author" else super().serializable_value(field_name)

    kind = serializer(Article, ["title", "slug", "author"])
    assert "LOUD" in str(same(kind, Loud.objects.all(), many=True))
    assert "computed" in str(same(kind, Computed.objects.all(), many=True))
    mixed = [*Article.objects.all(), *Loud.objects.all(), *Computed.objects.all()]
    assert "99" in str(same(kind, mixed, many=True))
