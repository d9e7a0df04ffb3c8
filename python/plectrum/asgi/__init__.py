"""ASGI applications in the same process: ``api.mount_asgi``.

:mod:`mount` makes their routes, :mod:`http` and :mod:`socket` speak the protocol for one request each, :mod:`lifespan`
for the worker.

Source: the ASGI specification (https://asgi.readthedocs.io/en/latest/specs/), version 3.0, HTTP and WebSocket 2.4.
"""

from .lifespan import Lifespan, Lifespans

__all__ = ["Lifespan", "Lifespans"]
