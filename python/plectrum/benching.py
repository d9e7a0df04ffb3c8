"""``plectrum bench``: what a route costs the server, measured on a worker of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

from .errors import ConfigurationError

__all__ = ["Cost", "command_of", "measure", "request_of", "server"]

#: Requests that are on their way at once, so that the server and not the wire is what is measured.
_AT_ONCE = 16
_WARM_UP = 20 * _AT_ONCE
_SERVING = re.compile(r"is serving on (?P<where>.*)")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What was measured.

    Parameters:
        status: of every answer.
        size: bytes of an answer's body.
        requests: how many were sent, after those that warmed up.
        cpu: microseconds of the worker's CPU time per request; ``None`` where the system does not tell.
        median, p99: milliseconds from a request to its answer, one request at a time, as a client in Python sees it.
        memory: bytes the worker holds afterwards; ``None`` where the system does not tell.
    """

    status: int
    size: int
    requests: int
    cpu: float | None
    median: float
    p99: float
    memory: int | None


@contextlib.contextmanager
def server(command: Sequence[str]) -> Generator[tuple[int, int]]:
    """Runs a server with one worker for as long as the block does.

    Parameters:
        command: that serves the API, without address and workers.

    Returns:
        Port, and the server's process id.

    Errors:
        ConfigurationError: it does not serve.
    """
    environ = {**os.environ, "PLECTRUM_SPARE_WORKER": "0", "PYTHONUNBUFFERED": "1"}
    full = [*command, "--host=127.0.0.1", "--port=0", "--workers=1"]
    with subprocess.Popen(full, env=environ, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            found = next(filter(None, map(_SERVING.search, running.stdout)), None)
            if found is None:
                raise ConfigurationError("The server did not start; what it said stands above.")
            address = _ADDRESS.search(found["where"])
            if address is None:
                raise ConfigurationError(
                    f"bench measures HTTP over TCP, and the server is at {found['where']}: leave CERTFILE and "
                    "UNIX_SOCKET out of its settings."
                )
            yield int(address[1]), running.pid
        finally:
            running.terminate()


def measure(port: int, pid: int, raw: bytes, seconds: float) -> Cost:
    """Sends the same request over and over.

    Parameters:
        port: of the server on this machine.
        pid: its process id.
        raw: the request as it goes over the wire.
        seconds: for how long.

    Errors:
        ConfigurationError: an answer is a stream, another than the first one was, or none.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        status, size = _answers(connection, raw, 1)
        _expect(status, _answers(connection, raw, _WARM_UP)[0])
        before, end, requests = _cpu(pid), time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            _expect(status, _answers(connection, raw, _AT_ONCE)[0])
            requests += _AT_ONCE
        after = _cpu(pid)
        trips = [_trip(connection, raw) for _ in range(min(requests, 1000))]
    cpu = None if before is None or after is None else (after - before) / requests * 1e6
    cuts = statistics.quantiles(trips, n=100)
    return Cost(status, size, requests, cpu, cuts[49], cuts[98], _memory(pid))


def _answers(connection: socket.socket, raw: bytes, count: int) -> tuple[int, int]:
    """Status and body's size of the last of ``count`` answers, all of which must have one status."""
    status, size = 0, 0
    for start in range(0, count, _AT_ONCE):
        batch = min(_AT_ONCE, count - start)
        connection.sendall(raw * batch)
        received = b""
        for _ in range(batch):
            found, size, received = _answer(connection, received, head=raw.startswith(b"HEAD "))
            _expect(status or found, found)
            status = found
    return status, size


def _answer(connection: socket.socket, received: bytes, *, head: bool) -> tuple[int, int, bytes]:
    """Status and size of one answer, and what came behind it."""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    status = int(received[9:12])
    length = _LENGTH.search(received, 0, end + 2)
    if length is None and status not in (204, 304):
        raise ConfigurationError("The answer is a stream, whose cost depends on who reads it: bench measures others.")
    size = 0 if length is None else int(length[1])
    end += 4 if head else 4 + size
    while len(received) < end:
        received += _more(connection)
    return status, size, received[end:]


def _more(connection: socket.socket) -> bytes:
    found = connection.recv(1 << 18)
    if not found:
        raise ConfigurationError("The server ended the connection before it had answered; its log says why.")
    return found


def _expect(status: int, found: int) -> None:
    if found != status:
        raise ConfigurationError(f"An answer was {found}, and the first one {status}: a rate or a limit is in the way.")


def _trip(connection: socket.socket, raw: bytes) -> float:
    start = time.perf_counter()
    _answers(connection, raw, 1)
    return (time.perf_counter() - start) * 1e3


def _workers(pid: int) -> Iterable[Path]:
    """The server's workers in ``/proc``, whose children they are; nothing where there is no such thing."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [Path("/proc", child) for child in children.read_text().split()] if children.exists() else []


def _cpu(pid: int) -> float | None:
    """Seconds on a core, of all threads of the workers; the kernel counts them in nanoseconds."""
    threads = [thread for worker in _workers(pid) for thread in worker.glob("task/*/schedstat")]
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9 if threads else None


def _memory(pid: int) -> int | None:
    pages = [int((worker / "statm").read_text().split()[1]) for worker in _workers(pid)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") if pages else None


def command_of(app: str | None, *, django: bool) -> list[str]:
    """The command that serves the same project as this process looks at."""
    if app is None and django and Path(sys.argv[0]).name == "manage.py":
        return [sys.executable, sys.argv[0], "plectrum", "serve"]
    return [sys.executable, "-m", "plectrum", "run", *([app] if app else [])]


def request_of(path: str, method: str, headers: Iterable[str], body: str) -> bytes:
    """A request as it goes over the wire.

    Errors:
        ConfigurationError: the path or a header is none.
    """
    if not path.startswith("/") or any(mark in path for mark in " \r\n"):
        raise ConfigurationError(f'{path!r} is no path of a request: it starts with "/" and is percent-encoded.')
    lines = [f"{method.upper()} {path} HTTP/1.1", "host: 127.0.0.1"]
    for header in headers:
        if ":" not in header or "\n" in header or "\r" in header:
            raise ConfigurationError(f"--header {header!r} is no header: write 'name: value'.")
        lines.append(header)
    encoded = body.encode()
    if encoded:
        lines.append(f"content-length: {len(encoded)}")
        if not any(header.lower().startswith("content-type:") for header in headers):
            lines.append("content-type: application/json")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + encoded
