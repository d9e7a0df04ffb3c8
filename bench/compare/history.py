"""What was measured over time: a line of JSON per run, and a picture of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .judge import Measure

__all__ = ["draw", "read", "remember"]

_WIDTH, _HEIGHT, _LEFT, _GAP = 260, 90, 16, 14
_COLUMNS = 3
_STYLE = """\
text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.ground { fill: #ffffff; stroke: #d1d9e0 } .line { fill: none; stroke: #0072b2; stroke-width: 1.5 }
.last { fill: #d55e00 } .small { fill: #59636e; font-size: 10px }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .ground { fill: #0d1117; stroke: #3d444d } }"""


def remember(file: Path, about: Mapping[str, str], measures: Sequence[Measure]) -> None:
    """Appends a run.

    Parameters:
        file: a line of JSON per run.
        about: date, commit, base, machine.
        measures: what was compared.
    """
    values = {f"{measure.name} [{measure.unit}]": measure.head for measure in measures if measure.head is not None}
    line = {**about, "values": values, "regressions": [measure.name for measure in measures if measure.fails]}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(file: Path) -> list[dict[str, Any]]:
    """All runs, the oldest first."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def draw(runs: Sequence[Mapping[str, Any]]) -> str:
    """One small curve per measure, from the least to the most it ever was. Only runs of one machine can be compared."""
    names = list(dict.fromkeys(name for run in runs for name in run["values"]))
    rows = -(-len(names) // _COLUMNS)
    width = _LEFT + _COLUMNS * (_WIDTH + _GAP)
    height = 40 + rows * (_HEIGHT + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="22">{len(runs)} runs; less is better</text>',
    ]
    for index, name in enumerate(names):
        x = _LEFT + index % _COLUMNS * (_WIDTH + _GAP)
        y = 34 + index // _COLUMNS * (_HEIGHT + _GAP)
        parts.append(_curve(name, [run["values"].get(name) for run in runs], x, y))
    return "\n".join([*parts, "</svg>\n"])


def _curve(name: str, values: Sequence[float | None], x: int, y: int) -> str:
    found = [(index, value) for index, value in enumerate(values) if value is not None]
    least, most = min(value for _, value in found), max(value for _, value in found)
    steps = max(len(values) - 1, 1)

    def at(index: int, value: float) -> tuple[float, float]:
        share = (value - least) / (most - least) if most > least else 0.5
        return x + 10 + index / steps * (_WIDTH - 20), y + _HEIGHT - 22 - share * (_HEIGHT - 48)

    note = f"{least:,.1f} to {most:,.1f}, now {found[-1][1]:,.1f}"
    points = [at(index, value) for index, value in found]
    last = points[-1]
    return "\n".join(
        [
            f'<rect class="ground" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>',
            f'<text x="{x + 8}" y="{y + 15}">{escape(name)}</text>',
            f'<polyline class="line" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>',
            f'<circle class="last" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="3"/>',
            f'<text class="small" x="{x + 8}" y="{y + _HEIGHT - 7}">{note}</text>',
        ]
    )
