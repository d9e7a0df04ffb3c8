"""Forms and streamed bodies over real sockets: limits, the disk, and the connection afterwards."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from .conftest import Serve
from .support import Answer, Server, request, until

KIND = "content-type: multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> object:
    running = Server(
        "uploads", tmp_path_factory.mktemp("uploads") / "log", "--workers=1",
        environ={"PLECTRUM_UPLOAD_MEMORY": "100000", "PLECTRUM_FORM_MAX_FIELDS": "5", "PLECTRUM_MAX_BODY": "1000000"},
    )  # fmt: skip
    yield running
    running.close()


def form(size: int, fields: int = 0) -> bytes:
    parts = [f"--b\r\ncontent-disposition: form-data; name=f{n}\r\n\r\nv\r\n".encode() for n in range(fields)]
    head = b'--b\r\ncontent-disposition: form-data; name=file; filename="../a.bin"\r\n\r\n'
    return b"".join(parts) + head + b"x" * size + b"\r\n--b--\r\n"


@pytest.mark.parametrize("size", [0, 99_999, 100_001, 900_000])
def test_memory_and_disk(uploads: Server, size: int) -> None:
    answer = uploads.ask("PUT", "/upload", KIND, body=form(size))
    assert answer.json() == ["a.bin", size, size <= 100_000, size]


def test_a_route_may_take_more(uploads: Server) -> None:
    assert uploads.ask("POST", "/large", KIND, body=form(3_000_000)).json() == 3_000_000
    assert uploads.ask("POST", "/large", KIND, body=form(5_000_001)).status == 413
    assert uploads.ask("PUT", "/upload", KIND, body=form(1_000_001)).status == 413


def test_refusals_and_the_connection_afterwards(uploads: Server) -> None:
    with uploads.connect() as connection:
        stream = connection.makefile("rb")
        for body, kind, status in (
            (form(10, fields=6), KIND, 413),
            (b"--b\r\n", KIND, 400),
            (b"x", "content-type: multipart/form-data", 400),
            (b"--b\r\nx: y\r\n\r\n\r\n--b--", KIND, 400),
            (b"a=1&" * 10, "content-type: application/x-www-form-urlencoded", 413),
            (b"{}", "content-type: application/json", 415),
        ):
            connection.sendall(request("PUT", "/upload", kind, body=body))
            answer = Answer.read(stream)
            assert answer.status == status, answer
            assert "connection" not in answer.headers
        connection.sendall(request("PUT", "/upload", KIND, body=form(5)))
        assert Answer.read(stream).json()[1] == 5


def test_no_file_stays_behind(serve: Serve, tmp_path: Path) -> None:
    server = serve("uploads", "--workers=1", PLECTRUM_UPLOAD_MEMORY="1000", PLECTRUM_UPLOAD_DIRECTORY=str(tmp_path))
    logs = set(tmp_path.iterdir())
    descriptors = Path(f"/proc/{server.get('/pid').json()}/fd")
    before = len(list(descriptors.iterdir()))
    with server.connect() as connection:  # goes away in the middle
        connection.sendall(request("PUT", "/upload", KIND, "content-length: 500000") + form(200_000)[:-10])
        until(lambda: any(str(tmp_path) in str(fd.readlink()) for fd in descriptors.iterdir() if fd.is_symlink()))
    assert set(tmp_path.iterdir()) == logs
    assert server.ask("PUT", "/upload", KIND, body=form(300_000)).status == 200
    until(lambda: len(list(descriptors.iterdir())) <= before + 1)
    assert set(tmp_path.iterdir()) == logs


def test_a_disk_that_is_full(serve: Serve) -> None:
    """`/dev/full` is no directory, so the file cannot even be made; what `ENOSPC` gives is told by the same place."""
    server = serve("uploads", "--workers=1", PLECTRUM_UPLOAD_MEMORY="1000", PLECTRUM_UPLOAD_DIRECTORY="/dev/full")
    assert server.ask("PUT", "/upload", KIND, body=form(5000)).status == 500
    assert "an uploaded file could not be stored" in server.log
    assert server.ask("PUT", "/upload", KIND, body=form(500)).status == 200


def test_a_streamed_body_is_read_at_the_handlers_pace(uploads: Server) -> None:
    with uploads.connect() as connection:
        stream = connection.makefile("rb")
        connection.sendall(request("PUT", "/stream", "transfer-encoding: chunked"))
        for piece in (b"one", b"two"):
            connection.sendall(b"3\r\n" + piece + b"\r\n")
            until(lambda piece=piece: uploads.get("/seen").json()[-1:] == [piece.decode()])  # type: ignore[misc]
        connection.sendall(b"0\r\n\r\n")
        assert Answer.read(stream).json() == ["one", "two"]
        connection.sendall(request("GET", "/seen"))
        assert Answer.read(stream).status == 200


def test_a_streamed_body_is_not_read_ahead(uploads: Server) -> None:
    with uploads.connect(timeout=1) as connection:
        connection.sendall(request("PUT", "/never", "content-length: 50000000"))
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 40_000_000:
                sent += connection.send(b"x" * 65_536)
        assert sent < 30_000_000


def test_errors_of_a_streamed_body(uploads: Server) -> None:
    broken = request("PUT", "/stream", "transfer-encoding: chunked") + b"x\r\n"
    assert uploads.send(broken).startswith(b"HTTP/1.1 400 ")
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    large = request("PUT", "/stream", "transfer-encoding: chunked") + chunk * 17
    assert uploads.send(large + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")
