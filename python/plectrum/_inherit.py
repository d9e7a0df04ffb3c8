"""Options that what is around a route may give it."""

from __future__ import annotations

import enum
from typing import Any, cast

__all__ = ["INHERIT", "Inherit", "several"]


class Inherit(enum.Enum):
    """An option that is not given: what is around decides."""

    INHERIT = "inherit"

    def __repr__(self) -> str:
        return "INHERIT"


#: Not given; ``None`` is, and switches off what is around.
INHERIT = Inherit.INHERIT


def several(given: Any) -> list[Any]:
    """One value, several, or none of them (``None``, or not given) as a list."""
    if given is None or given is INHERIT:
        return []
    return [*cast("list[Any]", given)] if isinstance(given, (list, tuple)) else [given]
