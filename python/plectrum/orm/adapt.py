"""An argument as Django hands it to the database driver."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from .binds import BindType

__all__ = ["adapted"]


def adapted(value: Any, kind: BindType, connection: Any) -> Any:
    """A request's value prepared for a cursor, as its Django field would prepare it.

    Parameters:
        value: the argument.
        kind: declared type of its placeholder.
        connection: Django's.
    """
    if value is None:
        return None
    match kind:
        case "datetime" | "datetime_tz":
            return connection.ops.adapt_datetimefield_value(value)
        case "date":
            return connection.ops.adapt_datefield_value(value)
        case "time":
            return connection.ops.adapt_timefield_value(value)
        case "uuid":
            return models.UUIDField().get_db_prep_value(value, connection)
        case "duration":
            return models.DurationField().get_db_prep_value(value, connection)
        case "bytes":
            return models.BinaryField().get_db_prep_value(value, connection)
        case "json":
            text = value if isinstance(value, str) else json.dumps(value)
            return connection.ops.adapt_json_value(json.loads(text), None)
        case _:
            return value
