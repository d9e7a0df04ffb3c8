"""Routes whose answers are kept, and whose requests may be sent again."""

from __future__ import annotations

import asyncio
import itertools
import os

from plectrum import Response

from .kept import api

__all__ = ["api"]

numbers = itertools.count(1)


def next_number() -> str:
    return f"{os.getpid()} {next(numbers)}"


@api.get("/kept", cache=60)
async def kept(seconds: float = 0.2, header: str = "") -> Response:
    number = next_number()
    await asyncio.sleep(seconds)
    return Response(number, headers=[("cache-control", header)] if header else [])


@api.post("/order", idempotent=True)
async def order(seconds: float = 0.2) -> str:
    await asyncio.sleep(seconds)
    return next_number()
