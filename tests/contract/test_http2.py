"""HTTP/2 without TLS: real clients, and raw frames of peers that mean no good (RFC 9113)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import ClassVar

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import httpx
import pytest
from hyperframe.frame import ContinuationFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

from .conftest import Serve
from .support import Server, until


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes what a test opened."""
    yield
    for peer in Peer.opened:
        peer.socket.close()
    Peer.opened.clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server("encrypted", tmp_path_factory.mktemp("http2") / "log", "--workers=1")
    yield running
    running.close()


class Peer:
    """One connection that says exactly what it is told, and remembers what comes back."""

    opened: ClassVar[list[Peer]] = []

    def __init__(self, server: Server, *, acknowledge: bool = True) -> None:
        self.socket = server.connect()
        self.opened.append(self)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()
        self.events: list[h2.events.Event] = []
        self.closed = False
        self.acknowledge = acknowledge
        self.input = b""

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def head(self, path: str, method: str = "GET") -> list[tuple[str, str]]:
        return [(":method", method), (":scheme", "http"), (":authority", "test"), (":path", path)]

    def ask(self, path: str) -> int:
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, self.head(path), end_stream=True)
        self.flush()
        return stream

    def receive(self) -> bool:
        """Reads once; whether the server is still there."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        self.closed = not data
        self.input += data
        while len(self.input) >= 9 and len(self.input) >= (size := 9 + int.from_bytes(self.input[:3], "big")):
            self.take(self.input[:size])
            self.input = self.input[size:]
        try:
            self.flush()
        except OSError:
            self.closed = True
        return not self.closed

    def take(self, wire: bytes) -> None:
        """One frame. The package takes a GOAWAY for the end; it is none for streams that run (RFC 9113, 6.8)."""
        frame, _ = Frame.parse_frame_header(memoryview(wire[:9]))
        frame.parse_body(memoryview(wire[9:]))
        if isinstance(frame, GoAwayFrame):
            told = h2.events.ConnectionTerminated()
            told.error_code = frame.error_code
            self.events.append(told)
        elif isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self.socket.sendall(PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize())
        else:
            for event in self.h2.receive_data(wire):
                if isinstance(event, h2.events.DataReceived) and self.acknowledge:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.events.append(event)

    def wait(self, kind: type, stream: int | None = None) -> h2.events.Event:
        """The first event of a kind."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)):
                    return event
            assert self.receive(), f"closed before {kind.__name__}: {self.events}"

    def body(self, stream: int) -> bytes:
        self.wait(h2.events.StreamEnded, stream)
        pieces = [event for event in self.events if isinstance(event, h2.events.DataReceived)]
        return b"".join(piece.data for piece in pieces if piece.stream_id == stream)

    def until_closed(self, seconds: float = 10.0) -> list[h2.events.Event]:
        self.socket.settimeout(seconds)
        while self.receive():
            pass
        return self.events


def end(events: list[h2.events.Event]) -> int | None:
    """The error code of the GOAWAY."""
    found = [event.error_code for event in events if isinstance(event, h2.events.ConnectionTerminated)]
    return int(found[-1]) if found and found[-1] is not None else None


