"""TLS over real sockets, by Python's OpenSSL, curl and openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from . import certificates
from .conftest import Serve
from .support import Answer, Server, request, until


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server that speaks TLS, and its certificate."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = certificates.write(directory)
    options = ("--workers=1", f"--certfile={certificate}", f"--keyfile={key}")
    running = Server("encrypted", directory / "log", *options)
    yield running, certificate
    running.close()


def wrapped(server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(server.connect(), server_hostname="localhost")


def serial(server: Server) -> int:
    """Of the certificate that a new connection is shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    return hash(pem)


def test_a_request_over_tls_is_secure(secure: tuple[Server, Path]) -> None:
    server, certificate = secure
    with httpx.Client(verify=certificates.trust(certificate)) as client:
        answer = client.get(f"https://localhost:{server.port}/seen")
    assert answer.json() == {"scheme": "https", "host": f"localhost:{server.port}"}
    assert answer.http_version == "HTTP/1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_and_protocols(secure: tuple[Server, Path], version: ssl.TLSVersion) -> None:
    server, certificate = secure
    context = certificates.trust(certificate, "h2", "http/1.1")
    context.minimum_version = context.maximum_version = version
    with wrapped(server, context) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    with wrapped(server, certificates.trust(certificate, "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        connection.sendall(request("GET", "/large?size=3000000"))
        answer = Answer.read(connection.makefile("rb"))
        assert (answer.status, len(answer.body)) == (200, 3_000_002)


def test_old_versions_and_plain_requests_are_refused(secure: tuple[Server, Path]) -> None:
    server, certificate = secure
    context = certificates.trust(certificate)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        wrapped(server, context)
    assert b"HTTP/1.1 200" not in server.send(request("GET", "/seen"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_agrees(secure: tuple[Server, Path]) -> None:
    server, certificate = secure
    found = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{server.port}", "-CAfile", certificate, "-alpn", "h2,http/1.1"],
        input=b"",
        capture_output=True,
        timeout=20,
    )
    assert "Verify return code: 0 (ok)" in found.stdout.decode(errors="replace")
    assert "ALPN protocol: h2" in found.stdout.decode(errors="replace")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl_agrees(secure: tuple[Server, Path], option: str, version: str) -> None:
    server, certificate = secure
    url = f"https://localhost:{server.port}/echo"
    upload = "x" * 200_000
    command = [
        "curl",
        "-sS",
        option,
        "--cacert",
        str(certificate),
        "-w",
        " %{http_version}",
        "--data-binary",
        "@-",
        url,
    ]
    found = subprocess.run(command, input=upload, capture_output=True, text=True, timeout=20)
    assert (found.stdout, found.stderr) == (f"200000 {version}", "")


def test_websockets_over_tls(secure: tuple[Server, Path]) -> None:
    server, certificate = secure
    context = certificates.trust(certificate)
    with connect(f"wss://localhost:{server.port}/ws", ssl=context, max_size=None) as websocket:
        for message in ("hello", "é" * 50_000, "x" * 3_000_000):
            websocket.send(message)
            assert websocket.recv() == message
        websocket.send("later")
        assert websocket.recv() == "now"


@pytest.mark.parametrize("http2", [False, True])
def test_events_over_tls(secure: tuple[Server, Path], http2: bool) -> None:
    server, certificate = secure
    context = certificates.trust(certificate)
    with (
        httpx.Client(verify=context, http2=http2) as client,
        client.stream("GET", f"https://localhost:{server.port}/events") as answer,
    ):
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert "".join(answer.iter_text()) == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_a_renewed_certificate_is_served_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    server = serve("encrypted", "--workers=1", f"--certfile={certificate}", f"--keyfile={key}")
    before = serial(server)
    with wrapped(server, certificates.trust(certificate)) as kept:
        certificates.write(tmp_path)
        until(lambda: serial(server) != before)
        # Connections that are open stay so.
        kept.sendall(request("GET", "/seen"))
        assert Answer.read(kept.makefile("rb")).status == 200
    now = serial(server)
    key.write_text("no key")
    until(lambda: "the old one stays" in server.log)
    assert serial(server) == now


def test_a_wrong_certificate_is_told_at_the_start(serve: Serve, tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, stranger = certificates.write(other)
    for options, message in (
        ((f"--certfile={certificate}", f"--keyfile={stranger}"), "does not go with"),
        ((f"--certfile={tmp_path / 'none.pem'}",), "none.pem: "),
        ((f"--certfile={key}",), "no certificate in it"),
        ((f"--keyfile={key}",), "KEYFILE is the key of no certificate"),
    ):
        with pytest.raises(RuntimeError, match=message):
            serve("encrypted", "--workers=1", *options)


def test_a_handshake_that_does_not_end_is_cut_off(serve: Serve, tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    options = ("--workers=1", f"--certfile={certificate}", f"--keyfile={key}")
    server = serve("encrypted", *options, PLECTRUM_HEADER_READ_TIMEOUT="0.5")
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01")
        started = time.monotonic()
        assert connection.recv(100) == b""
        assert time.monotonic() - started < 5
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01")
        time.sleep(0.1)
        assert server.stop() == 0


def test_a_stop_drains_connections_over_tls(serve: Serve, tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    server = serve("encrypted", "--workers=1", f"--certfile={certificate}", f"--keyfile={key}")
    with wrapped(server, certificates.trust(certificate)) as connection:
        connection.sendall(request("GET", "/sleep?seconds=0.5"))
        time.sleep(0.2)
        server.process.terminate()
        answer = Answer.read(connection.makefile("rb"))
        assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert server.process.wait(10) == 0
