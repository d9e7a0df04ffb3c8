"""Class-based views: an instance per request, routes by the names of methods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from catalog.models import Article, Author, Tag

from plectrum import API, ConfigurationError, Forbidden, Request, Router
from plectrum.guards import Guard
from plectrum.testing import TestClient
from plectrum.views import ModelViewSet, View, ViewSet, action, configure

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def test_methods_of_a_view_are_handlers() -> None:
    api = API()

    @api.view("/books/{id}", tags=["books"])
    class BookView(View):
        """Books."""

        async def get(self, id: int, full: bool = False) -> dict[str, Any]:
            """One book.

            With all its pages.
            """
            return {"id": id, "full": full, "path": self.request.path, "action": self.action, "me": id_of(self)}

        @configure(status=202, sync=True)
        def put(self, request: Request, id: int) -> str:
            assert request is self.request
            return f"{request.method} {id}"

    with TestClient(api) as client:
        first, second = (client.get("/books/7?full=1").json() for _ in range(2))
        assert first == {"id": 7, "full": True, "path": "/books/7", "action": "get", "me": 1}
        assert second["me"] == 2
        put = client.put("/books/7")
        assert (put.status_code, put.json()) == (202, "PUT 7")
        assert client.get("/books/x").status_code == 422
        assert client.delete("/books/7").headers["allow"] == "GET, HEAD, OPTIONS, PUT"
        operation = client.get("/openapi.json").json()["paths"]["/books/{id}"]["get"]
    assert (operation["summary"], operation["description"]) == ("One book", "With all its pages.")
    assert operation["tags"] == ["books"]


_seen: list[Any] = []


def id_of(view: Any) -> int:
    """Which of the views seen so far it is, from 1."""
    _seen.append(view)
    return len({id(view) for view in _seen})


def test_a_view_set_is_routed_by_names() -> None:
    api = API()

    @api.viewset("/rooms", tags=["rooms"])
    class RoomViewSet(ViewSet):
        lookup_field = "name"

        async def list(self) -> str:
            return "all"

        async def create(self) -> str:
            return "made"

        async def retrieve(self, name: str) -> str:
            return name

        async def destroy(self, name: str) -> None:
            return None

        @action(detail=True, methods=["POST"], status=202)
        async def close_door(self, name: str) -> str:
            return f"{name} closed"

        @action(detail=False, path="free-ones")
        async def free(self) -> str:
            return "free"

    with TestClient(api) as client:
        assert client.get("/rooms").json() == "all"
        assert client.post("/rooms").status_code == 201
        assert client.get("/rooms/a").json() == "a"
        assert client.delete("/rooms/a").status_code == 204
        assert client.put("/rooms/a").status_code == 405
        closed = client.post("/rooms/a/close-door")
        assert (closed.status_code, closed.json()) == (202, "a closed")
        assert client.get("/rooms/free-ones").json() == "free"


# ModelViewSet ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ArticleViewSet(ModelViewSet):
    model = Article
    write_fields = ("author", "title", "slug", "body", "price", "created_at", "updated_at")
    filters = ("status", "price__lte", "tags__slug__in")
    ordering = ("price",)
    search = ("title", "tags__name")

    def get_queryset(self) -> Any:
        rows = Article.objects.select_related("author")
        country = self.request.header("x-country")
        return rows.filter(author__country=country) if country else rows

    def check_object(self, instance: Any) -> None:
        if instance.featured:
            raise Forbidden("Featured articles stay.")

    def perform_create(self, data: Mapping[str, Any]) -> Any:
        return self.writer.create(data, views=self.request.header("x-views", "0"))

    @action(detail=True, methods=["POST"], sync=True)
    def publish(self, id: int) -> Any:
        article = self.get_object(id)
        article.status = Article.Status.LIVE
        article.save()
        return self.shown(article)


@pytest.fixture
def client(db: None) -> Iterator[TestClient]:
    api = API()
    api.viewset("/articles")(ArticleViewSet)
    author = Author.objects.create(name="Ada", email="ada@x.org", country="gb", joined_at=NOW)
    common = {"author": author, "body": "b", "created_at": NOW, "updated_at": NOW}
    rows = [Article.objects.create(title=f"T{n}", slug=f"t{n}", price=n, **common) for n in range(1, 4)]
    tags = [Tag.objects.create(name=name, slug=name) for name in ("a", "ab")]
    for row in rows[:2]:
        row.tags.set(tags)
    with TestClient(api) as client:
        yield client


def titles(client: TestClient, query: str = "", **options: Any) -> list[str]:
    return [row["title"] for row in client.get(f"/articles{query}", **options).json()["results"]]


@pytest.mark.django_db
def test_lists_are_filtered_searched_ordered_and_paged(client: TestClient) -> None:
    assert titles(client) == ["T1", "T2", "T3"]
    assert titles(client, "?price__lte=2&ordering=-price") == ["T2", "T1"]
    assert titles(client, "?page_size=1&page=2") == ["T2"]
    assert titles(client, "?tags__slug__in=a&tags__slug__in=ab") == ["T1", "T2"], "a row is given once"
    assert titles(client, "?search=a") == ["T1", "T2"], "a row is given once"
    assert titles(client, headers={"x-country": "fr"}) == []
    assert client.get("/articles?price__lte=x").status_code == 422
    assert client.get("/articles").json()["results"][0]["author"]["name"] == "Ada"


@pytest.mark.django_db
def test_details_and_writes_see_the_request_s_rows_only(client: TestClient) -> None:
    key = Article.objects.get(slug="t1").pk
    french = {"headers": {"x-country": "fr"}}
    assert client.get(f"/articles/{key}").json()["title"] == "T1"
    assert client.get(f"/articles/{key}", **french).status_code == 404
    assert client.patch(f"/articles/{key}", json={"title": "U"}, **french).status_code == 404
    assert client.patch(f"/articles/{key}", json={"title": "U"}).json()["title"] == "U"
    assert client.post(f"/articles/{key}/publish").json()["status"] == "live"
    assert client.delete(f"/articles/{key}", **french).status_code == 404
    assert client.delete(f"/articles/{key}").status_code == 204


@pytest.mark.django_db
def test_hooks_decide(client: TestClient) -> None:
    Article.objects.filter(slug="t1").update(featured=True)
    key = Article.objects.get(slug="t1").pk
    for method in ("PATCH", "DELETE"):
        assert client.request(method, f"/articles/{key}", json={}).status_code == 403
    assert client.post(f"/articles/{key}/publish").status_code == 403
    moment = NOW.isoformat()
    body = {"author": Author.objects.get().pk, "title": "N", "slug": "n", "body": "b", "price": 1, "created_at": moment,
            "updated_at": moment}  # fmt: skip
    made = client.post("/articles", json=body, headers={"x-views": "5"})
    assert (made.status_code, made.json()["views"]) == (201, 5)
    refused = client.post("/articles", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["body", "slug"])


@pytest.mark.django_db
def test_openapi_has_the_model_s_types(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    listing = document["paths"]["/articles"]["get"]
    assert {p["name"] for p in listing["parameters"]} >= {"status", "price__lte", "search", "ordering", "page"}
    shown = listing["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(document["components"]["schemas"][shown]["properties"]) == {"count", "next", "previous", "results"}
    assert "ArticleCreate" in document["components"]["schemas"]


class Cheap(Guard):
    message = "Too dear."

    def has_object_permission(self, request: Any, obj: Any) -> bool:
        return bool(obj.price < 2)


class GuardedViewSet(ModelViewSet):
    model = Article
    route_options = {"guards": [Cheap()]}
    write_fields = ("title",)
    actions = ("retrieve", "partial_update", "destroy")

    @action(detail=True, methods=["POST"], sync=True)
    def touch(self, id: int) -> str:
        return str(self.get_object(id).title)


@pytest.mark.django_db
def test_guards_look_at_the_object(client: TestClient) -> None:
    api = API()
    api.viewset("/guarded")(GuardedViewSet)
    cheap, dear = (Article.objects.get(slug=slug).pk for slug in ("t1", "t3"))
    with TestClient(api) as guarded:
        for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/touch"), ("DELETE", "")):
            assert guarded.request(method, f"/guarded/{dear}{path}", json={}).status_code in (401, 403), method
            assert guarded.request(method, f"/guarded/{cheap}{path}", json={}).status_code in (200, 204), method
        assert guarded.get("/guarded/0").status_code == 404
        assert guarded.put(f"/guarded/{dear}", json={}).status_code == 405


class UnguardedViewSet(ModelViewSet):
    model = Article
    write_fields = ("title",)
    actions = ("retrieve", "partial_update")


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["registration", "router", "api"])
def test_guards_of_what_is_around_look_at_the_object(client: TestClient, where: str) -> None:
    api = API(guards=[Cheap] if where == "api" else None)
    router = Router(guards=[Cheap]) if where == "router" else Router()
    options = {"guards": Cheap} if where == "registration" else {}
    router.viewset("/guarded", **options)(UnguardedViewSet)
    router.viewset("/open", guards=None)(UnguardedViewSet)
    api.include(router)
    cheap, dear = (Article.objects.get(slug=slug).pk for slug in ("t1", "t3"))
    with TestClient(api) as guarded:
        for method in ("GET", "PATCH"):
            assert guarded.request(method, f"/guarded/{cheap}", json={}).status_code == 200
            assert guarded.request(method, f"/guarded/{dear}", json={}).status_code in (401, 403), method
            assert guarded.request(method, f"/open/{dear}", json={}).status_code == 200, "each route has its own"


@pytest.mark.parametrize("action", ["retrieve", "update", "delete", "bulk_update"])
def test_a_resource_refuses_guards_that_nobody_would_ask(action: str) -> None:
    api = API()
    api.resource(Article, actions=[action], guards=[Cheap() | Cheap()])
    with pytest.raises(ConfigurationError, match=r"test_views\.py:\d+: .*looks at objects.*queryset=.*ModelViewSet"):
        api.compile()
    api = API()
    api.resource(Article, actions=["list", "create"], guards=[Cheap])
    api.compile()


# Mistakes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_mistakes_stop_the_start() -> None:
    class Empty(View): ...

    class Nothing(ViewSet): ...

    class Modelless(ModelViewSet): ...

    class Wrong(ViewSet):
        actions = ("list", "retrive")

        async def list(self) -> str:
            return ""

    class Plain(View):
        def get(self) -> str:
            return ""

    api = API()
    for register, cls, message in (
        (api.view, Empty, "has none of get"),
        (api.viewset, Nothing, "has no action"),
        (api.viewset, Wrong, "has no action 'retrive'"),
        (api.viewset, Modelless, "needs model ="),
        (api.view, dict, "takes a subclass"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            register("/x")(cls)
    api.view("/plain")(Plain)
    with pytest.raises(ConfigurationError, match=r"test_views\.py:\d+: .*Plain\.get\(\) is a plain 'def'"):
        api.compile()
