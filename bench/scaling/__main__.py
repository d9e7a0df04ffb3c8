"""CPU per request with one worker and with several, and how evenly these are asked.

    python -m bench.scaling [--workers 1,2,4] [--rounds 3] [--seconds 3]

Servers with each number of workers run at the same time and are asked in turn (by `wrk`), so that what else the machine
does falls on all alike. Every worker has the same number of connections: requests that arrive together are cheaper, so
the same load on more workers would cost more for that alone. On a free-threaded Python the workers are threads of one
process. CPU is that of the server's processes, the supervisor's included; the least of the rounds counts, as noise only
adds. The spread is the most that a worker was asked, or the least, over the mean, by each worker's own count.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools import postgres

#: Per worker.
CONNECTIONS = 64
TARGETS = {"hello": "/hello", "queryset, 10 rows": "/items/500"}
TABLE = """
CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL, made date NOT NULL, price numeric(10, 2) NOT NULL);
INSERT INTO item SELECT n, 'item ' || n, date '2024-01-01' + n::int, n * 1.25 FROM generate_series(1, 1000) n;
"""


@dataclasses.dataclass
class Server:
    """A running one."""

    workers: int
    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds on a core, of all its processes and threads; the kernel counts them in nanoseconds."""
        pids = [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]
        threads = (thread for pid in pids for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def counts(self) -> Mapping[str, int]:
        """Requests that each thread of each worker has answered so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            text = answer.read().decode()
        found = re.findall(r'^plectrum_worker_requests_total\{worker="([^"]+)"\} (\d+)', text, re.MULTILINE)
        return {worker: int(count) for worker, count in found}

    def ask(self, path: str, seconds: float) -> int:
        """Puts load on it; how many requests were answered, all of them with 200."""
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS * self.workers}",
            f"-d{seconds:g}s",
            f"http://127.0.0.1:{self.port}{path}",
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        count = re.search(r"(\d+) requests in", said)
        if count is None or "Non-2xx" in said or "Socket errors" in said:
            raise RuntimeError(said)
        return int(count[1])


@contextlib.contextmanager
def serving(workers: int, url: str) -> Iterator[Server]:
    """A server with so many workers."""
    command = [sys.executable, "-m", "plectrum", "run", "bench.scaling.app:api", "--port=0", f"--workers={workers}"]
    environ = {**os.environ, "DATABASE_URL": url, "PLECTRUM_SPARE_WORKER": "0", "PLECTRUM_METRICS_PATH": "/metrics"}
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        environ["PLECTRUM_PROCESSES"] = "1"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r":(\d+)", process.stdout.readline())
            assert found is not None
            yield Server(workers, int(found[1]), process.pid)
        finally:
            process.terminate()


@dataclasses.dataclass
class Found:
    """What rounds of one number of workers and one target came to."""

    cpu: float = float("inf")
    spread: float = float("inf")
    per_second: float = 0.0

    def add(self, server: Server, path: str, seconds: float) -> None:
        """One round more."""
        before, cpu = server.counts(), server.cpu()
        count = server.ask(path, seconds)
        cpu, after = server.cpu() - cpu, server.counts()
        asked = [after[worker] - before[worker] for worker in after]
        mean = sum(asked) / len(asked)
        self.cpu = min(self.cpu, cpu / count * 1e6)
        self.spread = min(self.spread, max(max(asked) / mean - 1, 1 - min(asked) / mean))
        self.per_second = max(self.per_second, count / seconds)


def measure(url: str, numbers: list[int], rounds: int, seconds: float) -> dict[tuple[str, int], Found]:
    """By target and number of workers."""
    found = {(name, workers): Found() for name in TARGETS for workers in numbers}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(workers, url)) for workers in numbers]
        for server in servers:
            for path in TARGETS.values():
                server.ask(path, 1)
        for _ in range(rounds):
            for name, path in TARGETS.items():
                for server in servers:
                    found[name, server.workers].add(server, path, seconds)
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    numbers = [int(number) for number in options.workers.split(",")]
    with postgres.server(throw_away=True) as url:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE)
        found = measure(url, numbers, options.rounds, options.seconds)
    print("| what | workers | CPU µs each | to one worker | spread | requests/s |\n|---|---|---|---|---|---|")
    for (name, workers), each in found.items():
        ratio = each.cpu / found[name, numbers[0]].cpu
        row = f"{each.cpu:.1f} | {ratio:.2f} | {each.spread:.0%} | {each.per_second:,.0f}"
        print(f"| {name} | {workers} | {row} |")


if __name__ == "__main__":
    main()
