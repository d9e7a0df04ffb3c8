"""Refuses a query function that asks for the time or for chance: the answer at start-up would be every request's."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import sys
import time
from collections.abc import Generator
from types import FrameType
from typing import Any, Final

from plectrum.errors import PlanError

from .frames import is_users, user_line
from .internal import class_of

__all__ = ["pure"]

_CLOCKS: Final = frozenset(("now", "utcnow", "today"))
_FUNCTIONS: Final = frozenset((time.time, time.time_ns, os.urandom))
_ASKING_FOR_OTHERS: Final = ("django.utils.timezone", "random", "uuid")
_CHANCES: Final = (random.Random, random.SystemRandom)


@contextlib.contextmanager
def pure() -> Generator[None, None, None]:
    """Raises at the first call of a clock or of a random generator.

    Errors:
        PlanError: names the user's line and what to write instead.
    """
    previous = sys.getprofile()
    sys.setprofile(_watch)
    try:
        yield
    finally:
        sys.setprofile(previous)


def _watch(frame: FrameType, event: str, function: Any) -> None:
    if event != "c_call" or not (is_users(frame.f_code) or frame.f_globals.get("__name__") in _ASKING_FOR_OTHERS):
        return  # logging and imports ask for the time too, and it ends up in no query
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, datetime.date) and function.__name__ in _CLOCKS:
        raise _refusal(f"{owner.__name__}.{function.__name__}()")
    if class_of(owner) in _CHANCES or _is_one_of(function):
        raise _refusal(f"{function.__name__}()")


def _is_one_of(function: Any) -> bool:
    return any(function is known for known in _FUNCTIONS)


def _refusal(call: str) -> PlanError:
    return PlanError(
        f"{user_line()}\n"
        f"The query function calls {call}, but it runs once, at start-up, so every request would get that answer. "
        "Let the database ask (django.db.models.functions.Now, Random), or make the handler `async def`, so that it "
        "runs on each request."
    )
