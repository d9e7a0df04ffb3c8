"""Groups of WebSockets, and messages between tasks, over all workers and hosts.

What is sent to a group reaches its members on every worker: over unix sockets between the workers of one server, over
Redis (``CHANNELS_REDIS``) between any number of hosts. Delivery is at most once: a worker that is gone, or a Redis that
is, misses what is sent meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any

from . import _core
from .errors import PlectrumError

__all__ = ["ChannelFull", "ChannelLayer", "Group", "get_channel_layer"]

_log = logging.getLogger("plectrum.channels")


class ChannelFull(PlectrumError):  # noqa: N818 - the name Django Channels gave it
    """Nobody has received from a channel for too long."""


def _core_channels() -> _core.Channels:
    """Those of the worker this runs in.

    Errors:
        RuntimeError: no worker's loop is running here.
    """
    found: _core.Channels | None = getattr(asyncio.get_running_loop(), "channels", None)
    if found is None:
        raise RuntimeError("Groups exist in Plectrum's workers and its TestClient, not under another event loop.")
    return found


class Group:
    """WebSockets that are sent the same messages.

    Parameters:
        name: groups of the same name are the same group, on all workers.

    Example::

        @api.websocket("/rooms/{room}")
        async def chat(websocket: WebSocket, room: str) -> None:
            await websocket.accept()
            group = Group(room)
            group.add(websocket)
            async for text in websocket.iter_text():
                group.send(text)
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Group({self.name!r})"

    def add(self, websocket: _core.WebSocket, name: str | None = None) -> None:
        """Lets a WebSocket join. It leaves by itself when it is closed.

        Parameters:
            websocket: one of this worker's.
            name: who it is, for :meth:`present`.
        """
        _core_channels().join(self.name, websocket, name)

    def discard(self, websocket: _core.WebSocket) -> None:
        """Lets a WebSocket leave, if it is in."""
        _core_channels().leave(self.name, websocket)

    def send(self, message: str | bytes) -> int:
        """Sends text or bytes to every member everywhere, without waiting. It is encoded once for all of them.

        Returns:
            How many members this worker has.
        """
        return _core_channels().broadcast(self.name, message)

    def send_json(self, value: Any) -> int:
        """Sends a value as JSON text; see :meth:`send`."""
        return self.send(_core.encode(value).decode())

    async def present(self) -> list[str]:
        """Names of the members on all workers that answer within half a second, sorted."""
        future: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

        def answer(names: list[str]) -> None:
            if not future.done():
                future.set_result(names)

        _core_channels().present(self.name, answer)
        return await future


class ChannelLayer:
    """Messages between tasks, as Django Channels' layers have them (``channel_layer`` specification of Channels 4).

    A channel is received from in the process that made it; groups and ``send`` reach every worker. Messages are dicts
    with a JSON form.

    Parameters:
        capacity: messages that wait in a channel; further ones are dropped and logged.
    """

    extensions = ("groups",)

    def __init__(self, capacity: int = 100) -> None:
        self.capacity = capacity
        self._channels: dict[str, _Channel] = {}

    async def new_channel(self, prefix: str = "specific") -> str:
        """Makes a channel.

        Returns:
            Its name, which no other channel has.
        """
        name = f"{prefix}.{uuid.uuid4().hex}!"
        channel = self._channels[name] = _Channel(name, self.capacity)
        channel.listen(name)
        return name

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Sends to one channel.

        Errors:
            ChannelFull: it is this process's, and nobody receives from it.
        """
        here = self._channels.get(channel)
        if here is not None and here.queue.full():
            raise ChannelFull(f"{channel} holds {self.capacity} messages that nobody has received.")
        _core_channels().publish(channel, _core.encode(message))

    async def receive(self, channel: str) -> dict[str, Any]:
        """Waits for the next message of a channel.

        Errors:
            ValueError: it was not made by this process.
        """
        return await self._own(channel).queue.get()

    async def group_add(self, group: str, channel: str) -> None:
        """Lets a channel of this process join a group."""
        self._own(channel).listen(group)

    async def group_discard(self, group: str, channel: str) -> None:
        """Lets a channel leave a group, if it is in."""
        if (own := self._channels.get(channel)) is not None:
            own.leave(group)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Sends to every channel of a group, on all workers."""
        _core_channels().publish(group, _core.encode(message))

    async def close_channel(self, channel: str) -> None:
        """Takes a channel of this process out of all groups and forgets it."""
        if (own := self._channels.pop(channel, None)) is not None:
            own.close()

    async def flush(self) -> None:
        """Forgets all channels of this process."""
        for channel in list(self._channels):
            await self.close_channel(channel)

    def _own(self, channel: str) -> _Channel:
        own = self._channels.get(channel)
        if own is None:
            raise ValueError(f"{channel!r} is not a channel of this process. Make one with new_channel().")
        return own


class _Channel:
    """A queue, and the subscriptions that fill it."""

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(capacity)
        self._numbers: dict[str, int] = {}

    def listen(self, topic: str) -> None:
        if topic not in self._numbers:
            self._numbers[topic] = _core_channels().subscribe(topic, self._put)

    def leave(self, topic: str) -> None:
        if (number := self._numbers.pop(topic, None)) is not None:
            _core_channels().unsubscribe(topic, number)

    def close(self) -> None:
        for topic in list(self._numbers):
            self.leave(topic)

    def _put(self, payload: bytes) -> None:
        try:
            self.queue.put_nowait(json.loads(payload))
        except asyncio.QueueFull:
            _log.warning("%s is full: a message was dropped. Receive faster, or raise the capacity.", self.name)


_layer = ChannelLayer()


def get_channel_layer() -> ChannelLayer:
    """The process's channel layer; named as in Django Channels."""
    return _layer
