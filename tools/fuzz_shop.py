"""`examples/shop` asked by schemathesis whatever its OpenAPI document allows, and what it does not.

    python -m tools.fuzz_shop --examples 5000

Starts a PostgreSQL and a server of its own; a number of examples comes from `--examples`, which are spread over the
operations, or from `--seconds`. The exit status is schemathesis's: 0 where nothing was found.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.shop import STAFF, shop, token_of

RULES = Path(__file__).with_suffix(".toml")
#: Attempts that are refused for coming too often say nothing of what is behind.
LOGIN_RATE = "100000/s"


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
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={RULES}", "run", f"{url}/openapi.json"]
    command += [f"--max-examples={examples}", "--continue-on-failure", "--phases=coverage,fuzzing", "--no-color"]
    # PostgreSQL's text holds no NUL, which filters answer with a 422; a pattern at every text would say little more.
    command += ["--generation-database=none", "--generation-allow-x00=false"]
    # Staff may do everything, so everything is reached; schemathesis leaves the token out and breaks it, too.
    command += [f"--header=Authorization: Bearer {token_of(STAFF[2])}"]
    command += [f"--max-time={seconds}"] if seconds else []
    command += [f"--seed={seed}"] if seed is not None else []
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main() -> int:
    """Fuzzes and prints the report, where something was found with what the server logged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=500, help="of each operation (default: %(default)s)")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, shop(Path(directory), LOGIN_RATE=LOGIN_RATE) as url:
        status, report = fuzz(url, examples=options.examples, seconds=options.seconds, seed=options.seed)
        log = (Path(directory) / "log").read_text()
    print(report)
    if status:
        print("The server's log:", log[-20_000:], sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
