"""What observing costs: CPU of hello with nothing, metrics, and logs on, servers asked in turn.

`.venv/bin/python -m bench.observed` prints medians and best rounds, in microseconds a request and as ratios. The
servers run at the same time and take turns, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

APP = """
from plectrum import API

api = API(openapi_url=None)


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}
"""
METRICS = {"PLECTRUM_METRICS_PATH": "/metrics"}
VARIANTS = {
    "off": {},
    "metrics": METRICS,
    "metrics, 1 % of lines": {**METRICS, "PLECTRUM_ACCESS_LOG": "/dev/null", "PLECTRUM_ACCESS_LOG_SAMPLE": "0.01"},
    "metrics, every line": {**METRICS, "PLECTRUM_ACCESS_LOG": "/dev/null"},
}
REQUESTS, ROUNDS = 6000, 15


class Server:
    """One worker, and what its threads used of the processor."""

    def __init__(self, directory: str, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "plectrum", "run", "hello_app:api", "--port=0", "--workers=1"]
        given = {**os.environ, **environ, "PLECTRUM_SPARE_WORKER": "0"}
        self.process = subprocess.Popen(command, cwd=directory, env=given, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        assert found is not None
        self.port = int(found[1])
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.threads = Path(f"/proc/{children.split()[0]}/task")

    def nanoseconds(self) -> int:
        return sum(int(file.read_text().split()[0]) for file in self.threads.glob("*/schedstat"))

    def cost(self) -> float:
        """Microseconds a request, one after the other on one connection."""
        before = self.nanoseconds()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            for _ in range(REQUESTS):
                connection.sendall(b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        return (self.nanoseconds() - before) / REQUESTS / 1000


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "hello_app.py").write_text(APP)
        servers = {name: Server(directory, environ) for name, environ in VARIANTS.items()}
        try:
            costs: dict[str, list[float]] = {name: [] for name in servers}
            for name in [*servers] * (ROUNDS + 1):
                costs[name].append(servers[name].cost())
        finally:
            for server in servers.values():
                server.process.terminate()
    base = costs["off"][1:]
    for name, (_, *rounds) in costs.items():
        median, best = statistics.median(rounds), min(rounds)
        ratios = f"{median / statistics.median(base):.3f} {best / min(base):.3f}"
        print(f"{name:24} {median:7.2f} µs (best {best:.2f})  x {ratios}")


if __name__ == "__main__":
    main()
