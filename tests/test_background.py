"""Tasks that run after the response; that it was sent before is shown in ``contract/test_streams.py``."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator

import pytest

from plectrum import API, JSON, BackgroundTasks, NotFound, Request, Response, Stream
from plectrum.testing import TestClient

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def test_tasks_of_both_kinds_run_in_order() -> None:
    api, done = API(), list[object]()

    async def later(what: str) -> None:
        await asyncio.sleep(0.01)
        done.append(what)

    def blocking(what: str, *, times: int) -> None:
        done.append((what * times, threading.current_thread() is threading.main_thread(), VARIABLE.get()))

    @api.post("/", status=201)
    async def handler(request: Request, tasks: BackgroundTasks) -> dict[str, int]:
        VARIABLE.set("handler's")
        tasks.add(later, "first")
        tasks.add(blocking, "second", times=2)
        done.append(request.method)
        return {"tasks": len(tasks)}

    with TestClient(api) as client:
        got = client.post("/")
    assert (got.status_code, got.json()) == (201, {"tasks": 2})
    assert done == ["POST", "first", ("secondsecond", True, "handler's")]
    assert "requestBody" not in str(api.compile().blueprint)


def test_a_task_of_a_response() -> None:
    api, done = API(), list[str]()

    async def items() -> AsyncIterator[bytes]:
        yield b"a"
        done.append("sent")

    @api.get("/json")
    async def json() -> JSON:
        return JSON({}, background=lambda: done.append("json"))

    @api.get("/stream")
    async def stream() -> Stream:
        tasks = BackgroundTasks()
        tasks.add(done.append, "after")
        return Stream(items(), background=tasks)

    @api.get("/both")
    async def both(tasks: BackgroundTasks) -> Response:
        tasks.add(done.append, "parameter's")
        return Response(background=lambda: done.append("response's"))

    with TestClient(api) as client:
        client.get("/json")
        client.get("/stream")
        client.get("/both")
    assert done[:3] == ["json", "sent", "after"]
    assert sorted(done[3:]) == ["parameter's", "response's"]


def test_failures_are_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    api, done = API(), list[str]()

    def failing() -> None:
        raise LookupError("gone")

    @api.get("/")
    async def handler(tasks: BackgroundTasks) -> None:
        tasks.add(failing)
        tasks.add(done.append, "next")

    with TestClient(api) as client:
        assert client.get("/").status_code == 200
    assert done == ["next"]
    [record] = [record for record in caplog.records if record.name == "plectrum.background"]
    assert "failing: LookupError: gone at tests/test_background.py:" in record.getMessage()


def test_tasks_of_a_failed_request_do_not_run() -> None:
    api, done = API(), list[str]()

    @api.get("/")
    async def handler(tasks: BackgroundTasks) -> None:
        tasks.add(done.append, "never")
        raise NotFound

    with TestClient(api) as client:
        assert client.get("/").status_code == 404
    assert done == []
