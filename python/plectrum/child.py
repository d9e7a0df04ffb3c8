"""A worker process, from the parent's side, and what the two say to each other.

The worker is a command with one end of a socket pair, whose descriptor and the parent's pid are in the JSON of
``PLECTRUM_INTERNAL_WORKER`` (``control``, ``parent``). It loads the application and waits there for its place: one
message with the JSON ``{"number": …, "threads": […], "cores": […]}``, how many listening sockets each of its threads
has and the CPU core each is to run on (or null), and the sockets as descriptors. It answers ``R`` for every thread that
accepts connections, and later ``W`` for one that has served as many requests as it was to, after which another worker
should take its place; or ``!`` and what is wrong, for people, before it exits. On SIGTERM it stops accepting, finishes
what runs and exits.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

__all__ = ["ENVIRONMENT", "FAILED", "READY", "WORN_OUT", "Child"]

ENVIRONMENT = "PLECTRUM_INTERNAL_WORKER"
READY = b"R"
WORN_OUT = b"W"
FAILED = b"!"
_GRACE_SECONDS = 1.0


class Child:
    """A running worker process.

    Parameters:
        command: what a worker is.
        environ: its environment.
        terminal: share the parent's terminal, for debuggers; otherwise Ctrl-C reaches the parent alone, which drains.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], *, terminal: bool) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            described = json.dumps({"control": theirs.fileno(), "parent": os.getpid()})
            self.process = subprocess.Popen(
                command,
                env={**environ, ENVIRONMENT: described},
                pass_fds=[theirs.fileno()],
                stdin=None if terminal else subprocess.DEVNULL,
                process_group=None if terminal else 0,
            )
        self.control.setblocking(False)
        self.started = time.monotonic()
        #: When it was given its place.
        self.placed = self.started
        self.ready = False
        self._threads = 1
        self.kill_at: float | None = None
        #: It has asked for a successor.
        self.worn_out = False
        self._told = b""

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    @property
    def dead(self) -> bool:
        """Whether it has exited; it is reaped by asking."""
        return self.process.poll() is not None

    def assign(self, number: int, threads: Sequence[Sequence[int]], cores: Sequence[int | None] | None = None) -> None:
        """Gives it a place: it serves there as soon as it has loaded the application.

        Parameters:
            number: which place.
            threads: for each of its threads the descriptors to accept from.
            cores: for each of its threads the only CPU core it is to run on, or None for any.
        """
        self._threads = len(threads)
        self.placed = time.monotonic()
        counts = [len(descriptors) for descriptors in threads]
        place = {"number": number, "threads": counts, "cores": list(cores or [None] * len(counts))}
        try:
            socket.send_fds(self.control, [json.dumps(place).encode()], [*itertools.chain(*threads)])
        except OSError:
            return  # it is dead, which is noticed where all deaths are

    def listen(self) -> bool:
        """Reads what it has to say.

        Returns:
            Whether it may say more.
        """
        try:
            piece = self.control.recv(65_536)
        except BlockingIOError:
            return True
        except OSError:
            piece = b""
        self._told += piece
        news = self._told[: len(self._told) - len(self._told.lstrip(READY + WORN_OUT))]
        self.ready = news.count(READY) >= self._threads
        self.worn_out = WORN_OUT in news
        return bool(piece)

    @property
    def complaint(self) -> str:
        """What it said is wrong; empty where nothing."""
        return self._told.lstrip(READY + WORN_OUT).removeprefix(FAILED).decode(errors="replace").strip()

    @property
    def fate(self) -> str:
        """How it ended, for people."""
        status = self.process.returncode
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"exited with status {status}"

    def dismiss(self, patience: float) -> None:
        """Asks it to finish within so many seconds."""
        self.kill_at = time.monotonic() + patience + _GRACE_SECONDS
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self.kill_at = None
        self.process.kill()
