"""What is measured: micro-benchmarks of the crates, the package in one process, requests to a server."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from .judge import parse
from .trees import ROOT, Tree

__all__ = ["CRATES", "Measurer", "micro", "package", "requests"]

#: Crates with benchmarks.
CRATES = ("json", "schema", "db")

#: Runs one round; values by ``name [unit]``.
Measurer = Callable[[], dict[str, float]]


@contextlib.contextmanager
def micro(tree: Tree, crates: Sequence[str] = CRATES, only: Sequence[str] = ()) -> Generator[Measurer]:
    """The programs under ``crates/*/benches``.

    Parameters:
        tree: the revision.
        crates: whose.
        only: names of the programs to run; all where empty.
    """
    built = [program for crate in crates for program in tree.benches(crate)]
    programs = [program for program in built if not only or _name(program) in only]

    def measure() -> dict[str, float]:
        found: dict[str, float] = {}
        for program in programs:
            said = subprocess.run(
                [program, "--bench"], capture_output=True, text=True, check=True, cwd=tree.root
            ).stdout
            found |= {f"{_name(program)}: {name}": value for name, value in parse(said).items()}
        return found

    yield measure


def _name(program: Path) -> str:
    """Of the benchmark; Cargo puts a hash behind it."""
    return program.name.rpartition("-")[0]


@contextlib.contextmanager
def package(tree: Tree) -> Generator[Measurer]:
    """What `package.py` prints: serializers, validation and requests within one process, and its memory."""
    tree.extension()

    def measure() -> dict[str, float]:
        return parse(_said(tree, str(ROOT / "bench" / "compare" / "package.py")))

    yield measure


@contextlib.contextmanager
def requests(tree: Tree) -> Generator[Measurer]:
    """CPU per request and memory of a server process, by `requests.py`; both are built and running all the time."""
    tree.extension()
    command = [sys.executable, str(ROOT / "bench" / "compare" / "requests.py")]
    server = subprocess.Popen(
        command, env=tree.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree.root
    )
    assert server.stdin is not None
    assert server.stdout is not None

    def measure() -> dict[str, float]:
        assert server.stdin is not None
        assert server.stdout is not None
        print("round", file=server.stdin, flush=True)
        lines: list[str] = []
        while (line := server.stdout.readline()).strip() != "done":
            if not line:
                raise SystemExit(f"{tree.name}: the server is gone")
            lines.append(line)
        return parse("".join(lines))

    try:
        if server.stdout.readline().strip() != "ready":
            raise SystemExit(f"{tree.name}: the server did not start")
        yield measure
    finally:
        server.stdin.close()
        server.wait(timeout=30)


def _said(tree: Tree, program: str) -> str:
    done = subprocess.run([sys.executable, program], env=tree.environ(), capture_output=True, text=True, cwd=tree.root)
    if done.returncode:
        raise SystemExit(f"{tree.name}: {program} failed:\n{done.stderr[-4000:]}")
    return done.stdout
