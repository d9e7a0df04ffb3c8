"""What a handler can do wrong, and what the client, the log and the worker make of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .conftest import Serve
from .support import Server, request, until

BARE = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
HANDLERS = "tests/contract/handlers.py"


def line_of(text: str, after: str) -> int:
    """Line of `text` in the handlers' module, the first one below `after`."""
    lines = Path(__file__).with_name("handlers.py").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if after in line)
    return next(number for number, line in enumerate(lines, 1) if number > start and text in line)


@pytest.mark.parametrize(
    ("path", "said", "raising"),
    [
        ("/raises", "raises: ValueError: secret detail", "raise ValueError"),
        ("/raises-later", "raises_later: ValueError: secret detail, later", "raise ValueError"),
        ("/exits", "exits: SystemExit: 3", "sys.exit(3)"),
        ("/exits-later", "exits_later: SystemExit: 3", "raise SystemExit"),
        ("/interrupts", "interrupts: KeyboardInterrupt", "raise KeyboardInterrupt"),
        ("/interrupts-later", "interrupts_later: KeyboardInterrupt", "raise KeyboardInterrupt"),
        ("/cancels", "cancels: CancelledError", "raise asyncio.CancelledError"),
        ("/recursion", "recursion: RecursionError: maximum recursion depth exceeded", "return self.again"),
        ("/sync-raises", "sync_raises: SystemExit: 4", "raise SystemExit"),
    ],
)
def test_what_is_raised_is_a_bare_500_and_a_traceback_in_the_log(
    server: Server, path: str, said: str, raising: str
) -> None:
    worker, before = server.get("/pid").json(), len(server.log)
    answer = server.get(path)
    assert (answer.status, answer.json()) == (500, BARE)
    assert answer.headers["content-type"] == "application/problem+json"
    log = server.log[before:]
    handler = "class Endless" if path == "/recursion" else f'"{path}"'
    assert f"{said} at {HANDLERS}:{line_of(raising, handler)}\n" in log
    assert "Traceback (most recent call last):" in log
    assert server.get("/pid").json() == worker


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/unserializable", "unserializable: TypeError: type has no JSON form."),
        ("/unserializable-inside", "unserializable_inside: TypeError: object has no JSON form."),
        ("/nan", "nan: ValueError: NaN has no JSON form (RFC 8259 has no NaN and no infinities)."),
        ("/cycle", "cycle: RecursionError: The value is nested deeper than 200 levels"),
        ("/surrogate", "surrogate: UnicodeEncodeError: 'utf-8' codec can't encode character"),
    ],
)
def test_what_has_no_json_form_names_type_and_route(server: Server, path: str, said: str) -> None:
    before = len(server.log)
    answer = server.get(path)
    assert (answer.status, answer.json()) == (500, BARE)
    assert said in server.log[before:]


def test_debug_shows_the_traceback(serve: Serve) -> None:
    answer = serve("handlers", "--workers=1", PLECTRUM_DEBUG="1").get("/raises")
    problem = answer.json()
    assert (answer.status, problem["detail"]) == (500, "ValueError: secret detail")
    assert f'handlers.py", line {line_of("raise ValueError", "/raises")}, in raises' in problem["traceback"]


def test_a_client_that_goes_away_cancels_its_handler(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET", "/never?name=left"))
        until(lambda: "left began" in server.get("/events").json())
    assert until(lambda: "left cancelled" in server.get("/events").json()) < 1.0


def test_a_handler_that_never_returns_ends_at_the_deadline(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", "--drain-timeout=0.5")
    with server.connect() as connection:
        connection.sendall(request("GET", "/never?name=x"))
        until(lambda: server.get("/events").json())
        start = time.monotonic()
        assert server.stop() == 0
        assert 0.4 < time.monotonic() - start < 2.0
        assert connection.recv(100) == b""
    assert server.log == ""


def test_a_handler_that_ignores_its_cancellation_is_left_behind(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", "--drain-timeout=0.5")
    with server.connect() as connection:
        connection.sendall(request("GET", "/stubborn"))
        time.sleep(0.2)
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 4.0
    assert "ignored its cancellation" in server.log or "is killed" in server.log


def test_a_handler_that_blocks_holds_up_its_worker_only_while_it_does(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET", "/blocks?seconds=0.5"))
        time.sleep(0.1)
        start = time.monotonic()
        assert server.get("/hello").status == 200
        assert time.monotonic() - start > 0.3
        assert b'"woke"' in connection.recv(1000)


def test_a_worker_that_is_blocked_for_ever_is_killed_at_the_deadline(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", "--drain-timeout=0.5")
    with server.connect() as connection:
        connection.sendall(request("GET", "/blocks?seconds=3600"))
        time.sleep(0.2)
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 4.0
    assert "did not finish in time and is killed" in server.log


def test_more_sync_calls_than_the_pool_holds_are_503(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", PLECTRUM_SYNC_THREADS="1")
    with server.connections(70) as waiting:
        for connection in waiting:
            connection.sendall(request("GET", "/sync?seconds=0.02", "connection: close"))
        answers = [connection.makefile("rb").read() for connection in waiting]
    done = [answer for answer in answers if answer.startswith(b"HTTP/1.1 200")]
    full = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503")]
    # One at work and 64 in line; on a slow machine one is done before the last has come.
    assert len(done) + len(full) == 70
    assert 65 <= len(done) < 70
    assert all(b"\r\nretry-after: 1\r\n" in answer for answer in full)
    assert server.get("/sync").json() == "done"
