"""`examples/shop` asked by schemathesis whatever its OpenAPI document allows, and what it does not.

    python -m tools.fuzz_shop --examples 5000

Starts a PostgreSQL and a server of its own; a number of examples comes from `--examples`, which are spread over the
operations, or from `--seconds`. The exit status is schemathesis's: 0 where nothing was found.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from tools import postgres

SHOP = Path(__file__).parents[1] / "examples" / "shop"
READY = re.compile(r"is serving on (http://127\.0\.0\.1:\d+)")
#: Rows of the catalogue: enough for pages, filters and nested rows of every kind.
ARTICLES = 60


@contextlib.contextmanager
def shop(log: Path) -> Generator[str]:
    """A seeded shop over a real socket. Yields its base URL.

    Parameters:
        log: file for the server's standard error.
    """
    with postgres.server(throw_away=True) as url:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        environ |= {"DATABASE_URL": url, "DEBUG": "0"}
        for command in (["migrate", "--verbosity=0"], ["seed", f"--articles={ARTICLES}"]):
            prepare = [sys.executable, "manage.py", *command]
            subprocess.run(prepare, cwd=SHOP, env=environ, check=True, stdout=subprocess.DEVNULL)
        serve = [sys.executable, "manage.py", "plectrum", "serve", "--port=0", "--workers=1"]
        with log.open("w") as errors:
            process = subprocess.Popen(serve, cwd=SHOP, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            ready = READY.search(process.stdout.readline())
            if ready is None:
                raise RuntimeError(log.read_text())
            yield ready[1]
        finally:
            process.terminate()
            process.communicate(timeout=30)


def fuzz(url: str, *, examples: int, seconds: int | None = None, seed: int | None = None) -> tuple[int, str]:
    """Runs schemathesis.

    Parameters:
        url: of the shop.
        examples: of each operation, at most; what covers a schema's edges comes besides.
        seconds: stops then.
        seed: repeats a run.

    Returns:
        Exit status and report.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", f"--max-examples={examples}"]
    command += ["--continue-on-failure", "--phases=coverage,fuzzing", "--no-color"]
    # PostgreSQL's text holds no NUL, which filters answer with a 422; a pattern at every text would say little more.
    command += ["--generation-database=none", "--generation-allow-x00=false"]
    command += [f"--max-time={seconds}"] if seconds else []
    command += [f"--seed={seed}"] if seed is not None else []
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main() -> int:
    """Fuzzes and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=500, help="of each operation (default: %(default)s)")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, shop(Path(directory) / "log") as url:
        status, report = fuzz(url, examples=options.examples, seconds=options.seconds, seed=options.seed)
    print(report)
    return status


if __name__ == "__main__":
    sys.exit(main())
