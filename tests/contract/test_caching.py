"""Many who ask at once, workers that hear of changes, clients that go away."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Serve
from .support import Answer, Postgres, Server, request, until

pytestmark = pytest.mark.postgresql


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return True
            return False

        until(answers)
        yield f"redis://127.0.0.1:{port}/0"
        process.kill()


def together(server: Server, count: int, method: str, target: str, *headers: str) -> list[Answer]:
    with server.connections(count) as connections:
        for connection in connections:
            connection.sendall(request(method, target, *headers))
        return [Answer.read(connection.makefile("rb")) for connection in connections]


def test_one_makes_it_and_the_others_wait(serve: Serve, database: Postgres) -> None:
    server = serve("cached", "--workers=1", DATABASE_URL=database.url, PLECTRUM_METRICS_PATH="/metrics")
    answers = together(server, 20, "GET", "/kept")
    assert len({answer.body for answer in answers}) == 1
    assert Counter(answer.headers["cache-status"] for answer in answers) == {
        "plectrum; hit": 19,
        "plectrum; fwd=miss; stored": 1,
    }
    # What is not for others is made for each.
    assert len({answer.body for answer in together(server, 5, "GET", "/kept?header=private")}) == 5
    # Who makes it goes away: the next one in line does.
    with server.connect() as first, server.connect() as second:
        first.sendall(request("GET", "/kept?seconds=0.5"))
        until(lambda: server.get("/pid").status == 200)
        second.sendall(request("GET", "/kept?seconds=0.5"))
        first.close()
        assert Answer.read(second.makefile("rb")).status == 200
    text = server.get("/metrics").body.decode()
    assert "plectrum_cache_hits_total 19" in text


def test_workers_hear_of_changes(serve: Serve, database: Postgres) -> None:
    server = serve("kept", "--workers=2", DATABASE_URL=database.url)

    def counts() -> set[int]:
        return {server.get("/items/count").json() for _ in range(12)}

    assert counts() == {1000}
    for number in (2001, 2002):
        assert server.ask("POST", f"/items/add?number={number}").status == 200
        assert counts() == {number - 1000}
    database.sql("DELETE FROM item WHERE id > 2000")


def test_one_of_all_workers_makes_it(serve: Serve, database: Postgres, redis: str) -> None:
    # On a busy machine Redis may take longer than anybody would wait for it.
    environ = {"DATABASE_URL": database.url, "PLECTRUM_CACHE_REDIS": redis, "PLECTRUM_CACHE_TIMEOUT": "10"}
    server = serve("cached", "--workers=2", **environ)
    answers = together(server, 16, "GET", "/kept?seconds=0.5")
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1


def test_an_order_is_placed_once(serve: Serve, database: Postgres, redis: str) -> None:
    server = serve("cached", "--workers=2", DATABASE_URL=database.url, PLECTRUM_CACHE_REDIS=redis)
    answers = together(server, 8, "POST", "/order", "idempotency-key: a")
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 7}
    first = next(answer for answer in answers if answer.status == 200)
    assert {answer.body for answer in together(server, 8, "POST", "/order", "idempotency-key: a")} == {first.body}


def test_an_order_goes_on_without_its_client(serve: Serve, database: Postgres) -> None:
    server = serve("cached", "--workers=1", DATABASE_URL=database.url)
    with server.connect() as connection:
        connection.sendall(request("POST", "/order?seconds=0.4", "idempotency-key: a"))
        until(lambda: server.ask("POST", "/order?seconds=0.4", "idempotency-key: a").status == 409)
    until(lambda: server.ask("POST", "/order?seconds=0.4", "idempotency-key: a").status == 200)
    again = server.ask("POST", "/order?seconds=0.4", "idempotency-key: a")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json().endswith(" 1")


def test_several_workers_need_redis(serve: Serve, database: Postgres) -> None:
    with pytest.raises(RuntimeError, match=r"cached\.py:\d+: idempotent= with 2 workers: .* Set CACHE_REDIS"):
        serve("cached", "--workers=2", DATABASE_URL=database.url)
