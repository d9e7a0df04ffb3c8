"""Holds the ratios against the committed baseline: a regression fails.

What is compared is the least CPU of any round over the hand-written server's least: noise only ever adds, so the least
is the closest to the truth on a shared machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from .ratios import US, Rounds, least_ratio

#: A ratio may be so much worse than the baseline's. Most reruns of one build on a busy machine stay below it.
TOLERANCE = 0.25


@dataclasses.dataclass(frozen=True)
class Finding:
    """One endpoint against its baseline."""

    endpoint: str
    before: float
    now: float | None

    @property
    def change(self) -> float | None:
        """Relative change of the ratio; positive is worse."""
        return None if self.now is None else self.now / self.before - 1

    def fails(self, tolerance: float) -> bool:
        """Worse than allowed, or not measured any more (the endpoint fails, or answers with other values)."""
        return self.change is None or self.change > tolerance

    def line(self, tolerance: float) -> str:
        """For people."""
        if self.change is None:
            return f"{self.endpoint:10} {self.before:6.2f} → no right answer any more   FAILED"
        verdict = "REGRESSION" if self.fails(tolerance) else "better" if self.change < -tolerance else ""
        return f"{self.endpoint:10} {self.before:6.2f} → {self.now:6.2f}  {self.change:+6.0%}   {verdict}".rstrip()


def ratios(results: Mapping[str, Rounds]) -> dict[str, float]:
    """Plectrum's ratios by endpoint, as the baseline has them."""
    found = {endpoint: least_ratio(of, US) for endpoint, of in results.items()}
    return {endpoint: round(value, 3) for endpoint, value in found.items() if value is not None}


def compare(baseline: Mapping[str, float], now: Mapping[str, float]) -> list[Finding]:
    """Every endpoint of the baseline with what it measures now."""
    return [Finding(endpoint, before, now.get(endpoint)) for endpoint, before in baseline.items()]
