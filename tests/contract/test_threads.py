"""One process whose threads serve in parallel: a free-threaded Python (PEP 703)."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.sync.client import connect

from .support import Postgres, Server, until

pytestmark = pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="needs a free-threaded Python: make test-free-threaded"
)
ONE = {"PLECTRUM_PROCESSES": "1"}


@pytest.fixture
def server(tmp_path: Path, serve: Callable[..., Server]) -> Server:
    return serve("threads", "--workers=4", **ONE)


def test_workers_are_threads_of_one_process(server: Server) -> None:
    found: set[tuple[int, int]] = set()
    until(lambda: found.add(tuple(server.get("/where").json())) or len(found) == 4)
    assert len({pid for pid, _ in found}) == 1


def test_threads_in_parallel_answer_right(server: Server) -> None:
    """Handlers of every kind at once, on kept connections; every answer is that of its own request."""
    wrong: list[str] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for turn in range(150):
            text = f"{number}-{turn}"
            lines = [{"name": text, "count": count} for count in range(turn % 7)]
            for method, path, body, wanted in (
                ("GET", f"/waits?text={text}", None, {"label": text, "header": text}),
                ("GET", f"/sync?text=x{text}", None, f"X{text}"),
                ("POST", "/orders", lines, {"lines": lines, "total": sum(range(turn % 7))}),
                ("POST", "/orders", [{"name": text}], None),
            ):
                data = None if body is None else json.dumps(body)
                connection.request(method, path, data, {"x-label": text, "content-type": "application/json"})
                answer = connection.getresponse()
                told = json.loads(answer.read())
                if (answer.status != 422 and told != wanted) or (wanted is None and answer.status != 422):
                    wrong.append(f"{method} {path}: {answer.status} {told}")
        connection.close()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert not wrong, server.log[:3000]
    assert server.log == ""
    assert server.stop() == 0


def together(count: int, work: Callable[[int], None]) -> None:
    """Does it in so many threads at once; fails where one of them does."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


def test_what_threads_share_is_raced_by_nobody(server: Server) -> None:
    """Schemas compiled by several at once, answers kept, limits, streams and groups, all at the same time."""
    let_in: list[int] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

        def get(path: str) -> tuple[int, str]:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        for turn in range(60):
            text, new = f"{number}-{turn}", turn % 2 == 0
            status, body = get(f"/compiled?text={text}&new={'true' if new else 'false'}")
            assert (status, json.loads(body)) == (200, ["Made" if new else "Shared", text, text])
            assert get(f"/kept?text={turn % 5}") == (200, f'"{turn % 5}"')
            let_in.append(get("/limited")[0])
            events = "".join(f"data: {text} {each}\n\n" for each in range(20))
            assert get(f"/counted?text={text}") == (200, events)
            # A stream of events ends its connection.
        connection.close()

    def talker(number: int) -> None:
        with connect(f"ws://127.0.0.1:{server.port}/rooms/all") as websocket:
            assert websocket.recv(10) == "in"
            everybody.wait(30)
            for turn in range(40):
                websocket.send(f"{number} {turn}")
            heard = Counter(websocket.recv(30) for _ in range(8 * 40))
            assert heard == Counter(f"{each} {turn}" for each in range(8) for turn in range(40))

    everybody = threading.Barrier(8)
    together(20, lambda number: talker(number) if number < 8 else client(number))
    assert Counter(let_in) == {200: 100, 429: 12 * 60 - 100}
    assert server.log == ""
    assert server.stop() == 0


@pytest.mark.postgresql
def test_threads_share_the_shapes_of_queries(serve: Callable[..., Server], database: Postgres) -> None:
    """Each thread has connections of its own; SQL and plans of a shape are made by whoever needs them first."""
    server = serve("queries", "--workers=4", DATABASE_URL=database.url, **ONE)

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for turn in range(60):
            wanted = (number + turn) % 9 + 1
            for path in (f"/queryset/{wanted}", f"/list/{wanted}"):
                connection.request("GET", path)
                answer = connection.getresponse()
                rows = json.loads(answer.read())
                assert (answer.status, [row["id"] for row in rows]) == (200, list(range(1, wanted + 1))), path
        connection.close()

    together(12, client)
    assert server.log == ""


def test_all_threads_finish_what_runs_when_told_to_stop(server: Server) -> None:
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(8)]
    for connection in connections:
        connection.request("GET", "/waits?text=late")
    assert server.stop() == 0
    answers = [connection.getresponse().status for connection in connections]
    for connection in connections:
        connection.close()
    assert answers == [200] * 8


def test_the_process_is_replaced_when_it_is_killed(server: Server) -> None:
    pid = server.get("/pid").json()
    os.kill(pid, signal.SIGKILL)
    # Until another has loaded the application, connections wait.
    until(lambda: server.ask("GET", "/pid", timeout=60).json() != pid, 60)
