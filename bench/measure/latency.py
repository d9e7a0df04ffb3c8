"""Requests per second and latency percentiles, by number of connections."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import places

CONNECTIONS = (50, 100, 200)
#: Endpoints by name, as `run.py` has them.
PATHS = {"hello": "/hello", "one": "/articles/one/777", "100": "/articles/100"}
PERCENTILES = (50, 95, 99)
_SCRIPT = """\
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("measured %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclasses.dataclass(frozen=True)
class Server:
    """How a server is started: in one process, on core 0."""

    name: str
    port: int
    command: Sequence[str]
    directory: Path
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One measurement; times in milliseconds, ``percentiles`` as :data:`PERCENTILES`."""

    server: str
    endpoint: str
    connections: int
    per_second: float
    percentiles: tuple[float, ...]
    failed: int


def servers() -> list[Server]:
    """The servers of the matrix: Plectrum, and where they are set up the hand-written one and django-bolt."""
    ours = Server("us", 8107, [str(places.BENCH / "serve")], places.ROOT)
    if not places.has_peers():
        return [ours]
    python = str(places.CACHE / "venv/bin/python")
    bolt = [python, "manage.py", "runbolt", "--host", "127.0.0.1", "--port", "8104", "--processes", "1"]
    here = places.PEERS / "peers"
    return [
        Server("limit", 8100, [str(places.CACHE / "target/release/limit")], here),
        ours,
        Server("bolt", 8104, bolt, here, {"EXTRA_APPS": "django_bolt", "URLCONF": "bolt_urls", "POOL": "1"}),
    ]


def measure(seconds: int) -> list[Cell]:
    """Times every server, endpoint and number of connections for so many seconds."""
    cells = []
    for server in servers():
        with _running(server):
            for endpoint, path in PATHS.items():
                if not _answers(server.port, path):
                    continue
                for connections in CONNECTIONS:
                    _load(server.port, path, connections, 1)
                    cells.append(
                        _cell(server.name, endpoint, connections, _load(server.port, path, connections, seconds))
                    )
    return cells


def _cell(server: str, endpoint: str, connections: int, out: str) -> Cell:
    found = re.search(r"^measured (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", out, re.MULTILINE)
    if found is None:
        message = f"wrk did not say what it measured:\n{out}"
        raise RuntimeError(message)
    requests, microseconds, *percentiles, failed = map(int, found.groups())
    in_milliseconds = tuple(each / 1000 for each in percentiles)
    return Cell(server, endpoint, connections, requests / microseconds * 1e6, in_milliseconds, failed)


@contextlib.contextmanager
def _running(server: Server) -> Iterator[None]:
    environment = {**os.environ, "PGHOST": str(places.CACHE / "pg"), **server.environment}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*_on_core(0), *server.command], cwd=server.directory, env=environment,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _await(server, process)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if _answers(server.port, "/hello"):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    message = f"{server.name} did not start: {' '.join(server.command)}"
    raise RuntimeError(message)


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
            return bool(response.status == 200)
    except OSError:  # an HTTP error is one, too
        return False


def _load(port: int, path: str, connections: int, seconds: int) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT)
        script.flush()
        command = [*_on_core(1), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
        return subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout


def _on_core(number: int) -> list[str]:
    """The server has a core, the load generator another; where there is but one they share it."""
    enough = (os.cpu_count() or 1) > number and shutil.which("taskset")
    return ["taskset", "-c", str(number)] if enough else []
