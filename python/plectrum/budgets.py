"""Budgets: how much time a request may take, and how many are answered at once. See ``docs/budgets.md``."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .conf import Settings

__all__ = ["Concurrency", "concurrency_of", "describe", "describe_concurrency"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Concurrency:
    """How many requests of a route a worker answers at once.

    Parameters:
        limit: requests; at least one.
        queue: requests that may wait for a place; further ones get 503 at once.
        wait: seconds each may wait, then 503. ``Retry-After`` says as much.
    """

    limit: int
    queue: int = 0
    wait: float = 1.0


def concurrency_of(given: int | Concurrency | None, line: str) -> Concurrency | None:
    """What ``concurrency=`` comes to.

    Parameters:
        given: a number alone lets nobody wait.
        line: of the handler, for the error.

    Errors:
        ConfigurationError: it is something else, or nobody would ever be answered.
    """
    found = Concurrency(limit=given) if type(given) is int else given
    if found is None:
        return None
    if not isinstance(found, Concurrency):
        raise ConfigurationError(f"{line}: concurrency= is a number or a plectrum.budgets.Concurrency, not {given!r}.")
    if found.limit < 1 or found.queue < 0 or not 0 <= found.wait < math.inf:
        raise ConfigurationError(f"{line}: {found!r} must answer at least one request, and wait a number of seconds.")
    return found


def describe_concurrency(given: int | Concurrency | None) -> dict[str, Any] | None:
    """As the Rust side reads it (``crates/engine/src/budget.rs``)."""
    found = concurrency_of(given, "concurrency")
    return dataclasses.asdict(found) if found else None


def describe(settings: Settings) -> dict[str, Any] | None:
    """The budget of all routes of a worker together, as the Rust side reads it."""
    if settings.max_requests is None:
        return None
    return {"limit": settings.max_requests, "queue": settings.max_waiting, "wait": settings.waiting_timeout}
