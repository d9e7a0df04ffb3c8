"""Guarded and behind proxies, for attackers over raw sockets."""

from __future__ import annotations

from typing import Any

from plectrum import API, Request
from plectrum.auth import JWT

SECRET = "0123456789abcdef" * 4

api = API()


@api.get("/me", auth=[JWT(key=SECRET)])
async def me(request: Request) -> Any:
    return request.auth


@api.post("/me", auth=[JWT(key=SECRET)])
async def write(request: Request) -> int:
    return len(request.body)


@api.get("/who")
async def who(request: Request) -> Any:
    return {"client": request.client and request.client[0], "scheme": request.scheme, "host": request.header("host")}


@api.get("/limited", throttle="2/hour")
async def limited() -> str:
    return "in"
