"""`RESULTS.md`: what was measured, how, where, and how far to trust it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from .latency import CONNECTIONS, PERCENTILES, Cell
from .ratios import LIMIT, US, Rounds, median, ratio, spread

#: What each endpoint is, and which of the three ways Plectrum answers it.
ENDPOINTS = {
    "hello": ("constant JSON", "object"),
    "typed": ("path and query parameters", "object"),
    "echo": ("JSON body validated and returned", "object"),
    "one": ("one row of 15 columns", "native"),
    "page": ("filter, count, slice of 20", "native"),
    "100": ("100 rows", "native"),
    "nested100": ("100 rows with joined author", "native"),
    "1000": ("1000 rows", "native"),
    "q-one": ("one row", "queryset"),
    "q-100": ("100 rows", "queryset"),
}
NAMES = {
    "limit": "Rust by hand", "us": "Plectrum", "bolt": "django-bolt", "fastapi": "FastAPI", "ninja": "django-ninja",
    "drf": "DRF", "granian": "Granian",
}  # fmt: skip

_ABSENT = "-"
_HEAD = """\
# Results

Written by `make bench`; `docs/performance.md` tells where the numbers come from.

![CPU per request over that of the hand-written Rust server](ratios.svg)

## Method

Each server answers the same endpoints from the same PostgreSQL (20,000 articles of 15 columns) in **one process on one
core**; load generator and database have another core. Every answer is compared with the hand-written server's before it
is timed. What is counted is the **CPU time of the server's processes per request**, read from `/proc`: it does not
depend on how fast the load generator or the database is. The ratio to the hand-written server (axum, tokio-postgres,
serde, prepared statements, pipelined connections; release, fat LTO) compares two numbers of the same run.

The FastAPI, DRF and django-ninja peers read the same rows from the same database through psycopg or the Django ORM.
"""
_DOUBTS = """\
- Where the load average is above the number of cores, others were using the machine. CPU per request then counts their
  evictions from the caches, too, for every server alike; requests per second and latencies suffer more and are to be
  read as orders of magnitude.
- An empty cell is a server that answered fewer than 100 requests in a round: the CPU of those it was still working on
  would have been counted, too.
- Memory is the sum over a server's processes: Plectrum's are the worker, a spare one that is loaded already, and the
  supervisor; pages they share are counted in each.
- Server, load generator and database share a processor. Where the database is the bottleneck (1000 rows), requests per
  second are its, not the server's; CPU per request still is the server's own."""


def write(
    about: Mapping[str, str], results: Mapping[str, Rounds], cells: Sequence[Cell], rounds: int, seconds: int
) -> str:
    """The whole document.

    Parameters:
        about: machine and versions, by name.
        results: measurements by endpoint and server.
        cells: the matrix of latencies.
        rounds: how often each server was started.
        seconds: measured per endpoint and round.
    """
    machine = "\n".join(f"| {name} | {value} |" for name, value in about.items())
    return "\n".join(
        [
            _HEAD,
            f"{rounds} rounds of {seconds} s per endpoint after 1 s of warming up, 32 connections; medians.",
            "",
            "## Machine",
            "",
            f"| | |\n|---|---|\n{machine}",
            "",
            "## CPU per request over that of the hand-written Rust server",
            "",
            "Less is better; below 1 is less CPU than the hand-written server.",
            "",
            *_table(results, _ratio),
            "",
            "## CPU per request, µs",
            "",
            *_table(results, lambda of, server: _number(median(of, server, "cpu_us"))),
            "",
            "## Requests per second on one core",
            "",
            *_table(results, lambda of, server: _number(median(of, server, "rps"))),
            "",
            "## Resident memory after the endpoint, MiB",
            "",
            *_table(results, lambda of, server: _number(median(of, server, "mib"))),
            "",
            "## Latency by number of connections",
            "",
            *_matrix(cells),
            "",
            "## How far to trust it",
            "",
            *_noise(results, cells),
            "",
        ]
    )


def _servers(results: Mapping[str, Rounds]) -> list[str]:
    found = {server for of in results.values() for server in of}
    return [name for name in NAMES if name in found]


def _table(results: Mapping[str, Rounds], cell: object) -> list[str]:
    assert callable(cell)
    servers = _servers(results)
    lines = ["| endpoint | what | way | " + " | ".join(NAMES[name] for name in servers) + " |"]
    lines.append("|---|---|---|" + "--:|" * len(servers))
    for endpoint, of in results.items():
        what, way = ENDPOINTS.get(endpoint, ("", ""))
        cells = [str(cell(of, name)) for name in servers]
        lines.append(f"| {endpoint} | {what} | {way} | " + " | ".join(cells) + " |")
    return lines


def _ratio(of: Rounds, server: str) -> str:
    value = ratio(of, server)
    if value is None:
        return _ABSENT
    text = f"{value:.2f}" if value < 10 else f"{value:.1f}"
    return f"**{text}**" if server == US else text


def _number(value: float | None) -> str:
    if value is None:
        return _ABSENT
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _matrix(cells: Sequence[Cell]) -> list[str]:
    percentiles = " | ".join(f"p{each} ms" for each in PERCENTILES)
    lines = [f"| endpoint | connections | server | requests/s | {percentiles} | failed |"]
    lines.append("|---|--:|---|--:|" + "--:|" * (len(PERCENTILES) + 1))
    order = {endpoint: index for index, endpoint in enumerate(ENDPOINTS)}
    for cell in sorted(cells, key=lambda each: (order[each.endpoint], CONNECTIONS.index(each.connections))):
        times = " | ".join(f"{each:.1f}" for each in cell.percentiles)
        lines.append(
            f"| {cell.endpoint} | {cell.connections} | {NAMES[cell.server]} | {cell.per_second:,.0f} | {times} "
            f"| {cell.failed} |"
        )
    return lines


def _noise(results: Mapping[str, Rounds], cells: Sequence[Cell]) -> list[str]:
    """How far the rounds lie apart, and what that means."""
    ours = [spread(of, US) for of in results.values() if US in of]
    limits = [spread(of, LIMIT) for of in results.values() if LIMIT in of]
    failed = sum(run["failed"] for of in results.values() for runs in of.values() for run in runs)
    lines = []
    if ours and limits:
        lines.append(
            "- Between the rounds the CPU per request differs by "
            f"{statistics.median(ours):.0%} of its median for Plectrum and {statistics.median(limits):.0%} for the "
            f"hand-written server (median over the endpoints; at worst {max(ours):.0%} and {max(limits):.0%}). "
            "Differences between ratios smaller than that say nothing."
        )
    return [*lines, _DOUBTS, f"- {failed + sum(cell.failed for cell in cells)} requests failed."]
