"""Counts the statements PostgreSQL is sent, on the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Tap"]


class Tap:
    """A socket that hands everything on to PostgreSQL and counts the messages in it.

    Parameters:
        folder: where its unix socket is made.
        host, port: PostgreSQL's address; a host that starts with a slash is a folder too.
    """

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder = folder
        self.sent: Counter[bytes] = Counter()
        self._target = (host, port)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()

    @property
    def executed(self) -> int:
        """Statements so far: those of the extended protocol, and simple queries."""
        return self.sent[b"E"] + self.sent[b"Q"]

    @contextlib.contextmanager
    def listening(self) -> Iterator[Tap]:
        """Accepts connections, each on a thread."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        host, port = self._target
        server = socket.socket(socket.AF_UNIX if host.startswith("/") else socket.AF_INET)
        server.connect(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        with contextlib.suppress(OSError), client, server:
            server.sendall(_frame(client, b""))  # the startup message has no type
            while True:
                kind = _exactly(client, 1)
                self.sent[kind] += 1
                server.sendall(_frame(client, kind))


def _frame(source: socket.socket, kind: bytes) -> bytes:
    length = _exactly(source, 4)
    return kind + length + _exactly(source, struct.unpack("!I", length)[0] - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
