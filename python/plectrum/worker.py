"""What a worker process runs: ``python -m plectrum.worker``, started by the supervisor."""

from __future__ import annotations

import ctypes
import dataclasses
import itertools
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import _core, discovery, observe
from .child import ENVIRONMENT, FAILED
from .conf import Settings
from .errors import PlectrumError

if TYPE_CHECKING:
    from .api import API

__all__ = ["Job", "die_with", "main"]

JOB = "PLECTRUM_INTERNAL_JOB"
_FAILED = 3
_MOST_LISTENERS = 253  # SCM_MAX_FD of Linux
_PR_SET_PDEATHSIG = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What all workers of one server have in common.

    Parameters:
        app: name of the API object; found in the Django project where ``None``.
        django: set Django up first.
        settings: as given by the settings, the environment and the command line.
        path: the parent's ``sys.path``.
    """

    app: str | None
    django: bool
    settings: Settings
    path: Sequence[str] = dataclasses.field(default_factory=lambda: list(sys.path))

    def environ(self) -> dict[str, str]:
        """Environment variables that carry the job to a worker."""
        return {JOB: json.dumps(dataclasses.asdict(self))}

    @classmethod
    def from_environ(cls) -> Job:
        """The job this process was started for; its variables are removed."""
        described: dict[str, Any] = json.loads(os.environ.pop(JOB))
        settings = Settings(**described.pop("settings"))
        return cls(settings=settings, **described)

    def load(self) -> API:
        """Imports the API object.

        Errors:
            PlectrumError: it cannot be found. Whatever importing the user's code raises.
        """
        sys.path[:] = [*dict.fromkeys([*self.path, *sys.path])]
        if not self.django:
            return discovery.find(self.app or "")
        import django

        django.setup()
        return discovery.find_in_django(self.app)


def main() -> int:
    """Runs the worker this process was started for.

    Returns:
        Exit status: 0 once it was told to stop, 3 where it could not start.
    """
    described: dict[str, Any] = json.loads(os.environ.pop(ENVIRONMENT))
    die_with(described["parent"])
    job = Job.from_environ()
    with socket.socket(fileno=described["control"]) as control:
        try:
            observe.install(job.settings)
            _serve(_core.App(job.load().compile(settings=job.settings), job.settings.to_json()), control)
        except PlectrumError as error:
            _complain(control, str(error))
        except Exception:  # noqa: BLE001 - whatever the user's code raises while it is imported
            _complain(control, traceback.format_exc())
        else:
            return 0
    return _FAILED


def _serve(app: _core.App, control: socket.socket) -> None:
    """Waits for a place, then serves there until SIGTERM, which reaches every thread."""
    message, listen_fds, _, _ = socket.recv_fds(control, 4096, _MOST_LISTENERS)
    if not message:
        return  # the parent is gone
    descriptors = iter(listen_fds)
    threads = [[*itertools.islice(descriptors, count)] for count in json.loads(message)["threads"]]
    if len(threads) == 1:
        app.serve(threads[0], os.dup(control.fileno()))
        return
    with ThreadPoolExecutor(len(threads), "plectrum") as pool:
        for own in threads:
            pool.submit(_serve_thread, app, own, control)


def _serve_thread(app: _core.App, listen_fds: list[int], control: socket.socket) -> None:
    try:
        app.serve(listen_fds, os.dup(control.fileno()))
    except Exception:  # noqa: BLE001 - told to the parent; the process ends once the other threads have finished
        _complain(control, traceback.format_exc())
        os.kill(os.getpid(), signal.SIGTERM)


def _complain(control: socket.socket, text: str) -> None:
    """Lets the parent report: it says once what is wrong with every worker."""
    control.sendall(FAILED + text.encode()[:60_000])


def die_with(parent: int) -> None:
    """Has Linux drain this worker when its parent is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
