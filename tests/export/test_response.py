"""The response as Django serves it, synchronously and asynchronously, and what becomes of its query."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from catalog.models import Article
from django.core.asgi import get_asgi_application
from django.db.models import Value
from django.http import HttpRequest
from django.middleware.gzip import GZipMiddleware
from django.test import Client
from django.urls import path

from plectrum.export import StreamingExport
from tests.export.conftest import ARTICLES
from tests.export.test_stream import Sleep, eventually, exports

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shop"),
    pytest.mark.urls(__name__),
]


def titles(request: HttpRequest) -> StreamingExport:
    return StreamingExport(Article.objects.values("id", "title"), batch=2)


async def later(request: HttpRequest) -> StreamingExport:
    return StreamingExport(Article.objects.values("id", "title"), format="ndjson", batch=2)


def download(request: HttpRequest) -> StreamingExport:
    return StreamingExport(Article.objects.values("id"), format="csv", filename="all the articles.csv")


async def slow(request: HttpRequest) -> StreamingExport:
    rows = Article.objects.annotate(slept=Sleep(Value(1.0))).values("id", "slept")
    return StreamingExport(rows, format="ndjson", batch=1)


urlpatterns = [path("titles", titles), path("later", later), path("slow", slow), path("download", download)]


def test_a_synchronous_view() -> None:
    response: Any = Client().get("/titles")
    assert response["Content-Type"] == "application/json"
    assert "Content-Disposition" not in response
    assert len(json.loads(b"".join(response.streaming_content))) == ARTICLES


def test_a_download_has_a_name() -> None:
    response: Any = Client().get("/download")
    assert response["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert response["Content-Disposition"] == 'attachment; filename="all the articles.csv"'
    assert b"".join(response.streaming_content).count(b"\r\n") == ARTICLES + 1


def communicator(target: str) -> ApplicationCommunicator:
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": target}
    scope |= {"raw_path": target.encode(), "query_string": b"", "headers": [(b"host", b"testserver")]}
    return ApplicationCommunicator(get_asgi_application(), scope)


async def pieces_of(target: str) -> list[bytes]:
    client = communicator(target)
    await client.send_input({"type": "http.request", "body": b""})
    assert (await client.receive_output(5))["status"] == 200
    pieces: list[bytes] = []
    more = True
    while more:
        message = await client.receive_output(5)
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    await client.wait(5)
    return [piece for piece in pieces if piece]


@pytest.mark.parametrize("target", ["/titles", "/later"])
def test_asgi_sends_piece_by_piece(target: str) -> None:
    pieces = asyncio.run(pieces_of(target))
    assert len(pieces) >= ARTICLES // 2
    text = b"".join(pieces)
    rows = json.loads(text) if target == "/titles" else [json.loads(line) for line in text.splitlines()]
    assert [row["id"] for row in rows] == list(Article.objects.values_list("id", flat=True))


@pytest.mark.postgresql
def test_a_client_that_goes_away_stops_the_query() -> None:
    async def leave() -> None:
        client = communicator("/slow")
        await client.send_input({"type": "http.request", "body": b""})
        await client.receive_output(5)
        assert (await client.receive_output(5))["body"].startswith(b"{")
        await client.send_input({"type": "http.disconnect"})
        await client.wait(5)

    asyncio.run(leave())
    assert eventually(lambda: exports() == 0)


def test_a_middleware_may_wrap_the_pieces() -> None:
    def zipped(request: HttpRequest) -> Any:
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"
        return GZipMiddleware(lambda _: titles(request))(request)

    response = zipped(HttpRequest())

    async def collect() -> bytes:
        return b"".join([piece async for piece in response])

    assert len(json.loads(gzip.decompress(asyncio.run(collect())))) == ARTICLES
