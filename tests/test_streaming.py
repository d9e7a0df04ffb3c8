"""Streams from generators of both kinds, in process; what only a socket shows is in ``contract/test_streams.py``."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from plectrum import API, NDJSON, Response, Stream
from plectrum.testing import TestClient

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def answer(response: Response) -> tuple[int, str, bytes]:
    api = API()

    @api.get("/")
    async def stream() -> Response:
        return response

    with TestClient(api) as client:
        got = client.get("/")
        return got.status_code, got.headers["content-type"], got.content


async def numbers(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        if number % 3 == 0:
            await asyncio.sleep(0)
        yield b"%d," % number


def test_an_async_generator() -> None:
    assert answer(Stream(numbers(5))) == (200, "application/octet-stream", b"0,1,2,3,4,")
    assert answer(Stream(numbers(0), status=202, media_type="text/csv")) == (202, "text/csv", b"")


def test_more_than_the_queue_holds() -> None:
    async def large() -> AsyncIterator[bytes]:
        for number in range(100):
            yield bytes([number]) * 10_000

    expected = b"".join(bytes([number]) * 10_000 for number in range(100))
    assert answer(Stream(large()))[2] == expected
    assert answer(Stream(bytes([number]) * 10_000 for number in range(100)))[2] == expected


def test_a_plain_generator_runs_on_the_tests_own_thread() -> None:
    threads: set[int] = set()

    def items() -> Iterator[str]:
        for number in range(20):
            threads.add(threading.get_ident())
            yield f"é{number}"

    assert answer(Stream(items(), media_type="text/plain"))[2] == "".join(f"é{n}" for n in range(20)).encode()
    assert threads == {threading.get_ident()}


def test_ndjson() -> None:
    async def rows() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}
        yield {"a": 2}

    assert answer(NDJSON(rows())) == (200, "application/x-ndjson", b'{"a":1}\n{"a":2}\n')
    assert answer(NDJSON([1, "two", None]))[2] == b'1\n"two"\nnull\n'


def test_context_variables_live_through_a_stream() -> None:
    api = API()
    seen: list[object] = []

    async def items() -> AsyncIterator[str]:
        task = asyncio.current_task()
        for number in range(3):
            seen.append(asyncio.current_task() is task)
            yield VARIABLE.get()
            VARIABLE.set(f"set {number}")
            await asyncio.sleep(0)

    def plain() -> Iterator[str]:
        yield VARIABLE.get()

    @api.get("/async")
    async def first() -> Stream:
        VARIABLE.set("handler's")
        return Stream(items())

    @api.get("/plain")
    async def second() -> Stream:
        VARIABLE.set("handler's")
        return Stream(plain())

    with TestClient(api) as client:
        assert client.get("/async").text == "handler'sset 0set 1"
        assert client.get("/plain").text == "handler's"
    assert seen == [True, True, True]


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_failing_stream_is_cut_off_and_logged(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    api = API()

    async def asynchronous() -> AsyncIterator[bytes]:
        yield b"some"
        raise LookupError("no more")

    def plain() -> Iterator[bytes]:
        yield b"some"
        raise LookupError("no more")

    @api.get("/")
    async def broken() -> Stream:
        return Stream(asynchronous() if kind == "async" else plain())

    with TestClient(api) as client, pytest.raises(RuntimeError, match="the stream's iterator failed"):
        client.get("/")
    [record] = [record for record in caplog.records if record.name == "plectrum.request"]
    assert record.levelno == logging.ERROR
    assert "broken: the stream was cut off: LookupError: no more at tests/test_streaming.py" in record.getMessage()


def test_items_of_a_wrong_type(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError):
        answer(Stream(iter([1])))  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    said = "A stream's items must be bytes or str, not int. For one JSON value a line, return NDJSON(...)."
    assert said in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (numbers, "A stream is made of an iterator, not of the function function. Call the generator function."),
        (b"piece", "A stream is made of an iterator, not of bytes. Return Response(...) to send one piece."),
        (7, "A stream is made of an iterator, not of int. Return Response(...) to send one piece."),
    ],
)
def test_what_is_no_stream(content: object, said: str) -> None:
    with pytest.raises(TypeError) as raised:
        Stream(content)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(raised.value) == said
