"""What is exported, and how it is written: checked before the first row is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from django.conf import settings as django_settings
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from plectrum.errors import ConfigurationError, PlanError
from plectrum.orm import Operation
from plectrum.orm.rows import Options as RowOptions
from plectrum.orm.rows import plan_rows
from plectrum.orm.wanted import read_annotation

__all__ = ["CONTENT_TYPES", "Format", "Planned", "plan_export"]

#: How a file is written.
Format = Literal["json", "ndjson", "csv"]

#: Media type of each format (RFC 8259, the NDJSON specification, RFC 4180).
CONTENT_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
}


@dataclass(frozen=True)
class Planned:
    """A planned export.

    Parameters:
        operation: its one query.
        options: how it is written, as ``_core`` reads it.
        batch: rows fetched at once.
    """

    operation: Operation
    options: dict[str, Any]
    batch: int


def plan_export(queryset: QuerySet[Any, Any], schema: Any, format: Format, guard: bool, batch: int) -> Planned:
    """Plans an export.

    Parameters:
        queryset: any queryset but ``raw()``.
        schema: a class whose annotations choose the fields and their order; all of the model's where ``None``.
        format: ``json``, ``ndjson`` or ``csv``.
        guard: keep spreadsheets from reading cells as formulas.
        batch: rows fetched at once.

    Errors:
        PlanError: the queryset cannot be planned, or its rows have no columns (``values_list()`` as CSV).
        ConfigurationError: there is no such format; ``batch`` is not positive.
    """
    if format not in get_args(Format):
        raise ConfigurationError(f"There is no export format {format!r}. Choose one of: {', '.join(get_args(Format))}.")
    if type(batch) is not int or not 1 <= batch <= 1_000_000:
        raise ConfigurationError(f"batch is {batch!r}; it is a number of rows, 1 to 1,000,000.")
    using = queryset.db
    plan = plan_rows(queryset, read_annotation(schema), RowOptions(using, elide_empty=False))
    assert plan is not None  # not even an empty one is left out
    if format == "csv" and "object" not in plan.row:
        raise PlanError("Rows of values_list() have no column names, which a CSV needs. Write .values() instead.")
    reasons = tuple(dict.fromkeys(plan.reasons()))
    operation = Operation((plan,), {"rows": 0}, using, "django" if reasons else "rust", reasons, shared=False)
    options = {
        "operation": json.dumps(operation.describe(), ensure_ascii=False),
        "format": format,
        "guard": guard,
        "zone": _zone(),
        "session": connections[using].timezone_name,
    }
    return Planned(operation, options, batch)


def _zone() -> str:
    """The time zone answers are written in: the current one, as DRF writes them."""
    if not django_settings.USE_TZ:
        return "UTC"
    return str(getattr(timezone.get_current_timezone(), "key", django_settings.TIME_ZONE))
