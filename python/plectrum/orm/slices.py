"""Slices by a parameter: ``rows[(page - 1) * 20 : page * 20]``.

``QuerySet.__getitem__`` wants integers. It gets marks: numbers far outside any real row count, negative for a start
and positive for a stop, so that Django's clamping (``min(high, low)``) can never choose one over the other. The marks
add up with real offsets, and they are told apart again in the ``LIMIT``/``OFFSET`` that Django writes.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import Final, Literal

from .arithmetic import Number

__all__ = ["LIMIT_OR_OFFSET", "Role", "bound", "decode_limit", "decode_offset", "mark"]

#: A start's mark is a multiple of this, a stop's of `_STOP`; what is left over is a constant of the user's.
_STOP: Final = 1 << 80
_START: Final = 1 << 160
_HALF: Final = 1 << 79

#: `LIMIT n` or `OFFSET n` that holds a mark: longer than any 64-bit number.
LIMIT_OR_OFFSET: Final = re.compile(r"\b(LIMIT|OFFSET) (-?\d{20,})\b")

Role = Literal["start", "stop", "offset", "length"]

_numbers = itertools.count(1)
_marked: dict[int, tuple[Number, Role]] = {}
_lock = threading.Lock()


def mark(number: Number, role: Role) -> int:
    """An integer that stands for a slice bound.

    Parameters:
        number: the bound.
        role: ``start`` or ``stop`` of a slice; ``offset`` or ``length`` where the bounds are known to be right already.
    """
    with _lock:
        index = next(_numbers)
        _marked[index] = (number, role)
    return -index * _START if role in ("start", "offset") else index * _STOP


def decode_offset(value: int) -> Number:
    """The offset a mark stands for.

    Parameters:
        value: what Django wrote after ``OFFSET``.
    """
    return _decode(-value)[0]


def decode_limit(value: int) -> tuple[Number, Number, Role]:
    """Start and stop of the slice a mark stands for, and whether the stop is a length.

    Parameters:
        value: what Django wrote after ``LIMIT``: stop minus start.
    """
    return _decode(value)


def _decode(value: int) -> tuple[Number, Number, Role]:
    """Split ``stop - start`` into its two parts, each a parameter's bound or a constant."""
    starts, rest = divmod(value + (_START >> 1), _START)
    rest -= _START >> 1
    stops, left_over = divmod(rest + _HALF, _STOP)
    left_over -= _HALF
    start = _marked[starts][0] if starts else Number(0)
    if not stops:
        return start, Number(left_over), "stop"
    stop, role = _marked[stops]
    # A constant start is subtracted already: [5:q] is q - 5.
    return (start if starts else Number(-left_over)), stop, role


def bound(value: int | None) -> Number | None:
    """The bound that has to be checked, which a query's ``low_mark`` or ``high_mark`` holds.

    Parameters:
        value: the mark, a plain number or ``None``.
    """
    if value is None or abs(value) < _HALF:
        return None
    index = -value // _START if value < 0 else value // _STOP
    number, role = _marked[index]
    return number if role in ("start", "stop") else None
