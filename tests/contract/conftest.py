from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .support import Postgres, Server

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers of the test's own."""
    started: list[Server] = []

    def start(app: str, *options: str, **environ: str) -> Server:
        log = tmp_path / f"server-{len(started)}.log"
        started.append(Server(app, log, *options, environ=environ))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker that a module's tests share."""
    running = Server("handlers", tmp_path_factory.mktemp("server") / "log", "--workers=1")
    yield running
    running.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL of the module's own, with the tables of `tests.contract.queries`."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", throw_away=True) as running:
        running.sql("CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL, made date NOT NULL)")
        running.sql(
            "INSERT INTO item SELECT n, 'item ' || n, date '2024-01-01' + n::int FROM generate_series(1, 1000) n"
        )
        running.sql(
            "CREATE FUNCTION slow(seconds float) RETURNS int AS 'SELECT pg_sleep($1); SELECT 1' LANGUAGE sql VOLATILE"
        )
        yield running
