"""The benchmark's endpoints, as a user of Plectrum would write them (peers' data, hand-written twins in ``limit``)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import django
from annotated_types import Ge, Le, MaxLen
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["django.contrib.contenttypes", "shop"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "postgres"),
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", "5432"),
            "USER": "postgres",
        }
    },
)
django.setup()

from shop.models import Article, Author  # noqa: E402 - models need configured settings

from plectrum import API, Count, EventStream, One, Schema, WebSocket  # noqa: E402
from plectrum.channels import Group  # noqa: E402
from plectrum.graphql import GraphQL  # noqa: E402

api = API(openapi_url=None)


class Address(Schema):
    street: Annotated[str, MaxLen(100)]
    city: Annotated[str, MaxLen(60)]
    zip: Annotated[str, MaxLen(10)]


class Person(Schema):
    name: Annotated[str, MaxLen(100)]
    email: Annotated[str, MaxLen(100)]
    age: Annotated[int, Ge(0), Le(150)]
    tags: list[str]
    address: Address


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/typed/{id}")
async def typed(id: int, q: str, page: int) -> dict[str, Any]:
    return {"id": id, "q": q, "page": page}


@api.post("/echo")
async def echo(person: Person) -> Person:
    return person


@api.query.get("/articles/one/{id}")
def one(id: int) -> Any:
    return One(Article.objects.filter(pk=id))


@api.query.get("/articles/{n}")
def many(n: int) -> Any:
    return Article.objects.order_by("id")[:n]


@api.query.get("/nested/{n}")
def nested(n: int) -> Any:
    return Article.objects.select_related("author").order_by("id")[:n]


@api.query.get("/page")
def page(status: str, views: int, page: int) -> Any:
    rows = Article.objects.filter(status=status, views__gte=views).order_by("-id")
    return {"count": Count(rows), "results": rows[(page - 1) * 20 : page * 20]}


@api.get("/queryset/articles/one/{id}")
async def queryset_one(id: int) -> Any:
    return One(Article.objects.filter(pk=id))


@api.get("/queryset/articles/{n}")
async def queryset_many(n: int) -> Any:
    return Article.objects.order_by("id")[:n]


api.graphql("/graphql", GraphQL(models=[Article, Author]))


def tick() -> dict[str, int]:
    return {"t": time.time_ns() // 1000}


@api.get("/sse")
async def sse() -> EventStream:
    async def ticks() -> AsyncIterator[dict[str, int]]:
        while True:
            yield tick()
            await asyncio.sleep(1)

    return EventStream(ticks())


@api.websocket("/ws")
async def ws(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket:
        await websocket.send(message)


everybody = Group("everybody")
clocks: list[asyncio.Task[None]] = []


async def send_broadcasts() -> None:
    while True:
        everybody.send_json(tick())
        await asyncio.sleep(1)


@api.websocket("/broadcast")
async def broadcast(websocket: WebSocket) -> None:
    await websocket.accept()
    everybody.add(websocket)
    if not clocks:
        clocks.append(asyncio.create_task(send_broadcasts()))
    async for _ in websocket:
        pass
