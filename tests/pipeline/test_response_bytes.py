"""Finished bodies in the frameworks that send them."""

from __future__ import annotations

import gc
import json
from typing import Any

import fastapi
import httpx
import pytest
from django.http import HttpResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plectrum import API
from plectrum.pipeline import RustResponseBytes, build_list_response
from plectrum.testing import TestClient

BODY = build_list_response(['{"full_title":"Ü"}'], "articles", "Article")


async def get(app: Any, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(path)


def fetch(app: Any, path: str = "/") -> httpx.Response:
    import asyncio

    return asyncio.run(get(app, path))


def check(response: Any) -> None:
    assert response.status_code == 200
    assert response.content == BODY
    assert response.headers["content-type"] == "application/json"


def test_it_is_the_bytes() -> None:
    result = RustResponseBytes(BODY)
    assert result.bytes is BODY
    assert bytes(result) is BODY
    assert result.encode() is BODY
    assert next(iter(result)) is BODY
    assert len(result) == len(BODY)
    assert result
    assert not RustResponseBytes(b"")
    assert result.content_type == "application/json"
    assert repr(result) == f"<RustResponseBytes of {len(BODY)} bytes, application/json>"
    assert json.loads(result.bytes)["data"]["articles"][0]["fullTitle"] == "Ü"


def test_it_is_a_buffer() -> None:
    view = memoryview(RustResponseBytes(BODY))  # type: ignore[arg-type, unused-ignore]
    gc.collect()
    assert view.readonly
    assert view == BODY
    assert b"".join([view]) == BODY
    with pytest.raises(TypeError):
        view[0] = 0


def test_a_media_type_of_ones_own() -> None:
    assert (
        RustResponseBytes(BODY, "application/graphql-response+json").content_type == "application/graphql-response+json"
    )
    with pytest.raises(ValueError, match="cannot be the value of a header"):
        RustResponseBytes(BODY, "a\r\nb: c")


def test_starlette_returns_it() -> None:
    async def endpoint(request: Request) -> Any:
        return RustResponseBytes(BODY)

    check(fetch(Starlette(routes=[Route("/", endpoint)])))


def test_starlette_takes_it_as_content() -> None:
    async def endpoint(request: Request) -> Response:
        result = RustResponseBytes(BODY)
        response = Response(result, media_type=result.content_type)
        assert response.body is BODY
        return response

    check(fetch(Starlette(routes=[Route("/", endpoint)])))


def test_fastapi_takes_it_as_content() -> None:
    app = fastapi.FastAPI()

    @app.get("/")
    async def endpoint() -> fastapi.Response:
        result = RustResponseBytes(BODY)
        return fastapi.Response(result, media_type=result.content_type)

    check(fetch(app))


def test_django_takes_it_as_content() -> None:
    result = RustResponseBytes(BODY)
    response = HttpResponse(result, content_type=result.content_type)
    assert response.content is BODY
    check(response)


def test_plectrum_returns_it() -> None:
    api = API()

    @api.get("/")
    async def endpoint() -> RustResponseBytes:
        return RustResponseBytes(BODY, "application/graphql-response+json")

    @api.get("/untyped", status=203)
    async def untyped():  # type: ignore[no-untyped-def]
        return RustResponseBytes(BODY)

    with TestClient(api) as client:
        response = client.get("/")
        assert response.content == BODY
        assert response.headers["content-type"] == "application/graphql-response+json"
        response = client.get("/untyped")
        assert (response.status_code, response.content) == (203, BODY)
