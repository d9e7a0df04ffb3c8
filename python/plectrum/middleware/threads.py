"""Plain functions called on the request's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async

__all__ = ["in_thread"]


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function that may block; see :mod:`plectrum._lanes`."""
    return await sync_to_async(function, thread_sensitive=True)(*args)
