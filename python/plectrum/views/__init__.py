"""Class-based views: several handlers in one class, an instance per request.

``base`` has :class:`View` and how its methods become handlers, ``sets`` :class:`ViewSet` and its routes, ``model``
:class:`ModelViewSet`, which needs Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import View, configure
from .sets import ViewSet, action

if TYPE_CHECKING:
    from .model import ModelViewSet

__all__ = ["ModelViewSet", "View", "ViewSet", "action", "configure"]


def __getattr__(name: str) -> Any:
    if name == "ModelViewSet":
        from .model import ModelViewSet

        return ModelViewSet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
