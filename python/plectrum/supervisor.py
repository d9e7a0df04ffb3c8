"""The parent process: starts workers, replaces dead ones, drains them at the end. It serves nothing and imports no app.

Signals: TERM and INT drain and stop (a second one kills), HUP replaces the workers one after the other. So are workers
that have served long enough (:mod:`plectrum.wear`): the next one accepts before the one before drains, and no request
is lost.

One more worker is kept loaded without a place, so that a dead one is replaced in milliseconds, not in the time it takes
to import a project. What parent and worker say to each other stands in :mod:`plectrum.child`.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import FrameType
from typing import IO

from .child import Child
from .listeners import Listeners
from .reloader import Watcher
from .wear import LOOK, Wear

__all__ = ["Supervisor"]

# A worker that lived this long was fine; its death starts no back-off.
_HEALTHY_SECONDS = 10.0
_LONGEST_BACKOFF = 10.0
_RELOAD_SECONDS = 1.0


@dataclasses.dataclass(eq=False)
class Slot:
    """The place of one worker: who serves, who comes next, who is leaving."""

    number: int
    threads: range
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
        threads: serving threads of each.
        listeners: their sockets.
        drain_timeout: seconds a worker may take to finish after SIGTERM; then it is killed.
        spare: keep one more worker loaded, to replace one that dies.
        wear: when a worker is replaced that does nothing wrong.
        pin: keep each worker on a CPU core of its own.
        on_ready: called once, when every worker has become ready.
        notify: told how the service is, as ``sd_notify(3)`` has it.
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
        threads: int = 1,
        drain_timeout: float = 30.0,
        spare: bool = True,
        wear: Wear | None = None,
        pin: bool = False,
        on_ready: Callable[[], None] = lambda: None,
        notify: Callable[[str], None] = lambda state: None,
        watcher: Watcher | None = None,
        environ: Mapping[str, str] = os.environ,
        log: IO[str] = sys.stderr,
    ) -> None:
        self._command = command
        self._slots = [Slot(number, range(number * threads, (number + 1) * threads)) for number in range(workers)]
        self._listeners = listeners
        self._drain_timeout = drain_timeout
        self._wants_spare = self._keeps_spare = spare and watcher is None
        self._spare: Child | None = None
        self._wear = wear or Wear()
        self._next_look = time.monotonic()
        self._cores = sorted(os.sched_getaffinity(0)) if pin and hasattr(os, "sched_getaffinity") else []
        self._on_ready = on_ready
        self._notify = notify
        self._reloading = False
        self._watcher = watcher
        self._environ = environ
        self._log = log
        self._selector = selectors.DefaultSelector()
        # Places whose workers are to be replaced, and whether by new code.
        self._rolling: collections.deque[tuple[Slot, bool]] = collections.deque()
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
                slot.current = self._place(slot)
            while not (self._stopping and not any(slot.children for slot in self._slots)):
                for key, _ in self._selector.select(self._patience()):
                    key.data()
                self._reap()
                self._keep_time()
        self._listeners.close()
        return self._status

    # ── Starting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self) -> Child:
        child = Child(self._command, self._environ, terminal=self._watcher is not None)
        self._selector.register(child.control, selectors.EVENT_READ, lambda: self._listen_to(child))
        return child

    def _place(self, slot: Slot, *, fresh: bool = False) -> Child:
        """A worker for this place: the spare one, or a new one."""
        child, self._spare = (None, self._spare) if fresh else (self._spare, None)
        child = child or self._start()
        descriptors = [self._listeners.of_thread(thread) for thread in slot.threads]
        child.assign(slot.number, descriptors, [self._core(thread) for thread in slot.threads])
        slot.respawn_at = None
        return child

    def _core(self, thread: int) -> int | None:
        """The only CPU core for a thread, where each has one."""
        return self._cores[thread % len(self._cores)] if self._cores else None

    def _listen_to(self, child: Child) -> None:
        was_ready = child.ready
        if not child.listen():
            self._selector.unregister(child.control)
            child.control.close()
        if child.ready and not was_ready:
            self._became_ready(child)

    def _became_ready(self, child: Child) -> None:
        for slot in self._slots:
            if child is slot.coming:
                previous, slot.current, slot.coming = slot.current, child, None
                if previous is not None:
                    self._dismiss(slot, previous, self._drain_timeout)
        if not self._ever_ready:
            self._ever_ready = True
            self._retry_failed_starts()
        if not self._announced and all(slot.current and slot.current.ready for slot in self._slots):
            self._announced = True
            self._notify("READY=1")
            self._on_ready()

    def _keep_spare(self) -> None:
        """Loads a spare worker when there is nothing more urgent to load."""
        settled = all(slot.current and slot.current.ready and not slot.coming for slot in self._slots)
        if self._keeps_spare and self._spare is None and settled and not self._rolling and not self._stopping:
            self._spare = self._start()

    def _retry_failed_starts(self) -> None:
        """One worker can start, so the others should: what stopped them may have been the race of all to start."""
        for slot in self._slots:
            if slot.current is None and self._watcher is None:
                self._respawn_later(slot)

    # ── Ending ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _reap(self) -> None:
        if self._spare is not None and self._spare.dead:
            self._hear_out(self._spare)
            self._report_failed_start(self._spare, "A spare worker")
            self._spare = None
            self._keeps_spare = False  # until the next order to replace the workers
        for slot in self._slots:
            for child in slot.children:
                if child.dead:
                    self._hear_out(child)
                    self._died(slot, child)
        self._keep_spare()

    def _hear_out(self, child: Child) -> None:
        while child.control.fileno() >= 0:
            self._listen_to(child)

    def _died(self, slot: Slot, child: Child) -> None:
        if child in slot.leaving:
            slot.leaving.remove(child)
        elif child is slot.coming:
            slot.coming = None
            self._rolling.clear()
            self._report_failed_start(child, f"Worker {slot.number}")
            self._say("The other workers keep serving the code they have.")
        elif child.ready:
            slot.current = None
            lived = time.monotonic() - child.started
            slot.failures = 0 if lived > _HEALTHY_SECONDS else slot.failures + 1
            self._say(f"Worker {slot.number} (pid {child.pid}) {child.fate}; starting another.\n{child.complaint}")
            self._respawn_later(slot)
        else:
            slot.current = None
            self._report_failed_start(child, f"Worker {slot.number}")
            self._failed_to_start(slot)

    def _failed_to_start(self, slot: Slot) -> None:
        if self._watcher is not None:
            return  # the next change of a file starts it
        if self._ever_ready:
            slot.failures += 1
            self._respawn_later(slot)
        elif not any(other.current for other in self._slots):
            self._status = 1
            self.stop()

    def _report_failed_start(self, child: Child, who: str) -> None:
        """Says it once, however many workers fail alike and however often."""
        text = child.complaint or f"it {child.fate} before it was ready"
        if text != self._reported:
            self._reported = text
            self._say(f"{who} could not start:\n{text}")
            if self._watcher is not None:
                self._say("Waiting for the next change.")

    def _respawn_later(self, slot: Slot) -> None:
        delay = min(0.25 * 2 ** (slot.failures - 2), _LONGEST_BACKOFF) if slot.failures > 1 else 0.0
        slot.respawn_at = time.monotonic() + delay
        if delay > 1.0 and any(other.current and other.current.ready for other in self._slots):
            for thread in slot.threads:
                self._listeners.abandon(thread)

    def _dismiss(self, slot: Slot, child: Child, patience: float) -> None:
        """Asks a worker to finish; it is killed when its patience runs out."""
        slot.leaving.append(child)
        if child is slot.current:
            slot.current = None
        if child is slot.coming:
            slot.coming = None
        child.dismiss(patience)

    # ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _patience(self) -> float | None:
        """Seconds until something is due."""
        due = [child.kill_at for slot in self._slots for child in slot.children if child.kill_at is not None]
        due += [slot.respawn_at for slot in self._slots if slot.respawn_at is not None]
        if self._watcher is not None and not self._stopping:
            due.append(self._watcher.next_look)
        if self._wear.looks and not self._stopping:
            due.append(self._next_look)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _keep_time(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            for child in slot.leaving:
                if child.kill_at is not None and child.kill_at <= now:
                    self._say(f"Worker {slot.number} (pid {child.pid}) did not finish in time and is killed.")
                    child.kill()
            if slot.respawn_at is not None and slot.respawn_at <= now:
                slot.current = self._place(slot)
        if not self._stopping:
            self._look_for_wear(now)
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
                self._notify("RELOADING=1")
                self._reloading = True
                self._discard_spare()
                self._rolling = collections.deque((slot, True) for slot in self._slots)

    def _look_for_wear(self, now: float) -> None:
        """Has workers replaced that have served long enough, one after the other."""
        if now >= self._next_look:
            self._next_look = now + LOOK
        elif not any(slot.current and slot.current.worn_out for slot in self._slots):
            return
        for slot in self._slots:
            child = slot.current
            waits = slot.coming is not None or any(other is slot for other, _ in self._rolling)
            if child is not None and child.ready and not waits and (why := self._wear.of(child)):
                self._say(f"Worker {slot.number} (pid {child.pid}) {why}; another takes its place.")
                self._rolling.append((slot, False))

    def _roll_on(self) -> None:
        """Starts the next replacement once the one before has taken over."""
        if any(slot.coming for slot in self._slots):
            return
        if self._rolling:
            slot, fresh = self._rolling.popleft()
            slot.coming = self._place(slot, fresh=fresh)
        elif self._reloading:
            self._reloading = False
            self._notify("READY=1")

    def _discard_spare(self) -> None:
        """The spare worker has the old code, or is not wanted any more."""
        if self._spare is not None:
            self._dismiss(self._slots[0], self._spare, _RELOAD_SECONDS)
            self._spare = None
        self._keeps_spare = self._wants_spare

    def _restart(self) -> None:
        self._reported = ""
        for slot in self._slots:
            for child in (slot.current, slot.coming):
                if child is not None:
                    self._dismiss(slot, child, _RELOAD_SECONDS)
            slot.failures = 0
            slot.current = self._place(slot)

    def stop(self) -> None:
        """Drains all workers."""
        self._stopping = True
        self._notify("STOPPING=1")
        self._rolling.clear()
        self._listeners.close()
        self._discard_spare()
        for slot in self._slots:
            slot.respawn_at = None
            for child in (slot.current, slot.coming):
                if child is not None:
                    self._dismiss(slot, child, self._drain_timeout)

    def _kill(self) -> None:
        for slot in self._slots:
            for child in slot.children:
                child.kill()

    def _say(self, text: str) -> None:
        print(f"plectrum: {text.rstrip()}", file=self._log, flush=True)


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up socket has the news; Python only must not take the default action."""
