"""The Python type of a Django field's values: asked by filters, bodies and schemas alike."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

__all__ = ["python_type"]

#: ``Field.get_internal_type()`` → type. The name is inherited, so a project's own subclasses are known by it too.
_TYPES: dict[str, type[Any]] = {
    **dict.fromkeys(
        (
            "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField",
            "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField",
        ),
        int,
    ),
    **dict.fromkeys(
        ("CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField", "ImageField", "FilePathField",
         "GenericIPAddressField", "IPAddressField"),
        str,
    ),
    "BooleanField": bool,
    "FloatField": float,
    "DecimalField": decimal.Decimal,
    "UUIDField": uuid.UUID,
    "DateField": datetime.date,
    "DateTimeField": datetime.datetime,
    "TimeField": datetime.time,
    "DurationField": datetime.timedelta,
    "BinaryField": bytes,
}  # fmt: skip


def python_type(field: Any) -> Any:
    """The type of a plain field's values, a file's being its name; ``None`` where they have none of their own.

    Parameters:
        field: no relation.

    Source: the model field reference of Django's documentation.
    """
    return _TYPES.get(field.get_internal_type())
