"""What systemd is told of a service of ``Type=notify`` (``sd_notify(3)``)."""

from __future__ import annotations

import os
import socket
import time

__all__ = ["notify"]


def notify(state: str) -> None:
    """Tells systemd how the service is; does nothing where nobody asked.

    Parameters:
        state: ``READY=1``, ``RELOADING=1`` or ``STOPPING=1``.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if state == "RELOADING=1":  # Type=notify-reload wants to know since when
        state += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
        try:
            sending.sendto(state.encode(), address.replace("@", "\0", 1))
        except OSError:
            return  # it has gone, which is no reason to go too
