"""`to_json` of querysets with nested serializers: joins and one statement per relation give DRF's own bytes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.db import connections
from django.db.models import Prefetch, QuerySet
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers as s

from plectrum.drf import to_json
from tests.drf.compare import rust
from tests.drf.test_direct import same
from tests.orm.drf import serializer
from tests.project import models

pytestmark = pytest.mark.django_db(databases="__all__")

AUTHOR = serializer(Author, ["id", "name", "joined_at", "born"])
TAG = serializer(Tag, ["id", "name"])
COMMENT = serializer(Comment, ["name", "stars", "created_at"])
PARENT = serializer(Category, ["id", "name"])
CATEGORY = serializer(Category, ["name", "parent"], parent=PARENT())
NESTED = serializer(Article, ["id", "title", "author", "category"], author=AUTHOR(), category=CATEGORY())
EVERYTHING = serializer(
    Article,
    ["id", "author", "category", "tags", "comments", "keys"],
    author=AUTHOR(),
    category=CATEGORY(),
    tags=TAG(many=True),
    comments=COMMENT(many=True, read_only=True),
    keys=s.PrimaryKeyRelatedField(many=True, read_only=True, source="tags"),
)
NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def articles(alias: str) -> QuerySet[Article]:
    root = Category.objects.using(alias).create(name="root", slug="root")
    leaf = Category.objects.using(alias).create(name="leaf ü", slug="leaf", parent=root)
    authors = [
        Author.objects.using(alias).create(name=name, email=f"{name}@x.org", joined_at=NOON, born=born)
        for name, born in (("Ada", dt.date(1815, 12, 10)), ("“Q”", None))
    ]
    tags = [Tag.objects.using(alias).create(name=name, slug=name) for name in "cab"]
    for number in range(5):
        article = Article.objects.using(alias).create(
            author=authors[number % 2],
            category=(leaf, root, None)[number % 3],
            title=f"t{number}",
            slug=f"s{number}",
            body="b",
            price=Decimal("1.50"),
            created_at=NOON,
            updated_at=NOON,
        )
        article.tags.set(tags[: number % 4])
        for stars in range(number % 3):
            article.comments.create(name=f"n{stars}", body="b", stars=stars or None, created_at=NOON)
    return Article.objects.using(alias).order_by("id")


def test_one_to_one_end(articles: Any) -> None:
    assert '"category":{"name":"root","parent":null}' in str(same(NESTED, articles, direct=True))
    same(NESTED, articles.order_by("-id")[1:3], direct=True)
    same(NESTED, articles.none(), direct=True)
    same(NESTED, articles.select_related("author", "category__parent"), direct=True)
    same(NESTED, articles.filter(author__name="Ada").order_by("category__name", "id"), direct=True)
    same(NESTED, articles.prefetch_related("author", "category__parent"), direct=True)
    # SQLite compares what is selected by its column's collation, which `+column` has not.
    same(NESTED, articles.distinct(), direct=connections[articles.db].vendor == "postgresql")


def test_many(articles: Any) -> None:
    found = same(EVERYTHING, articles, direct=True)
    assert '"tags":[{"id":' in str(found)
    same(EVERYTHING, articles.prefetch_related("tags", "comments").select_related("author"), direct=True)
    same(EVERYTHING, articles[1:4], direct=True)
    deep = serializer(Author, ["name", "articles"], articles=EVERYTHING(many=True, read_only=True))
    same(deep, Author.objects.using(articles.db), direct=True)
    assert to_json(rust(deep)(Author.objects.using(articles.db).filter(name="none"), many=True)) == b"[]"


def test_what_is_in_memory_is_shown(articles: Any) -> None:
    author = Author.objects.using(articles.db).get(name="Ada")
    author.name = "not saved"
    same(NESTED, author.articles.all(), direct=False)
    same(serializer(Article, ["id", "author"]), author.articles.all(), direct=True)


def test_one_statement_per_relation(articles: Any) -> None:
    for kind, statements in ((NESTED, 1), (EVERYTHING, 4)):
        with CaptureQueriesContext(connections[articles.db]) as captured:
            to_json(rust(kind)(articles.all(), many=True))
        assert len(captured) == statements


class _Renamed(s.ModelSerializer[Author]):
    class Meta:
        model = Author
        fields: ClassVar[list[str]] = ["id"]

    def to_representation(self, instance: Author) -> Any:
        return {"whole": instance.name}


class _Listed(s.ListSerializer[Any]):
    def to_representation(self, data: Any) -> Any:
        return ["listed"]


@pytest.mark.parametrize(
    "fields",
    [
        {"x": _Renamed(source="author")},
        {"x": serializer(Author, ["id", "y"], y=s.CharField(source="name.upper"))(source="author")},
        {"x": s.PrimaryKeyRelatedField(many=True, read_only=True, source="tags", pk_field=s.CharField())},
        {"x": s.SlugRelatedField("name", many=True, read_only=True, source="tags")},
        {"x": serializer(Category, ["name"])(source="category.parent")},
    ],
    ids=lambda fields: repr(fields["x"])[:40],
)
def test_relations_only_instances_tell(articles: Any, fields: Any) -> None:
    same(serializer(Article, ["id", "x"], **fields), articles.exclude(category=None), direct=False)


def test_a_list_serializer_of_ones_own(articles: Any) -> None:
    kind = serializer(Tag, ["name"])
    kind.Meta.list_serializer_class = _Listed
    same(serializer(Article, ["id", "tags"], tags=kind(many=True)), articles, direct=False)


def test_what_a_queryset_says_of_a_relation(articles: Any) -> None:
    few = Prefetch("tags", Tag.objects.filter(name="a"))
    same(EVERYTHING, articles.prefetch_related(few), direct=False)


def test_relations_without_an_order(alias: str) -> None:
    """Their order is the database's; brought along, it is the order they were brought in."""
    parents = [models.AutoKey.objects.using(alias).create(name=str(number)) for number in range(3)]
    for number in range(6):
        models.Related.objects.using(alias).create(auto=parents[number % 3])
    key = models.UuidKey.objects.using(alias).create(name="u")
    models.Related.objects.using(alias).earliest("id").several.add(key)
    rows = models.AutoKey.objects.using(alias).order_by("id")
    many = serializer(models.Related, ["id", "auto"])
    same(serializer(models.AutoKey, ["name", "many"], many=many(many=True, read_only=True)), rows, direct=True)
    related = models.Related.objects.using(alias)
    same(serializer(models.Related, ["id", "several"]), related, direct=False)
    same(serializer(models.Related, ["id", "several"]), related.prefetch_related("several"), direct=True)


def test_managers_that_hide_rows(alias: str) -> None:
    models.Door.all_objects.using(alias).create(label="shut", is_open=False)
    models.Door.objects.using(alias).create(label="open")
    same(serializer(models.Door, ["label"]), models.Door.objects.using(alias), direct=True)
