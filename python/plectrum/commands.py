"""What the commands do; :mod:`plectrum.cli` and ``manage.py plectrum`` only read their options."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from . import _core, caching, conf, discovery, observe, systemd
from .errors import ConfigurationError
from .listeners import Listeners, open_listeners
from .reloader import Watcher, source_roots
from .supervisor import Supervisor
from .throttling import segment_file
from .versions import versions_of
from .wear import Wear
from .worker import Job

if TYPE_CHECKING:
    from .api import API

__all__ = ["bench", "check", "doctor", "explain", "export", "new", "openapi", "routes", "serve"]


# Where the workers' unix sockets are, over which they send each other what is meant for groups.
_MESH = "PLECTRUM_INTERNAL_MESH"

# Of one process: what they accept from is handed over in one message, which carries at most 253 descriptors.
_MOST_THREADS = 64


def serve(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Serves until stopped.

    Parameters:
        options: of ``plectrum run --help``.
        app: name of the API object; found in the Django project where ``None``.
        django: whether Django is set up.
        out: where the greeting goes.

    Returns:
        Exit status.
    """
    settings = conf.current().replace(
        host=options.host,
        port=options.port,
        workers=options.workers,
        unix_socket=options.unix_socket,
        certfile=options.certfile,
        keyfile=options.keyfile,
        drain_timeout=options.drain_timeout,
    )
    if settings.keyfile and not settings.certfile:
        raise ConfigurationError("KEYFILE is the key of no certificate. Name that, too: CERTFILE, or --certfile.")
    workers = settings.workers or (1 if options.reload else _cores())
    processes = _processes(workers, settings.processes)
    threads = -(-workers // processes)
    listeners = open_listeners(settings)
    job = Job(app=app or settings.api, django=django, settings=settings.replace(workers=workers))
    with (
        tempfile.TemporaryDirectory(prefix="plectrum-", ignore_cleanup_errors=True) as mesh,
        segment_file(settings.throttle_slots) as counts,
        observe.board_file(settings, workers) as board,
        caching.tags_file() as tags,
    ):
        supervisor = Supervisor(
            [sys.executable, *_interpreter_flags(), "-m", "plectrum.worker"],
            processes,
            listeners,
            threads=threads,
            drain_timeout=settings.drain_timeout,
            spare=settings.spare_worker,
            wear=Wear(settings.worker_max_age, settings.worker_max_memory),
            pin=settings.pin_workers,
            on_ready=lambda: _greet(out, listeners, processes, threads, reload=options.reload, django=django),
            notify=systemd.notify,
            watcher=Watcher(source_roots()) if options.reload else None,
            environ={**os.environ, **job.environ(), _MESH: mesh, **counts, **board, **tags},
        )
        return supervisor.run()


def routes(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Lists every route: method, path, way it is answered, name, parameters."""
    compiled = _load(app, django).compile()
    rows: list[dict[str, Any]] = [
        {
            "method": found.route.method,
            "path": found.route.path,
            "way": found.way,
            "name": found.route.name,
            "versions": versions_of(found.route),
            "parameters": [f"{parameter.source}:{parameter.wire}" for parameter in found.parameters],
        }
        for found in compiled.routes
    ]
    if options.json:
        out.write(json.dumps(rows, indent=2) + "\n")
        return 0
    table = [["METHOD", "PATH", "WAY", "NAME", "PARAMETERS"]]
    for row, found in zip(rows, compiled.routes, strict=True):
        if not found.route.mounted:
            versions = [f"version:{','.join(row['versions'])}"] if row["versions"] else []
            parameters = " ".join([*versions, *row["parameters"]])
            table.append([row["method"], row["path"], row["way"], row["name"], parameters])
    # A mounted site has a route for each method, and two paths: its root and what is below.
    below = (found.route for found in compiled.routes if found.route.mounted and found.route.path_names)
    table += [["ANY", path, "object", name, ""] for path, name in dict.fromkeys((r.path, r.name) for r in below)]
    widths = [max(len(cells[column]) for cells in table) for column in range(4)] + [0]
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        out.write(line.rstrip() + "\n")
    return 0


def bench(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Measures what a route costs the server, on a worker of its own with the project's settings."""
    from . import benching

    _load(app, django)  # a project that cannot be served says so here, and once
    raw = benching.request_of(options.path, options.method, options.header, options.body)
    with benching.server(benching.command_of(app, django=django)) as (port, pid):
        cost = benching.measure(port, pid, raw, options.seconds)
    if options.json:
        out.write(json.dumps(dataclasses.asdict(cost), indent=2) + "\n")
        return 0
    lines = [f"{options.method.upper()} {options.path}: {cost.status}, {cost.size:,} bytes; {cost.requests:,} requests"]
    if cost.cpu is not None:
        rate = 1e6 / cost.cpu
        lines.append(f"server      {cost.cpu:,.1f} µs of CPU a request: {rate:,.0f} requests a second and core")
    lines.append(f"round trip  {cost.median:.2f} ms, 99 of 100 within {cost.p99:.2f} ms (one at a time)")
    if cost.memory is not None:
        lines.append(f"memory      {cost.memory / 2**20:.0f} MiB of the worker")
    out.write("\n".join(lines) + "\n")
    return 0


def explain(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Tells what a route does: its way and why, its statements and their plans."""
    from . import explain as explaining

    plans = django and not options.no_plan
    found = explaining.explain(_load(app, django), options.route, options.method, run=options.run, plans=plans)
    if options.json:
        out.write(explaining.to_json(found) + "\n")
    else:
        explaining.write(found, out)
    return 0


def openapi(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Writes the OpenAPI 3.1 document, or compares it with a file.

    Returns:
        Exit status: 1 where the document is another than the file's, after what differs.
    """
    api = _load(app, django)
    built = _core.App(api.compile(), conf.current().to_json())
    version: str | None = options.api_version
    if version is not None and version not in (known := api.versions):
        raise ConfigurationError(f"--api-version {version}: there are {', '.join(known) or 'no versions'}.")
    document = json.loads(built.openapi(version))
    if options.check is None:
        out.write(json.dumps(document, indent=options.indent, ensure_ascii=False) + "\n")
        return 0
    return _compare(document, Path(options.check), out)


def _compare(document: Any, path: Path, out: TextIO) -> int:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as the contract: {error}.") from error
    if kept == document:
        out.write(f"The contract is that of {path}.\n")
        return 0
    texts = [json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) for value in (kept, document)]
    before, after = (text.splitlines() for text in texts)
    lines = difflib.unified_diff(before, after, str(path), "this API", lineterm="")
    out.write("\n".join(lines) + f"\nThe contract has changed. Where that is meant, write it anew: openapi > {path}\n")
    return 1


def new(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Makes a project."""
    from .scaffold import create

    made = create(options.name, Path.cwd())
    out.write(
        f"{made.name}/ is a Django project with an API. Next:\n\n"
        f"    cd {made.name}\n    python manage.py migrate\n    python manage.py plectrum serve --reload\n\n"
        "Then open http://127.0.0.1:8000/docs, and run its tests with: python manage.py test\n"
    )
    return 0


def export(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Writes all rows of a model to a file."""
    _needs_django("export", django)
    from .export.command import export_model  # imports Django

    return export_model(options, out)


def doctor(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Tells what of the project Rust takes over, and what is worth a look; 1 where CI should stop."""
    _needs_django("doctor", django)
    from .doctor import examine  # imports Django
    from .doctor.table import write

    report = examine(options.label, measure=options.measure, rows=options.rows)
    if options.json:
        out.write(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        write(report, out, verbose=options.all)
    return 1 if report.fails(options.threshold) else 0


def check(options: Namespace, app: str | None, *, django: bool, out: TextIO) -> int:
    """Compiles everything as a start would, serves nothing."""
    settings = conf.current()
    compiled = _load(app, django).compile(settings=settings)
    _core.App(compiled, settings.to_json())
    count = len(compiled.routes)
    out.write(f"{count} route{'' if count == 1 else 's'}, no problems.\n")
    return 0


def _needs_django(command: str, django: bool) -> None:
    if not django:
        raise ConfigurationError(f"'plectrum {command}' looks at a Django project. Set DJANGO_SETTINGS_MODULE.")


def _load(app: str | None, django: bool) -> API:
    name = app or conf.current().api
    if django:
        return discovery.find_in_django(name)
    if name is None:
        raise ConfigurationError("Which API? Name it: 'module:api', or set PLECTRUM_API.")
    return discovery.find(name)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes(workers: int, wanted: int) -> int:
    """How many processes so many workers are: on a free-threaded Python (PEP 703) they can be threads of one."""
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        return workers
    return min(workers, max(wanted or 1, -(-workers // _MOST_THREADS)))


def _interpreter_flags() -> list[str]:
    """``-X``, ``-W``, ``-O`` … of this interpreter, for the workers."""
    read: Callable[[], list[str]] = subprocess.__dict__["_args_from_interpreter_flags"]
    return read()


def _greet(out: TextIO, listeners: Listeners, processes: int, threads: int, *, reload: bool, django: bool) -> None:
    details = [f"{processes} worker{'' if processes == 1 else 's'}"]
    if threads > 1:
        details[0] += f" of {threads} threads"
    if django:
        details.append(_database())
    if reload:
        details.append("reloading on change")
    urls = " and ".join(listeners.urls)
    out.write(f"Plectrum {version('plectrum')} is serving on {urls}\n{', '.join(details)}\nCtrl-C stops it.\n")
    out.flush()


def _database() -> str:
    """The default database, for people; without password."""
    from django.db import connections

    found = connections.settings["default"]
    engine = found["ENGINE"].rpartition(".")[2]
    host = f" on {found['HOST']}" if found.get("HOST") else ""
    return f"{engine} database {str(found['NAME'])!r}{host}"
