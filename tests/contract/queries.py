"""Queries on a PostgreSQL that may be away, slow or full; `tests/contract/conftest.py` makes its tables."""

from __future__ import annotations

import datetime
import enum
import os
from typing import Any

import django
from django.conf import settings

from plectrum import database_url

settings.configure(
    SECRET_KEY="contract",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": database_url.parse(os.environ["DATABASE_URL"])},
    LOGGING_CONFIG=None,
)
django.setup()

from django.db import models  # noqa: E402 - models need configured settings
from django.db.models import F, Func  # noqa: E402

from plectrum import API, One  # noqa: E402
from plectrum.graphql import GraphQL, Type  # noqa: E402

api = API()


class Item(models.Model):
    name = models.TextField()
    made = models.DateField()

    class Meta:
        app_label = "contract"
        db_table = "item"
        managed = False


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


@api.query.get("/items/{id}")
def item(id: int) -> Any:
    return One(Item.objects.filter(pk=id))


@api.query.get("/list/{n}")
def many(n: int) -> Any:
    return Item.objects.order_by("id")[:n]


@api.get("/queryset/{n}")
async def queryset(n: int) -> Any:
    return Item.objects.order_by("id")[:n]


class Size(enum.Enum):
    SMALL = 2
    LARGE = 20


@api.query.get("/defaults")
def defaults(
    size: Size = Size.SMALL,
    ids: list[int] = [1, 2, 3, 4],  # noqa: B006
    since: datetime.date = datetime.date(2024, 1, 3),
) -> Any:
    return Item.objects.filter(id__in=ids, made__gte=since).filter(id__lte=size).values_list("id")


@api.query.get("/slow")
def slow(seconds: float) -> Any:
    waited = Func(seconds, function="slow", output_field=models.IntegerField())
    return Item.objects.filter(pk=1).annotate(waited=waited).values(number=F("id"), waited=F("waited"))


api.resource(Item, "/resource", filters=["name"], ordering=["name"], search=["name"])
api.graphql("/graphql", GraphQL([Type(Item, writes=["update", "delete"])]))
