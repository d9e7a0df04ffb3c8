"""Plectrum's."""

from __future__ import annotations

from typing import Any

from plectrum import API, Request

api = API(openapi_url=None, django_middleware=True)


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/who")
async def who(request: Request) -> dict[str, Any]:
    user = await request.auser()
    return {"user": user.is_authenticated}


@api.get("/bare", django_middleware=False)
async def bare() -> dict[str, str]:
    return {"message": "Hello, World!"}
