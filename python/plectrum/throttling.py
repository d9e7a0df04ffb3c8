"""Throttling: how many requests may come. Counted in Rust, in memory that the workers of a host share, or in Redis.

``throttle=`` of an API, a router or a route takes rates (``"100/min"``, :class:`Rate`, or several); the innermost one
that is given counts, and ``throttle=None`` lifts it. A rate of an API or a router counts the requests to all of its
routes together. :func:`rate_limit` adds rates to one handler. See ``docs/throttling.md``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ._inherit import INHERIT, several
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .routing import Route

__all__ = ["Rate", "limits_of", "rate_limit", "rates_of", "segment_file", "shared_segment"]

H = TypeVar("H", bound=Callable[..., Any])

_ATTRIBUTE = "__plectrum_rates__"
_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86_400,
    "day": 86_400,
}
_TEXT = re.compile(
    r"(?P<quota>\d+)\s*/\s*(?P<times>\d+)?\s*(?P<unit>[a-z]+?)s?(?:\s+burst\s+(?P<burst>\d+))?(?:\s+per\s+(?P<per>\S+))?"
)
_PER = ("ip", "user", "key", "all")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rate:
    """So many requests in so much time: a token bucket (GCRA).

    Parameters:
        quota: requests in a period; the bucket refills evenly.
        period: seconds.
        burst: requests that may come at once, the size of the bucket; ``quota`` where 0.
        per: whose requests are counted together: ``"ip"`` (an IPv6 /64 network is one), ``"user"``, ``"key"`` (the
            credential), ``"header:X-Tenant"``, or ``"all"``. Where there is no user, key or header, the address counts.
        scope: rates of one scope count together wherever they stand; of its own where empty.
    """

    quota: int
    period: float
    burst: int = 0
    per: str = "ip"
    scope: str = ""

    def __post_init__(self) -> None:
        if self.quota < 1 or self.burst < 0 or not 0 < self.period <= 31_536_000:
            raise ConfigurationError(f"{self!r} must allow at least one request, in a period of up to a year.")
        if self.per not in _PER and not re.fullmatch(r"header:[A-Za-z0-9-]+", self.per):
            raise ConfigurationError(f'A rate is per {", ".join(_PER)} or "header:Name", not {self.per!r}.')

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Reads ``"100/min"``, ``"10/s burst 20"``, ``"1000/2h per user"``.

        Errors:
            ConfigurationError: it cannot be read.
        """
        found = _TEXT.fullmatch(text.strip())
        if not found or found["unit"] not in _UNITS:
            raise ConfigurationError(
                f'{text!r} is no rate. Write "100/min", "10/s burst 20" or "1000/day per user". Units: s, min, h, day.'
            )
        period = _UNITS[found["unit"]] * int(found["times"] or 1)
        return cls(quota=int(found["quota"]), period=period, burst=int(found["burst"] or 0), per=found["per"] or "ip")

    def describe(self, name: str) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/gate/spec.rs``)."""
        kind, _, header = self.per.partition(":")
        unit = next((unit for unit in ("day", "h", "min", "s") if self.period == _UNITS[unit]), f"{self.period:g}s")
        return {
            "name": f"{self.quota}/{unit}",
            "quota": self.quota,
            "period": self.period,
            "burst": self.burst or self.quota,
            "per": {"header": header} if header else kind,
            "scope": f"{self.scope or name} {self.quota}/{self.period:g}",
        }


def rate_limit(*rates: str | Rate, burst: int = 0, per: str = "") -> Callable[[H], H]:
    """Adds rates to one handler, besides those of its route, router and API.

    Parameters:
        rates: such as ``"10/s"``; several hold at once.
        burst: of all of them, where they do not name their own.
        per: of all of them, where given.

    Errors:
        ConfigurationError: a rate cannot be read.
    """
    found = rates_of(rates)
    found = tuple(dataclasses.replace(rate, burst=rate.burst or burst, per=per or rate.per) for rate in found)

    def mark(handler: H) -> H:
        setattr(handler, _ATTRIBUTE, (*getattr(handler, _ATTRIBUTE, ()), *found))
        return handler

    return mark


def rates_of(throttle: Any, scope: str = "") -> tuple[Rate, ...]:
    """What ``throttle=`` comes to.

    Parameters:
        throttle: a rate, several, or ``None``.
        scope: of those that have none.

    Errors:
        ConfigurationError: it is of the wrong kind, or cannot be read.
    """
    found: list[Rate] = []
    for rate in several(throttle):
        if not isinstance(rate, (str, Rate)):
            raise ConfigurationError(f'throttle= takes rates such as "100/min", not {rate!r}.')
        parsed = Rate.parse(rate) if isinstance(rate, str) else rate
        found.append(dataclasses.replace(parsed, scope=parsed.scope or scope))
    return tuple(found)


def limits_of(route: Route) -> list[dict[str, Any]] | None:
    """The limits of a route as Rust reads them; ``None`` leaves it to the settings."""
    handler = f"{route.handler.__module__}.{route.handler.__qualname__}"
    own = [rate.describe(handler) for rate in getattr(route.handler, _ATTRIBUTE, ())]
    if route.options.throttle is INHERIT:
        return own or None
    return [*(rate.describe(route.path) for rate in rates_of(route.options.throttle)), *own]


#: Where the workers of one server count; the name of a file that all of them map.
_SEGMENT = "PLECTRUM_INTERNAL_COUNTS"
_MAGIC = b"plectrm1"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a name nobody can guess is made in it


@contextlib.contextmanager
def segment_file(slots: int) -> Generator[dict[str, str]]:
    """Makes the memory the workers count in; it is there as long as the server is, whichever worker comes and goes.

    Parameters:
        slots: clients that are counted at a time.

    Returns:
        Environment variables for the workers.
    """
    directory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.NamedTemporaryFile(prefix="plectrum-counts-", dir=directory) as file:
        # The head of `crates/engine/src/gate/throttle/segment.rs`: eight words, then two for each slot.
        file.write(_MAGIC + os.urandom(16))
        file.truncate(64 + 16 * slots)
        file.flush()
        yield {_SEGMENT: file.name}


def shared_segment() -> str | None:
    """The file this worker shall count in; ``None`` outside of a server."""
    path = os.environ.get(_SEGMENT)
    return path if path and Path(path).exists() else None
