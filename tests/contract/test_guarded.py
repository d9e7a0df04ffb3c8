"""Attackers at the gate and at the edge, over raw sockets: each refused, and the connection as it should be."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .guarded import SECRET
from .support import Answer, Server, request


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {
        "PLECTRUM_ALLOWED_HOSTS": "test,.shop.example",
        "PLECTRUM_TRUSTED_PROXIES": "10.0.0.0/8",
        "PLECTRUM_SECURITY_HEADERS": "1",
    }
    server = Server("guarded", tmp_path_factory.mktemp("guarded") / "log", environ=environ)
    yield server
    server.close()


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header: Any, key: str = SECRET, **claims: Any) -> str:
    message = f"{encoded(header)}.{encoded({'sub': '7', 'exp': time.time() + 60, **claims})}"
    return f"{message}.{encoded(hmac.digest(key.encode(), message.encode(), 'sha256'))}"


GOOD = {"alg": "HS256", "typ": "JWT"}


def test_confused_tokens(server: Server) -> None:
    assert server.get("/me", f"authorization: Bearer {token(GOOD)}").status == 200
    for text in (
        token({"alg": "none"}),
        token({"alg": "none"}).rpartition(".")[0] + ".",
        token({"alg": "RS256"}),
        token(GOOD, key="x" * 64),
        token(GOOD, exp=1),
        token({**GOOD, "crit": ["b64"], "b64": False}),
        token(GOOD)[:-1],
        "\x80\xff",
        "",
    ):
        answer = server.get("/me", f"authorization: Bearer {text}")
        assert answer.status == 401, text
        assert answer.headers["www-authenticate"].startswith("Bearer realm=")


def test_a_refusal_leaves_the_connection_usable(server: Server) -> None:
    with server.connect() as connection:
        stream = connection.makefile("rb")
        for status, header in ((401, "x: y"), (200, f"authorization: Bearer {token(GOOD)}"), (401, "x: y")):
            connection.sendall(request("GET", "/me", header))
            assert Answer.read(stream).status == status


def test_a_body_of_the_refused_is_not_waited_for(server: Server) -> None:
    """The answer comes at once, and what follows is never taken for a request."""
    with server.connect() as connection:
        head = "POST /me HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n"
        connection.sendall(head.encode() + b"GET /me HTTP/1.1\r\n")
        stream = connection.makefile("rb")
        assert Answer.read(stream, "POST").status == 401
        assert stream.read() == b""


def test_two_authorizations_do_not_add_up(server: Server) -> None:
    answer = server.get("/me", "authorization: Basic eA==", f"authorization: Bearer {token(GOOD)}")
    assert answer.status == 401


def test_hosts(server: Server) -> None:
    def status(*lines: str) -> int:
        head = "\r\n".join(["GET /who HTTP/1.1", *lines, "connection: close", "", ""])
        return int(server.send(head.encode()).split()[1])

    for good in ("test", "TEST:80", "shop.example", "a.shop.example."):
        assert status(f"host: {good}") == 200, good
    for bad in (
        "evil",
        "test.evil",
        "evil.test",
        "xshop.example",
        "test:80:80",
        "test@evil",
        "test/..",
        "",
        "[::1]",
        "te st",
    ):
        assert status(f"host: {bad}") == 400, bad
    assert status("host: test", "host: evil") == 400
    assert status() == 400
    assert status("host: evil", "x-forwarded-host: test") == 400


def test_forged_forwarded_headers(server: Server) -> None:
    forged = (
        "x-forwarded-for: 1.2.3.4",
        "x-forwarded-proto: https",
        "x-forwarded-host: evil",
        "forwarded: for=1.2.3.4;proto=https",
    )
    assert server.get("/who", *forged).json() == {"client": "127.0.0.1", "scheme": "http", "host": "test"}
    # Nor do made-up addresses give new buckets.
    statuses = [server.get("/limited", f"x-forwarded-for: 1.2.3.{number}").status for number in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_headers_are_on_every_answer(server: Server) -> None:
    for answer in (server.get("/who"), server.get("/nowhere"), server.get("/me")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
