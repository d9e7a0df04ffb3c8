"""What an upload of 10 MB costs, beside FastAPI: milliseconds of the server's CPU time per request.

    python -m bench.uploads [rounds] [FastAPI's python]

A form with one file of 10 MB, whose length the handler tells. One worker each, answers checked, rounds interleaved;
the least of them counts. FastAPI (uvicorn) needs python-multipart where it is installed. On a busy machine put `chrt -r
5` before it: what arrives while a server has no core is read in fewer pieces, which helps both, but not alike.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from .middleware import BOLT, cpu_of, free_port

SIZE, UPLOADS = 10_000_000, 10
OURS = """
from plectrum import API, UploadFile

api = API(openapi_url=None)


@api.post("/upload", max_body=20_000_000)
async def upload(file: UploadFile) -> int:
    return file.size
"""
THEIRS = """
from fastapi import FastAPI, UploadFile

app = FastAPI()


@app.post("/upload")
async def upload(file: UploadFile) -> int:
    return file.size
"""


@contextmanager
def _server(command: list[str], port: int, place: Path) -> Iterator[int]:
    environ = {**os.environ, "PLECTRUM_SPARE_WORKER": "0"}
    with subprocess.Popen(command, cwd=place, env=environ, stdout=subprocess.DEVNULL, process_group=0) as running:
        try:
            for _ in range(300):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield running.pid
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def _measure(port: int, pid: int, content: bytes) -> float:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        before = cpu_of(pid)
        for _ in range(UPLOADS):
            answer = client.post("/upload", files={"file": ("a.bin", content)})
            assert answer.json() == SIZE, answer.text
        return (cpu_of(pid) - before) / UPLOADS * 1e3


def main() -> None:
    """Prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    theirs = sys.argv[2] if len(sys.argv) > 2 else str(BOLT)
    content = os.urandom(SIZE)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (place / "ours.py").write_text(OURS)
        (place / "theirs.py").write_text(THEIRS)
        servers: dict[str, tuple[int, int]] = {}
        port = free_port()
        command = [sys.executable, "-m", "plectrum", "run", "ours:api", f"--port={port}", "--workers=1"]
        servers["Plectrum"] = (port, stack.enter_context(_server(command, port, place)))
        if Path(theirs).exists():
            port = free_port()
            command = [theirs, "-m", "uvicorn", "theirs:app", f"--port={port}", "--no-access-log"]
            servers["FastAPI"] = (port, stack.enter_context(_server(command, port, place)))
        best: dict[str, float] = {}
        for _ in range(rounds):
            for name, (port, pid) in servers.items():
                best[name] = min(best.get(name, 1e9), _measure(port, pid, content))
    for name, spent in best.items():
        print(f"{name:10} {spent:7.1f} ms  {spent / best['Plectrum']:5.2f} x")


if __name__ == "__main__":
    main()
