"""What attackers send over raw sockets: refused with the right status, and the connection left as it must be.

`kept` means that the next request on the same connection is answered; `closed` that nothing after the refusal is taken
for one, which is what makes request smuggling impossible.
"""

from __future__ import annotations

import re
import socket
import statistics
import threading
import time

import pytest

from .conftest import Serve
from .support import Answer, Server, request, until

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: evil\r\n\r\n"


def answers(server: Server, sent: bytes) -> tuple[list[int], bytes]:
    """The statuses of everything that comes back to bytes sent at once, followed by a good request; and all of it."""
    received = server.send(sent + request("GET", "/hello", "connection: close"), timeout=5)
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)], received


def post(*headers: str) -> bytes:
    return "\r\n".join(["POST /raw HTTP/1.1", "host: t", *headers, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    "sent",
    [
        post("content-length: 5", "content-length: 6") + b"0\r\n\r\n" + SMUGGLED,
        post("content-length: 5, 6") + b"0\r\n\r\n" + SMUGGLED,
        post("content-length: +5") + b"01234" + SMUGGLED,
        post("content-length: -1") + SMUGGLED,
        post("content-length: 0x5") + b"01234" + SMUGGLED,
        post("content-length: 5 5") + b"01234" + SMUGGLED,
        post("content-length: 99999999999999999999999") + SMUGGLED,
        post("transfer-encoding: chunked, identity") + b"0\r\n\r\n" + SMUGGLED,
        post("transfer-encoding: xchunked") + b"0\r\n\r\n" + SMUGGLED,
        post("transfer-encoding: gzip") + b"0\r\n\r\n" + SMUGGLED,
        post("transfer-encoding : chunked") + b"0\r\n\r\n" + SMUGGLED,
        post("content-length : 5") + b"01234" + SMUGGLED,
        b"GET /hello HTTP/1.1\r\nhost: t\r\nx: a\r\n folded\r\n\r\n",
        b"GET /hello HTTP/1.1\r\n host: t\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: t\r\nx\0y: a\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: t\r\nx: a\0b\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: t\r\nx: a\rb: c\r\n\r\n",
        b"GET /hello\tHTTP/1.1\r\nhost: t\r\n\r\n",
        b"GET /hel lo HTTP/1.1\r\nhost: t\r\n\r\n",
        b"GET /hello HTTP/1.1 \r\nhost: t\r\n\r\n",
        b"GET /hello HTTP/9.9\r\nhost: t\r\n\r\n",
        b"GET /hello HTTP/0.9\r\n\r\n",
        b"G\xffT /hello HTTP/1.1\r\nhost: t\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nhost: t\r\n\r\n",
    ],
)  # fmt: skip
def test_ambiguous_heads_end_the_connection(server: Server, sent: bytes) -> None:
    statuses, received = answers(server, sent)
    assert len(statuses) == 1, received
    assert statuses[0] in (400, 411, 413, 414, 501), received
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /hello HTTP/1.1\r\nx: no host\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    ],
)
def test_hosts_that_are_none_or_two(server: Server, sent: bytes) -> None:
    statuses, received = answers(server, sent)
    assert statuses[0] == 400, received


def test_both_framings_never_give_two_requests(server: Server) -> None:
    """RFC 9112, section 6.1: chunked wins and the connection is closed, or the request is refused."""
    for body in (b"0\r\n\r\n" + SMUGGLED, b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED):
        sent = post(f"content-length: {len(body)}", "transfer-encoding: chunked") + body
        statuses, received = answers(server, sent)
        assert b"smuggled" not in received
        assert statuses in ([400], [200]), received


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\nhello\r\n0\r\n\r\n", b"5\r\nhelloX0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n",
        b"g\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", b"5;a=\n\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_broken_chunks(server: Server, chunks: bytes) -> None:
    statuses, received = answers(server, post("transfer-encoding: chunked") + chunks + SMUGGLED)
    assert statuses == [400], received
    assert b"smuggled" not in received


def test_what_is_odd_but_right(server: Server) -> None:
    """Chunk extensions are skipped, and so is an empty line before a request; the connection is kept."""
    chunked = post("transfer-encoding: chunked") + b'5;a=b;c="d"\r\nhello\r\n0\r\ntrailer: x\r\n\r\n'
    assert answers(server, chunked)[0] == [200, 200]
    assert answers(server, b"\r\n" + request("GET", "/hello"))[0] == [200, 200]


def test_garbage_after_a_request_is_no_request(server: Server) -> None:
    statuses, _ = answers(server, request("GET", "/hello") + b"\x00\x01\x02garbage\r\n\r\n")
    assert statuses == [200, 400]


