"""Where and with what something was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from . import places


def describe() -> dict[str, str]:
    """Machine, versions, date and commit, by name."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": f"{_processor()}, {os.cpu_count()} cores visible",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "django": _version("django"),
        "rust": _said("rustc", "--version"),
        "load generator": "wrk, one thread",
        "load average before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _commit() -> str:
    changed = _said(
        *("git", "status", "--porcelain", "--"),
        *("crates", "python", "bench/app.py", "bench/shop", "Cargo.toml", "Cargo.lock"),
    )
    return _said("git", "rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=places.ROOT).stdout.strip()
    except FileNotFoundError:
        return "unknown"
