"""Workers that are killed, and servers that are told to stop, under load."""

from __future__ import annotations

import os
import signal
import socket
import time

import pytest

from .conftest import Serve
from .support import Answer, Load, Server, request, until


@pytest.mark.slow
def test_a_killed_worker_is_back_within_a_second_and_others_do_not_notice(serve: Serve) -> None:
    server = serve("handlers", "--workers=2")
    before = server.pids(2)
    server.wait_for_spare()
    victim, other = sorted(before)
    with server.connections(20) as connections:
        # A connection stays with its worker, which therefore answers all of its requests.
        others = [connection for connection in connections if _pid_of(connection) == other]
        with Load(server.port, "/hello", clients=4).running() as load:
            time.sleep(0.5)
            os.kill(victim, signal.SIGKILL)
            back = until(lambda: _alive(server, before))
            time.sleep(1.0)
        assert {_pid_of(connection) for connection in others} == {other}
    assert back < 1.0
    # Each client can lose the request under way, and one on a connection that was queued at the dead worker.
    assert load.statuses.keys() == {200}
    assert len(load.broken) <= 2 * load.clients, load.broken
    assert f"(pid {victim}) was killed by SIGKILL; starting another." in server.log
    print(f"a killed worker was back after {back:.3f} s; {len(load.broken)} of {load.answered} requests failed")


def _alive(server: Server, before: set[int]) -> bool:
    """Whether a worker answers that was not there before."""
    try:
        return server.get("/pid").json() not in before
    except OSError:
        return False


def _pid_of(connection: socket.socket) -> int:
    connection.sendall(request("GET", "/pid"))
    return int(Answer.read(connection.makefile("rb")).json())


@pytest.mark.slow
@pytest.mark.parametrize("target", ["/hello", "/large?size=300000", "/sleep?seconds=0.02&size=100000"])
def test_sigterm_under_load_truncates_nothing(serve: Serve, target: str) -> None:
    server = serve("handlers", "--workers=2", "--drain-timeout=5")
    with Load(server.port, target, clients=30).running() as load:
        time.sleep(1.0)
        start = time.monotonic()
        status = server.stop()
        took = time.monotonic() - start
    assert status == 0
    assert took < 5.0
    assert load.statuses.keys() == {200}
    refused = [broken for broken in load.broken if not broken.startswith("connect:")]
    assert refused == []
    # Requests on their way to a connection that closes are lost; on a starved machine a few may come too late.
    assert load.closed <= load.clients // 10
    assert server.log == ""
    print(
        f"SIGTERM: {load.answered} answers, {load.closed} connections closed between requests, exit after {took:.3f} s"
    )


def test_requests_that_were_accepted_are_answered_after_sigterm(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", "--drain-timeout=5")
    with server.connections(20) as connections:
        for connection in connections:
            connection.sendall(request("GET", "/sleep?seconds=0.5"))
        until(lambda: server.get("/hello").status == 200)
        server.process.terminate()
        for connection in connections:
            answer = Answer.read(connection.makefile("rb"))
            assert (answer.status, answer.headers["connection"], answer.body) == (200, "close", b'"xxxxxxxxxx"')
            assert connection.recv(1) == b""
    assert server.process.wait(10) == 0


def test_a_second_signal_ends_it_at_once(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", "--drain-timeout=30")
    with server.connect() as connection:
        connection.sendall(request("GET", "/never?name=x"))
        until(lambda: server.get("/events").json())
        server.process.terminate()
        time.sleep(0.2)
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 2.0


def test_worn_out_workers_are_replaced_under_load_without_a_lost_request(serve: Serve) -> None:
    server = serve("handlers", "--workers=2", PLECTRUM_WORKER_MAX_REQUESTS="100")
    first = server.pids(2)
    with Load(server.port, "/hello", clients=6).running() as load:
        until(lambda: server.log.count("has served WORKER_MAX_REQUESTS requests; another takes its place.") >= 3)
    assert load.broken == []
    assert load.statuses.keys() == {200}
    until(lambda: server.get("/pid").json() not in first)


def test_a_worker_whose_memory_grows_is_replaced_without_a_lost_request(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", PLECTRUM_WORKER_MAX_MEMORY="400000000")
    leaking = server.get("/pid").json()
    with Load(server.port, "/hello", clients=4).running() as load:
        while server.get("/leak?size=20000000").json() < 500_000_000:
            pass
        until(lambda: "of memory; another takes its place." in server.log, 15)
        until(lambda: server.get("/pid").json() != leaking)
    assert load.broken == []
    assert load.statuses.keys() == {200}
    assert f"Worker 0 (pid {leaking}) has " in server.log
    # The one in its place has not begun to leak.
    assert server.get("/leak?size=1").json() < 400_000_000
