"""Listening sockets, made by the supervisor and inherited by the workers.

The parent keeps every socket open, so connections that arrive while a worker is being replaced wait in the kernel's
queue instead of being refused. Each serving thread (a worker has one, but on a free-threaded Python) has a TCP socket
of its own (``SO_REUSEPORT``): the kernel spreads connections and no thread wakes for another's. A unix socket, and
sockets from systemd, are shared by all.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import stat
import struct
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .conf import Settings

__all__ = ["Listeners", "from_systemd", "open_listeners"]

_SYSTEMD_FIRST = 3
_SO_ATTACH_FILTER = 26
_BPF_RETURN = 0x06


class Listeners:
    """The sockets of all serving threads.

    Parameters:
        shared: sockets every thread accepts from.
        addresses: ``(family, address)`` to open once per thread, ports resolved.
        backlog: connections the kernel queues per socket.
        unlink: path of a unix socket to remove at the end.
        scheme: what is spoken over TCP, for people.
    """

    def __init__(
        self,
        shared: list[socket.socket],
        addresses: list[tuple[int, tuple[str, int]]],
        backlog: int,
        unlink: Path | None = None,
        scheme: str = "http",
    ) -> None:
        self._scheme = scheme
        self._shared = shared
        self._addresses = addresses
        self._backlog = backlog
        self._unlink = unlink
        self._own: dict[int, list[socket.socket]] = {}

    @property
    def urls(self) -> list[str]:
        """Where to reach the server: ``http://host:port`` (or ``https:``) or ``unix:path``."""
        own = [_url(*address, self._scheme) for _, address in self._addresses]
        names: list[Any] = [found.getsockname() for found in self._shared]
        return own + [
            f"unix:{name}" if isinstance(name, str) else _url(name[0], name[1], self._scheme) for name in names
        ]

    def of_thread(self, number: int) -> list[int]:
        """File descriptors serving thread ``number`` accepts from; its own are opened where they are not."""
        if number not in self._own:
            self._own[number] = [_tcp(family, address, self._backlog) for family, address in self._addresses]
        return [found.fileno() for found in (*self._shared, *self._own[number])]

    def abandon(self, number: int) -> None:
        """Closes the sockets of a thread that will be away for long: the kernel sends it no more connections."""
        for found in self._own.pop(number, []):
            found.close()

    def close(self) -> None:
        """Closes the parent's copies; the workers stop listening when they close theirs.

        Nobody is let in from here on: what arrived between a worker's last accept and its close would be reset.
        """
        for number in list(self._own):
            for found in self._own[number]:
                _turn_away(found)
            self.abandon(number)
        for found in self._shared:
            found.close()
        if self._unlink is not None:
            self._unlink.unlink(missing_ok=True)


def open_listeners(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> Listeners:
    """Opens what the settings ask for; sockets passed by systemd win.

    Errors:
        ConfigurationError: an address is in use, unknown, or not ours to take.
    """
    scheme = "https" if settings.certfile else "http"
    inherited = from_systemd(environ)
    if inherited:
        return Listeners(inherited, [], settings.backlog, scheme=scheme)
    if settings.unix_socket is not None:
        path = Path(settings.unix_socket)
        return Listeners([_unix(path, settings.backlog)], [], settings.backlog, unlink=path)
    return Listeners([], _resolve(settings.host, settings.port), settings.backlog, scheme=scheme)


def from_systemd(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Takes over the sockets of socket activation (``sd_listen_fds(3)``); the variables are removed."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(environ.get("LISTEN_FDS", "0"))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environ.pop(name, None)
    found = [socket.socket(fileno=number) for number in range(_SYSTEMD_FIRST, _SYSTEMD_FIRST + count)]
    for each in found:
        each.setblocking(False)
    return found


def _resolve(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigurationError(f"The host {host!r} cannot be resolved ({error.strerror}).") from None
    addresses: dict[tuple[int, tuple[str, int]], None] = {}
    for family, _, _, _, address in found:
        host_address, wanted = str(address[0]), int(address[1])
        free = _probe(family, host_address, wanted or _taken_port(addresses))
        addresses[(family, (host_address, free))] = None
    return list(addresses)


def _taken_port(addresses: Mapping[tuple[int, tuple[str, int]], None]) -> int:
    """Port 0 is chosen once, then used on every address."""
    return next((address[1] for _, address in addresses), 0)


def _probe(family: int, host: str, port: int) -> int:
    """The port, chosen where 0. Tried without ``SO_REUSEPORT``, which would silently share it with another server."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _bind(probe, host, port)
        return int(probe.getsockname()[1])


def _tcp(family: int, address: tuple[str, int], backlog: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    _bind(made, *address)
    made.listen(backlog)
    made.setblocking(False)
    return made


def _bind(to: socket.socket, host: str, port: int) -> None:
    try:
        to.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} on {host} is in use. Stop what listens there, or choose another: --port {port + 1}."
            ) from None
        if error.errno == errno.EACCES:
            raise ConfigurationError(
                f"Port {port} is not open to this user. Use a port from 1024, or grant CAP_NET_BIND_SERVICE."
            ) from None
        raise ConfigurationError(f"Cannot listen on {_url(host, port)}: {error.strerror}.") from None


def _turn_away(listening: socket.socket) -> None:
    """Drops packets that would open a connection, in every process that shares the socket; open ones are not touched.

    The filter is classic BPF, "return 0" (``socket(7)``, ``SO_ATTACH_FILTER``). Peers try again after a second and are
    refused. Never for systemd's sockets, which outlive us.
    """
    if sys.platform == "linux":
        program = ctypes.create_string_buffer(struct.pack("=HBBI", _BPF_RETURN, 0, 0, 0))
        described = struct.pack("@HP", 1, ctypes.addressof(program))
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def _unix(path: Path, backlog: int) -> socket.socket:
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
    except OSError as error:
        raise ConfigurationError(f"Cannot listen on the unix socket {path}: {error.strerror or error}.") from None
    made.listen(backlog)
    made.setblocking(False)
    return made


def _remove_stale(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigurationError(f"{path} exists and is not a socket. Remove it, or choose another --unix-socket.")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise ConfigurationError(f"Another server listens on {path}. Stop it, or choose another --unix-socket.")
        path.unlink()


def _url(host: str, port: int, scheme: str = "http") -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