def test_requests_with_prior_knowledge(server: Server) -> None:
    with httpx.Client(http1=False, http2=True) as client:
        url = f"http://127.0.0.1:{server.port}"
        answer = client.get(f"{url}/seen")
        assert answer.http_version == "HTTP/2"
        assert answer.json() == {"scheme": "http", "host": f"127.0.0.1:{server.port}"}
        assert "date" in answer.headers
        assert client.post(f"{url}/echo", content=b"x" * 1_000_000).text == "1000000"
        assert len(client.get(f"{url}/large?size=3000000").content) == 3_000_002
        assert client.get(f"{url}/nowhere").status_code == 404
        assert client.head(f"{url}/seen").content == b""


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    peer = Peer(server)
    stream = peer.h2.get_next_available_stream_id()
    peer.h2.send_headers(stream, [*peer.head("/echo", "POST"), ("content-length", "11000000")])
    peer.flush()
    answer = peer.wait(h2.events.ResponseReceived, stream)
    assert isinstance(answer, h2.events.ResponseReceived)
    assert dict(answer.headers or [])[":status"] == "413"
    reset = peer.wait(h2.events.StreamReset, stream)
    assert isinstance(reset, h2.events.StreamReset)
    assert reset.error_code == h2.errors.ErrorCodes.NO_ERROR


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_agrees(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/large?size=100000"
    command = ["curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_version}", url]
    found = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (len(found.stdout), found.stdout[-2:]) == (100_004, " 2")


def test_the_preface_may_come_byte_by_byte(server: Server) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize():
            connection.send(bytes([byte]))
            time.sleep(0.002)
        assert connection.recv(9)[3] == 4, "our settings"


def test_streams_run_side_by_side(server: Server) -> None:
    peer = Peer(server)
    started = time.monotonic()
    streams = [peer.ask("/sleep?seconds=0.5") for _ in range(50)]
    assert {peer.body(stream) for stream in streams} == {b'"slept"'}
    assert time.monotonic() - started < 5
    assert not peer.closed


def test_a_stream_that_is_reset_cancels_its_handler(server: Server) -> None:
    peer = Peer(server)
    stream = peer.ask("/hang")
    time.sleep(0.2)
    before = len(server.get("/cancelled").json())
    peer.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    peer.flush()
    until(lambda: len(server.get("/cancelled").json()) == before + 1)
    assert peer.body(peer.ask("/seen"))


def test_no_more_streams_than_allowed(serve: Serve) -> None:
    server = serve("encrypted", "--workers=1", PLECTRUM_HTTP2_MAX_STREAMS="10")
    peer = Peer(server)
    peer.wait(h2.events.RemoteSettingsChanged)
    assert peer.h2.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] == 10
    peer.h2.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
    peer.h2.remote_settings.acknowledge()
    for _ in range(15):
        peer.ask("/hang")
    reset = peer.wait(h2.events.StreamReset)
    assert isinstance(reset, h2.events.StreamReset)
    assert reset.error_code == h2.errors.ErrorCodes.REFUSED_STREAM


def test_a_rapid_reset_ends_the_connection(server: Server) -> None:
    """CVE-2023-44487."""
    peer = Peer(server)
    for _ in range(2000):
        stream = peer.h2.get_next_available_stream_id()
        peer.h2.send_headers(stream, peer.head("/hang"), end_stream=True)
        peer.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    try:
        peer.flush()
    except ConnectionError:
        peer.closed = True
    assert end(peer.until_closed()) in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None)
    assert peer.closed
    assert server.get("/seen").status == 200


def test_a_slow_rapid_reset_ends_the_connection_too(server: Server) -> None:
    """Each stream is looked at before it is reset."""
    peer = Peer(server)
    for _ in range(400):
        try:
            stream = peer.ask("/hang")
            time.sleep(0.002)
            peer.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            peer.flush()
        except ConnectionError:
            break
    else:
        raise AssertionError("400 streams were begun and reset")
    assert server.get("/seen").status == 200


def raw(server: Server) -> socket.socket:
    connection = server.connect()
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize())
    return connection


def is_closed_after(connection: socket.socket, frames: list[Frame], most: int) -> bool:
    """Whether the server hangs up before it was sent all of that."""
    sent = 0
    connection.settimeout(10)
    wire = [frame.serialize() for frame in frames]
    try:
        while sent < most:
            connection.sendall(wire[min(sent, len(wire) - 1)])
            sent += 1
        while connection.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


def test_a_flood_of_continuations_ends_the_connection(server: Server) -> None:
    with raw(server) as connection:
        begin, more = HeadersFrame(1), ContinuationFrame(1)
        begin.data, more.data = b"\x82", b"\x40\x01a\x01b" * 2000
        assert is_closed_after(connection, [begin, more], 1000)
    assert server.get("/seen").status == 200


