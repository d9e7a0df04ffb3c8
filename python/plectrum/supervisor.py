"""The parent process: starts workers, replaces dead ones, drains them at the end. It serves nothing and imports no app.

Signals: TERM and INT drain and stop (a second one kills), HUP replaces the workers one after the other.

A worker is a command. It is told what to do by the JSON in ``PLECTRUM_INTERNAL_WORKER``: ``number``, ``parent`` (pid),
``listen_fds`` (sockets to accept from) and ``ready_fd``. There it writes ``R`` once it accepts connections, or ``!``
and what is wrong, for people, before it exits. On SIGTERM it stops accepting, finishes what runs and exits.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import FrameType
from typing import IO

from .listeners import Listeners
from .reloader import Watcher

__all__ = ["ENVIRONMENT", "FAILED", "READY", "Supervisor"]

ENVIRONMENT = "PLECTRUM_INTERNAL_WORKER"
READY = b"R"
FAILED = b"!"
# A worker that lived this long was fine; its death starts no back-off.
_HEALTHY_SECONDS = 10.0
_LONGEST_BACKOFF = 10.0
_GRACE_SECONDS = 1.0
_RELOAD_SECONDS = 1.0


@dataclasses.dataclass(eq=False)
class Child:
    """A running worker process."""

    process: subprocess.Popen[bytes]
    ready_fd: int
    started: float
    ready: bool = False
    told: bytes = b""
    kill_at: float | None = None


@dataclasses.dataclass(eq=False)
class Slot:
    """The place of one worker: who serves, who comes next, who is leaving."""

    number: int
    current: Child | None = None
    coming: Child | None = None
    leaving: list[Child] = dataclasses.field(default_factory=list[Child])
    failures: int = 0
    respawn_at: float | None = None

    @property
    def children(self) -> list[Child]:
        """Every process of this place."""
        return [child for child in (self.current, self.coming, *self.leaving) if child is not None]


class Supervisor:
    """Keeps workers running.

    Parameters:
        command: what a worker is.
        workers: how many.
        listeners: their sockets.
        drain_timeout: seconds a worker may take to finish after SIGTERM; then it is killed.
        on_ready: called once, when every worker has become ready.
        watcher: with it, changed source files restart the workers (``--reload``).
        environ: environment of the workers.
        log: where to report to.
    """

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        listeners: Listeners,
        *,
        drain_timeout: float = 30.0,
        on_ready: Callable[[], None] = lambda: None,
        watcher: Watcher | None = None,
        environ: Mapping[str, str] = os.environ,
        log: IO[str] = sys.stderr,
    ) -> None:
        self._command = command
        self._slots = [Slot(number) for number in range(workers)]
        self._listeners = listeners
        self._drain_timeout = drain_timeout
        self._on_ready = on_ready
        self._watcher = watcher
        self._environ = environ
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._rolling: collections.deque[Slot] = collections.deque()
        self._reported = ""
        self._ever_ready = False
        self._announced = False
        self._stopping = False
        self._status = 0

    def run(self) -> int:
        """Runs until told to stop.

        Returns:
            Exit status: 0 after an orderly stop, 1 where no worker ever became ready.
        """
        with self._signals(), self._selector:
            for slot in self._slots:
                slot.current = self._spawn(slot)
            while not (self._stopping and not any(slot.children for slot in self._slots)):
                for key, _ in self._selector.select(self._patience()):
                    key.data()
                self._reap()
                self._keep_time()
        self._listeners.close()
        return self._status

    # ── Processes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _spawn(self, slot: Slot) -> Child:
        reading, writing = os.pipe()
        fds = self._listeners.of_worker(slot.number)
        assignment = {"number": slot.number, "parent": os.getpid(), "listen_fds": fds, "ready_fd": writing}
        try:
            process = subprocess.Popen(
                self._command,
                env={**self._environ, ENVIRONMENT: json.dumps(assignment)},
                pass_fds=(*fds, writing),
                stdin=None if self._watcher else subprocess.DEVNULL,
                # Ctrl-C is for the parent alone, which drains; in development a debugger needs the terminal.
                process_group=None if self._watcher else 0,
            )
        finally:
            os.close(writing)
        os.set_blocking(reading, False)
        child = Child(process, reading, time.monotonic())
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._listen_to(slot, child))
        slot.respawn_at = None
        return child

    def _listen_to(self, slot: Slot, child: Child) -> None:
        try:
            piece = os.read(child.ready_fd, 65_536)
        except BlockingIOError:
            return
        child.told += piece
        if not child.ready and child.told.startswith(READY):
            child.ready = True
            self._became_ready(slot, child)
        if not piece:
            self._hang_up(child)

    def _hang_up(self, child: Child) -> None:
        if child.ready_fd >= 0:
            self._selector.unregister(child.ready_fd)
            os.close(child.ready_fd)
            child.ready_fd = -1

    def _became_ready(self, slot: Slot, child: Child) -> None:
        if child is slot.coming:
            slot.coming = None
            if slot.current is not None:
                self._dismiss(slot, slot.current, self._drain_timeout)
            slot.current = child
        if not self._ever_ready:
            self._ever_ready = True
            self._retry_failed_starts()
        if not self._announced and all(slot.current and slot.current.ready for slot in self._slots):
            self._announced = True
            self._on_ready()

    def _dismiss(self, slot: Slot, child: Child, patience: float) -> None:
        """Asks a worker to finish; it is killed when its patience runs out."""
        slot.leaving.append(child)
        if child is slot.current:
            slot.current = None
        if child is slot.coming:
            slot.coming = None
        child.kill_at = time.monotonic() + patience + _GRACE_SECONDS
        child.process.send_signal(signal.SIGTERM)

    def _reap(self) -> None:
        for slot in self._slots:
            for child in slot.children:
                if child.process.poll() is not None:
                    while child.ready_fd >= 0:
                        self._listen_to(slot, child)
                    self._died(slot, child)

    def _died(self, slot: Slot, child: Child) -> None:
        if child in slot.leaving:
            slot.leaving.remove(child)
            return
        if child is slot.coming:
            slot.coming = None
            self._rolling.clear()
            self._report_failed_start(slot, child)
            self._say("The other workers keep serving the code they have.")
            return
        slot.current = None
        if not child.ready:
            self._failed_to_start(slot, child)
            return
        lived = time.monotonic() - child.started
        slot.failures = 0 if lived > _HEALTHY_SECONDS else slot.failures + 1
        self._respawn_later(slot)
        text = f"Worker {slot.number} (pid {child.process.pid}) {_fate(child)}; starting another."
        self._say(f"{text}\n{_said(child)}".rstrip())

    def _failed_to_start(self, slot: Slot, child: Child) -> None:
        self._report_failed_start(slot, child)
        if self._watcher is not None:
            return  # the next change of a file starts it
        if self._ever_ready:
            slot.failures += 1
            self._respawn_later(slot)
        elif not any(other.current for other in self._slots):
            self._status = 1
            self.stop()

    def _retry_failed_starts(self) -> None:
        """One worker can start, so the others should: what stopped them may have been the race of all to start."""
        for slot in self._slots:
            if slot.current is None and self._watcher is None:
                self._respawn_later(slot)

    def _report_failed_start(self, slot: Slot, child: Child) -> None:
        """Says it once, however many workers fail alike and however often."""
        text = _said(child) or f"it {_fate(child)} before it was ready"
        if text != self._reported:
            self._reported = text
            waiting = " Waiting for the next change." if self._watcher else ""
            self._say(f"Worker {slot.number} could not start:\n{text}\n{waiting}".rstrip())

    def _respawn_later(self, slot: Slot) -> None:
        delay = min(0.25 * 2 ** (slot.failures - 2), _LONGEST_BACKOFF) if slot.failures > 1 else 0.0
        slot.respawn_at = time.monotonic() + delay
        if delay > 1.0 and any(other.current and other.current.ready for other in self._slots):
            self._listeners.abandon(slot.number)

    # ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _patience(self) -> float | None:
        """Seconds until something is due."""
        due = [child.kill_at for slot in self._slots for child in slot.children if child.kill_at is not None]
        due += [slot.respawn_at for slot in self._slots if slot.respawn_at is not None]
        if self._watcher is not None and not self._stopping:
            due.append(self._watcher.next_look)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _keep_time(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            for child in slot.leaving:
                if child.kill_at is not None and child.kill_at <= now:
                    self._say(f"Worker {slot.number} (pid {child.process.pid}) did not finish in time and is killed.")
                    child.kill_at = None
                    child.process.kill()
            if slot.respawn_at is not None and slot.respawn_at <= now:
                slot.current = self._spawn(slot)
        if not self._stopping:
            self._roll_on()
            if self._watcher is not None and (changed := self._watcher.changed()) is not None:
                self._say(f"{changed} changed; restarting.")
                self._restart()

    # ── Orders ─────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _signals(self) -> Generator[None]:
        """Signals arrive as bytes on a socket, between two steps of the loop."""
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, _noted) for number in wanted}
        previous = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._obey(reading))
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            reading.close()
            writing.close()

    def _obey(self, reading: socket.socket) -> None:
        for number in reading.recv(256):
            if number in (signal.SIGTERM, signal.SIGINT):
                self._kill() if self._stopping else self.stop()
            elif number == signal.SIGHUP and not self._stopping:
                self._say("Replacing the workers one after the other.")
                self._rolling = collections.deque(self._slots)

    def _roll_on(self) -> None:
        """Starts the next replacement once the one before has taken over."""
        if self._rolling and not any(slot.coming for slot in self._slots):
            slot = self._rolling.popleft()
            slot.coming = self._spawn(slot)

    def _restart(self) -> None:
        self._reported = ""
        for slot in self._slots:
            for child in (slot.current, slot.coming):
                if child is not None:
                    self._dismiss(slot, child, _RELOAD_SECONDS)
            slot.failures = 0
            slot.current = self._spawn(slot)

    def stop(self) -> None:
        """Drains all workers."""
        self._stopping = True
        self._rolling.clear()
        self._listeners.close()
        for slot in self._slots:
            slot.respawn_at = None
            for child in (slot.current, slot.coming):
                if child is not None:
                    self._dismiss(slot, child, self._drain_timeout)

    def _kill(self) -> None:
        for slot in self._slots:
            for child in slot.children:
                child.process.kill()

    def _say(self, text: str) -> None:
        print(f"plectrum: {text}", file=self._log, flush=True)


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up socket has the news; Python only must not take the default action."""


def _said(child: Child) -> str:
    return child.told.removeprefix(READY).removeprefix(FAILED).decode(errors="replace").strip()


def _fate(child: Child) -> str:
    status = child.process.returncode
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"exited with status {status}"
