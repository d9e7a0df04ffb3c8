"""What slow clients cost the others: the p99 of a normal request, alone and beside thousands of trickling ones.

    python -m bench.slow [connections]

Starts one worker of the installed Plectrum. Half of the slow clients send a head a byte at a time, half a body, each a
byte every half second; a normal client meanwhile asks for a small answer every millisecond, for long enough that every
slow one has sent several times. Rounds alone and rounds beside take turns.
"""

from __future__ import annotations

import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from plectrum import API, Request

SECONDS, SETTLE, ROUNDS, PAUSE = 3.0, 1.0, 3, 0.5
#: Slow clients do not send all at once: their bytes come in so many portions a pause.
PORTIONS = 1000
HEADS = (
    b"GET /hello HTTP/1.1\r\nhost: t\r\nx: ",
    b"POST /body HTTP/1.1\r\nhost: t\r\ncontent-type: text/plain\r\ncontent-length: 100000\r\n\r\n",
)

api = API(openapi_url=None)


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.post("/body")
async def body(request: Request) -> int:
    return len(request.body)


def p99(port: int) -> float:
    """Of a normal client on a connection of its own, in milliseconds."""
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        end = time.perf_counter() + SECONDS
        while (start := time.perf_counter()) < end:
            connection.sendall(b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.001)
    return statistics.quantiles(times, n=100)[98]


def trickle(port: int, count: int) -> None:
    """Slow clients in a process of their own, each of which sends a byte every half second, until it is ended."""
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
        for number, connection in enumerate(slow):
            connection.sendall(HEADS[number % 2])
        print("connected", flush=True)
        while True:
            for portion in range(PORTIONS):
                time.sleep(PAUSE / PORTIONS)
                for connection in slow[portion::PORTIONS]:
                    with suppress(OSError):  # it was cut off
                        connection.send(b"x")


@contextmanager
def trickling(port: int, count: int) -> Iterator[None]:
    """Has :func:`trickle` run meanwhile, in a process of its own: Python's lock would be measured too."""
    command = [sys.executable, "-c", f"from bench.slow import trickle; trickle({port}, {count})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as slow:
        assert slow.stdout is not None
        assert slow.stdout.readline() == "connected\n"
        time.sleep(SETTLE)  # thousands that come at once are another matter
        try:
            yield
        finally:
            slow.terminate()


def main(count: int) -> None:
    """Prints both figures and their ratio."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 200)), hard))
    command = [sys.executable, "-m", "plectrum", "run", "bench.slow:api", "--workers=1", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r":(\d+)", server.stdout.readline())
        assert found is not None
        try:
            port = int(found[1])
            alone, beside = [], []
            for _ in range(ROUNDS):
                alone.append(p99(port))
                with trickling(port, count):
                    beside.append(p99(port))
        finally:
            server.terminate()
    for number, (one, other) in enumerate(zip(alone, beside, strict=True), 1):
        print(
            f"round {number}: p99 alone {one:.2f} ms, beside {count} slow clients {other:.2f} ms: {other / one:.2f} x"
        )
    print(f"medians: {statistics.median(beside) / statistics.median(alone):.2f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
