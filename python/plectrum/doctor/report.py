"""What the doctor found, as data. Its JSON form is stable: ``FORMAT`` changes when a key changes its meaning."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "FORMAT",
    "FieldReport",
    "Issue",
    "Measured",
    "Report",
    "RouteReport",
    "SerializerReport",
    "Severity",
    "ViewReport",
]

#: Version of the JSON form.
FORMAT = 1

#: ``error``: wrong now; ``warning``: will be; ``info``: could be better.
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class FieldReport:
    """A serializer's field.

    Parameters:
        name: its key in ``.data``.
        kind: name of its class.
        output, input: ``rust``, ``python`` or ``unused``: who writes and who validates it.
        reason: why not Rust, of the output or else of the input.
        remedy: what would make it so.
    """

    name: str
    kind: str
    output: str
    input: str
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Measured:
    """How long a list takes to represent, on the project's own rows.

    Parameters:
        rows: how many.
        python_us, rust_us: microseconds per row, by DRF alone and with Rust.
    """

    rows: int
    python_us: float
    rust_us: float


@dataclass(frozen=True)
class SerializerReport:
    """A serializer class.

    Parameters:
        name: ``module.Class``.
        fields: in order.
        obstacle: why the class as a whole is Python's; empty where it is not.
        measured: with ``--measure`` and rows to measure on.
        error: why it could not be looked at; empty otherwise.
    """

    name: str
    fields: tuple[FieldReport, ...] = ()
    obstacle: str = ""
    measured: Measured | None = None
    error: str = ""

    def count(self, way: Literal["input", "output"]) -> tuple[int, int]:
        """Fields that are Rust's, and fields at all, of one way."""
        ways = [getattr(field, way) for field in self.fields]
        used = [found for found in ways if found != "unused"]
        return (0 if self.obstacle else used.count("rust")), len(used)


@dataclass(frozen=True)
class ViewReport:
    """A DRF view in the URLconf.

    Parameters:
        name: ``module.Class``.
        path: as the URLconf spells it.
        serializer: ``module.Class`` of its ``serializer_class``; ``None`` where a method decides.
    """

    name: str
    path: str
    serializer: str | None


@dataclass(frozen=True)
class RouteReport:
    """A route of Plectrum's: Rust executes ``native`` and ``queryset`` ones, and writes all."""

    name: str
    method: str
    path: str
    way: str


@dataclass(frozen=True)
class Issue:
    """Something worth a look.

    Parameters:
        kind: ``n+1``, ``index``, ``setting``, ``list`` or ``broken``.
        severity: how bad.
        where: the view, route, serializer or setting.
        message: what was found.
        fix: what to write.
    """

    kind: str
    severity: Severity
    where: str
    message: str
    fix: str = ""


@dataclass
class Report:
    """Everything."""

    serializers: list[SerializerReport] = dataclasses.field(default_factory=list[SerializerReport])
    views: list[ViewReport] = dataclasses.field(default_factory=list[ViewReport])
    routes: list[RouteReport] = dataclasses.field(default_factory=list[RouteReport])
    issues: list[Issue] = dataclasses.field(default_factory=list[Issue])

    @property
    def share(self) -> float:
        """Fields whose output is Rust's, in percent; 100 where there are none."""
        counts = [serializer.count("output") for serializer in self.serializers]
        total = sum(count for _, count in counts)
        return 100.0 * sum(rust for rust, _ in counts) / total if total else 100.0

    def fails(self, threshold: float | None) -> bool:
        """Whether CI should stop: less than ``threshold`` percent are Rust's, or an issue is an error."""
        if threshold is None:
            return False
        return self.share < threshold or any(issue.severity == "error" for issue in self.issues)

    def to_json(self) -> dict[str, Any]:
        """The JSON form, documented in ``docs/doctor.md``."""
        return {"format": FORMAT, "share": round(self.share, 1), **dataclasses.asdict(self)}
