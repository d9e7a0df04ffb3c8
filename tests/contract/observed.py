"""Routes of each way, for what is seen of them."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from plectrum import Request
from plectrum.observe import request_id, traceparent

from .queries import api

log = logging.getLogger("shop")

__all__ = ["api"]


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/wait")
async def wait(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "waited"


@api.get("/block", sync=True)
def block(seconds: float) -> str:
    time.sleep(seconds)
    return "blocked"


@api.get("/fail")
async def fail() -> None:
    raise RuntimeError("on purpose")


@api.get("/logged")
async def logged() -> None:
    await asyncio.sleep(0.01)
    log.warning("after a while")


@api.get("/logged/sync", sync=True)
def logged_sync() -> None:
    log.warning("in a %s", "thread", extra={"order": 7})


@api.get("/named")
async def named(request: Request) -> dict[str, Any]:
    return {"id": request_id(), "trace": traceparent(), "header": request.header("traceparent")}
