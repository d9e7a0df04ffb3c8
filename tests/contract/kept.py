"""Answers made of rows that change."""

from __future__ import annotations

from plectrum.caching import Cache

from .queries import Item, api

__all__ = ["api"]


@api.get("/items/count", cache=Cache(seconds=60, models=(Item,)))
async def items_count() -> int:
    return await Item.objects.acount()


@api.post("/items/add", sync=True)
def add_item(number: int) -> None:
    Item.objects.create(pk=number, name="new", made="2024-01-01")
