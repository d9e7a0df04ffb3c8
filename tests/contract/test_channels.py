"""Groups over the workers of a server, and over servers through a real Redis."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from .conftest import Serve
from .support import Server, until


@contextlib.contextmanager
def member(server: Server, room: str, name: str) -> Iterator[tuple[ClientConnection, int]]:
    """A member of a room, and the pid of its worker."""
    with connect(f"ws://127.0.0.1:{server.port}/rooms/{room}?name={name}") as websocket:
        yield websocket, json.loads(websocket.recv(5))["pid"]


@contextlib.contextmanager
def members(server: Server, room: str, workers: int) -> Iterator[dict[int, ClientConnection]]:
    """One member on each of so many workers."""
    with contextlib.ExitStack() as stack:
        found: dict[int, ClientConnection] = {}
        for number in range(200):
            with contextlib.ExitStack() as attempt:
                websocket, pid = attempt.enter_context(member(server, room, f"m{number}"))
                if pid not in found:
                    found[pid] = websocket
                    stack.enter_context(attempt.pop_all())
            if len(found) == workers:
                break
        assert len(found) == workers
        yield found


def settle(sender: ClientConnection, receivers: list[ClientConnection], seconds: float = 10.0) -> None:
    """Until what one sends reaches the others; then reads everything that is on its way."""
    deadline = time.monotonic() + seconds
    waiting = list(receivers)
    while waiting:
        assert time.monotonic() < deadline, "the workers do not hear each other"
        sender.send("hello?")
        for websocket in waiting.copy():
            with contextlib.suppress(TimeoutError):
                websocket.recv(0.2)
                waiting.remove(websocket)
    time.sleep(0.1)
    for websocket in {sender, *receivers}:
        with contextlib.suppress(TimeoutError):
            while websocket.recv(0.2):
                pass


def test_members_of_one_worker(serve: Serve) -> None:
    server = serve("rooms", "--workers=1")
    with (
        member(server, "a", "ada") as (ada, _),
        member(server, "a", "bob") as (bob, _),
        member(server, "b", "eve") as (eve, _),
    ):
        ada.send("text")
        assert [ada.recv(5), bob.recv(5)] == ["text", "text"]
        bob.send(b"bytes")
        assert [ada.recv(5), bob.recv(5)] == [b"bytes", b"bytes"]
        assert server.get("/rooms/a/present").json() == ["ada", "bob"]
        assert server.ask("POST", "/rooms/a?text=hi").json() == 2
        assert json.loads(ada.recv(5))["text"] == "hi"
        bob.recv(5)
        bob.send("leave")
        assert bob.recv(5) == "left"
        ada.send("alone")
        assert ada.recv(5) == "alone"
        for websocket in (bob, eve):
            with pytest.raises(TimeoutError):
                websocket.recv(0.1)
    until(lambda: server.get("/rooms/a/present").json() == [])


def alone(server: Server) -> bool:
    """Whether one member of the room is left; a killed worker resets what it was asked."""
    with contextlib.suppress(OSError):
        return len(server.get("/rooms/room/present").json()) == 1
    return False


def test_workers_of_a_server_hear_each_other_and_survive_a_kill(serve: Serve) -> None:
    server = serve("rooms", "--workers=2")
    with members(server, "room", 2) as found:
        (first, one), (second, two) = found.items()
        settle(one, [two])
        two.send("over there")
        assert [one.recv(5), two.recv(5)] == ["over there", "over there"]
        assert len(server.get("/rooms/room/present").json()) == 2
        os.kill(second, signal.SIGKILL)
        until(lambda: alone(server))
        one.send("still here")
        assert one.recv(5) == "still here"
        with members(server, "room", 2) as again:
            replaced = next(websocket for pid, websocket in again.items() if pid != first)
            settle(one, [replaced])
            replaced.send("as before")
            assert one.recv(5) == "as before"


def test_a_channel_layer_as_djangos(serve: Serve) -> None:
    server = serve("rooms", "--workers=1")
    with server.connect() as connection:
        connection.sendall(b"GET /layer/g HTTP/1.1\r\nhost: x\r\n\r\n")
        received = b""
        while b"pid" not in received:
            received += connection.recv(1000)
        assert server.ask("POST", "/layer/g?text=hi").status == 200
        while b"note" not in received:
            received += connection.recv(1000)
        assert b'data: {"type":"note","text":"hi"}\n\n' in received


class Redis:
    """A Redis that can be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--save", "", "--dir", str(self._directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: groups through Redis are not tested")
    running = Redis(tmp_path)
    yield running
    running.stop()


def test_servers_hear_each_other_through_redis_also_after_it_was_gone(serve: Serve, redis: Redis) -> None:
    environ: dict[str, Any] = {"PLECTRUM_CHANNELS_REDIS": redis.url}
    here, there = (serve("rooms", "--workers=1", **environ) for _ in range(2))
    with member(here, "r", "ada") as (ada, _), member(there, "r", "bob") as (bob, _):
        settle(ada, [bob])
        bob.send("from there")
        assert [ada.recv(5), bob.recv(5)] == ["from there", "from there"]
        assert here.get("/rooms/r/present").json() == ["ada", "bob"]
        redis.stop()
        ada.send("without Redis")
        assert ada.recv(5) == "without Redis"
        assert here.get("/rooms/r/present").json() == ["ada"]
        redis.start()
        settle(ada, [bob])
        ada.send("with it again")
        assert bob.recv(5) == "with it again"
