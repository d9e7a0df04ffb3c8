"""A progress bar for the terminal, and a line per tenth where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Item = TypeVar("Item")
WIDTH = 32


def track(items: Iterable[Item], label: str, total: int, out: TextIO, size: int = 1) -> Iterator[Item]:
    """Pass `items` on, drawing how far they are.

    Parameters:
        items: what is being worked through; each stands for `size` units.
        label: name of the work, up to 12 characters.
        total: units altogether.
        out: where to draw.
    """
    start, done, drawn = time.monotonic(), 0, 0
    for item in items:
        yield item
        done = min(done + size, total)
        if out.isatty():
            out.write("\r" + _line(label, done, total, time.monotonic() - start))
        elif done * 10 // total > drawn:
            drawn = done * 10 // total
            out.write(_line(label, done, total, time.monotonic() - start) + "\n")
        out.flush()
    if out.isatty():
        out.write("\n")


def _line(label: str, done: int, total: int, seconds: float) -> str:
    filled = WIDTH * done // total
    bar = "█" * filled + "░" * (WIDTH - filled)
    return f"  {label:<12} {bar} {done:>7,} / {total:,}  {seconds:4.1f} s"
