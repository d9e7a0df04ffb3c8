"""What gates cost: microseconds of server CPU per request, beside a hello that has none.

    python -m bench.gates [rounds]

Starts one worker of the installed Plectrum, checks every answer first, then sends the same request over and over on one
connection, a few at a time, and reads the worker's own CPU time. Runs are interleaved; the least of the rounds counts.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from plectrum import API, _core
from plectrum.auth import JWT, APIKey
from plectrum.guards import HasScope

SECRET = "0123456789abcdef" * 4
KEY = "k" * 32
BATCH, REQUESTS = 16, 20_000

api = API(openapi_url=None)


async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


api.get("/hello")(hello)
api.get("/jwt", auth=[JWT(key=SECRET)])(hello)
api.get("/scope", auth=[JWT(key=SECRET)], guards=[HasScope("read")])(hello)
api.get("/key", auth=[APIKey(keys={"a": KEY})])(hello)
api.get("/limit", throttle="1000000000/s")(hello)
api.get("/full", throttle="1/day")(hello)


def _requests() -> dict[str, tuple[str, str, int]]:
    """Name → path, header, status."""
    claims = {"sub": "12345", "exp": int(time.time()) + 3600, "iat": int(time.time()), "scope": "read write"}
    bearer = f"authorization: Bearer {_core.sign_jwt(json.dumps(claims), SECRET, 'HS256')}"
    return {
        "hello": ("/hello", "x-padding: none", 200),
        "JWT (HS256)": ("/jwt", bearer, 200),
        "JWT and scope": ("/scope", bearer, 200),
        "API key": ("/key", f"x-api-key: {KEY}", 200),
        "rate limit": ("/limit", "x-padding: none", 200),
        "401": ("/jwt", "x-padding: none", 401),
        "404": ("/nowhere", "x-padding: none", 404),
        "429": ("/full", "x-padding: none", 429),
    }


def _exchange(connection: socket.socket, raw: bytes, status: int, count: int) -> None:
    line, received = f"HTTP/1.1 {status} ".encode(), b""
    connection.sendall(raw * count)
    while received.count(line) < count:
        received += connection.recv(1 << 20)


def _cpu(pid: int) -> float:
    """Seconds on a core, of all threads; the kernel counts them in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def _measure(port: int, pid: int, raw: bytes, status: int) -> float:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        before = _cpu(pid)
        for _ in range(REQUESTS // BATCH):
            _exchange(connection, raw, status, BATCH)
        return (_cpu(pid) - before) / REQUESTS * 1e6


def main() -> None:
    """Prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    command = [sys.executable, "-m", "plectrum", "run", "bench.gates:api", "--port=0", "--workers=1"]
    environ = {**os.environ, "PLECTRUM_SPARE_WORKER": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stdout is not None
        found = re.search(r":(\d+)", server.stdout.readline())
        assert found is not None
        port = int(found[1])
        pid = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])
        best: dict[str, float] = {}
        asked = _requests()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            _exchange(connection, b"GET /full HTTP/1.1\r\nhost: a\r\n\r\n", 200, 1)
        for _ in range(rounds):
            for name, (path, header, status) in asked.items():
                raw = f"GET {path} HTTP/1.1\r\nhost: a\r\n{header}\r\n\r\n".encode()
                best[name] = min(best.get(name, 1e9), _measure(port, pid, raw, status))
        server.terminate()
    for name, micros in best.items():
        print(f"{name:14} {micros:6.2f} µs  {micros / best['hello']:.2f} x")


if __name__ == "__main__":
    main()
