"""`TestClient` stays on the test's thread: a handler sees the test's transaction, however it asks the database."""

from __future__ import annotations

import threading
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from catalog.models import Tag
from django.db import connection, transaction
from django.db.models import QuerySet

from plectrum import API
from plectrum.testing import AsyncTestClient, TestClient

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


@pytest.mark.django_db
def test_the_async_client_shares_the_transaction_of_async_tests() -> None:
    async def scenario() -> list[Any]:
        await Tag.objects.acreate(name="first", slug="first")
        async with AsyncTestClient(api) as client:
            made = await client.post("/async/second")
            listed = await client.get("/tags")
        found = [name async for name in Tag.objects.order_by("pk").values_list("name", flat=True)]
        return [made.status_code, [tag["name"] for tag in listed.json()], found]

    assert async_to_sync(scenario)() == [200, ["first", "second"], ["first", "second"]]
    assert Tag.objects.count() == 2


def test_the_plugin_has_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(
        app="""
        from plectrum import API
        api = API()
        @api.get("/")
        async def root() -> str:
            return "root"
        """,
        test_it="""
        import asyncio
        from plectrum.testing import AsyncTestClient
        def test_sync(plectrum_client):
            assert plectrum_client.get("/").json() == "root"
        """,
    )
    monkeypatch.setenv("PLECTRUM_API", "app:api")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = pytester.runpytest_subprocess("-p", "plectrum.pytest_plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


def test_reverse_gives_paths() -> None:
    api = API("/api")

    @api.get("/files/{id:int}/{rest:path}", name="file")
    async def read(id: int, rest: str) -> str:
        return rest

    assert api.reverse("file", id=7, rest="a b/c?") == "/api/files/7/a%20b/c%3F"
    with pytest.raises(LookupError, match="Did you mean 'file'"):
        api.reverse("fil")
    with pytest.raises(LookupError, match=r"wants \(id, rest\), not \(id\)"):
        api.reverse("file", id=7)


def test_the_contract_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plectrum import cli

    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    source = "from plectrum import API\napi = API(title='One')\nother = API(title='Two')\n"
    (tmp_path / "contract_app.py").write_text(source)

    def said(*arguments: str) -> tuple[int, str]:
        out = StringIO()
        with redirect_stdout(out):
            return cli.main(["openapi", *arguments]), out.getvalue()

    status, document = said("contract_app:api")
    assert status == 0
    (tmp_path / "contract.json").write_text(document)
    assert said("contract_app:api", "--check", "contract.json")[0] == 0
    status, difference = said("contract_app:other", "--check", "contract.json")
    assert status == 1
    assert '-    "title": "One"' in difference
    assert '+    "title": "Two"' in difference
