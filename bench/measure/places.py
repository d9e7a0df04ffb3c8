"""Where things are: the benchmark's own files, and the peers with their database."""

from __future__ import annotations

import os
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
ROOT = BENCH.parent
#: The peers' directory: `run.py`, `setup` and the sources of the servers.
PEERS = Path(os.environ.get("BENCH_PEERS_DIR", ROOT / "../shared/bench"))
#: What `setup` made: their virtual environment, the database, the hand-written server.
CACHE = Path(os.environ.get("PEERS", Path.home() / ".cache/plectrum-peers"))


def has_peers() -> bool:
    """Whether there is something to compare with."""
    return (PEERS / "run.py").exists() and (CACHE / "target/release/limit").exists()
