"""Forms and streamed bodies, for `plectrum run`."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any

from plectrum import API, Form, Request, UploadFile

api = API(title="Uploads")

#: Pieces of the body that is being read.
seen: list[str] = []


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


@api.get("/seen")
async def shown() -> list[str]:
    return seen


@api.put("/upload")
async def upload(file: UploadFile, f0: Annotated[str, Form()] = "") -> list[Any]:
    return [file.filename, file.size, file.in_memory, len(await file.read())]


@api.post("/large", max_body=5_000_000)
async def large(file: UploadFile) -> int:
    return file.size


@api.put("/stream", stream=True)
async def stream(request: Request) -> list[str]:
    seen.clear()
    async for chunk in request.stream():
        seen.append(chunk[:10].decode())  # noqa: PERF401 - other requests look at it meanwhile
    return seen


@api.put("/never", stream=True, max_body=100_000_000)
async def never(request: Request) -> None:
    await asyncio.sleep(60)
