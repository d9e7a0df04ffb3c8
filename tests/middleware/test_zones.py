"""Time zones and languages that are activated hold for handlers and for what is made of their results."""

from __future__ import annotations

import asyncio
import datetime as dt
import zoneinfo
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from catalog.models import Author
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_lazy

from plectrum import API
from plectrum.orm import Page
from plectrum.testing import TestClient

JOINED = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
BERLIN = "2026-07-01T14:00:00+02:00"
UTC = "2026-07-01T12:00:00Z"

pytestmark = pytest.mark.django_db


class InBerlin(MiddlewareMixin):
    """Activates a zone for each request, as Django's documentation has it."""

    plectrum_blocks = False

    def process_request(self, request: Any) -> None:
        timezone.activate(zoneinfo.ZoneInfo("Europe/Berlin"))


class OnAThread(InBerlin):
    """The same by a hook that may block."""

    plectrum_blocks = True


@pytest.fixture(autouse=True)
def _author() -> None:
    Author.objects.create(name="Ada", email="ada@example.com", country="DE", joined_at=JOINED)


def _api(**options: Any) -> API:
    api = API(**options)

    @api.get("/here")
    async def here(zone: str | None = None) -> Any:
        if zone:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        return Author.objects.values("joined_at")

    @api.get("/later")
    async def later(zone: str | None = None) -> Any:
        if zone:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        await asyncio.sleep(0)
        return Page(Author.objects.values("joined_at"), number=1, size=5)

    @api.get("/threaded")
    async def threaded(zone: str | None = None) -> Any:
        if zone:
            await sync_to_async(timezone.activate)(zoneinfo.ZoneInfo(zone))
        return {"all": Author.objects.values("joined_at")}

    @api.get("/sync", sync=True)
    def sync(zone: str | None = None) -> Any:
        if zone:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        return Author.objects.values("joined_at")

    @api.query.get("/native")
    def native() -> Any:
        return Author.objects.values("joined_at")

    return api


@pytest.mark.parametrize("path", ["/here", "/later", "/threaded", "/sync"])
def test_a_zone_activated_by_the_handler(path: str) -> None:
    client = TestClient(_api())
    assert UTC in client.get(path).text
    assert BERLIN in client.get(f"{path}?zone=Europe/Berlin").text
    assert UTC in client.get(path).text  # it ended with its request


@pytest.mark.parametrize("middleware", [InBerlin, OnAThread])
@pytest.mark.parametrize("path", ["/here", "/later", "/threaded", "/sync", "/native"])
def test_a_zone_activated_by_middleware(path: str, middleware: Any) -> None:
    client = TestClient(_api(django_middleware=[middleware]))
    assert BERLIN in client.get(path).text


def test_a_fixed_offset() -> None:
    api = API()

    @api.get("/")
    async def home() -> Any:
        timezone.activate(dt.timezone(dt.timedelta(hours=5, minutes=30)))
        return Author.objects.values("joined_at")

    assert "2026-07-01T17:30:00+05:30" in TestClient(api).get("/").text


def test_a_language_holds_for_lazy_text_in_the_result() -> None:
    api = API()

    @api.get("/{language}")
    async def home(language: str) -> Any:
        translation.activate(language)
        return {"said": gettext_lazy("Yes")}

    @api.get("/later/{language}")
    async def later(language: str) -> Any:
        translation.activate(language)
        await asyncio.sleep(0)
        return {"said": gettext_lazy("Yes")}

    client = TestClient(api)
    assert client.get("/de").json() == {"said": "Ja"}
    assert client.get("/en").json() == {"said": "Yes"}
    assert client.get("/later/de").json() == {"said": "Ja"}
