"""Routes that are asked more than they can answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from plectrum import Stream
from plectrum.budgets import Concurrency

from .queries import Item, api

__all__ = ["api"]


@api.get("/one", concurrency=1)
async def one(seconds: float = 0.3) -> str:
    await asyncio.sleep(seconds)
    return "one"


@api.get("/line", concurrency=Concurrency(limit=2, queue=4, wait=5))
async def line() -> str:
    await asyncio.sleep(0.2)
    return "in line"


@api.get("/impatient", concurrency=Concurrency(limit=1, queue=10, wait=0.1))
async def impatient(seconds: float = 0.6) -> str:
    await asyncio.sleep(seconds)
    return "impatient"


@api.get("/stream", concurrency=1)
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000
            await asyncio.sleep(0.05)

    return Stream(pieces())


@api.get("/work")
async def work() -> str:
    await asyncio.sleep(0.02)
    return "done"


@api.get("/slow/queryset", statement_timeout=0.2)
async def slow_queryset(seconds: float) -> object:
    from django.db.models import F, Func, IntegerField, Value

    waited = Func(Value(seconds), function="slow", output_field=IntegerField())
    return Item.objects.filter(pk=1).annotate(waited=waited).values(number=F("id"), waited=F("waited"))


@api.query.get("/slow/native", statement_timeout=0.2)
def slow_native(seconds: float) -> object:
    from django.db.models import F, Func, IntegerField

    waited = Func(seconds, function="slow", output_field=IntegerField())
    return Item.objects.filter(pk=1).annotate(waited=waited).values(number=F("id"), waited=F("waited"))
