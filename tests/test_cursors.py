"""Pages by cursor: whatever happens to the list meanwhile, no row is skipped and none is given twice."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from catalog.models import Article, Author, Comment
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plectrum import API, ConfigurationError, CursorPage, PlanError
from plectrum.testing import TestClient
from plectrum.views import ModelViewSet

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db(databases="__all__")

api = API()
api.resource(
    Article,
    path="/articles",
    filters=["featured"],
    ordering=["created_at", "price", "title", "views"],
    queryset=lambda: Article.objects.select_related("author").prefetch_related("tags"),
    page=CursorPage(size=3),
)


def listing(using: str | None) -> Callable[[], Any]:
    def rows() -> Any:
        return Author.objects.order_by("-joined_at", "country", "-name").only("name", "country")

    return rows


for alias in ("default", "sqlite"):
    api.query.get(f"/{alias}/authors", page=CursorPage(size=4), using=alias, name=f"authors_{alias}")(listing(alias))


@api.viewset("/viewset/articles")
class Articles(ModelViewSet):
    model = Article
    actions = ("list",)
    filters = ("featured",)
    ordering = ("created_at", "price", "title", "views")
    page = CursorPage(size=3)

    def get_queryset(self) -> Any:
        return Article.objects.select_related("author").prefetch_related("tags")


class Authors(ModelViewSet):
    model = Author
    actions = ("list",)
    page = CursorPage(size=4)

    def get_queryset(self) -> Any:
        return Author.objects.order_by("-joined_at", "country", "-name")


api.viewset("/viewset/authors")(Authors)
api.viewset("/viewset/same/authors")(type("Others", (Authors,), {}))


@api.query.get("/values", page=CursorPage(size=2, size_param=None))
def values() -> QuerySet[Author, Any]:
    return Author.objects.annotate(n=Count("articles")).order_by("-n").values("name", "n")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(api) as client:
        yield client


def author(number: int, using: str = "default", **more: Any) -> Author:
    country = ("fr", "de")[number % 2]
    values: dict[str, Any] = {"joined_at": START + dt.timedelta(microseconds=number % 3), "country": country, **more}
    return Author.objects.using(using).create(name=f"A{number % 2}", email=f"{number}@x.org", **values)


def follow(client: TestClient, link: str | None) -> Any:
    assert link is not None
    parts = urlsplit(link)
    answer = client.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(client: TestClient, page: Any, way: str, between: Callable[[], None] = lambda: None) -> Iterator[Any]:
    while True:
        yield page
        if page[way] is None:
            return
        between()
        page = follow(client, page[way])


def keys(page: Any) -> list[int]:
    return [row["id"] for row in page["results"]]


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize("alias", ["default", "sqlite", "viewset"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_skipped_or_repeated_while_others_come_and_go(client: TestClient, alias: str, seed: int) -> None:
    chance, path = random.Random(seed), f"/{alias}/authors"
    alias = "default" if alias == "viewset" else alias
    Author.objects.using(alias).all().delete()
    stay = {author(number, alias).pk for number in range(chance.randrange(1, 15))}
    number = [100]

    def disturb() -> None:
        for _ in range(chance.randrange(3)):
            number[0] += 1
            made = author(number[0], alias, joined_at=START + dt.timedelta(microseconds=chance.randrange(4)))
            if chance.random() < 0.5:
                made.delete()

    size = chance.choice([1, 2, 4])
    pages = list(walk(client, client.get(f"{path}?page_size={size}").json(), "next", disturb))
    seen = [key for page in pages for key in keys(page)]
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    assert all(len(keys(page)) <= size for page in pages)

    back = list(walk(client, pages[-1], "previous"))
    returned = [key for page in reversed(back) for key in keys(page)]
    expected = (
        Author.objects.using(alias).order_by("-joined_at", "country", "-name", "-pk").values_list("pk", flat=True)
    )
    assert returned == [key for key in expected if key in set(returned)], "the order of the list, both ways"
    assert stay <= set(returned)


@pytest.mark.parametrize("path", ["/articles", "/viewset/articles"])
@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "price", "-title", "views"])
def test_both_ways_over_rows_with_relations(client: TestClient, ordering: str, path: str) -> None:
    from catalog import seeding
    from catalog.models import Tag

    writer = author(1)
    tags = Tag.objects.bulk_create(seeding.tags())[:3]
    for number in range(8):
        article = Article.objects.create(
            author=writer, title=f"T{number % 3}", slug=str(number), body="b", price=number % 2, views=number // 3,
            featured=number < 7, created_at=START + dt.timedelta(hours=number // 2), updated_at=START,
        )  # fmt: skip
        article.tags.set(tags[: number % 3])
    first = client.get(f"{path}?featured=1&ordering={ordering}").json()
    forward = list(walk(client, first, "next"))
    assert [len(page["results"]) for page in forward] == [3, 3, 1]
    tail = "-pk" if ordering.startswith("-") else "pk"
    expected = list(Article.objects.filter(featured=True).order_by(ordering, tail).values_list("pk", flat=True))
    assert [key for page in forward for key in keys(page)] == expected
    for page in forward:
        for row in page["results"]:
            assert sorted(tag["id"] for tag in row["tags"]) == sorted(
                Article.objects.get(pk=row["id"]).tags.values_list("pk", flat=True)
            )
            assert row["author"]["id"] == writer.pk
    back = list(walk(client, forward[-1], "previous"))
    assert [page["results"] for page in reversed(back)][1:] == [page["results"] for page in forward][1:]
    assert forward[0]["previous"] is None
    assert forward[-1]["next"] is None


def test_annotations_and_values(client: TestClient) -> None:
    for number in range(3):
        author(number)
    pages = list(walk(client, client.get("/values").json(), "next"))
    assert [len(page["results"]) for page in pages] == [2, 1]
    assert pages[0]["results"][0].keys() == {"name", "n"}


@pytest.mark.parametrize("list_", ["default", "viewset"])
def test_a_cursor_of_another_list_or_order_is_refused(client: TestClient, list_: str) -> None:
    for number in range(6):
        author(number)
    link = client.get(f"/{list_}/authors").json()["next"]
    cursor = urlsplit(link).query
    others = ("/articles", "/values", "/viewset/articles", "/viewset/same/authors")
    targets = [f"{path}?{cursor}" for path in others]
    for target in (*targets, f"/{list_}/articles?cursor=x".replace("/default", ""), f"/{list_}/authors?{cursor}A"):
        refused = client.get(target)
        assert refused.status_code == 422, target
        [error] = refused.json()["errors"]
        assert (error["loc"], error["type"]) == (["query", "cursor"], "cursor")


@pytest.mark.parametrize("path", ["/articles", "/viewset/articles"])
def test_openapi_describes_the_page(client: TestClient, path: str) -> None:
    document = client.get("/openapi.json").json()
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    page = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert list(page["properties"]) == ["results", "next", "previous"]
    row = document["components"]["schemas"][page["properties"]["results"]["items"]["$ref"].rpartition("/")[2]]
    assert not [name for name in row["properties"] if name.startswith("_")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda: Article.objects.order_by("rating"), "'rating', which may be NULL"),
        (lambda: Article.objects.order_by("category__name"), "'category__name', which may be NULL"),
        (lambda: Article.objects.order_by("?"), "'?'"),
        (lambda: Article.objects.order_by("tags__name"), "a row has several"),
        (lambda: Article.objects.order_by("details"), "JSONField"),
        (lambda: Article.objects.order_by(F("views") + 1), "Order by fields or annotations"),
        (lambda: Comment.objects.all()[:5], "unsliced"),
    ],
)
def test_orders_without_places_stop_the_start(rows: Callable[[], Any], message: str) -> None:
    api = API()

    @api.query.get("/", page=CursorPage())
    def listing() -> Any:
        return rows()

    with pytest.raises(PlanError) as caught:
        api.compile()
    assert message in str(caught.value)


def test_coalesce_gives_a_null_a_place() -> None:
    api = API()

    @api.query.get("/", page=CursorPage(size=1))
    def listing() -> Any:
        return Article.objects.annotate(rated=Coalesce("rating", 0.0)).order_by("-rated").only("title")

    writer = author(1)
    for number, rating in enumerate((1.5, None, 0.1 + 0.2)):
        Article.objects.create(author=writer, title=f"{number}", slug=str(number), body="b", price=1, rating=rating,
                               created_at=START, updated_at=START)  # fmt: skip
    with TestClient(api) as client:
        pages = list(walk(client, client.get("/").json(), "next"))
    assert [row["title"] for page in pages for row in page["results"]] == ["0", "2", "1"]


def test_a_view_set_with_an_order_no_cursor_can_stand_in_stops_the_start() -> None:
    class Nullable(ModelViewSet):
        model = Article
        ordering = ("rating",)
        page = CursorPage()

    class Unordered(ModelViewSet):
        model = Article
        ordering = ("title", "details")
        page = CursorPage()

    for cls, message in ((Nullable, "may be NULL"), (Unordered, "JSONField")):
        with pytest.raises(ConfigurationError, match=rf"test_cursors\.py:\d+: .*page = CursorPage.*{message}"):
            API().viewset("/x")(cls)
