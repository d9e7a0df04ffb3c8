"""A server in a subprocess, clients that read answers byte by byte, and a PostgreSQL to be mistreated."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tools import postgres

ROOT = Path(__file__).parents[2]
READY = re.compile(r"is serving on https?://127\.0\.0\.1:(\d+)")


class Server:
    """`python -m plectrum run module:api` on a free port.

    Parameters:
        app: what to serve; the `api` of a module of this package.
        log: file for standard error.
        environ: added to the environment.
        options: of `plectrum run`.
    """

    def __init__(self, app: str, log: Path, *options: str, environ: Mapping[str, str] | None = None) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plectrum", "run", f"tests.contract.{app}:api", "--port=0", *options],
                cwd=ROOT,
                env={**clean, "PYTHONFAULTHANDLER": "1", **(environ or {})},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._log = log
        self._workers = next((int(option[10:]) for option in options if option.startswith("--workers=")), 1)
        assert self.process.stdout is not None
        found = READY.search(self.process.stdout.readline())
        if not found:
            self.close()
            raise RuntimeError(self.log)
        self.port = int(found[1])

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text()

    def get(self, target: str, *headers: str) -> Answer:
        return self.ask("GET", target, *headers)

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"", timeout: float = 10.0) -> Answer:
        """One request on a connection of its own."""
        with self.connect(timeout) as connection:
            with contextlib.suppress(BrokenPipeError):  # it has heard enough, and answered
                connection.sendall(request(method, target, "connection: close", *headers, body=body))
            return Answer.read(connection.makefile("rb"), method)

    def send(self, data: bytes, timeout: float = 10.0) -> bytes:
        """Raw bytes; everything that comes back until the server closes."""
        with self.connect(timeout) as connection:
            connection.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                return connection.makefile("rb").read()
        return b""

    def connect(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    @contextlib.contextmanager
    def connections(self, count: int) -> Iterator[list[socket.socket]]:
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.connect()) for _ in range(count)]

    def pids(self, count: int) -> set[int]:
        """Of `count` workers, each asked on a connection of its own."""
        found: set[int] = set()
        until(lambda: found.add(self.get("/pid").json()) or len(found) >= count)
        return found

    def wait_for_spare(self) -> None:
        """Until the worker that replaces a dead one has loaded the app, and rests."""
        until(lambda: len(self._children()) > self._workers)
        before = -1.0
        while (used := sum(map(_cpu, self._children()))) > before:
            before = used
            time.sleep(0.25)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        """Kills it at once, with its workers: they would go on until what hangs in them has had its time."""
        workers = self._children()
        self.process.kill()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    def _children(self) -> list[int]:
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []


def _cpu(pid: int) -> int:
    """Processor time of a process, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    length = [f"content-length: {len(body)}"] if body else []
    lines = [f"{method} {target} HTTP/1.1", "host: test", *headers, *length]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @classmethod
    def read(cls, stream: IO[bytes], method: str = "GET") -> Answer:
        """The next answer of a connection; fails where it is truncated."""
        status, headers = _head(stream.readline)
        if method == "HEAD" or status in (204, 304):
            return cls(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return cls(status, headers, b"".join(_chunks(stream)))
        body = stream.read(int(headers["content-length"]))
        if len(body) != int(headers["content-length"]):
            raise ConnectionError("the body is truncated")
        return cls(status, headers, body)


def _head(readline: Callable[[], bytes]) -> tuple[int, dict[str, str]]:
    line = readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError(f"no status line: {line!r}")
    status = int(line.split(b" ")[1])
    headers: dict[str, str] = {}
    while (line := readline()) != b"\r\n":
        if not line.endswith(b"\r\n"):
            raise ConnectionError(f"the head is truncated: {line!r}")
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return status, headers


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        chunk = stream.read(size)
        if len(chunk) != size or stream.read(2) != b"\r\n":
            raise ConnectionError("a chunk is truncated")
        yield chunk
    assert stream.readline() == b"\r\n"


@dataclasses.dataclass
class Load:
    """Clients that ask again and again on keep-alive connections, and count what comes back.

    Parameters:
        port: of the server.
        target: what they ask for.
        clients: how many.
        patient: wait as long as `Retry-After` says before asking again.
    """

    port: int
    target: str
    clients: int = 20
    patient: bool = True
    statuses: dict[int, int] = dataclasses.field(default_factory=dict)
    #: When each answer came, and its status.
    times: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    without_retry_after: int = 0
    broken: list[str] = dataclasses.field(default_factory=list)
    #: Connections the server closed between two requests, as it may.
    closed: int = 0
    going: bool = True

    @contextlib.contextmanager
    def running(self) -> Iterator[Load]:
        """Asks in a thread of its own while the block runs."""
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        try:
            yield self
        finally:
            self.going = False
            thread.join()

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.clients)))

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    async def _client(self) -> None:
        while self.going:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as error:
                self.broken.append(f"connect: {error}")
                await asyncio.sleep(0.01)
                continue
            try:
                while self.going and await self._ask(reader, writer):
                    pass
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again."""
        started = False
        try:
            writer.write(f"GET {self.target} HTTP/1.1\r\nhost: test\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            started = True
            status, headers = _head(iter([*head.splitlines(keepends=True)]).__next__)
            await reader.readexactly(int(headers["content-length"]))
        except asyncio.IncompleteReadError as error:
            if started or error.partial:
                self.broken.append(f"truncated: {error}")
            else:
                self.closed += 1
            return False
        except (OSError, TimeoutError) as error:
            self.broken.append(f"{type(error).__name__}: {error}")
            return False
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.times.append((time.monotonic(), status))
        if status == 503:
            self.without_retry_after += "retry-after" not in headers
            if self.patient:
                await asyncio.sleep(float(headers.get("retry-after", "1")))
        return headers.get("connection") != "close"


class Postgres(postgres._Server):
    """A throw-away cluster that can be stopped and started again."""

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    def stop(self, number: int = signal.SIGINT) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(15)

    def start(self) -> None:
        self._start()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []


def until(true: Callable[[], Any], seconds: float = 15.0) -> float:
    """Waits for a condition; how long it took, in seconds."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, "did not happen in time"
        time.sleep(0.005)
    return time.monotonic() - start
