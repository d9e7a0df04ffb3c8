"""Code blocks of a Markdown file and what running them means.

    ```python                 run, in one namespace per file
    ```python file=app.py     written to that file, for the blocks after it
    ```console                `$ command` run in a shell; the lines below it are its output, `…` stands for anything
                              `$ cd directory` holds for all blocks after it
    ```sh, ```toml, …         shown only

A command that ends with `&` is a server: it is given a free port instead of 8000 and stopped at the end of the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
import types
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from plectrum.testing import TestClient

_FENCE = re.compile(r"^```(\w*)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE = 15.0


@dataclasses.dataclass(frozen=True)
class Block:
    language: str
    options: str
    text: str
    path: Path
    line: int

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start(3)) + 1
        yield Block(found[1], found[2], found[3], path, line)


class Session:
    """Runs the blocks of one file in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # A module like any other, as dataclasses and annotations look their names up in it.
        self.module = sys.modules["document"] = types.ModuleType("document")
        self.servers: list[subprocess.Popen[str]] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    def run(self, block: Block) -> None:
        if block.language == "python" and block.options.startswith("file="):
            file = self.directory / block.options.removeprefix("file=")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.language == "python":
            # Blank lines before make the line numbers of tracebacks those of the document.
            source = compile("\n" * (block.line - 1) + block.text, str(block.path), "exec")
            exec(source, self.module.__dict__)
        elif block.language == "console":
            self.console(block)

    def console(self, block: Block) -> None:
        for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            while command.endswith("\\"):
                more, _, expected = expected.partition("\n")
                command = command.removesuffix("\\") + more
            if command.startswith("cd "):
                self.directory /= command.removeprefix("cd ")
                continue
            if command.endswith("&"):
                self.serve(command.removesuffix("&"), block)
                continue
            done = subprocess.run(
                self.moved(command), shell=True, cwd=self.directory, env=self.environ, capture_output=True, text=True
            )
            output = (done.stdout + done.stderr).strip()
            pattern = ".*?".join(re.escape(part) for part in self.moved(expected).strip().split("…"))
            assert re.fullmatch(pattern, output, re.DOTALL), f"{block.place}: {command}\nprinted\n{output}"

    def serve(self, command: str, block: Block) -> None:
        server = subprocess.Popen(
            f"exec {self.moved(command)}",
            shell=True,
            cwd=self.directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.servers.append(server)
        assert server.stdout is not None
        deadline = time.monotonic() + _PATIENCE
        said = ""
        while "is serving" not in said:
            line = server.stdout.readline()
            said += line
            if not line or time.monotonic() > deadline:
                raise AssertionError(f"{block.place}: {command} did not serve:\n{said}")

    def moved(self, text: str) -> str:
        """With this session's port in place of 8000."""
        return text.replace(":8000", f":{self.port}")

    @property
    def environ(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "PLECTRUM_", "DATABASE_"))
        }
        return {**kept, "PATH": path, "PLECTRUM_PORT": str(self.port), "PLECTRUM_WORKERS": "1"}

    def close(self) -> None:
        del sys.modules["document"]
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=_PATIENCE)


@contextlib.contextmanager
def session(directory: Path) -> Generator[Session]:
    made = Session(directory)
    clients: list[TestClient] = []
    original = TestClient.__init__

    def recorded(self: TestClient, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        clients.append(self)

    # Documents leave their test clients open, for brevity.
    with mock.patch.object(TestClient, "__init__", recorded):
        try:
            yield made
        finally:
            made.close()
            for client in clients:
                client.close()
