"""HTTP over real sockets: exact answers, and the same ones from the test client."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from plectrum.testing import TestClient

from .conftest import Serve
from .handlers import api
from .support import Answer, Server, request, until

DATE = re.compile(rb"date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n")


def exact(server: Server, data: bytes) -> bytes:
    """What comes back, without the date."""
    received, dates = DATE.subn(b"", server.send(data))
    assert dates == received.count(b"HTTP/1.1 ")
    return received


def problem(status: int, title: str, *headers: str) -> bytes:
    document = f'{{"type":"about:blank","title":"{title}","status":{status}}}'
    lines = [f"HTTP/1.1 {status} {title}", *headers, f"content-length: {len(document)}", "", document]
    return "\r\n".join(lines).encode()


def test_every_byte_of_an_answer(server: Server) -> None:
    assert exact(server, request("GET", "/hello", "connection: close")) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 27\r\n\r\n"
        b'{"message":"Hello, World!"}'
    )
    assert exact(server, request("HEAD", "/hello", "connection: close")) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 27\r\n\r\n"
    )
    assert exact(server, request("OPTIONS", "/items/1", "connection: close")) == (
        b"HTTP/1.1 204 No Content\r\nallow: DELETE, GET, HEAD, OPTIONS, PUT\r\nconnection: close\r\n\r\n"
    )
    assert exact(server, request("DELETE", "/items/1", "connection: close")) == (
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
    )


KIND, CLOSE = "content-type: application/problem+json", "connection: close"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (request("GET", "/nowhere", CLOSE), problem(404, "Not Found", KIND, CLOSE)),
        (request("GET", "/items/%ff", CLOSE), problem(400, "Bad Request", KIND, CLOSE)),
        (
            request("PATCH", "/items/1", CLOSE),
            problem(405, "Method Not Allowed", KIND, "allow: DELETE, GET, HEAD, OPTIONS, PUT", CLOSE),
        ),
        (
            request("POST", "/people", CLOSE, "content-type: text/plain", body=b"x"),
            problem(415, "Unsupported Media Type", KIND, CLOSE),
        ),
        (request("GET", "/" + "x" * 9000, CLOSE), problem(414, "URI Too Long", KIND, CLOSE)),
        (
            request("POST", "/people", CLOSE, "content-length: 99999999"),
            problem(413, "Content Too Large", KIND, CLOSE).replace(b"413 Content", b"413 Payload", 1),
        ),
        (
            request("GET", "/hello", CLOSE, *[f"x-{n}: {n}" for n in range(99)]),
            problem(431, "Request Header Fields Too Large", CLOSE, KIND),
        ),
        (
            request("GET", "/hello", f"x: {'y' * 70_000}"),
            problem(431, "Request Header Fields Too Large", CLOSE, KIND),
        ),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", problem(400, "Bad Request", CLOSE, KIND)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", problem(400, "Bad Request", CLOSE, KIND)),
    ],
    ids=["404", "400-path", "405", "415", "414", "413", "431-count", "431-size", "400-header", "400-tls"],
)
def test_refusals_are_problem_documents(server: Server, sent: bytes, expected: bytes) -> None:
    received = exact(server, sent)
    head, _, body = received.partition(b"\r\n\r\n")
    expected_head, _, expected_body = expected.partition(b"\r\n\r\n")
    assert body == expected_body
    assert sorted(head.split(b"\r\n")) == sorted(expected_head.split(b"\r\n"))


def test_keep_alive_and_pipelining_answer_in_order(server: Server) -> None:
    with server.connect() as connection:
        stream = connection.makefile("rb")
        for number in range(3):
            connection.sendall(request("GET", f"/items/{number}"))
            assert Answer.read(stream).json()["id"] == number
        # A slow one among quick ones, and one with a body.
        connection.sendall(
            request("GET", "/sleep?seconds=0.1")
            + request("POST", "/people", "content-type: application/json", body=b'{"name":"Ada"}')
            + b"".join(request("GET", f"/items/{number}") for number in range(50))
            + request("HEAD", "/large?size=1000")
            + request("GET", "/hello", "connection: close")
        )
        assert Answer.read(stream).json() == "x" * 10
        assert Answer.read(stream).json() == {"name": "Ada", "age": 0}
        assert [Answer.read(stream).json()["id"] for _ in range(50)] == list(range(50))
        assert Answer.read(stream, "HEAD").headers["content-length"] == "1002"
        assert Answer.read(stream).json() == {"message": "Hello, World!"}
        assert stream.read() == b""


def test_http_1_0_closes_unless_asked_otherwise(server: Server) -> None:
    assert server.send(b"GET /hello HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 OK\r\n")
    with server.connect() as connection:
        stream = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(b"GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            assert Answer.read(stream).headers["connection"] == "keep-alive"


def test_bodies_in_chunks_and_after_expect(server: Server) -> None:
    chunked = request("POST", "/raw?a=1", "transfer-encoding: chunked", CLOSE) + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    received = server.send(chunked)
    assert received.endswith(b"\r\n\r\nabcde")
    assert b"\r\nx-query: a=1\r\n" in received
    with server.connect() as connection:
        stream = connection.makefile("rb")
        connection.sendall(request("POST", "/raw", "expect: 100-continue", "content-length: 4"))
        assert stream.readline() + stream.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert Answer.read(stream).body == b"body"


def test_a_large_answer_arrives_whole(server: Server) -> None:
    assert server.get("/large?size=5000000").body == b'"' + b"x" * 5_000_000 + b'"'


def test_a_slow_loris_is_sent_away(serve: Serve) -> None:
    server = serve(
        "handlers", "--workers=1", PLECTRUM_HEADER_READ_TIMEOUT="0.5", PLECTRUM_BODY_READ_TIMEOUT="0.5",
        PLECTRUM_KEEP_ALIVE_TIMEOUT="0.5",
    )  # fmt: skip
    with server.connect() as head, server.connect() as body, server.connect() as idle:
        head.sendall(b"GET /hello HTTP/1.1\r\nhost: t")
        body.sendall(request("POST", "/people", "content-length: 10") + b"{")
        idle.sendall(request("GET", "/hello"))
        start, stopped = time.monotonic(), False
        while not stopped and time.monotonic() - start < 5:
            try:
                head.sendall(b"e")
                time.sleep(0.1)
            except OSError:
                stopped = True
        assert time.monotonic() - start < 4.0
        assert Answer.read(body.makefile("rb")).status == 408
        stream = idle.makefile("rb")
        assert Answer.read(stream).status == 200
        assert stream.read() == b""
    assert server.get("/hello").status == 200


def test_no_more_connections_than_allowed_and_the_others_wait(serve: Serve) -> None:
    server = serve("handlers", "--workers=1", PLECTRUM_MAX_CONNECTIONS="3")
    with server.connections(3) as held:
        for connection in held:
            connection.sendall(request("GET", "/hello"))
            Answer.read(connection.makefile("rb"))
        with server.connect() as waiting:
            waiting.sendall(request("GET", "/hello"))
            waiting.settimeout(0.3)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            held[0].close()
            waiting.settimeout(5)
            assert Answer.read(waiting.makefile("rb")).status == 200
    until(lambda: server.get("/hello").status == 200)


# ── The test client ────────────────────────────────────────────────────────────────────────────────────────────

JSON = "content-type: application/json"
FORM = "content-type: application/x-www-form-urlencoded"
REQUESTS: list[tuple[str, str, list[str], bytes]] = [
    ("GET", "/hello", [], b""),
    ("HEAD", "/hello", [], b""),
    ("OPTIONS", "/items/1", [], b""),
    ("OPTIONS", "/nowhere", [], b""),
    ("GET", "/nowhere", [], b""),
    ("GET", "/hello/", [], b""),
    ("PATCH", "/items/1", [], b""),
    ("BREW", "/items/1", [], b""),
    ("GET", "/items/7?q=a%20b&tag=1&tag=%C3%A9", [], b""),
    ("GET", "/items/x?q=%ff", [], b""),
    ("GET", "/items/x", [], b""),
    ("GET", "/items/%31", [], b""),
    ("GET", "/files/a%2Fb/c%20d", [], b""),
    ("GET", "/files/%ff", [], b""),
    ("PUT", "/items/1", [JSON], b'{"name":"Ada","age":36}'),
    ("PUT", "/items/x", [JSON], b'{"age":"old"}'),
    ("POST", "/people", [JSON], b'{"name":"\xc3\xa9"}'),
    ("POST", "/people", [JSON], b"{"),
    ("POST", "/people", [JSON], b'{"name":"\xff"}'),
    ("POST", "/people", [], b'{"name":"undeclared"}'),
    ("POST", "/people", [], b""),
    ("POST", "/people", ["content-type: text/plain"], b"x"),
    ("POST", "/pair", [JSON], b'{"person":{"name":"Ada"},"note":"n"}'),
    ("POST", "/pair", [JSON], b"[]"),
    ("POST", "/form", [FORM], b"a=1&b=x&b=y+z"),
    ("POST", "/form", [FORM], b"a=%ff"),
    ("GET", "/head", ["x-token: t", "cookie: sid=7"], b""),
    ("GET", "/head", ["X-Token: caf\xe9", "cookie: sid=x"], b""),
    ("GET", "/head", [], b""),
    ("POST", "/raw?a=b", [], b"\x00\xff"),
    ("POST", "/people", [JSON], b" " * 11_000_000),
    ("DELETE", "/items/1", [], b""),
    ("GET", "/missing", [], b""),
    ("GET", "/raises", [], b""),
    ("GET", "/raises-later", [], b""),
    ("GET", "/unserializable", [], b""),
    ("GET", "/exits", [], b""),
    ("GET", "/sync", [], b""),
    ("GET", "/tasks", [], b""),
    ("GET", "/openapi.json", [], b""),
    ("GET", "/docs", [], b""),
    ("GET", "/docs/assets/swagger-ui-dist/favicon-32x32.png", [], b""),
    ("GET", "/docs/assets/..%2F..%2Fsettings.py", [], b""),
    ("GET", "/" + "x" * 9000, [], b""),
    ("GET", "/hello", [f"x-{n}: {n}" for n in range(120)], b""),
]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(api, headers={"host": "test"}) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "target", "headers", "body"), REQUESTS, ids=[f"{r[0]} {r[1][:30]} {n}" for n, r in enumerate(REQUESTS)]
)
def test_the_test_client_gives_the_same_answer(
    server: Server, client: TestClient, method: str, target: str, headers: list[str], body: bytes
) -> None:
    over_socket = server.ask(method, target, *headers, body=body)
    in_process = client.request(method, target, headers=dict(h.split(": ", 1) for h in headers), content=body)
    assert seen(in_process.status_code, in_process.headers, in_process.content) == seen(
        over_socket.status, over_socket.headers, over_socket.body
    )


def seen(status: int, headers: Any, body: bytes) -> Any:
    """An answer without what only a connection has."""
    wire = {"date", "connection", "content-length", "transfer-encoding"}
    return status, {name: value for name, value in headers.items() if name not in wire}, body
