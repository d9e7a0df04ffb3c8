"""Middleware of other packages around routes, as their documentation sets it up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from catalog.models import Author
from django.db.models import QuerySet
from django.http import HttpResponse

from plectrum import API
from plectrum.testing import TestClient


@pytest.mark.django_db
def test_the_debug_toolbar_sees_pages_and_data(settings: Any) -> None:
    settings.DEBUG = True
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "debug_toolbar"]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    from debug_toolbar.toolbar import debug_toolbar_urls  # it has models

    settings.ROOT_URLCONF = tuple(debug_toolbar_urls())
    settings.DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": lambda request: True}
    api = API(django_middleware=["debug_toolbar.middleware.DebugToolbarMiddleware"])

    @api.get("/page", sync=True)
    def page() -> HttpResponse:
        return HttpResponse(f"<html><body>{Author.objects.count()} authors</body></html>")

    @api.get("/authors")
    async def authors() -> QuerySet[Author]:
        return Author.objects.order_by("id")

    with TestClient(api) as client:
        shown = client.get("/page")
        assert shown.status_code == 200
        assert 'id="djDebug"' in shown.text
        assert re.search(r"1 query in", shown.text)
        data = client.get("/authors")
        assert data.json() == []
        assert data.headers["djdt-request-id"]


def test_cors_headers(settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "corsheaders"]
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    api = API(django_middleware=["corsheaders.middleware.CorsMiddleware"])

    @api.get("/data")
    async def data() -> dict[str, int]:
        return {"a": 1}

    with TestClient(api) as client:
        ours = client.get("/data", headers={"origin": "https://shop.example"})
        assert ours.headers["access-control-allow-origin"] == "https://shop.example"
        others = client.get("/data", headers={"origin": "https://other.example"})
        assert "access-control-allow-origin" not in others.headers
        asked = client.request(
            "OPTIONS",
            "/data",
            headers={"origin": "https://shop.example", "access-control-request-method": "GET"},
        )
        assert asked.headers["access-control-allow-origin"] == "https://shop.example"
        plain = client.request("OPTIONS", "/data")
        assert (plain.status_code, plain.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_paths_whose_names_differ_have_one_answer_to_options() -> None:
    api = API(django_middleware=[])

    @api.get("/data/{key}")
    async def read(key: int) -> int:
        return key

    @api.delete("/data/{other}/")
    async def delete(other: int) -> int:
        return other

    with TestClient(api) as client:
        answer = client.request("OPTIONS", "/data/1")
        assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")
