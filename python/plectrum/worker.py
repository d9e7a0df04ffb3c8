"""What a worker process runs: ``python -m plectrum.worker``, started by the supervisor."""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import discovery
from .conf import Settings
from .errors import PlectrumError
from .supervisor import ENVIRONMENT, FAILED

if TYPE_CHECKING:
    from .api import API

__all__ = ["Job", "die_with", "main", "run_worker"]

JOB = "PLECTRUM_INTERNAL_JOB"
_FAILED_TO_START = 3
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


def run_worker(api: API, settings: Settings, listen_fds: Sequence[int], ready_fd: int) -> None:
    """Serves ``api`` in this process until SIGTERM.

    Parameters:
        api: what to serve.
        settings: how.
        listen_fds: listening sockets, non-blocking; they become ours.
        ready_fd: pipe that is told when connections are accepted.
    """
    from . import _core

    _core.App(api.compile(), settings.to_json()).serve(list(listen_fds), ready_fd)


def main() -> int:
    """Runs the worker this process was started for."""
    assignment: dict[str, Any] = json.loads(os.environ.pop(ENVIRONMENT))
    die_with(assignment["parent"])
    job = Job.from_environ()
    ready_fd: int = assignment["ready_fd"]
    try:
        run_worker(job.load(), job.settings, assignment["listen_fds"], ready_fd)
    except PlectrumError as error:
        _tell(ready_fd, str(error))
        return _FAILED_TO_START
    except Exception:  # noqa: BLE001 - whatever the user's code raises while it is imported
        _tell(ready_fd, traceback.format_exc())
        return _FAILED_TO_START
    return 0


def _tell(ready_fd: int, text: str) -> None:
    """Lets the parent report: it says once what fails in every worker."""
    try:
        os.write(ready_fd, FAILED + text.encode()[:60_000])
    except OSError:  # the server had started and closed it
        print(text, file=sys.stderr, flush=True)


def die_with(parent: int) -> None:
    """Has Linux drain this worker when its parent is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
