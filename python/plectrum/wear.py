"""When a worker has served long enough: by age, by memory, or by its own account (``WORKER_MAX_REQUESTS``)."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

from .child import Child

__all__ = ["Wear"]

#: Seconds between two looks at the workers.
LOOK = 1.0
#: Seconds a worker may serve whatever memory it takes: one that begins with too much would be replaced for ever.
_SETTLED = 5.0


@dataclasses.dataclass(frozen=True)
class Wear:
    """What a worker may come to before another takes its place.

    Parameters:
        age: seconds; 0 for any.
        memory: bytes of resident memory; 0 for any. Linux only.
    """

    age: float = 0.0
    memory: int = 0

    @property
    def looks(self) -> bool:
        """Whether the workers are to be looked at now and then."""
        return bool(self.age or self.memory)

    def of(self, child: Child) -> str | None:
        """Why a worker is to be replaced, for people; ``None`` where it is not."""
        if child.worn_out:
            return "has served WORKER_MAX_REQUESTS requests"
        lived = time.monotonic() - child.placed
        if self.age and lived > self.age:
            return f"has served for {lived:.0f} s"
        if self.memory and lived > _SETTLED and (resident := _resident(child.pid)) > self.memory:
            return f"has {resident / 1e6:.0f} MB of memory"
        return None


def _resident(pid: int) -> int:
    """Bytes of a process's memory that are resident; 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
