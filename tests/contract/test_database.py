"""A database that restarts, is slow or full, under a server that goes on."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Serve
from .support import Load, Postgres, Server, request, until

pytestmark = pytest.mark.postgresql


def start(serve: Serve, database: Postgres, *options: str, **environ: str) -> Server:
    return serve("queries", "--workers=1", *options, DATABASE_URL=database.url, **environ)


@pytest.fixture(scope="module")
def shared(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("shared") / "log"
    running = Server("queries", log, "--workers=1", environ={"DATABASE_URL": database.url})
    yield running
    running.close()


def running(database: Postgres) -> int:
    """Statements of the server's that run right now."""
    [(count,)] = database.sql(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()"
    )
    return int(count)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "how"),
    [("/list/20", signal.SIGINT), ("/queryset/20", signal.SIGINT), ("/resource?page=2", signal.SIGQUIT)],
    ids=["native-fast", "queryset-fast", "page-immediate"],
)
def test_postgresql_restarts_under_load(serve: Serve, database: Postgres, target: str, how: signal.Signals) -> None:
    server = serve("queries", "--workers=2", DATABASE_URL=database.url)
    workers = server.pids(2)
    with Load(server.port, target, clients=20).running() as load:
        time.sleep(0.5)
        down_at = time.monotonic()
        database.stop(how)
        time.sleep(0.3)
        database.start()
        up_at = time.monotonic()
        time.sleep(2.5)
    errors = [when for when, status in load.times if status != 200]
    healthy = max(errors, default=up_at) - up_at
    print(
        f"{target}: {load.clients} clients, {load.answered} answers, {len(errors)} errors; "
        f"away for {up_at - down_at:.2f} s, last error {healthy:+.3f} s after that"
    )
    assert load.statuses.keys() <= {200, 503}
    assert load.without_retry_after == 0
    assert load.broken == []
    assert healthy < 2.0
    # One for the request under way; another one for who came back after the second that `Retry-After` names, too early.
    assert len(errors) <= load.clients * (1 + math.ceil(up_at - down_at))
    assert any(when > up_at and status == 200 for when, status in load.times)
    assert server.pids(2) == workers


@pytest.mark.slow
def test_an_outage_under_clients_that_do_not_wait_fails_fast_and_does_not_drown_the_log(
    serve: Serve, database: Postgres
) -> None:
    server = start(serve, database)
    with Load(server.port, "/list/20", clients=10, patient=False).running() as load:
        time.sleep(0.3)
        database.stop()
        time.sleep(1.5)
        database.start()
        up_at = time.monotonic()
        time.sleep(2.0)
    errors = [when for when, status in load.times if status != 200]
    print(f"impatient: {load.statuses}, last error {max(errors) - up_at:+.3f} s after the restart")
    assert load.statuses.keys() == {200, 503}
    assert (load.broken, load.without_retry_after) == ([], 0)
    assert len(errors) > 100
    assert max(errors) - up_at < 2.0
    assert len(server.log.splitlines()) < 30, server.log


def test_a_statement_that_takes_too_long_is_504(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, PLECTRUM_DATABASE_STATEMENT_TIMEOUT="0.2")
    start_at = time.monotonic()
    answer = server.get("/slow?seconds=5")
    assert time.monotonic() - start_at < 2.0
    assert (answer.status, answer.json()["title"]) == (504, "Gateway Timeout")
    assert server.get("/slow?seconds=0").json() == [{"number": 1, "waited": 1}]
    until(lambda: running(database) == 0, 2.0)


def test_a_client_that_goes_away_cancels_its_query(shared: Server, database: Postgres) -> None:
    with shared.connect() as connection:
        connection.sendall(request("GET", "/slow?seconds=30"))
        until(lambda: running(database) == 1)
    assert until(lambda: running(database) == 0) < 1.0
    assert shared.get("/items/1").json() == {"id": 1, "name": "item 1", "made": "2024-01-02"}


def test_more_queries_than_the_pool_holds_are_503(serve: Serve, database: Postgres) -> None:
    server = start(
        serve,
        database,
        PLECTRUM_DATABASE_CONNECTIONS="1",
        PLECTRUM_DATABASE_MAX_PIPELINE="1",
        PLECTRUM_DATABASE_ACQUIRE_TIMEOUT="0.3",
    )
    with server.connect() as connection:
        connection.sendall(request("GET", "/slow?seconds=30"))
        until(lambda: running(database) == 1)
        began = time.monotonic()
        answer = server.get("/items/1")
        assert 0.25 < time.monotonic() - began < 2.0
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    until(lambda: server.get("/items/1").status == 200)
    assert "item: no database connection became free within 300ms" in server.log


def test_starts_and_recovers_while_the_database_is_away(serve: Serve, tmp_path: Path) -> None:
    with Postgres(tmp_path / "data", throw_away=True) as database:
        database.sql("CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL, made date NOT NULL)")
        database.stop()
        server = start(serve, database)
        answer = server.get("/items/1")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        database.start()
        assert until(lambda: server.get("/items/1").status == 404) < 2.0


def test_a_query_that_runs_is_finished_before_the_worker_ends(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, "--drain-timeout=5")
    with server.connect() as connection:
        connection.sendall(request("GET", "/slow?seconds=0.7"))
        until(lambda: running(database) == 1)
        assert server.stop() == 0
        assert connection.makefile("rb").read().endswith(b'[{"number":1,"waited":1}]')
    until(lambda: running(database) == 0, 2.0)


def test_values_the_database_refuses_are_the_clients(shared: Server) -> None:
    answer = shared.get("/list/-1")
    assert answer.status == 422
    assert shared.get("/items/99999999999999999999").status in (404, 422)
    assert shared.get("/resource?search=%00").status == 422
    assert shared.get("/resource?page=9223372036854775807").status in (404, 422)


def test_defaults_of_every_type_are_bound(shared: Server) -> None:
    assert shared.get("/defaults").json() == [[2]]
    assert shared.get("/defaults?size=20&since=2024-01-04").json() == [[3], [4]]
    assert shared.get("/defaults?size=20&ids=7&ids=8&ids=21").json() == [[7], [8]]
