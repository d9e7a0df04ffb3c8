"""Streams and background tasks over real sockets: pace, back-pressure, disconnects, shutdown."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from .conftest import Serve
from .support import Answer, Server, request, until


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> object:
    running = Server("streams", tmp_path_factory.mktemp("streams") / "log", "--workers=1")
    yield running
    running.close()


def events(server: Server) -> list[str]:
    told: list[str] = server.get("/events").json()
    return told


def test_items_arrive_as_they_are_made(streams: Server) -> None:
    with streams.connect() as connection:
        connection.sendall(request("GET", "/ticks?count=3&pause=0.15"))
        stream = connection.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        times: list[float] = []
        for number in range(3):
            assert stream.readline() == b"2\r\n"
            assert stream.read(4) == b"%d\n\r\n" % number
            times.append(time.monotonic())
        assert stream.read(5) == b"0\r\n\r\n"
        assert all(later - earlier > 0.1 for earlier, later in itertools.pairwise(times))
        # The connection is good for more.
        connection.sendall(request("GET", "/ticks?count=1&pause=0"))
        assert Answer.read(stream).body == b"0\n"


def test_a_client_that_leaves_cancels_the_generator(streams: Server) -> None:
    with streams.connect() as connection:
        connection.sendall(request("GET", "/ticks?count=1000&pause=30"))
        assert connection.recv(10)
    until(lambda: events(streams)[-2:] == ["cancelled", "closed"])


@pytest.mark.parametrize("target", ["/endless", "/endless/plain"])
def test_what_is_not_taken_is_not_made(streams: Server, target: str) -> None:
    with streams.connect() as connection:
        connection.sendall(request("GET", target))
        assert connection.recv(10)
        before = ""
        # Socket buffers fill, then nothing more is asked of the generator.
        while (now := events(streams)[0]) != before:
            before = now
            time.sleep(0.2)
        made = int(before.split()[1])
        assert made < 1500
        for _ in range(300):
            connection.recv(65_536)
        until(lambda: int(events(streams)[0].split()[1]) > made)
    until(lambda: events(streams)[-1] == "closed")


def test_a_plain_generator_has_one_thread_for_itself(streams: Server) -> None:
    threads = streams.get("/threads").body.split()
    assert len(threads) == 20
    assert len(set(threads)) == 1


def test_a_broken_stream_has_no_end(streams: Server) -> None:
    received = streams.send(request("GET", "/broken"))
    assert received.endswith(b"\r\n\r\n4\r\nsome\r\n")
    assert "broken: the stream was cut off: LookupError: no more" in streams.log
    assert streams.get("/ticks?count=1").status == 200


def test_a_task_begins_after_the_answer(streams: Server) -> None:
    start = time.monotonic()
    assert streams.get("/tasks?pause=0.5").json() == "answered"
    assert time.monotonic() - start < 0.4
    until(lambda: events(streams)[-1:] == ["done GET"])


def test_a_worker_that_stops_waits_for_tasks(serve: Serve) -> None:
    server = serve("streams", "--workers=1", PLECTRUM_DRAIN_TIMEOUT="10")
    stopped: list[int] = []
    assert server.get("/tasks?pause=1").json() == "answered"
    start = time.monotonic()
    thread = threading.Thread(target=lambda: stopped.append(server.stop()))
    thread.start()
    thread.join(20)
    assert stopped == [0]
    assert 0.7 < time.monotonic() - start < 9
