"""`TestClient` stays on the test's thread: a handler sees the test's transaction, however it asks the database."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from catalog.models import Tag
from django.db import connection, transaction
from django.db.models import QuerySet

from plectrum import API
from plectrum.testing import TestClient

api = API()


@api.post("/sync/{name}", sync=True)
def sync_make(name: str) -> int:
    with transaction.atomic():
        return int(Tag.objects.create(name=name, slug=name).pk)


@api.post("/async/{name}")
async def async_make(name: str) -> int:
    return int((await Tag.objects.acreate(name=name, slug=name)).pk)


@api.get("/tags")
async def tags() -> QuerySet[Tag]:
    return Tag.objects.order_by("pk")


@api.query.get("/native")
def native() -> QuerySet[Tag]:
    return Tag.objects.order_by("pk")


@api.get("/nested")
async def nested() -> list[str]:
    def inner() -> str:
        return str(async_to_sync(name)())

    async def name() -> str:
        return threading.current_thread().name

    return [str(await sync_to_async(inner)()), await sync_to_async(lambda: threading.current_thread().name)()]


@pytest.mark.django_db
def test_every_way_sees_the_tests_transaction() -> None:
    Tag.objects.create(name="first", slug="first")
    with TestClient(api) as client:
        assert client.post("/sync/second").status_code == 200
        assert client.post("/async/third").status_code == 200
        expected = list(Tag.objects.order_by("pk").values_list("name", flat=True))
        assert expected == ["first", "second", "third"]
        for path in ("/tags", "/native"):
            assert [tag["name"] for tag in client.get(path).json()] == expected
    assert connection.in_atomic_block


@pytest.mark.django_db
def test_statements_are_counted_whoever_runs_them(django_assert_num_queries: Any) -> None:
    with TestClient(api) as client:
        for path in ("/tags", "/native"):
            with django_assert_num_queries(1):
                client.get(path)


def test_sync_code_may_call_async_code_which_calls_sync_code() -> None:
    with TestClient(api) as client:
        nested = client.get("/nested").json()
    assert nested[1] == threading.current_thread().name
    assert async_to_sync(tags)().model is Tag  # asgiref does not take this thread for the client's any more
