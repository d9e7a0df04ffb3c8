"""One process whose threads serve in parallel: a free-threaded Python (PEP 703)."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from .support import Server, until

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
    until(lambda: server.get("/pid").json() != pid)
