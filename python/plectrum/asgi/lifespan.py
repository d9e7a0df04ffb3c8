"""Applications that are told when their worker starts and stops.

Source: ASGI, "Lifespan Protocol".
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any

from plectrum.errors import PlectrumError

from .types import Application, Message

__all__ = ["Lifespan", "Lifespans", "StartupFailed"]

_log = logging.getLogger("plectrum.asgi")


class StartupFailed(PlectrumError):  # noqa: N818 - what happened, as the protocol calls it
    """An application says that it cannot start."""


class Lifespan(threading.local):
    """One application's life in a worker; each thread that serves has one of its own, as it has its own event loop.

    Parameters:
        app: the application.
        name: for messages.
    """

    def __init__(self, app: Application, name: str) -> None:
        self.app = app
        self.name = name
        #: What the application leaves for its requests.
        self.state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()

    async def startup(self) -> None:
        """Starts the application; one that does not know the protocol is left alone.

        Errors:
            StartupFailed: it says so.
        """
        self._events, self._answers = asyncio.Queue(), asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._run())
        answer = await self._ask("startup")
        if answer["type"] == "lifespan.startup.failed":
            said = answer.get("message") or "without a word why"
            raise StartupFailed(f"The ASGI application {self.name} failed to start: {said}")

    async def shutdown(self) -> None:
        """Lets the application clean up."""
        if self._task is None or self._task.done():
            return
        answer = await self._ask("shutdown")
        if answer["type"] == "lifespan.shutdown.failed":
            _log.error("The ASGI application %s failed to stop: %s", self.name, answer.get("message") or "")
        await asyncio.wait([self._task], timeout=5)

    async def _ask(self, what: str) -> Message:
        await self._events.put({"type": f"lifespan.{what}"})
        return await self._answers.get()

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        asked = False

        async def receive() -> Message:
            nonlocal asked
            asked = True
            return await self._events.get()

        async def send(message: Message) -> None:
            await self._answers.put(message)

        try:
            await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it raises on a scope that it does not know
            if asked:
                _log.debug("The ASGI application %s ended its lifespan: %s", self.name, error, exc_info=error)
        finally:
            # An application that does not take part has nothing to say.
            await self._answers.put({"type": "lifespan.over"})


class Lifespans:
    """All applications of an API; called by the Rust binding.

    Parameters:
        lifespans: of those that are mounted.
    """

    def __init__(self, lifespans: Sequence[Lifespan]) -> None:
        self._lifespans = lifespans

    async def startup(self) -> None:
        """Starts one after the other.

        Errors:
            StartupFailed: of the first that fails; those before are stopped.
        """
        for number, lifespan in enumerate(self._lifespans):
            try:
                await lifespan.startup()
            except StartupFailed:
                await self._stop(self._lifespans[:number])
                raise

    async def shutdown(self) -> None:
        """Stops them, the last one first."""
        await self._stop(self._lifespans)

    async def _stop(self, lifespans: Sequence[Lifespan]) -> None:
        for lifespan in reversed(lifespans):
            await lifespan.shutdown()
