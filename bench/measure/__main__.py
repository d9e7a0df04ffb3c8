"""`python -m bench.measure [all|gate|report]`, called by `bench/run`; `report` writes anew what was measured last."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
from typing import Any

from . import gate, latency, machine, picture, places, ratios, report

_ALL = ("limit", "us", "bolt", "fastapi", "ninja", "drf")
_BASELINE = places.BENCH / "baseline.json"
_RECORD = places.BENCH / "results.json"


def main() -> int:
    """Measures, writes, and says what to look at."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Plectrum beside its peers.")
    parser.add_argument("what", nargs="?", choices=["all", "gate", "report"], default="all")
    parser.add_argument("--update", action="store_true", help="gate: make this the baseline")
    parser.add_argument("--tolerance", type=float, default=gate.TOLERANCE, help="gate: how much worse is a regression")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="per endpoint and round")
    options = parser.parse_args()
    if options.what == "report":
        _write(json.loads(_RECORD.read_text()))
        return 0
    if shutil.which("wrk") is None:
        print("wrk, the load generator, is not installed (Debian, Ubuntu: apt-get install wrk).", file=sys.stderr)
        return 2
    if options.what == "gate":
        return _gate(options)
    return _all(options) if places.has_peers() else _alone(options)


def _all(options: argparse.Namespace) -> int:
    about = machine.describe()
    results = ratios.measure(_ALL, options.rounds, options.seconds)
    cells = latency.measure(options.seconds)
    record = {
        "about": about,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "results": results,
        "latency": [dataclasses.asdict(cell) for cell in cells],
    }
    _RECORD.write_text(json.dumps(record, indent=1) + "\n")
    _remember(about, results)
    _write(record)
    return 0


def _write(record: dict[str, Any]) -> None:
    """The report and the picture of a record."""
    about, rounds, seconds = record["about"], record["rounds"], record["seconds"]
    results = ratios.meaningful(record["results"], seconds)
    cells = [latency.Cell(**{**cell, "percentiles": tuple(cell["percentiles"])}) for cell in record["latency"]]
    text = report.write(about, results, cells, rounds, seconds)
    (places.BENCH / "RESULTS.md").write_text(text)
    (places.BENCH / "ratios.svg").write_text(picture.draw(results, f"{about['date'][:10]}, {about['commit'][:7]}"))
    print(text)
    print("Written: bench/RESULTS.md, ratios.svg, results.json and a line of history.jsonl")


def _remember(about: dict[str, str], results: dict[str, ratios.Rounds]) -> None:
    """One line per run, to draw a curve from."""
    line = {
        **about,
        "ratios": {name: round(value, 3) for name, of in results.items() if (value := ratios.ratio(of, "us"))},
        "cpu_us": {name: ratios.median(of, "us", "cpu_us") for name, of in results.items()},
        "requests_per_second": {name: ratios.median(of, "us", "rps") for name, of in results.items()},
        "mebibytes": {name: ratios.median(of, "us", "mib") for name, of in results.items()},
    }
    with (places.BENCH / "history.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _gate(options: argparse.Namespace) -> int:
    if not places.has_peers():
        print(f"The gate compares with the hand-written server, and {places.PEERS} has none.", file=sys.stderr)
        return 2
    now = gate.ratios(ratios.measure(("limit", "us"), options.rounds, options.seconds))
    if options.update:
        _BASELINE.write_text(json.dumps({**_origin(), "ratios": now}, indent=1) + "\n")
        print(f"bench/baseline.json is now {now}")
        return 0
    findings = gate.compare(json.loads(_BASELINE.read_text())["ratios"], now)
    print("\nRatio to the hand-written server, baseline → now:")
    print("\n".join(finding.line(options.tolerance) for finding in findings))
    failed = [finding.endpoint for finding in findings if finding.fails(options.tolerance)]
    if failed:
        print(f"\nWorse by more than {options.tolerance:.0%}: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _origin() -> dict[str, str]:
    about = machine.describe()
    return {name: about[name] for name in ("date", "commit", "processor", "python", "django")}


def _alone(options: argparse.Namespace) -> int:
    """Without peers there is no ratio and no database: only what answers without them, and nothing is written."""
    print(f"No peers at {places.PEERS} (BENCH_PEERS_DIR names another place): there is nothing to compare with, and no")
    print("database of articles. Measuring what answers without them; RESULTS.md stays as it is.\n")
    for cell in latency.measure(options.seconds):
        times = ", ".join(
            f"p{of} {each:.1f} ms" for of, each in zip(latency.PERCENTILES, cell.percentiles, strict=True)
        )
        print(f"{cell.endpoint:8} {cell.connections:4} connections {cell.per_second:9,.0f} requests/s  {times}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
