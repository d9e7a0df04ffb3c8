"""Rates: read, counted per client, across workers and, in a real Redis, across hosts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from plectrum import API, ConfigurationError, Router
from plectrum.auth import APIKey
from plectrum.guards import AllowAny
from plectrum.testing import TestClient
from plectrum.throttling import Rate, rate_limit
from tests.contract.support import Server, until


async def handler() -> str:
    return "in"


def statuses(client: TestClient, count: int, path: str = "/", **options: Any) -> list[int]:
    return [client.get(path, **options).status_code for _ in range(count)]


def test_rates_are_read() -> None:
    assert Rate.parse("100/min") == Rate(quota=100, period=60)
    assert Rate.parse("10/s burst 20 per user") == Rate(quota=10, period=1, burst=20, per="user")
    assert Rate.parse("5 / 2 hours per header:X-Tenant") == Rate(quota=5, period=7200, per="header:X-Tenant")
    for text in ("", "x", "10", "10/", "/s", "10/year", "-1/s", "10/s burst", "10/s per"):
        with pytest.raises(ConfigurationError, match=r"is no rate\. Write"):
            Rate.parse(text)
    for text in ("0/s", "10/s per nobody", "10/0s", "1/366 days"):
        with pytest.raises(ConfigurationError):
            Rate.parse(text)


def test_headers_and_the_way_back() -> None:
    api = API()
    api.get("/", throttle="2/min")(handler)
    with TestClient(api) as client:
        first, second, third = (client.get("/") for _ in range(3))
    assert first.headers["ratelimit-policy"] == '"2/min";q=2;w=60'
    assert first.headers["ratelimit"] == '"2/min";r=1;t=30'
    assert second.headers["ratelimit"].startswith('"2/min";r=0;t=')
    assert (third.status_code, third.headers["content-type"]) == (429, "application/problem+json")
    assert 29 <= int(third.headers["retry-after"]) <= 30


def test_a_burst_and_the_refill() -> None:
    api = API()
    api.get("/", throttle=Rate(quota=20, period=1, burst=2))(handler)
    with TestClient(api) as client:
        assert statuses(client, 3) == [200, 200, 429]
        time.sleep(0.06)
        assert statuses(client, 2) == [200, 429]


def test_whose_requests_count_together() -> None:
    keys = APIKey(keys={"a": "a" * 16, "b": "b" * 16})
    api = API(auth=[keys], guards=[AllowAny])
    api.get("/user", throttle="1/min per user")(handler)
    api.get("/header", throttle="1/min per header:X-Tenant")(handler)
    api.get("/all", throttle="1/min per all")(handler)
    with TestClient(api) as client:
        for key in ("a" * 16, "b" * 16):
            assert statuses(client, 2, "/user", headers={"x-api-key": key}) == [200, 429]
        assert statuses(client, 2, "/user") == [200, 429]
        for tenant in ("x", "y"):
            assert statuses(client, 2, "/header", headers={"x-tenant": tenant}) == [200, 429]
        assert statuses(client, 2, "/header") == [200, 429]
        assert statuses(client, 1, "/all", headers={"x-api-key": "a" * 16}) == [200]
        assert statuses(client, 1, "/all", headers={"x-api-key": "b" * 16}) == [429]


def test_addresses_count_before_credentials_are_looked_at() -> None:
    api = API(auth=[APIKey(keys={"a": "a" * 16})], throttle="2/min")
    api.get("/")(handler)
    with TestClient(api) as client:
        assert statuses(client, 3, headers={"x-api-key": "wrong"}) == [401, 401, 429]


def test_a_router_counts_its_routes_together_and_the_innermost_word_counts() -> None:
    api, inner = API(throttle="2/min"), Router("/inner", throttle="1/min")
    api.get("/a")(handler)
    api.get("/b")(handler)
    api.get("/c", throttle="1/min")(handler)
    api.get("/free", throttle=None)(handler)
    inner.get("/a")(handler)
    inner.get("/b")(handler)
    api.include(inner)
    with TestClient(api) as client:
        assert [client.get(path).status_code for path in ("/a", "/b", "/a", "/c", "/c")] == [200, 200, 429, 200, 429]
        assert [client.get(path).status_code for path in ("/inner/a", "/inner/b")] == [200, 429]
        assert statuses(client, 5, "/free") == [200] * 5


def test_the_decorator_adds_to_what_is_around() -> None:
    api = API()

    @api.get("/")
    @rate_limit("3/min", Rate(quota=1, period=60, burst=9), burst=2)
    async def limited() -> str:
        return "in"

    with TestClient(api, throttle=("1/min",)) as client:
        answers = [client.get("/") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit"].startswith('"3/min";r=1;')


def test_the_settings_limit_what_has_no_word_of_its_own() -> None:
    api = API()
    api.get("/a")(handler)
    api.get("/b")(handler)
    api.get("/own", throttle="2/min")(handler)
    with TestClient(api, throttle=("2/min",)) as client:
        assert [client.get(path).status_code for path in ("/a", "/b", "/a")] == [200, 200, 429]
        assert statuses(client, 3, "/own") == [200, 200, 429]
        assert statuses(client, 3, "/openapi.json") == [200] * 3


def test_what_is_no_rate_is_refused_where_it_is_written() -> None:
    for throttle in ("soon", 5, ["1/s", None]):
        api = API()
        api.get("/", throttle=throttle)(handler)
        with pytest.raises(ConfigurationError, match=r"test_throttling\.py:\d+"):
            api.compile()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextlib.contextmanager
def redis(port: int, directory: Path) -> Generator[subprocess.Popen[bytes]]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(directory), "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port))
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_hosts_count_together_in_redis(port: int, tmp_path: Path) -> None:
    api = API()
    api.get("/", throttle="4/min burst 4")(handler)
    settings: dict[str, Any] = {"throttle_redis": f"redis://127.0.0.1:{port}/0"}
    with redis(port, tmp_path), TestClient(api, **settings) as one, TestClient(api, **settings) as other:
        assert statuses(one, 2) + statuses(other, 2) == [200] * 4
        refused = other.get("/")
        assert (refused.status_code, refused.headers["ratelimit"]) == (429, '"4/min";r=0;t=60')
        assert 14 <= int(refused.headers["retry-after"]) <= 15
        assert one.get("/").status_code == 429


@pytest.mark.parametrize(("policy", "expected"), [("local", [200, 429]), ("open", [200, 200]), ("closed", [503, 503])])
def test_redis_gone(port: int, policy: str, expected: list[int]) -> None:
    api = API()
    api.get("/", throttle="1/min")(handler)
    settings: dict[str, Any] = {"throttle_redis": f"redis://127.0.0.1:{port}/0", "throttle_without_redis": policy}
    with TestClient(api, **settings) as client:
        started = time.monotonic()
        assert statuses(client, 2) == expected
        assert time.monotonic() - started < 2


def test_redis_gone_and_back(port: int, tmp_path: Path) -> None:
    api = API()
    api.get("/", throttle="1000/min")(handler)
    url = f"redis://127.0.0.1:{port}/0"
    with TestClient(api, throttle_redis=url, throttle_without_redis="closed") as client:
        with redis(port, tmp_path):
            assert client.get("/").status_code == 200
        assert client.get("/").status_code == 503
        with redis(port, tmp_path) as process:
            until(lambda: client.get("/").status_code == 200)
            # It hangs: nobody waits for it longer than the timeout, and then for a while nobody asks.
            process.send_signal(signal.SIGSTOP)
            started = time.monotonic()
            assert statuses(client, 20) == [503] * 20
            assert time.monotonic() - started < 1.5
            process.send_signal(signal.SIGCONT)
            until(lambda: client.get("/").status_code == 200)


def test_a_url_that_is_none() -> None:
    api = API()
    api.get("/", throttle="1/min")(handler)
    with pytest.raises(ConfigurationError, match="THROTTLE_REDIS"):
        TestClient(api, throttle_redis="http://127.0.0.1/")


def test_workers_count_together_and_their_successors_go_on(tmp_path: Path) -> None:
    server = Server("throttled", tmp_path / "log", "--workers=2")
    try:
        pids = server.pids(2)
        answers = [server.get("/limited").status for _ in range(30)]
        assert answers.count(200) == 20
        assert server.get("/limited").status == 429
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not server.pids(2) & pids)
        assert [server.get("/limited").status for _ in range(5)] == [429] * 5
    finally:
        server.close()
