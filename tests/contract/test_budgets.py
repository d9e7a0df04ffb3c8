"""More than can be answered: some are answered in time, the others are told at once to come back."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from .support import Answer, Load, Postgres, Server, request, until

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {
        "DATABASE_URL": database.url,
        "PLECTRUM_METRICS_PATH": "/metrics",
        "PLECTRUM_HEALTH_PATH": "/health",
        "PLECTRUM_MAX_REQUESTS": "8",
        "PLECTRUM_MAX_WAITING": "16",
        "PLECTRUM_WAITING_TIMEOUT": "2",
        "PLECTRUM_REQUEST_TIMEOUT": "3",
    }
    running = Server("crowded", tmp_path_factory.mktemp("crowded") / "log", "--workers=1", environ=environ)
    yield running
    running.close()


def together(server: Server, target: str, count: int) -> list[tuple[Answer, float]]:
    """Answers to requests that come at the same time, with the seconds each took."""
    with server.connections(count) as connections:
        start = time.monotonic()
        for connection in connections:
            connection.sendall(request("GET", target))
        return [(Answer.read(connection.makefile("rb")), time.monotonic() - start) for connection in connections]


def statuses(answers: list[tuple[Answer, float]]) -> dict[int, int]:
    return dict(Counter(answer.status for answer, _ in answers))


def test_nobody_waits_where_there_is_no_queue(server: Server) -> None:
    answers = together(server, "/one", 4)
    assert statuses(answers) == {200: 1, 503: 3}
    refused = next(answer for answer, _ in answers if answer.status == 503)
    assert (refused.headers["retry-after"], refused.json()["title"]) == ("1", "Service Unavailable")
    assert server.get("/one?seconds=0").status == 200


def test_a_queue_is_bounded_and_first_come_first_served(server: Server) -> None:
    answers = together(server, "/line", 9)
    assert statuses(answers) == {200: 6, 503: 3}
    assert answers[8][0].status == 503
    assert max(took for answer, took in answers if answer.status == 200) < 2


def test_a_place_that_does_not_come_free_in_time(server: Server) -> None:
    answers = together(server, "/impatient", 3)
    assert statuses(answers) == {200: 1, 503: 2}


def test_a_client_that_goes_gives_its_place_back(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET", "/one?seconds=30"))
        until(lambda: server.get("/one?seconds=0").status == 503)
    until(lambda: server.get("/one?seconds=0").status == 200)


def test_a_stream_keeps_its_place_to_its_end(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET", "/stream"))
        assert connection.recv(100)
        assert server.get("/stream").status == 503
        # A client that never reads is given up with its connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: server.get("/one?seconds=0").status == 200)


def test_overload_is_shed_and_the_rest_is_in_time(server: Server) -> None:
    with Load(server.port, "/work", clients=60, patient=False).running() as load:
        time.sleep(1.5)
        start = time.monotonic()
        # Probes and metrics need no place.
        assert server.get("/health").status == 200
        assert time.monotonic() - start < 1
    assert not load.broken
    assert set(load.statuses) == {200, 503}
    assert load.without_retry_after == 0
    # Eight places of 20 ms each make 400 a second; a good part of that is reached while hundreds are turned away.
    assert load.statuses[200] > 150, load.statuses
    assert server.get("/work").status == 200
    text = server.get("/metrics").body.decode()
    shed = next(line for line in text.splitlines() if line.startswith("plectrum_requests_shed_total "))
    assert float(shed.split()[1]) >= load.statuses[503]


def test_a_request_without_a_deadline_of_its_own_has_everybodys(server: Server) -> None:
    start = time.monotonic()
    assert server.get("/impatient?seconds=60").status == 504
    assert 2.9 < time.monotonic() - start < 6


@pytest.mark.parametrize("target", ["/slow/native", "/slow/queryset"])
def test_a_statement_over_its_time_is_cancelled(server: Server, database: Postgres, target: str) -> None:
    start = time.monotonic()
    assert server.get(f"{target}?seconds=60").status == 504
    assert time.monotonic() - start < 3
    running = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()"
    )
    until(lambda: database.sql(running) == [(0,)])
    assert server.get(f"{target}?seconds=0").status == 200
