"""Served by two workers, which count together."""

from __future__ import annotations

import os

from plectrum import API

api = API()


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


@api.get("/limited", throttle="20/hour")
async def limited() -> str:
    return "in"
