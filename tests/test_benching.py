"""``plectrum bench``: what a route costs, measured on a real server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plectrum import ConfigurationError, benching, cli

APP = """
import json
from plectrum import API, Header, Request, Stream

api = API()


@api.get("/hello")
async def hello() -> str:
    return "hello"


@api.post("/echo")
async def echo(request: Request, body: dict[str, int], x_more: str = Header("")) -> list[str]:
    return [json.dumps(body), x_more]


@api.get("/limited", throttle="3/day")
async def limited() -> str:
    return ""


@api.delete("/gone", status=204)
async def gone() -> None: ...


@api.get("/stream")
async def stream() -> Stream:
    async def pieces():
        yield b"a"

    return Stream(pieces())
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bench_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


def test_it_tells_what_requests_cost() -> None:
    command = benching.command_of("bench_app:api", django=False)
    with benching.server(command) as (port, pid):
        hello = benching.measure(port, pid, benching.request_of("/hello", "get", [], ""), 0.1)
        assert (hello.status, hello.size) == (200, len('"hello"'))
        assert hello.requests > 0
        assert 0 < hello.median <= hello.p99
        if hello.cpu is not None:  # where there is /proc
            assert 1 < hello.cpu < 100_000
            assert hello.memory is not None
            assert hello.memory > 2**20
        echo = benching.measure(port, pid, benching.request_of("/echo", "POST", ["x-more: y"], '{"a": 1}'), 0.05)
        assert (echo.status, echo.size) == (200, len(json.dumps([json.dumps({"a": 1}), "y"], separators=(",", ":"))))
        gone = benching.measure(port, pid, benching.request_of("/gone", "DELETE", [], ""), 0.05)
        assert (gone.status, gone.size) == (204, 0)
        head = benching.measure(port, pid, benching.request_of("/hello", "HEAD", [], ""), 0.05)
        assert (head.status, head.size) == (200, len('"hello"'))
        for path, message in (("/limited", "An answer was 429, and the first one 200"), ("/stream", "is a stream")):
            with pytest.raises(ConfigurationError, match=message):
                benching.measure(port, pid, benching.request_of(path, "GET", [], ""), 0.05)


def test_another_address_than_it_can_measure_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLECTRUM_UNIX_SOCKET", str(tmp_path / "socket"))
    command = benching.command_of("bench_app:api", django=False)
    with pytest.raises(ConfigurationError, match="HTTP over TCP"), benching.server(command):
        pass


def test_a_server_that_does_not_start_is_said() -> None:
    with (
        pytest.raises(ConfigurationError, match="did not start"),
        benching.server([*benching.command_of("bench_app:nothing", django=False)]),
    ):
        pass


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "bench_app:api", "/hello", "--seconds", "0.05"]) == 0
    first, *_, trip, _memory = capsys.readouterr().out.splitlines()
    assert first.startswith("GET /hello: 200, 7 bytes; ")
    assert trip.startswith("round trip")
    assert cli.main(["bench", "bench_app:api", "/nowhere", "--seconds", "0.05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == 404


def test_what_is_no_request_is_said() -> None:
    for path in ("hello", "/a b", "/a\r\nx: y"):
        with pytest.raises(ConfigurationError, match="is no path"):
            benching.request_of(path, "GET", [], "")
    for header in ("nothing", "a: b\r\nc: d"):
        with pytest.raises(ConfigurationError, match="is no header"):
            benching.request_of("/", "GET", [header], "")
