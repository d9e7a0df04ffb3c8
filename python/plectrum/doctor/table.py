"""The report for people: colours where there is a terminal that wants them, no line wider than it."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

from .report import FieldReport, Issue, Report, SerializerReport

__all__ = ["write"]

_RED, _GREEN, _YELLOW, _BOLD, _DIM = "31", "32", "33", "1", "2"
_SEVERITY = {"error": ("✗", _RED), "warning": ("!", _YELLOW), "info": ("·", _DIM)}
_TITLES = {
    "broken": "Broken",
    "n+1": "Relations loaded row by row",
    "list": "Lists",
    "index": "Missing indexes",
    "setting": "Settings",
}
_WAYS = {"native": _GREEN, "queryset": _GREEN, "object": _YELLOW}


def write(report: Report, out: TextIO, *, verbose: bool = False) -> None:
    """Writes the tables.

    Parameters:
        report: what was found.
        out: where to; colours are used on a terminal unless ``NO_COLOR`` is set, or where ``FORCE_COLOR`` is.
        verbose: show every field, also those that are Rust's.
    """
    _Writer(out, verbose).report(report)


def _colours(out: TextIO) -> bool:
    """As https://no-color.org and https://force-color.org say."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (out.isatty() and os.environ.get("TERM") != "dumb")


class _Writer:
    def __init__(self, out: TextIO, verbose: bool) -> None:
        self.out = out
        self.verbose = verbose
        self.coloured = _colours(out)
        self.width = max(40, shutil.get_terminal_size((100, 24)).columns)

    def report(self, report: Report) -> None:
        if report.serializers:
            self.title("Serializers", "fields Rust writes · validates")
            for serializer in report.serializers:
                self.serializer(serializer)
        if report.views:
            self.title("DRF views")
            self.rows([[view.path, _short(view.name), _short(view.serializer or "its methods decide")]
                       for view in report.views])  # fmt: skip
        if report.routes:
            self.title("Routes")
            rows = [[route.method, route.path, route.way, route.name] for route in report.routes]
            self.rows(rows, way=2)
        for kind, title in _TITLES.items():
            if found := [issue for issue in report.issues if issue.kind == kind]:
                self.title(title)
                for issue in sorted(found, key=lambda issue: list(_SEVERITY).index(issue.severity)):
                    self.issue(issue)
        self.summary(report)

    def title(self, text: str, note: str = "") -> None:
        self.line(f"\n{self.paint(text, _BOLD)}{self.paint('  ' + note if note else '', _DIM)}")

    def serializer(self, found: SerializerReport) -> None:
        if found.error:
            self.line(f"  {_short(found.name)}  {self.paint('could not be looked at', _RED)}")
            self.wrapped(found.error, 6)
            return
        counts = "  ".join(self.share(*found.count(way)) for way in ("output", "input"))
        self.line(f"  {_short(found.name)}  {counts}{self.measured(found)}")
        if found.obstacle:
            self.wrapped(f"all of it: {found.obstacle}", 6)
        told = [field for field in found.fields if self.verbose or "python" in (field.output, field.input)]
        width = max((len(field.name) for field in told), default=0)
        for field in told:
            self.field(field, width)

    def share(self, rust: int, total: int) -> str:
        if not total:
            return self.paint("-", _DIM)
        return self.paint(f"{rust}/{total}", _GREEN if rust == total else _YELLOW if rust else _RED)

    def measured(self, found: SerializerReport) -> str:
        if found.measured is None:
            return ""
        slow, quick = found.measured.python_us, found.measured.rust_us
        factor = self.paint(f"{slow / quick:.1f} times", _BOLD) if quick else ""
        return f"   {slow:,.1f} → {quick:,.1f} µs per row, {factor} ({found.measured.rows} rows)"

    def field(self, field: FieldReport, width: int) -> None:
        who = "/".join(
            way for way, found in (("writes", field.output), ("validates", field.input)) if found == "python"
        )
        label = f"Python {who}" if who else "Rust"
        text = f"{field.name.ljust(width)}  {label}" + (f": {field.reason}" if field.reason else "")
        self.wrapped(text, 6)
        if field.remedy and who:
            self.wrapped(f"→ {field.remedy}", 6 + width + 2, _GREEN)

    def issue(self, issue: Issue) -> None:
        sign, colour = _SEVERITY[issue.severity]
        self.line(f"  {self.paint(sign, colour)} {self.paint(_short(issue.where), _BOLD)}")
        self.wrapped(issue.message, 6)
        if issue.fix:
            self.wrapped(f"→ {issue.fix}", 6, _GREEN)

    def summary(self, report: Report) -> None:
        parts: list[str] = []
        if report.serializers:
            parts.append(f"{report.share:.0f} % of {sum(s.count('output')[1] for s in report.serializers)} fields")
        if report.routes:
            ours = sum(route.way != "object" for route in report.routes)
            parts.append(f"{ours} of {len(report.routes)} routes executed in Rust")
        parts += [
            f"{count} {severity}{'' if count == 1 or severity == 'info' else 's'}"
            for severity in _SEVERITY
            if (count := sum(issue.severity == severity for issue in report.issues))
        ]
        self.line("\n" + self.paint(", ".join(parts) if parts else "Nothing to look at.", _BOLD))

    def rows(self, rows: Sequence[Sequence[str]], way: int = -1) -> None:
        """Columns as wide as their widest cell, cut where the line ends; column ``way`` in the colour of its word."""
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells: list[str] = []
            left = self.width - 2
            for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
                shown = _cut(cell, left).ljust(min(width, max(left, 0)))
                left -= len(shown) + 2
                cells.append(self.paint(shown, _WAYS.get(cell, _DIM)) if index == way else shown)
            self.line("  " + "  ".join(cells).rstrip())

    def wrapped(self, text: str, indent: int, colour: str = "") -> None:
        space = " " * indent
        for line in textwrap.wrap(text, self.width - indent, break_long_words=False, break_on_hyphens=False):
            self.line(space + (self.paint(line, colour) if colour else line))

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and text else text

    def line(self, text: str) -> None:
        self.out.write(text + "\n")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _short(name: str) -> str:
    """``app.Class`` of ``project.app.serializers.Class``: enough to find it by."""
    if " " in name or "[" in name or "/" in name or name.count(".") < 2:
        return name
    parts: Iterable[str] = [part for part in name.split(".") if part not in ("serializers", "views", "api")]
    return ".".join(list(parts)[-2:])
