"""Asks a server two million times and looks whether its memory grows: `make soak`.

Four kinds of requests on keep-alive connections, pipelined: a constant, validated parameters, a JSON body, a refusal.
Memory is taken after a tenth of them, when everything has been used once, and then to the end. Fails where it grew
by more than `LIMIT`.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

APP = """
from plectrum import API, Schema

api = API()


class Person(Schema):
    name: str
    age: int


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/typed/{id}")
async def typed(id: int, q: str = "") -> dict[str, object]:
    return {"id": id, "q": q}


@api.post("/echo")
async def echo(person: Person) -> Person:
    return person
"""
#: MiB that memory may grow by after the first tenth.
LIMIT = 8.0
DEPTH = 16


def requests() -> list[bytes]:
    """One of each kind."""
    body = b'{"name": "Ada", "age": 36}'
    head = b"host: soak\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return [
        b"GET /hello HTTP/1.1\r\nhost: soak\r\n\r\n",
        b"GET /typed/7?q=a%20b HTTP/1.1\r\nhost: soak\r\n\r\n",
        b"POST /echo HTTP/1.1\r\n" + head + body,
        b"GET /typed/x HTTP/1.1\r\nhost: soak\r\n\r\n",
    ]


def memory(process: int) -> float:
    """Resident memory in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def ask(port: int, count: int) -> None:
    """Sends `count` requests on one connection and reads every answer.

    Errors:
        SystemExit: the server closed the connection, or left an answer out.
    """
    batch = b"".join(requests()) * (DEPTH // 4)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count // DEPTH):
            connection.sendall(batch)
            answers, tail = 0, b""
            while answers < DEPTH:
                piece = connection.recv(1 << 16)
                if not piece:
                    sys.exit("the server closed a connection under load")
                data = tail + piece
                answers += data.count(b"HTTP/1.1 ") - tail.count(b"HTTP/1.1 ")
                tail = data[-8:]


def soak(total: int) -> int:
    """Runs it; exit status."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "soak_app.py").write_text(APP)
        environ = {**os.environ, "PLECTRUM_SPARE_WORKER": "0", "PLECTRUM_METRICS_PATH": "/metrics"}
        command = [sys.executable, "-m", "plectrum", "run", "soak_app:api", "--port=0", "--workers=1"]
        with subprocess.Popen(command, cwd=directory, env=environ, stdout=subprocess.PIPE, text=True) as server:
            try:
                return _measure(server, total)
            finally:
                server.terminate()


def _measure(server: subprocess.Popen[str], total: int) -> int:
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
    if found is None:
        sys.exit("the server did not start")
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    port, worker = int(found[1]), int(children[0])
    start, rounds = time.monotonic(), 20
    seen: list[float] = []
    for number in range(rounds):
        ask(port, total // rounds)
        seen.append(memory(worker))
        print(f"{(number + 1) * (total // rounds):>10,} requests  {seen[-1]:7.1f} MiB", flush=True)
    settled, grown = seen[rounds // 10 - 1], max(seen[rounds // 10 :]) - seen[rounds // 10 - 1]
    seconds = time.monotonic() - start
    print(f"{total:,} requests in {seconds:.0f} s; {settled:.1f} MiB after a tenth, {grown:+.1f} MiB since.")
    if grown > LIMIT:
        print(f"Memory grew by more than {LIMIT} MiB.")
        return 1
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000_000, help="how many (default: %(default)s)")
    return soak(parser.parse_args().requests)


if __name__ == "__main__":
    sys.exit(main())
