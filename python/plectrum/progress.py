"""A progress bar for commands that run for a while."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

__all__ = ["Bar"]

#: Seconds between two drawings.
_PAUSE = 0.1


class Bar:
    """Draws how far a work is, on one line of a terminal.

    Parameters:
        label: name of the work.
        total: units altogether, as far as is known.
        out: the terminal.
    """

    def __init__(self, label: str, total: int, out: TextIO) -> None:
        self._label, self._total, self._out = label, total, out
        self._start = time.monotonic()
        self._drawn = -_PAUSE
        self._done = 0

    def draw(self, done: int) -> None:
        """Draws, unless it was drawn a moment ago.

        Parameters:
            done: units done so far.
        """
        self._done = done
        now = time.monotonic() - self._start
        if now - self._drawn >= _PAUSE:
            self._drawn = now
            self._show(now)

    def end(self) -> None:
        """Draws for the last time and goes to the next line."""
        self._show(time.monotonic() - self._start)
        self._out.write("\n")
        self._out.flush()

    def _show(self, seconds: float) -> None:
        total = max(self._total, self._done)  # rows may have been added since they were counted
        counted = f" {self._done:,} / {total:,}  {self._done / max(seconds, 1e-9):,.0f}/s  {seconds:.1f} s"
        width = max(shutil.get_terminal_size().columns - len(self._label) - len(counted) - 2, 8)
        filled = width * self._done // max(total, 1)
        self._out.write(f"\r{self._label} {'█' * filled}{'░' * (width - filled)}{counted}")
        self._out.flush()
