from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from plectrum.conf import Settings
from plectrum.errors import ConfigurationError
from plectrum.listeners import Listeners, open_listeners


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # pytest's own are too long for socket paths
        yield Path(name)


def port_of(listeners: Listeners) -> int:
    return int(listeners.urls[0].rpartition(":")[2])


def test_each_worker_has_its_own_socket_on_one_port() -> None:
    listeners = open_listeners(Settings(port=0))
    first, second = listeners.of_thread(0), listeners.of_thread(1)
    assert first != second
    assert listeners.of_thread(0) == first
    for number in (*first, *second):
        with socket.socket(fileno=os.dup(number)) as copy:
            assert copy.getsockname()[1] == port_of(listeners)
    listeners.close()


def test_every_address_of_a_name() -> None:
    listeners = open_listeners(Settings(host="localhost", port=0))
    assert all(re.fullmatch(r"http://(127\.0\.0\.1|\[::1\]):\d+", url) for url in listeners.urls)
    assert len({url.rpartition(":")[2] for url in listeners.urls}) == 1


def test_port_in_use_names_the_fix(taken: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_listeners(Settings(port=taken))
    assert str(caught.value) == (
        f"Port {taken} on 127.0.0.1 is in use. Stop what listens there, or choose another: --port {taken + 1}."
    )


def test_a_second_server_does_not_silently_share_the_port() -> None:
    first = open_listeners(Settings(port=0))
    first.of_thread(0)
    with pytest.raises(ConfigurationError, match="is in use"):
        open_listeners(Settings(port=port_of(first)))
    first.close()


@pytest.mark.parametrize(
    ("host", "message"),
    [("no such host", "'no such host' cannot be resolved"), ("192.0.2.1", "Cannot listen on http://192.0.2.1:")],
)
def test_host_that_is_not_ours(host: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        open_listeners(Settings(host=host, port=0))


def test_abandoned_socket_is_opened_again() -> None:
    listeners = open_listeners(Settings(port=0))
    listeners.of_thread(0)
    listeners.abandon(0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(listeners)))
    listeners.of_thread(0)
    socket.create_connection(("127.0.0.1", port_of(listeners))).close()
    listeners.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux filters packets per socket")
def test_closing_lets_nobody_in_and_keeps_who_waits() -> None:
    listeners = open_listeners(Settings(port=0))
    [number] = listeners.of_thread(0)
    with (
        socket.socket(fileno=os.dup(number)) as workers,
        socket.create_connection(("127.0.0.1", port_of(listeners))) as waiting,
    ):
        listeners.close()
        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", port_of(listeners)), timeout=0.2)
        accepted, _ = workers.accept()
        with accepted:
            waiting.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
        with pytest.raises(BlockingIOError):
            workers.accept()


def test_unix_socket_replaces_a_stale_one_and_is_removed(directory: Path) -> None:
    path = directory / "plectrum.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    listeners = open_listeners(Settings(unix_socket=str(path)))
    assert listeners.urls == [f"unix:{path}"]
    assert listeners.of_thread(0) == listeners.of_thread(1)
    with pytest.raises(ConfigurationError, match="Another server listens on"):
        open_listeners(Settings(unix_socket=str(path)))
    listeners.close()
    assert not path.exists()


def test_a_file_is_not_replaced(directory: Path) -> None:
    path = directory / "precious"
    path.touch()
    with pytest.raises(ConfigurationError, match="exists and is not a socket"):
        open_listeners(Settings(unix_socket=str(path)))


def test_sockets_from_systemd() -> None:
    """systemd passes sockets as descriptors 3 and on."""
    program = """
import os
os.environ["LISTEN_PID"] = str(os.getpid())
from plectrum.conf import Settings
from plectrum.listeners import open_listeners
listeners = open_listeners(Settings(port=1))
print(listeners.urls, listeners.of_thread(0), listeners.of_thread(1), "LISTEN_FDS" in os.environ)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def as_third() -> None:
            os.dup2(server.fileno(), 3)

        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "LISTEN_FDS": "1"},
            preexec_fn=as_third,
            pass_fds=(3,),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == f"['http://127.0.0.1:{server.getsockname()[1]}'] [3] [3] False"
