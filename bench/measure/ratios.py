"""CPU per request, side by side: the peers' `run.py` starts the servers, compares their answers and times them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import places

#: What everything is divided by: the same endpoints by hand in Rust (axum, tokio-postgres, serde).
LIMIT = "limit"
US = "us"

#: One endpoint: measurements of each round, by server.
Rounds = Mapping[str, Sequence[Mapping[str, Any]]]


def measure(servers: Sequence[str], rounds: int, seconds: int) -> dict[str, Rounds]:
    """Times the servers in one run.

    Parameters:
        servers: names known to `run.py`.
        rounds: how often each server is started and timed.
        seconds: per endpoint and round.

    Returns:
        measurements by endpoint and server; servers that answer with other values are left out.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "results.json"
        command = [sys.executable, "-u", str(places.PEERS / "run.py"), "-p", ",".join(servers)]
        command += ["-r", str(rounds), "-d", str(seconds), "--json", str(file)]
        ours = {"US_CMD": str(places.BENCH / "serve"), "US_DIR": str(places.ROOT), "PEERS": str(places.CACHE)}
        subprocess.run(command, check=True, cwd=places.ROOT, env={**os.environ, **ours})
        results: dict[str, Rounds] = json.loads(file.read_text())
    return results


#: Answers per round below which a number says nothing: the CPU of those still being worked on is counted, too.
ENOUGH = 100


def meaningful(results: Mapping[str, Rounds], seconds: int) -> dict[str, Rounds]:
    """The results without servers that answered too few requests of an endpoint to be judged by them."""
    return {
        endpoint: {name: runs for name, runs in of.items() if min(run["rps"] for run in runs) * seconds >= ENOUGH}
        for endpoint, of in results.items()
    }


def median(rounds: Rounds, server: str, what: str) -> float | None:
    """The median of a server's rounds, or ``None`` where it does not serve the endpoint."""
    runs = rounds.get(server)
    return statistics.median(run[what] for run in runs) if runs else None


def ratio(rounds: Rounds, server: str) -> float | None:
    """Median CPU per request over that of the hand-written server."""
    cpu, limit = median(rounds, server, "cpu_us"), median(rounds, LIMIT, "cpu_us")
    return cpu / limit if cpu is not None and limit else None


def least_ratio(rounds: Rounds, server: str) -> float | None:
    """The least CPU of any round over the hand-written server's least: noise only ever adds."""
    if not rounds.get(server) or not rounds.get(LIMIT):
        return None
    least, limit = (min(float(run["cpu_us"]) for run in rounds[name]) for name in (server, LIMIT))
    return least / limit


def spread(rounds: Rounds, server: str) -> float:
    """How far the rounds of one server lie apart: (most - least) / median of the CPU per request."""
    values = [float(run["cpu_us"]) for run in rounds[server]]
    return (max(values) - min(values)) / statistics.median(values)
