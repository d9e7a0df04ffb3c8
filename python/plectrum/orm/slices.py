"""Slices by a parameter: ``rows[(page - 1) * 20 : page * 20]``.

``QuerySet.__getitem__`` wants integers. It gets marks: numbers far outside any real row count, negative for a start and
positive for a stop, so that Django's clamping (``min(high, low)``) can never choose one over the other. The marks add up
with real offsets, and they are told apart again in the ``LIMIT``/``OFFSET`` that Django writes.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import Final

from .arithmetic import Number

__all__ = ["LIMIT_OR_OFFSET", "Bounds", "bound", "decode_limit", "decode_offset", "mark"]

#: A start's mark is a multiple of this, a stop's of `_STOP`; what is left over is a constant of the user's.
_STOP: Final = 1 << 80
_START: Final = 1 << 160
_HALF: Final = 1 << 79

#: `LIMIT n` or `OFFSET n` that holds a mark: longer than any 64-bit number.
LIMIT_OR_OFFSET: Final = re.compile(r"\b(LIMIT|OFFSET) (-?\d{20,})\b")

_numbers = itertools.count(1)
_marked: dict[int, Number] = {}
_lock = threading.Lock()

Bounds = tuple[Number, Number | None]


def mark(number: Number, *, is_start: bool) -> int:
    """An integer that stands for a slice bound.

    Parameters:
        number: the bound.
        is_start: whether it is the slice's start.
    """
    with _lock:
        index = next(_numbers)
        _marked[index] = number
    return -index * _START if is_start else index * _STOP


def decode_offset(value: int) -> Number:
    """The offset a mark stands for.

    Parameters:
        value: what Django wrote after ``OFFSET``.
    """
    return _decode(-value)[0]


def decode_limit(value: int) -> Bounds:
    """Start and stop of the slice a mark stands for; no stop where it is a constant part only.

    Parameters:
        value: what Django wrote after ``LIMIT``: stop minus start.
    """
    start, stop = _decode(value)
    return start, stop


def _decode(value: int) -> tuple[Number, Number]:
    """Split ``stop - start`` into its two parts, each a parameter's bound or a constant."""
    starts, rest = divmod(value + (_START >> 1), _START)
    rest -= _START >> 1
    stops, left_over = divmod(rest + _HALF, _STOP)
    left_over -= _HALF
    start = _marked[starts] if starts else Number(0)
    if stops:
        # A constant start is subtracted already: [5:q] is q - 5.
        return (start if starts else Number(-left_over)), _marked[stops]
    return start, Number(left_over)


def bound(value: int | None) -> Number | None:
    """The bound by a parameter that a query's ``low_mark`` or ``high_mark`` holds.

    Parameters:
        value: the mark, a plain number or ``None``.
    """
    if value is None or abs(value) < _HALF:
        return None
    start, stop = _decode(-value if value < 0 else value)
    return start if value < 0 else stop
