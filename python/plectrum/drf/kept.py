"""What is compiled of a serializer instance, kept on it while the settings stay as they are.

Fields are copied per serializer instance and may be changed there, so the instance is what is compiled. That costs
about as much as one object does, so a serializer's first object is DRF's own work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

from django.core.signals import setting_changed

from .values import state_of

__all__ = ["Kept", "current", "era", "kept_on"]

_KEY = "_plectrum"
_era = [object()]


def _forget(**_: Any) -> None:
    """Settings decide what fields do: what was compiled under others is out of date."""
    _era[0] = object()


setting_changed.connect(_forget, dispatch_uid="plectrum.drf")


def era() -> object:
    """Another one whenever a setting changes."""
    return _era[0]


class _Form(Protocol):
    def is_current(self) -> bool: ...


_F = TypeVar("_F", bound=_Form)


class Kept:
    """Set once and changed in place: a serializer that is a field is watched for attributes that are replaced."""

    __slots__ = ("era", "input", "output", "owner", "used")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.era = _era[0]
        self.used: set[str] = set()
        self.output: Any = None
        self.input: Any = None


def kept_on(serializer: Any) -> Kept:
    """What is kept of this very instance: `copy.copy` copies what is kept of the original."""
    state = state_of(serializer)
    kept: Kept | None = state.get(_KEY)
    if kept is None or kept.owner is not serializer:
        kept = state[_KEY] = Kept(serializer)
    return kept


def current(
    serializer: Any, way: Literal["input", "output"], compile_: Callable[[], _F | None], *, first: bool
) -> _F | None:
    """The compiled form of the serializer as it is now; ``None`` where DRF is to do the work.

    Parameters:
        first: whether this may be the serializer's only object, as in a detail view.
    """
    kept = kept_on(serializer)
    found: _F | None = getattr(kept, way)
    if found is not None and kept.era is _era[0] and found.is_current():
        return found
    if first and way not in kept.used:
        kept.used.add(way)
        return None
    if kept.era is not _era[0]:
        kept.era, kept.output, kept.input = _era[0], None, None
    made = compile_()
    setattr(kept, way, made)
    return made
