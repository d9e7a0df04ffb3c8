"""Which source files changed: for ``--reload``. Looks at modification times; needs nothing installed."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["Watcher", "source_roots"]

_SKIPPED = {"__pycache__", "node_modules", "target", "site-packages", "build", "dist"}
_SHORTEST = 0.3
# A look may cost this share of a core; large trees are looked at less often.
_SHARE = 0.05


def source_roots(path: Sequence[str] = sys.path) -> list[Path]:
    """The directories the user's own modules come from: the current one and those of ``path`` but Python's own."""
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    roots: list[Path] = []
    for entry in (os.curdir, *path):
        root = Path(entry).resolve()
        inside = any(root.is_relative_to(place) for place in (*installed, *roots))
        if root.is_dir() and not inside and root != Path(root.anchor):
            roots.append(root)
    return roots


class Watcher:
    """Notices changed, new and removed ``.py`` files.

    Parameters:
        roots: directories to look through, see :func:`source_roots`.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots
        self._interval = _SHORTEST
        self._seen = self._look()
        self._next = time.monotonic() + self._interval

    @property
    def next_look(self) -> float:
        """When :meth:`changed` looks again, on the monotonic clock."""
        return self._next

    def changed(self) -> Path | None:
        """One file that changed since the last look, or ``None``; looks only when it is time to."""
        if time.monotonic() < self._next:
            return None
        before, self._seen = self._seen, self._look()
        self._next = time.monotonic() + self._interval
        if before == self._seen:
            return None
        return Path(min(before.items() ^ self._seen.items())[0])

    def _look(self) -> dict[str, int]:
        start = time.monotonic()
        found = dict(entry for root in self._roots for entry in _sources(str(root)))
        self._interval = max(_SHORTEST, (time.monotonic() - start) / _SHARE)
        return found


def _sources(directory: str) -> Iterator[tuple[str, int]]:
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return  # removed or unreadable
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                    yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat().st_mtime_ns
        except OSError:
            continue  # removed while looking
