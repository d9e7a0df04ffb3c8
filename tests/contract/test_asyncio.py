"""asyncio inside of handlers, as the server runs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from .support import Server, until


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/itself?port={port}", [0, 1, 2, 3, 4]),
        ("/timeout", "timed out"),
        ("/tasks", [0, 2, 4, 6, 8]),
        ("/thread", "no value"),
        ("/process", "through a pipe"),
    ],
)
def test_works(server: Server, target: str, expected: object) -> None:
    answer = server.get(target.format(port=server.port))
    assert (answer.status, answer.json()) == (200, expected)


def test_context_variables_of_concurrent_requests_are_their_own(server: Server) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda n: server.get(f"/context?value={n}").json(), range(100)))
    assert answers == [["", str(n), str(n)] for n in range(100)]


def test_a_background_task_outlives_its_response(server: Server) -> None:
    assert server.get("/background?name=task").json() == "started"
    assert "task finished" not in server.get("/events").json()
    until(lambda: "task finished" in server.get("/events").json())
