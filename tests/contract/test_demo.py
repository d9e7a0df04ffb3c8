"""What `make demo` prints, tried as it is printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.shop import SHOP

#: A line to try: the command, then what it is for.
TRIED = re.compile(r"^ +(curl .*?)(?:  +.*)?$", re.MULTILINE)
PAGES = re.compile(r"http://[^\s]+")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the demo says until it serves; it serves while the tests run."""
    directory = tmp_path_factory.mktemp("demo")
    environ = {**os.environ, "DATABASE_URL": f"sqlite:///{directory / 'shop.sqlite3'}", "DEBUG": "1"}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "manage.py", "demo", f"--port={free_port()}", "--articles=200", "--workers=1"]
    with (directory / "log").open("w") as log:
        demo = subprocess.Popen(command, cwd=SHOP, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
    assert demo.stdout is not None
    lines: list[str] = []
    try:
        for line in demo.stdout:
            lines.append(line)
            if "is serving on" in line:
                break
        assert "is serving on" in "".join(lines[-1:]), Path(log.name).read_text()
        yield "".join(lines)
    finally:
        demo.terminate()
        demo.communicate(timeout=30)


def curl(*arguments: str) -> tuple[int, str]:
    """Status and body of an answer."""
    asked = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments]
    body, _, status = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.rpartition("\n")
    return int(status), body


def test_every_command_works_as_it_is_printed(printed: str) -> None:
    token = ""
    commands = [shlex.split(command)[1:] for command in TRIED.findall(printed)]
    assert len(commands) == 10
    for command in commands:
        status, body = curl(*(argument.replace("…", token) for argument in command))
        assert status in (200, 201, 204), (command, body)
        if "/tokens" in command[0]:
            token = json.loads(body)["access_token"]


def test_every_page_is_there(printed: str) -> None:
    shown = printed[printed.index("In a browser") :]
    pages = PAGES.findall(shown)
    assert len(pages) == 6
    for page in pages:
        status, body = curl("--location", "--header", "accept: text/html", page)
        assert (status, "<html" in body) == (200, True), page
