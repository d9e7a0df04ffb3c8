"""`reverse()` across an API and Django's URLconf."""

from __future__ import annotations

import sys
import types
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import clear_url_caches, include, path, reverse

from plectrum import API

api = API(prefix="/api")


@api.get("/items/{item:int}", name="item")
async def item(item: int) -> None: ...


@api.get("/files/{place:path}", name="file")
async def file(place: str) -> None: ...


@api.get("/keys/{key}", name="key")
async def key(key: uuid.UUID) -> None: ...


def page(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(number)


@pytest.fixture(autouse=True)
def urlconf(settings: Any) -> Iterator[None]:
    module = types.ModuleType("reversed_urls")
    module.urlpatterns = [path("page/<int:number>/", page, name="page"), path("", include(api.urls))]  # type: ignore[attr-defined]
    sys.modules["reversed_urls"] = module
    settings.ROOT_URLCONF = "reversed_urls"
    clear_url_caches()
    yield
    del sys.modules["reversed_urls"]
    clear_url_caches()


def test_django_knows_the_routes() -> None:
    assert reverse("item", kwargs={"item": 7}) == "/api/items/7"
    assert reverse("file", kwargs={"place": "a/b"}) == "/api/files/a/b"
    assert reverse("key", kwargs={"key": "x y"}) == "/api/keys/x%20y"


def test_the_api_knows_djangos_views() -> None:
    assert api.reverse("page", number=3) == "/page/3/"
    assert api.reverse("item", item=7) == "/api/items/7"
    with pytest.raises(LookupError, match="No route is named 'pages'"):
        api.reverse("pages", number=3)


def test_another_server_says_who_answers() -> None:
    answer = Client().get("/api/items/7")
    assert (answer.status_code, b"manage.py plectrum serve" in answer.content) == (503, True)
