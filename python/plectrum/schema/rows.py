"""Querysets → JSON bytes by a schema, outside of any route, without model instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import bridge

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .compiled import CompiledValidator

__all__ = ["queryset_bytes"]


def queryset_bytes(schema: CompiledValidator[Any], queryset: QuerySet[Any]) -> bytes:
    """The rows of a queryset as a JSON array.

    Parameters:
        schema: says which fields are written, and under which keys.
        queryset: its SQL comes from Django's compiler through the shape cache, its rows from Django's connection.

    Errors:
        PlanError: the queryset or a field of the schema cannot be planned.
    """
    from ..orm import plan

    operation, arguments = plan(queryset, list[schema.annotation])  # type: ignore[name-defined]
    compiled = bridge.compiled(operation)
    rows = bridge.run_here(operation.using, False, compiled.number, arguments)
    return compiled.write_rows(rows or [], arguments, _zone_name())


def _zone_name() -> str:
    """The zone that DRF shows datetimes in."""
    from django.conf import settings
    from django.utils import timezone

    return timezone.get_current_timezone_name() if settings.USE_TZ else "UTC"