def test_a_head_that_is_too_large_is_refused(server: Server) -> None:
    peer = Peer(server)
    stream = peer.h2.get_next_available_stream_id()
    fields = [(f"x-{number}", "y" * 1000) for number in range(90)]
    peer.h2.send_headers(stream, [*peer.head("/seen"), *fields], end_stream=True)
    peer.flush()
    answer = peer.wait(h2.events.ResponseReceived, stream)
    assert isinstance(answer, h2.events.ResponseReceived)
    assert dict(answer.headers or [])[":status"] == "431"
    many = [(f"x-{number}", "y") for number in range(101)]
    peer = Peer(server)
    stream = peer.h2.get_next_available_stream_id()
    peer.h2.send_headers(stream, [*peer.head("/seen"), *many], end_stream=True)
    peer.flush()
    answer = peer.wait(h2.events.ResponseReceived, stream)
    assert isinstance(answer, h2.events.ResponseReceived)
    assert dict(answer.headers or [])[":status"] == "431"


@pytest.mark.parametrize("kind", [SettingsFrame, PingFrame])
def test_a_flood_of_control_frames_is_not_kept(server: Server, kind: type[Frame]) -> None:
    """A peer that sends what is to be acknowledged and reads no acknowledgement is not read either."""
    with raw(server) as connection:
        connection.settimeout(1.0)
        frame = kind(0)
        if isinstance(frame, SettingsFrame):
            frame.settings = {4: 65_535}
        else:
            frame.opaque_data = b"12345678"  # type: ignore[attr-defined]
        piece, sent = frame.serialize() * 1000, 0
        try:
            while sent < 200_000_000:
                sent += connection.send(piece)
        except (TimeoutError, ConnectionError):
            pass
        assert sent < 200_000_000
    assert server.get("/seen").status == 200


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("a frame of stream 0", b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x"),
        ("a frame that is too large", b"\xff\xff\xff\x00\x00\x00\x00\x00\x01"),
        ("an even stream", b"\x00\x00\x01\x01\x05\x00\x00\x00\x02\x82"),
        ("a window of nothing", b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        ("a push of a client", b"\x00\x00\x05\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02\x82"),
        ("headers that are no HPACK", b"\x00\x00\x04\x01\x05\x00\x00\x00\x01\xff\xff\xff\xff"),
        ("settings of a wrong length", b"\x00\x00\x05\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(server: Server, name: str, frame: bytes) -> None:
    with raw(server) as connection:
        connection.sendall(frame)
        connection.settimeout(10)
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionResetError:
            pass
        assert b"HTTP/1.1" not in received, name
    assert server.get("/seen").status == 200


def test_a_stop_says_goaway_and_finishes(serve: Serve) -> None:
    server = serve("encrypted", "--workers=1")
    peer, idle = Peer(server), Peer(server)
    idle.body(idle.ask("/seen"))
    slow, events = peer.ask("/sleep?seconds=1"), peer.ask("/silent")
    peer.wait(h2.events.DataReceived, events)
    server.process.terminate()
    assert peer.body(slow) == b'"slept"'
    assert peer.body(events) == b"data: 0\n\n"
    assert end(peer.until_closed()) == 0
    assert end(idle.until_closed()) == 0
    assert server.process.wait(10) == 0


def test_an_idle_connection_is_let_go(serve: Serve) -> None:
    server = serve("encrypted", "--workers=1", PLECTRUM_KEEP_ALIVE_TIMEOUT="0.5")
    peer = Peer(server)
    peer.body(peer.ask("/sleep?seconds=1"))
    assert end(peer.until_closed()) == 0


def test_a_peer_that_takes_nothing_is_cut_off(serve: Serve) -> None:
    server = serve("encrypted", "--workers=1", PLECTRUM_WRITE_TIMEOUT="0.5")
    peer = Peer(server, acknowledge=False)
    peer.ask("/flood")
    started = time.monotonic()
    peer.until_closed()
    assert time.monotonic() - started < 8


def test_it_can_be_switched_off(serve: Serve) -> None:
    server = serve("encrypted", "--workers=1", PLECTRUM_HTTP2="0")
    assert b"HTTP/2" not in server.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert server.get("/seen").status == 200