@pytest.mark.parametrize(
    "path",
    [
        "/files/../../etc/passwd", "/files/%2e%2e/%2e%2e/etc/passwd", "/files/..%2f..%2fetc%2fpasswd",
        "/files/%252e%252e/etc/passwd", "/files/..%5c..%5cetc", "/files/%00", "/files/%c0%af",
    ],
)  # fmt: skip
def test_paths_reach_no_file_and_keep_the_connection(server: Server, path: str) -> None:
    statuses, received = answers(server, request("GET", path))
    assert statuses[0] in (200, 400, 404)
    assert statuses[1] == 200
    assert b"root:" not in received


def test_a_client_cannot_write_headers(server: Server) -> None:
    for target in ("/hello%0d%0aset-cookie:%20a=b", "/items/1?q=%0d%0ax-evil:%201", "/nowhere%0d%0ax-evil: 1"):
        received = server.send(request("GET", target.replace(" ", "%20"), "connection: close"))
        head = received.partition(b"\r\n\r\n")[0].lower()
        assert b"x-evil" not in head
        assert b"set-cookie" not in head


@pytest.mark.parametrize(
    ("sent", "status", "kept"),
    [
        (request("GET", "/" + "x" * 9000), 414, True),
        (request("GET", "/hello", *[f"x-{n}: {n}" for n in range(101)]), 431, False),
        (request("GET", "/hello", "x: " + "y" * 70_000), 431, False),
        (request("GET", "/hello", "cookie: " + "a=b; " * 14_000), 431, False),
        (post("content-length: 20000000"), 413, False),
        (b"X" * 70_000 + b" / HTTP/1.1\r\nhost: t\r\n\r\n", 431, False),
    ],
    ids=["target", "headers", "header", "cookie", "body", "method"],
)
def test_oversized(server: Server, sent: bytes, status: int, kept: bool) -> None:
    statuses, received = answers(server, sent)
    assert statuses[0] in (status, 400), received[:200]
    assert (len(statuses) == 2) is kept


def sized(path: str, kind: str, body: bytes) -> bytes:
    return request("POST", path, f"content-type: {kind}", body=body)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (sized("/people", "application/json", b"[" * 500_000), 400),
        (sized("/people", "application/json", b'{"name":' * 100_000), 400),
        (sized("/people", "application/json", b'{"name": ' + b"9" * 500_000 + b"}"), 422),
        (sized("/form", "application/x-www-form-urlencoded", b"a=1&" * 200_000), 413),
        (sized("/form", "multipart/form-data; boundary=b", b"--b\r\n" + b"x: y\r\n" * 5000 + b"\r\n\r\n--b--"), 400),
        (sized("/form", "multipart/form-data; boundary=" + "b" * 5000, b"x"), 400),
        (request("GET", "/items/1?" + "&".join(f"a{n}=1" for n in range(1000))), 200),
    ],
    ids=["deep list", "deep object", "long number", "fields", "part headers", "boundary", "query"],
)
def test_oversized_in_the_small(server: Server, sent: bytes, status: int) -> None:
    """Within the limit of a body: refused where it is read, and the connection goes on."""
    statuses, received = answers(server, sent)
    assert statuses == [status, 200], received[:300]


def test_a_chunked_body_that_never_ends_is_cut_off(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(post("transfer-encoding: chunked"))
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises(OSError, match=r"."):  # noqa: PT012
            for _ in range(1000):
                connection.sendall(chunk)
            connection.recv(1)
            raise OSError("answered")


SLOW = 150


def test_slow_clients_do_not_slow_others(serve: Serve) -> None:
    """A small one of `python -m bench.slow`: heads and bodies that trickle beside normal requests."""
    server = serve("handlers", "--workers=1", PLECTRUM_HEADER_READ_TIMEOUT="5", PLECTRUM_BODY_READ_TIMEOUT="5")

    def p99() -> float:
        times: list[float] = []
        with server.connect() as connection:
            stream = connection.makefile("rb")
            for _ in range(400):
                start = time.perf_counter()
                connection.sendall(request("GET", "/hello"))
                assert Answer.read(stream).status == 200
                times.append(time.perf_counter() - start)
        return statistics.quantiles(times, n=100)[98]

    quiet = min(p99() for _ in range(3))
    stop = threading.Event()

    def trickle(connections: list[socket.socket]) -> None:
        while not stop.wait(0.2):
            for connection in connections:
                try:
                    connection.send(b"x")
                except OSError:
                    return

    with server.connections(SLOW) as slow:
        for number, connection in enumerate(slow):
            head = b"GET /hello HTTP/1.1\r\nhost: t\r\nx: " if number % 2 else post("content-length: 100000")
            connection.sendall(head)
        thread = threading.Thread(target=trickle, args=(slow,))
        thread.start()
        busy = min(p99() for _ in range(3))
        stop.set()
        thread.join()
        # Neither is a slow one kept for ever: its head has five seconds.
        until(lambda: _is_closed(slow[1]), 15)
    # Twice as long, and what a busy machine adds by itself.
    assert busy <= 2 * quiet + 0.005


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.5)
    try:
        return connection.recv(4096) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
