"""What Django's usual middleware costs around a route, beside django-bolt: microseconds of CPU per request.

    python -m bench.middleware [rounds] [django-bolt's python]

Sessions, CSRF, users and messages, on SQLite. One worker each, answers checked first, a few requests at a time on
one connection, the CPU time of every process of the server. Rounds are interleaved; the least of them counts.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
BOLT = Path.home() / ".cache/plectrum-peers/venv/bin/python"
BATCH, REQUESTS = 8, 4_000


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _children(int(child))


def cpu_of(pid: int) -> float:
    """Seconds of CPU time of the threads of a process and its children; the kernel counts them in nanoseconds."""
    threads = [thread for each in _children(pid) for thread in Path(f"/proc/{each}/task").glob("*/schedstat")]
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def _server(command: list[str], port: int, database: str, apps: str) -> Iterator[int]:
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.stack.settings",
        "BENCH_DATABASE": database,
        "BENCH_APPS": apps,
        "PLECTRUM_SPARE_WORKER": "0",
        "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)]),
    }
    subprocess.run([command[0], "-m", "django", "migrate", "-v0"], env=environ, cwd=ROOT, check=True)
    with subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, process_group=0) as running:
        try:
            for _ in range(300):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.1)
            yield running.pid
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def _exchange(connection: socket.socket, raw: bytes, count: int) -> bytes:
    received = b""
    connection.sendall(raw * count)
    while received.count(b"HTTP/1.1 200 ") < count or len(re.findall(rb"\r\n\r\n\{[^}]*\}", received)) < count:
        piece = connection.recv(1 << 20)
        assert piece, received
        received += piece
    return received


def _measure(port: int, pid: int, path: str) -> float:
    raw = f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        _exchange(connection, raw, BATCH)
        before = cpu_of(pid)
        for _ in range(REQUESTS // BATCH):
            _exchange(connection, raw, BATCH)
        return (cpu_of(pid) - before) / REQUESTS * 1e6


def main() -> None:
    """Prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    bolt = sys.argv[2] if len(sys.argv) > 2 else str(BOLT)
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        servers: dict[str, tuple[int, int]] = {}
        port = free_port()
        ours = [sys.executable, "-m", "django", "plectrum", "serve", f"--port={port}", "--workers=1"]
        servers["Plectrum"] = (port, stack.enter_context(_server(ours, port, f"{place}/ours.sqlite3", "plectrum")))
        if Path(bolt).exists():
            port = free_port()
            theirs = [bolt, "-m", "django", "runbolt", "--host=127.0.0.1", f"--port={port}", "--no-admin"]
            pid = stack.enter_context(_server(theirs, port, f"{place}/bolt.sqlite3", "django_bolt"))
            servers["django-bolt"] = (port, pid)
        best: dict[tuple[str, str], float] = {}
        for _ in range(rounds):
            for name, (port, pid) in servers.items():
                for path in ("/hello", "/who", "/bare") if name == "Plectrum" else ("/hello", "/who"):
                    best[name, path] = min(best.get((name, path), 1e9), _measure(port, pid, path))
    for (name, path), micros in best.items():
        ratio = micros / best["Plectrum", path]
        print(f"{name:12} {path:8} {micros:8.1f} µs  {ratio:5.2f} x")


if __name__ == "__main__":
    main()
