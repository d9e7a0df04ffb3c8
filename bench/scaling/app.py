"""What is asked: an answer without a database, and a QuerySet of a handler's."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

from plectrum import database_url

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    DATABASES={"default": database_url.parse(os.environ["DATABASE_URL"])},
    LOGGING_CONFIG=None,
)
django.setup()

from django.db import models  # noqa: E402 - models need configured settings

from plectrum import API  # noqa: E402

api = API(openapi_url=None)


class Item(models.Model):
    name = models.TextField()
    made = models.DateField()
    price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        app_label = "scaling"
        db_table = "item"
        managed = False


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/items/{n}")
async def items(n: int) -> Any:
    return Item.objects.filter(id__gt=n).order_by("id")[:10]
