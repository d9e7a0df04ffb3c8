"""Answers that are kept for others, and requests that may be sent again."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from catalog.models import Author
from django.db import transaction
from django.db.models import QuerySet

from plectrum import API, ConfigurationError, HTTPException, Request, Response
from plectrum.auth import APIKey
from plectrum.caching import Cache, Idempotency, invalidate
from plectrum.testing import TestClient


class Made:
    """Counts what handlers made."""

    def __init__(self) -> None:
        self.count = 0
        self.api = API()
        api = self.api

        @api.get("/plain", cache=60)
        async def plain(q: str = "") -> int:
            return self.next()

        @api.get("/all", cache=Cache(seconds=60, per="all", vary=("Accept-Language",)))
        async def everybody() -> int:
            return self.next()

        @api.get("/short", cache=0.05)
        async def short() -> int:
            return self.next()

        @api.get("/mine", cache=60, auth=APIKey(keys={"ada": "one" * 6, "bob": "two" * 6}))
        async def mine(request: Request) -> int:
            return self.next()

        @api.get("/answer", cache=60)
        async def answer(header: str = "", status: int = 200) -> Response:
            name, _, value = header.partition("=")
            return Response(str(self.next()), status, [(name, value)] if name else [])

        @api.get("/fail", cache=60)
        async def fail() -> None:
            self.next()
            raise HTTPException(503)

    def next(self) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def client(made: Made) -> TestClient:
    return TestClient(made.api)


def status(client: TestClient, path: str, **headers: str) -> str:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=given).headers["cache-status"].removeprefix("plectrum; ")


STORED, HIT, BYPASS, MISS = "fwd=miss; stored", "hit", "fwd=bypass", "fwd=miss"


# What is the same answer.


def test_the_same_request_gets_the_same_answer(client: TestClient, made: Made) -> None:
    first, second = client.get("/plain"), client.get("/plain")
    assert (first.content, first.headers.get("age")) == (second.content, None)
    assert (second.headers["age"], second.headers["content-type"]) == ("0", "application/json")
    assert made.count == 1
    assert status(client, "/plain?q=1") == STORED
    assert client.head("/plain").headers["cache-status"] == "plectrum; hit"


def test_hosts_have_answers_of_their_own(client: TestClient) -> None:
    assert [status(client, "/plain", host=host) for host in ("a.example", "b.example", "a.example")] == [
        STORED,
        STORED,
        HIT,
    ]


def test_time_runs_out(client: TestClient) -> None:
    assert [status(client, "/short"), status(client, "/short")] == [STORED, HIT]
    time.sleep(0.06)
    assert status(client, "/short") == STORED


def test_what_nobody_has_read_goes_past_the_cache(client: TestClient) -> None:
    assert status(client, "/plain") == STORED
    assert status(client, "/plain", cookie="sessionid=1") == BYPASS
    assert status(client, "/plain", authorization="Bearer x") == BYPASS
    assert status(client, "/plain") == HIT


def test_the_same_for_everybody(client: TestClient) -> None:
    assert [status(client, "/all"), status(client, "/all", cookie="sessionid=1")] == [STORED, HIT]
    assert [status(client, "/all", accept_language=language) for language in ("de", "en", "de")] == [
        STORED,
        STORED,
        HIT,
    ]


def test_users_have_answers_of_their_own(client: TestClient) -> None:
    assert [status(client, "/mine", x_api_key=key * 6) for key in ("one", "two", "one")] == [STORED, STORED, HIT]
    assert client.get("/mine").status_code == 401
    assert client.get("/mine", headers={"x-api-key": "three"}).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "?header=set-cookie=a%3Db",
        "?header=cache-control=private",
        "?header=cache-control=max-age%3D5,%20no-store",
        "?header=vary=Accept-Language",
        "?header=vary=*",
        "?status=201",
        "?status=404",
    ],
)
def test_what_is_not_for_others_is_not_kept(client: TestClient, query: str) -> None:
    assert [status(client, f"/answer{query}") for _ in range(2)] == [MISS, MISS]


def test_conditions_are_answered_from_the_cache(client: TestClient) -> None:
    path = "/answer?header=etag=%22v1%22"
    asked = {"if-none-match": '"v1"'}
    assert client.get(path, headers=asked).status_code == 304
    again = client.get(path, headers=asked)
    assert (again.status_code, again.content, again.headers["cache-status"]) == (304, b"", "plectrum; hit")
    assert client.get(path).content == b"1"


def test_memory_is_bounded(made: Made) -> None:
    client = TestClient(made.api, cache_memory=20_000)
    for number in range(100):
        client.get(f"/plain?q={number}")
    assert status(client, "/plain?q=99") == HIT
    assert status(client, "/plain?q=0") == STORED


def test_failures_are_not_shared(client: TestClient, made: Made) -> None:
    assert [client.get("/fail").status_code for _ in range(2)] == [503, 503]
    assert made.count == 2


# When rows change.


def authors(api: API) -> None:
    @api.query.get("/authors", cache=60)
    def names() -> QuerySet[Author]:
        return Author.objects.order_by("id").values("name")  # type: ignore[return-value]

    @api.get("/count", cache=Cache(seconds=60, models=(Author,)))
    async def count() -> int:
        return await Author.objects.acount()


def add(name: str) -> Author:
    return Author.objects.create(name=name, email=f"{name}@example.com", joined_at="2024-01-01T00:00Z")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/authors", "/count"])
def test_a_saved_row_is_seen_at_once(path: str) -> None:
    api = API()
    authors(api)
    client = TestClient(api)
    assert [status(client, path), status(client, path)] == [STORED, HIT]
    author = add("Ada")
    assert status(client, path) == STORED
    assert client.get(path).json() in ([{"name": "Ada"}], 1)
    author.delete()
    assert client.get(path).json() in ([], 0)
    assert status(client, path) == HIT
    Author.objects.bulk_create([Author(name="Bob", email="b@example.com", joined_at="2024-01-01T00:00Z")])
    assert status(client, path) == HIT
    invalidate(Author)
    assert status(client, path) == STORED


@pytest.mark.django_db(transaction=True)
def test_it_is_forgotten_again_when_the_transaction_ends() -> None:
    api = API()
    authors(api)
    client = TestClient(api)
    with transaction.atomic():
        add("Ada")
        # Somebody else looks before the end, and sees the rows of before: here, the same thread stands in.
        assert status(client, "/count") == STORED
    assert status(client, "/count") == STORED


# Requests that may be sent again.


class Orders:
    def __init__(self) -> None:
        self.placed: list[Any] = []
        self.api = api = API()

        @api.post("/orders", status=201, idempotent=True)
        async def order(body: dict[str, int]) -> Response:
            self.placed.append(body)
            return Response({"number": len(self.placed)}, 201, [("location", f"/orders/{len(self.placed)}")])

        @api.post("/must", idempotent=Idempotency(required=True))
        async def must() -> int:
            self.placed.append(None)
            return len(self.placed)

        @api.post("/short", idempotent=Idempotency(seconds=0.05))
        async def short() -> int:
            self.placed.append(None)
            return len(self.placed)

        @api.post("/fail", idempotent=True)
        async def fail() -> None:
            self.placed.append(None)
            raise HTTPException(503)

        @api.post("/refuse", idempotent=True)
        async def refuse() -> None:
            self.placed.append(None)
            raise HTTPException(402, "no money")


def key(text: str) -> dict[str, str]:
    return {"idempotency-key": text}


def test_an_order_is_placed_once() -> None:
    orders = Orders()
    client = TestClient(orders.api)
    first = client.post("/orders", json={"article": 7}, headers=key('"a"'))
    again = client.post("/orders", json={"article": 7}, headers=key("a"))
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, b'{"number":1}')
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert again.headers["location"] == "/orders/1"
    other = client.post("/orders", json={"article": 8}, headers=key("a"))
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
    assert client.post("/orders", json={"article": 7}, headers=key("b")).json() == {"number": 2}
    assert client.post("/orders", json={"article": 7}).json() == {"number": 3}


def test_a_key_is_its_senders() -> None:
    orders = Orders()
    client = TestClient(orders.api)
    said = [{**key("a"), "authorization": f"Bearer {who}"} for who in ("ada", "bob", "ada")]
    assert [client.post("/must", headers=headers).json() for headers in said] == [1, 2, 1]


def test_keys_that_are_none() -> None:
    client = TestClient(Orders().api)
    assert client.post("/must").status_code == 400
    assert client.post("/must", headers=key("")).status_code == 400
    assert client.post("/must", headers=key("x" * 256)).status_code == 400


def test_passing_faults_are_not_repeated_and_refusals_are() -> None:
    orders = Orders()
    client = TestClient(orders.api)
    assert [client.post("/fail", headers=key("a")).status_code for _ in range(2)] == [503, 503]
    assert len(orders.placed) == 2
    assert [client.post("/refuse", headers=key("a")).json()["detail"] for _ in range(2)] == ["no money", "no money"]
    assert len(orders.placed) == 3


def test_a_key_is_forgotten_after_its_time() -> None:
    client = TestClient(Orders().api)
    assert [client.post("/short", headers=key("a")).json() for _ in range(2)] == [1, 1]
    time.sleep(0.06)
    assert client.post("/short", headers=key("a")).json() == 2


# In Redis.


@contextlib.contextmanager
def redis(directory: Path) -> Generator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(directory), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def test_workers_share_through_redis(made: Made, tmp_path: Path) -> None:
    orders = Orders()
    with redis(tmp_path) as url:
        one, other = (TestClient(made.api, cache_redis=url) for _ in range(2))
        assert [status(one, "/plain"), status(other, "/plain"), status(one, "/plain")] == [STORED, HIT, HIT]
        assert other.get("/plain").headers["content-type"] == "application/json"
        one, other = (TestClient(orders.api, cache_redis=url) for _ in range(2))
        assert one.post("/must", headers=key("a")).json() == other.post("/must", headers=key("a")).json() == 1
        assert other.post("/must?x=1", headers=key("a")).status_code == 422
        assert [client.post("/fail", headers=key("f")).status_code for client in (one, other)] == [503, 503]
    # While it is gone, nothing is kept and nobody orders twice.
    assert one.post("/must", headers=key("b")).status_code == 503
    client = TestClient(made.api, cache_redis=url)
    assert [client.get("/plain").status_code, client.get("/plain").status_code] == [200, 200]
    assert client.get("/plain").headers["cache-status"] == "plectrum; fwd=miss; stored"


@pytest.mark.django_db
def test_changes_are_told_through_redis(tmp_path: Path, settings: Any) -> None:
    from plectrum import caching

    api = API()
    authors(api)
    with redis(tmp_path) as url:
        settings.PLECTRUM = {"CACHE_REDIS": url}
        caching._invalidator.cache_clear()
        try:
            client = TestClient(api)
            assert [status(client, "/count"), status(client, "/count")] == [STORED, HIT]
            add("Ada")
            assert status(client, "/count") == STORED
            assert client.get("/count").json() == 1
        finally:
            caching._invalidator.cache_clear()


# Mistakes.


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("post", {"cache": 5}, "cache= keeps answers to GET, not to POST"),
        ("get", {"cache": "5"}, "cache= is a number of seconds or a plectrum.caching.Cache, not '5'"),
        ("get", {"cache": 0}, "must hold for some seconds, at most a year"),
        ("get", {"idempotent": True}, "GET may always be sent again"),
        ("post", {"idempotent": 5}, "idempotent= is True or a plectrum.caching.Idempotency, not 5"),
        ("post", {"idempotent": True, "stream": True}, "stream=True leaves them to the handler"),
    ],
)
def test_mistakes_are_told_at_start(method: str, options: dict[str, Any], message: str) -> None:
    api = API()

    async def handler() -> None: ...

    with pytest.raises(ConfigurationError, match=message):
        getattr(api, method)("/", **options)(handler)


def test_keys_need_redis_where_there_are_several_workers() -> None:
    with pytest.raises(ConfigurationError, match=r"test_caching\.py:\d+: idempotent= with 4 workers.*CACHE_REDIS"):
        TestClient(Orders().api, workers=4)
