"""`plectrum run` as users run it: real processes, real sockets, the extension inside."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

APP = """
import asyncio, os
from plectrum import API

api = API()


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


@api.get("/slow")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "x" * 1_000_000
"""


class Server:
    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.errors = directory / "stderr.log"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plectrum", "run", "served:api", "--port=0", *options],
                cwd=directory,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def wait_ready(self) -> Server:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "is serving on http://127.0.0.1:" in line, self.said
        self.port = int(line.rpartition(":")[2])
        return self

    def get(self, path: str, timeout: float = 10.0) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read()
        finally:
            connection.close()

    def pid(self) -> int:
        return int(self.get("/pid"))

    def pids(self, count: int) -> set[int]:
        found: set[int] = set()
        while len(found) < count:
            found.add(self.pid())
        return found

    @property
    def said(self) -> str:
        return self.errors.read_text()


Start = Callable[..., Server]


def until(true: Callable[[], bool], seconds: float = 15.0) -> float:
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, "did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    started: list[Server] = []
    (tmp_path / "served.py").write_text(APP)

    def start(*options: str) -> Server:
        started.append(Server(tmp_path, *options))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.communicate()


def test_serves_and_stops(serve: Start) -> None:
    server = serve("--workers=2").wait_ready()
    assert server.pid() != server.process.pid
    server.process.terminate()
    assert server.process.wait(10) == 0
    assert server.said == ""


def test_a_killed_worker_is_back_within_a_second(serve: Start) -> None:
    server = serve("--workers=2").wait_ready()

    def kill_one() -> float:
        before = server.pids(2)
        time.sleep(1.0)  # the spare worker loads
        os.kill(min(before), signal.SIGKILL)
        return until(lambda: server.pid() not in before)

    # The best of three: a machine that is busy with other tests is late now and then.
    assert min(kill_one() for _ in range(3)) < 1.0


def test_a_request_that_runs_is_finished(serve: Start) -> None:
    server = serve("--workers=1").wait_ready()
    received: list[bytes] = []
    request = threading.Thread(target=lambda: received.append(server.get("/slow?seconds=1")))
    request.start()
    time.sleep(0.4)
    server.process.terminate()
    until(lambda: refused(server.port))
    request.join()
    assert len(received[0]) == 1_000_002
    assert server.process.wait(10) == 0


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_that_does_not_finish_in_time_is_cut(serve: Start) -> None:
    server = serve("--workers=1", "--drain-timeout=0.3").wait_ready()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /slow?seconds=60 HTTP/1.1\r\nhost: test\r\n\r\n")
        time.sleep(0.3)
        start = time.monotonic()
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert time.monotonic() - start < 5


def test_replaces_workers_under_load_without_an_error(serve: Start) -> None:
    server = serve("--workers=2").wait_ready()
    before, seen, stop = server.pids(2), set[int](), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.add(server.pid())

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(seen) >= 4)
    time.sleep(0.5)
    stop.set()
    for thread in asking:
        thread.join()
    assert server.pids(2).isdisjoint(before)


def test_error_in_the_users_module_is_told_once(serve: Start, tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text("import plectrum\n\nraise RuntimeError('mine')\n")
    server = serve("--workers=3")
    assert server.process.wait(15) == 1
    assert server.said.count("RuntimeError: mine") == 1
    assert 'served.py", line 3' in server.said


def test_our_errors_come_without_a_traceback(serve: Start, tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(APP.replace("async def pid", "def pid"))
    server = serve("--workers=2")
    assert server.process.wait(15) == 1
    assert "Traceback" not in server.said
    assert "served.py:8: pid() is a plain 'def'" in server.said


def test_reload_takes_the_new_code_and_survives_broken_code(serve: Start, tmp_path: Path) -> None:
    source = tmp_path / "served.py"
    server = serve("--reload").wait_ready()
    first = server.pid()
    source.write_text(APP.replace("return os.getpid()", "return -1"))
    until(lambda: server.pid() == -1)
    source.write_text("def broken(:\n")
    until(lambda: "Waiting for the next change." in server.said)
    assert "served.py:1: invalid syntax" in server.said
    source.write_text(APP)
    until(lambda: server.pid() not in (-1, first))


def test_unix_socket(serve: Start) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/plectrum.sock"
        server = serve(f"--unix-socket={path}", "--workers=2")
        assert server.process.stdout is not None
        assert f"is serving on unix:{path}" in server.process.stdout.readline()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(b"GET /pid HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
            assert connection.makefile().read().startswith("HTTP/1.1 200")
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert not Path(path).exists()


def test_port_in_use(serve: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = serve(f"--port={port}")
        assert server.process.wait(15) == 1
    assert server.said == (
        f"plectrum: Port {port} on 127.0.0.1 is in use. "
        f"Stop what listens there, or choose another: --port {port + 1}.\n"
    )
