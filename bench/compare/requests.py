"""Run in each revision: a server process of it, and its CPU per request. A line on standard input asks for a round."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

PATHS = {"hello": "/hello", "typed": "/typed/7?q=abc&page=3", "rows": "/rows/50"}
CLIENTS = 4
REQUESTS = 1000
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Starts the server; answers each line with the values of a round."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "plectrum", "run", "app:api", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        print("ready", flush=True)
        for _ in sys.stdin:
            for name, path in PATHS.items():
                _load(port, path, REQUESTS // 10)
                before = _cpu(server.pid)
                _load(port, path, REQUESTS)
                spent = _cpu(server.pid) - before
                print(f"{name}, CPU per request {spent / (REQUESTS * CLIENTS) * 1e6:.3f} us")
            print(f"memory of the server {_memory(server.pid):.1f} MiB")
            print("done", flush=True)
    finally:
        server.terminate()
        server.wait(timeout=15)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            _load(port, PATHS["hello"], 1)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _load(port: int, path: str, count: int) -> None:
    """So many requests on each of some connections."""
    failed: list[int] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(count):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                failed.append(response.status)
        connection.close()

    if count == 1:
        client()
        return
    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{path} answered {failed[0]}")


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process and its children; to the nanosecond where the kernel counts it so."""
    total = 0.0
    for process in _tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
    return total


def _memory(pid: int) -> float:
    """Mebibytes of a process and its children."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _tree(pid)) * page / (1 << 20)


if __name__ == "__main__":
    main()
