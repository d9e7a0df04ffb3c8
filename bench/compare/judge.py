"""Whether one revision is slower than another, or takes more memory.

Noise only ever adds, so the best of many rounds is the closest to the truth; how far the next best ones lie from it
tells how close. A regression is worse by more than 10 % beyond that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

__all__ = ["TOLERANCE", "Measure", "Samples", "judge", "parse"]

#: How much worse the best round may be, beyond the spread.
TOLERANCE = 0.10

#: ``name [unit]`` → a value per round; less is better.
Samples = Mapping[str, Sequence[float]]

Verdict = Literal["same", "better", "REGRESSION", "new", "gone"]


@dataclasses.dataclass(frozen=True)
class Measure:
    """One measure of both revisions.

    Parameters:
        name: what was measured.
        unit: ``ns``, ``MiB``, …
        base, head: the best round of each; ``None`` where it was not measured.
        spread: how far good rounds lie apart, relatively; of the side where they lie farther.
        tolerance: what is allowed beyond it.
    """

    name: str
    unit: str
    base: float | None
    head: float | None
    spread: float = 0.0
    tolerance: float = TOLERANCE

    @property
    def change(self) -> float | None:
        """Relative change; positive is worse."""
        return None if not self.base or self.head is None else self.head / self.base - 1

    @property
    def verdict(self) -> Verdict:
        """What to make of it."""
        if self.change is None:
            return "new" if self.base is None else "gone"
        limit = self.tolerance + self.spread
        # A change and its opposite are the same step on a logarithmic scale.
        return "REGRESSION" if self.change > limit else "better" if self.change < 1 / (1 + limit) - 1 else "same"

    @property
    def fails(self) -> bool:
        """Whether the gate is to stop it."""
        return self.verdict == "REGRESSION"


def judge(base: Samples, head: Samples, tolerance: float = TOLERANCE) -> list[Measure]:
    """Compares two revisions, measure by measure, in the order of ``head``."""
    names = [*head, *(name for name in base if name not in head)]
    return [_measure(name, base.get(name, ()), head.get(name, ()), tolerance) for name in names]


def _measure(key: str, base: Sequence[float], head: Sequence[float], tolerance: float) -> Measure:
    name, _, unit = key.rpartition(" ")
    spread = max(_spread(base), _spread(head))
    return Measure(name, unit.strip("[]"), min(base, default=None), min(head, default=None), spread, tolerance)


def _spread(values: Sequence[float]) -> float:
    """From the best round to the end of the best third, as a part of the best."""
    if len(values) < 2:
        return 0.0
    ordered = sorted(values)
    return ordered[max(1, len(ordered) // 3)] / ordered[0] - 1 if ordered[0] else 0.0


def parse(text: str) -> dict[str, float]:
    """Reads what a benchmark prints: lines with a name and ``12.3 ns``, ``45.6 MiB`` or ``789 MB/s``.

    Lines about peers, whose names begin with ``serde``, are left out; so is what stands behind the first value.
    """
    found: dict[str, float] = {}
    for line in text.splitlines():
        words = line.split()
        for at, word in enumerate(words[:-1]):
            unit = words[at + 1]
            if unit in ("ns", "us", "MiB", "MB/s") and at and not line.startswith("serde"):
                name = " ".join(words[:at]).rstrip(":")
                value = float(word)
                if unit == "MB/s":
                    unit, value = "ps/B", 1e6 / value
                found[f"{name} [{unit}]"] = value
                break
    return found
