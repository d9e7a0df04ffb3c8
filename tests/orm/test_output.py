"""Return annotations, joined and prefetched relations: what is nested where, and with how many statements."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.db.models import Count, F, Prefetch

from plectrum.orm import Count as CountOf
from plectrum.orm import Exists, One, Page, Param, trace
from plectrum.orm.operation import plan_result
from plectrum.schema import Schema
from tests.orm.conftest import traced
from tests.orm.drf import rendered, serializer
from tests.orm.interpret import answer
from tests.project.models import AutoKey, Place, Related, Restaurant, UuidKey

pytestmark = pytest.mark.django_db(databases="__all__")
BACKENDS = pytest.mark.parametrize("backend", [None, "django"])


class AuthorOut(TypedDict):
    id: int
    name: str


class TagOut(Schema):
    name: str


@dataclasses.dataclass
class CommentOut:
    id: int
    stars: int | None


class CategoryOut(msgspec.Struct):
    name: str
    parent: CategoryParent | None


class CategoryParent(msgspec.Struct, rename={"slug": "Slug"}):
    slug: str


@dataclasses.dataclass
class ArticleOut:
    pk: int
    uid: uuid.UUID
    title: str
    price: float
    author: AuthorOut
    author_id: int
    category: CategoryOut | None
    tags: list[TagOut]
    comments: list[CommentOut]
    total: int


class Short(pydantic.BaseModel):
    pk: int
    total: int = pydantic.Field(serialization_alias="Total")
    tags: list[int]


def _article(row: Article) -> dict[str, Any]:
    category = row.category
    parent = category.parent if category else None
    nested = {"name": category.name, "parent": {"Slug": parent.slug} if parent else None} if category else None
    return {
        "pk": row.pk,
        "uid": str(row.uid),
        "title": row.title,
        "price": float(row.price),
        "author": {"id": row.author.pk, "name": row.author.name},
        "author_id": row.author_id,
        "category": nested,
        "tags": [{"name": tag.name} for tag in row.tags.all()],
        "comments": [{"id": comment.pk, "stars": comment.stars} for comment in row.comments.all()],
        "total": row.views + 1,
    }


@BACKENDS
def test_annotation_chooses_fields_and_nesting(shop: str, backend: str | None) -> None:
    rows = Article.objects.using(shop).annotate(total=F("views") + 1)
    operation = plan_result(rows, annotation=list[ArticleOut])
    assert answer(operation, backend=backend) == [_article(row) for row in rows]
    assert operation.statement_count() == 3
    first = operation.queries[0].statement.native()[0]
    assert '"catalog_article"."body"' not in first
    assert first.count("JOIN") == 3


def test_pydantic_writes_by_alias(shop: str) -> None:
    rows = Article.objects.using(shop).annotate(total=F("views") + 1)
    expected = [{"pk": row.pk, "Total": row.views + 1, "tags": [tag.pk for tag in row.tags.all()]} for row in rows]
    assert answer(plan_result(rows, annotation=list[Short])) == expected


@BACKENDS
def test_annotation_over_prefetches(shop: str, backend: str | None) -> None:
    class Out(TypedDict):
        id: int
        best: list[CommentOut]
        tags: list[int]

    rows = Article.objects.using(shop).prefetch_related(
        Prefetch("comments", Comment.objects.filter(stars=1), to_attr="best")
    )
    expected = [
        {
            "id": row.pk,
            "best": [{"id": c.pk, "stars": c.stars} for c in row.comments.filter(stars=1)],
            "tags": [tag.pk for tag in row.tags.all()],
        }
        for row in Article.objects.using(shop)
    ]
    assert answer(plan_result(rows, annotation=list[Out]), backend=backend) == expected


def test_model_annotates_itself(shop: str) -> None:
    def articles() -> list[Article]:
        return Article.objects.all()  # type: ignore[return-value]

    assert answer(trace(articles, using=shop)) == rendered(Article.objects.using(shop).all())

    class Out(TypedDict):
        author: Author

    found = answer(plan_result(Article.objects.using(shop), annotation=list[Out]))
    assert found == [
        {"author": rendered(row.author, serializer(Author), many=False)} for row in Article.objects.using(shop)
    ]


def test_values_fill_a_class(shop: str) -> None:
    class Out(TypedDict):
        name: str
        n: int

    rows = Author.objects.using(shop).values("name").annotate(n=Count("articles")).order_by("name")
    assert answer(plan_result(rows, annotation=list[Out])) == list(rows)


@BACKENDS
def test_select_related_nests(shop: str, backend: str | None) -> None:
    rows = Article.objects.using(shop).select_related("author", "category__parent")
    nested = serializer(Category, parent=serializer(Category)())
    expected = rendered(rows, serializer(Article, author=serializer(Author)(), category=nested()))
    assert answer(plan_result(rows), backend=backend) == expected


@BACKENDS
def test_prefetch_related_nests(shop: str, backend: str | None) -> None:
    rows = Article.objects.using(shop).prefetch_related("comments", "tags", "author__articles__comments")
    inner = serializer(Article, ["id", "comments"], comments=serializer(Comment)(many=True))
    author = serializer(Author, _names(Author, "articles"), articles=inner(many=True))
    expected = rendered(
        rows,
        serializer(Article, _names(Article, "comments"), comments=serializer(Comment)(many=True),
                   tags=serializer(Tag)(many=True), author=author()),
    )  # fmt: skip
    operation = plan_result(rows)
    found = answer(operation, backend=backend)
    for row in found:
        for article in row["author"]["articles"]:
            keys = set(article)
            assert {"title", "tags", "comments"} <= keys
            for key in keys - {"id", "comments"}:
                del article[key]
    assert operation.statement_count() == 7
    assert found == expected


def _names(model: Any, *more: str) -> list[str]:
    return [field.name for field in (*model._meta.fields, *model._meta.many_to_many)] + list(more)


@BACKENDS
def test_prefetch_in_full(shop: str, backend: str | None) -> None:
    """`to_attr`, filtered and sliced querysets, reverse foreign keys, through select_related."""
    rows = (
        Author.objects.using(shop)
        .only("name")
        .prefetch_related(
            Prefetch("articles", Article.objects.only("title").order_by("-id")[:2], to_attr="newest"),
            Prefetch("articles", Article.objects.filter(views__gte=60).only("title"), to_attr="popular"),
            Prefetch("popular__comments", Comment.objects.only("stars").order_by("-id")),
        )
    )
    expected = [
        {
            "id": author.pk,
            "name": author.name,
            "newest": [{"id": a.pk, "title": a.title} for a in author.newest],
            "popular": [
                {
                    "id": a.pk,
                    "title": a.title,
                    "comments": [{"id": c.pk, "stars": c.stars} for c in a.comments.all()],
                }
                for a in author.popular
            ],
        }
        for author in rows
    ]
    assert answer(plan_result(rows), backend=backend) == expected


@BACKENDS
def test_parameters_in_prefetches(shop: str, backend: str | None) -> None:
    def authors(views: int, start: int, stop: int) -> Any:
        some = Article.objects.filter(views__gte=views).only("title").order_by("-id")[start:stop]
        return Author.objects.only("name").prefetch_related(Prefetch("articles", some, to_attr="some"))

    operation = traced(authors, using=shop)
    for arguments in ([20, 0, 2], [0, 1, 3], [0, 2, 1]):
        expected = [
            {"id": author.pk, "name": author.name, "some": [{"id": a.pk, "title": a.title} for a in author.some]}
            for author in authors(*arguments).using(shop)
        ]
        assert answer(operation, arguments, backend=backend) == expected


def test_exists_of_a_slice(shop: str) -> None:
    def some(stop: int) -> Exists:
        return Exists(Article.objects.all()[:stop])

    assert [answer(traced(some, using=shop), [stop]) for stop in (1, 0)] == [True, False]


@BACKENDS
def test_one_to_one_both_ways(alias: str, backend: str | None) -> None:
    auto = AutoKey.objects.using(alias).create(name="a")
    AutoKey.objects.using(alias).create(name="lonely")
    related = Related.objects.using(alias).create(one=auto)
    key = UuidKey.objects.using(alias).create(name="u")
    related.several.add(key)
    rows = AutoKey.objects.using(alias).order_by("id")

    class Out(TypedDict):
        name: str
        one: RelatedOut | None

    expected = [{"name": "a", "one": {"id": related.pk}}, {"name": "lonely", "one": None}]
    assert answer(plan_result(rows, annotation=list[Out]), backend=backend) == expected
    prefetched = answer(plan_result(rows.prefetch_related("one")), backend=backend)
    assert [row["one"] and row["one"]["id"] for row in prefetched] == [related.pk, None]
    joined = answer(plan_result(rows.select_related("one")), backend=backend)
    assert [row["one"] and row["one"]["several"] for row in joined] == [[str(key.pk)], None]
    back = UuidKey.objects.using(alias).prefetch_related("related_set")
    assert [row["id"] for row in answer(plan_result(back), backend=backend)[0]["related_set"]] == [related.pk]


class RelatedOut(TypedDict):
    id: int


def test_children_of_inheritance(alias: str) -> None:
    restaurant = Restaurant.objects.using(alias).create(name="r", stars=2)
    Place.objects.using(alias).create(name="p")
    rows = Place.objects.using(alias).order_by("id").select_related("restaurant")
    found = answer(plan_result(rows))
    assert [row["restaurant"] and row["restaurant"]["stars"] for row in found] == [2, None]
    assert found[0]["restaurant"]["id"] == restaurant.pk


def test_restricted_columns(shop: str) -> None:
    only = answer(plan_result(Article.objects.using(shop).only("title")[:1]))
    assert list(only[0]) == ["id", "title"]
    deferred = answer(plan_result(Article.objects.using(shop).defer("body", "uid")[:1]))
    assert "body" not in deferred[0]
    assert "tags" in deferred[0]


def test_results_of_every_kind(shop: str) -> None:
    def one(pk: int) -> One[Any]:
        return One(Article.objects.filter(pk=pk).only("title"))

    def count(views: int) -> CountOf:
        return CountOf(Article.objects.filter(views__gt=views))

    def distinct() -> CountOf:
        return CountOf(Article.objects.order_by("author").values("author").distinct())

    def exists(views: int) -> Exists:
        return Exists(Article.objects.filter(views__gt=views))

    def page(page: int, size: int) -> Page[Any]:
        return Page(Article.objects.only("id"), number=page, size=size)

    def window(limit: int, offset: int) -> Page[Any]:
        return Page(Article.objects.only("id").order_by("-id"), limit=limit, offset=offset)

    def several(views: int) -> dict[str, Any]:
        rows = Article.objects.filter(views__gt=views)
        return {"n": CountOf(rows), "rows": rows.only("id")[:2], "version": 3, "more": {"any": Exists(rows), "x": [1]}}

    ids = list(Article.objects.using(shop).values_list("id", flat=True))
    using: dict[str, Any] = {"using": shop}
    assert answer(traced(one, **using), [ids[0]]) == {"id": ids[0], "title": "Article 0 100%_"}
    assert answer(traced(one, **using), [-1]) == "404"
    assert answer(traced(count, **using), [50]) == 6
    assert answer(traced(distinct, **using)) == 3
    assert [answer(traced(exists, **using), [views]) for views in (50, 500)] == [True, False]
    assert answer(traced(page, **using), [2, 5]) == {"count": 12, "results": [{"id": pk} for pk in ids[5:10]]}
    found = answer(traced(window, **using), [3, 2])
    assert found == {"count": 12, "results": [{"id": pk} for pk in ids[::-1][2:5]]}
    assert answer(traced(several, **using), [50]) == {
        "n": 6,
        "rows": [{"id": ids[6]}, {"id": ids[7]}],
        "version": 3,
        "more": {"any": True, "x": [1]},
    }


def test_empty_results(shop: str) -> None:
    nothing = Article.objects.using(shop).none()
    one: dict[str, Any] = {"annotation": None}
    assert plan_result(nothing).describe()["response"] == {"literal": []}
    assert plan_result(CountOf(nothing)).describe()["response"] == {"literal": 0}
    assert plan_result(Exists(nothing)).describe()["response"] == {"literal": False}
    assert answer(plan_result(One(nothing), **one)) == "404"
    assert answer(plan_result({"rows": Article.objects.using(shop).filter(pk__in=[])})) == {"rows": []}
    hollow = Article.objects.using(shop).only("id").prefetch_related(Prefetch("comments", Comment.objects.none()))
    assert answer(plan_result(hollow))[0]["comments"] == []


def test_page_description(shop: str) -> None:
    params = [Param("status", str, "query", 0), Param("p", int, "query", 1)]

    def page(status: str, p: int) -> Any:
        return Page(Article.objects.filter(status=status), number=p, size=20)

    operation = trace(page, params, using=shop)
    assert operation.describe()["response"] == {
        "page": {
            "count": 0,
            "probe": False,
            "results": 1,
            "number": 1,
            "size": {"const": 20},
            "style": "page_number",
            "number_param": "p",
        }
    }
    assert operation.describe()["checks"] == [
        {"nonnegative": [[-20, []], [20, [1]]], "what": "start of the slice"},
        {"nonnegative": [[20, [1]]], "what": "stop of the slice"},
    ]


def test_zone_of_dates_is_the_current_one(shop: str) -> None:
    rows = Article.objects.using(shop).dates("created_at", "month")
    operation = plan_result(rows)
    assert operation.backend == "django"
    assert answer(operation) == [dt.date(2026, 1, 1).isoformat()]
