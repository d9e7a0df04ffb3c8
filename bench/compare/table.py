"""The comparison for people: in a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from .judge import Measure

__all__ = ["markdown", "text"]

_HEAD = ("measure", "before", "after", "change", "spread", "")


def text(measures: Sequence[Measure]) -> str:
    """Columns."""
    rows = [_HEAD, *(_cells(measure) for measure in measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(measures: Sequence[Measure], about: str) -> str:
    """A table, with what failed above it; what stayed the same is folded away.

    Parameters:
        measures: in order.
        about: revisions and machine.
    """
    failed = [measure for measure in measures if measure.fails]
    changed = [measure for measure in measures if measure.verdict != "same"]
    verdict = f"**{len(failed)} worse than allowed**" if failed else "No regression"
    parts = [f"### Benchmarks: {verdict}", about]
    if changed:
        parts.append(_table(changed))
    parts.append(f"<details><summary>All {len(measures)} measures</summary>\n\n{_table(measures)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def _table(measures: Sequence[Measure]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|--:|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(_cells(measure)) + " |" for measure in measures]
    return "\n".join(lines)


def _cells(measure: Measure) -> tuple[str, ...]:
    change = "" if measure.change is None else f"{measure.change:+.1%}"
    spread = "" if measure.change is None else f"{measure.spread:.1%}"
    verdict = "" if measure.verdict == "same" else measure.verdict
    before, after = (_value(value, measure.unit) for value in (measure.base, measure.head))
    return (measure.name, before, after, change, spread, verdict)


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:,.1f} {unit}"
