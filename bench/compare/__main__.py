"""`python -m bench.compare BASE`: see the package. Exit status 1 where something is worse than allowed."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import history, sets, table
from .judge import TOLERANCE, Measure, judge
from .sets import Measurer
from .trees import ROOT, both

HISTORY = ROOT / "bench" / "history" / "compare.jsonl"
#: What looks worse is measured so many times more before it is believed.
LOOKS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, measures, shows, and says whether to stop."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and the other revision's directory go, too
    crates, only = options.crates.split(","), options.benches.split(",") if options.benches else []
    wanted = options.sets.split(",")
    with both(options.base, options.profile, Path(options.target)) as (base, head), contextlib.ExitStack() as running:
        pairs: list[tuple[Measurer, Measurer]] = []
        for name in wanted:
            print(f"Building for {name}: {base.name}, {head.name}", file=sys.stderr, flush=True)
            make = {
                "micro": lambda tree: sets.micro(tree, crates, only),
                "package": sets.package,
                "requests": sets.requests,
            }
            pairs.append((running.enter_context(make[name](base)), running.enter_context(make[name](head))))
        measures = [measure for pair in pairs for measure in compare(*pair, options.rounds, options.tolerance)]
    print(table.text(measures))
    about = _about(options.base)
    if options.markdown:
        Path(options.markdown).write_text(table.markdown(measures, " · ".join(about.values())))
    if options.remember:
        history.remember(HISTORY, about, measures)
        HISTORY.with_suffix(".svg").write_text(history.draw(history.read(HISTORY)))
    failed = [measure.name for measure in measures if measure.fails]
    if failed:
        print(f"\nWorse by more than {options.tolerance:.0%} beyond the spread: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def compare(base: Measurer, head: Measurer, rounds: int, tolerance: float = TOLERANCE) -> list[Measure]:
    """Measures both by turns and compares them; what looks worse is looked at again.

    Parameters:
        base, head: run a round of each.
        rounds: of each.
        tolerance: what is allowed beyond the spread.
    """
    found: tuple[dict[str, list[float]], dict[str, list[float]]] = {}, {}
    measures: list[Measure] = []
    for _ in range(1 + LOOKS):
        for turn in range(rounds):
            # Who comes first changes, so that a machine that gets slower favours neither.
            order = [(0, base), (1, head)] if turn % 2 == 0 else [(1, head), (0, base)]
            for side, measure in order:
                _take(found[side], measure)
        measures = judge(*found, tolerance)
        if not any(measure.fails for measure in measures):
            break
    return measures


def _take(samples: dict[str, list[float]], measure: Callable[[], dict[str, float]]) -> None:
    for name, value in measure().items():
        samples.setdefault(name, []).append(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-gate", description="Is this revision slower than another one?")
    parser.add_argument("base", help="revision to compare with")
    parser.add_argument("--sets", default="micro,package,requests", help="what to measure (default: %(default)s)")
    parser.add_argument("--crates", default=",".join(sets.CRATES), help="of the micro set (default: %(default)s)")
    parser.add_argument("--benches", default="", help="only these programs of the micro set")
    parser.add_argument("--rounds", type=int, default=6, help="of each revision (default: %(default)s)")
    parser.add_argument("--profile", default="fast", help="Cargo profile (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="beyond the spread (default: %(default)s)")
    parser.add_argument("--target", default=str(ROOT / "target-bench" / "compare"), help="where builds are kept")
    parser.add_argument("--markdown", metavar="FILE", help="write the table there, for a pull request")
    parser.add_argument("--remember", action="store_true", help="add the run to bench/history and draw it")
    return parser


def _about(base: str) -> dict[str, str]:
    def said(*command: str) -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()

    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": said("git", "rev-parse", "--short", "HEAD"),
        "base": said("git", "rev-parse", "--short", base),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
