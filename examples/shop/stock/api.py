"""Stock: what is there, what changes, and what staff says there is."""

from __future__ import annotations

from typing import Annotated

from accounts.access import CUSTOMERS
from catalog.models import Article
from django.db import connection
from shop.fields import Key

from plectrum import Field, NotFound, One, Router, Schema
from plectrum.guards import IsStaff
from stock.models import Level

router = Router(tags=["stock"])

router.resource(Level, "/stock", filters=["article_id", "available__lte"], ordering=["available"], tags=())

if connection.vendor == "postgresql":  # where changes can be listened to
    router.feed(Level, "/stock/feed", filters=["article_id"])


class Count(Schema):
    """What somebody counted on the shelf."""

    available: Annotated[int, Field(ge=0, le=1_000_000)]


@router.put("/articles/{article_id}/stock", auth=CUSTOMERS, guards=[IsStaff])
async def restock(article_id: Key, count: Count) -> One[Level]:
    """Sets how many there are; staff only."""
    if not await Article.objects.filter(pk=article_id).aexists():
        raise NotFound(f"There is no article {article_id}.")
    await Level.objects.aupdate_or_create(article_id=article_id, defaults={"available": count.available})
    return One(Level.objects.filter(article_id=article_id))
