"""``manage.py plectrum export``: a model's rows in a file, with a progress bar."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, TextIO

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connections
from django.db.models import Model, QuerySet

from plectrum.errors import ConfigurationError
from plectrum.progress import Bar

from .sources import ExportError
from .stream import serialize_stream

__all__ = ["export_model"]


def export_model(options: Namespace, out: TextIO) -> int:
    """Writes the file.

    Parameters:
        options: of ``plectrum export --help``.
        out: standard output.

    Returns:
        Exit status: 1 where the export broke off.

    Errors:
        ConfigurationError: there is no such model, field, database or directory.
    """
    rows = _rows(options)
    stream = serialize_stream(rows, format=options.format, guard_formulas=options.guard_formulas, batch=options.batch)
    drawn = sys.stderr.isatty() and not options.quiet
    bar = Bar(options.model, rows.count(), sys.stderr) if drawn else None
    try:
        with _target(options.output, out) as file:
            for piece in stream:
                file.write(piece)
                if bar is not None:
                    bar.draw(stream.rows)
    except ExportError as error:
        print(f"\nplectrum: {error}", file=sys.stderr)
        return 1
    finally:
        stream.close()
        if bar is not None:
            bar.end()
    return 0


def _rows(options: Namespace) -> QuerySet[Any, Any]:
    if options.database is not None and options.database not in connections:
        known = ", ".join(repr(alias) for alias in connections)
        raise ConfigurationError(f"There is no database {options.database!r}. DATABASES has {known}.")
    rows = _model(options.model)._default_manager.using(options.database).all()
    if options.fields is None:
        return rows
    try:
        return rows.values(*(name.strip() for name in options.fields.split(",")))
    except FieldError as error:
        raise ConfigurationError(f"--fields: {error}.") from error


def _model(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError) as error:
        labels = [model._meta.label for model in apps.get_models()]
        lower = {name.lower(): name for name in labels}
        close = difflib.get_close_matches(label.lower(), lower, n=1)
        hint = f"Did you mean {lower[close[0]]!r}?" if close else "Write it as 'app.Model'."
        raise ConfigurationError(f"There is no model {label!r}. {hint}") from error


@contextlib.contextmanager
def _target(path: str | None, out: TextIO) -> Generator[IO[bytes]]:
    """Standard output, or a file that appears under its name when it is whole."""
    if path is None:
        buffer: IO[bytes] = getattr(getattr(out, "_out", out), "buffer", sys.stdout.buffer)
        yield buffer
        buffer.flush()
        return
    directory = Path(path).parent
    try:
        handle, partial = tempfile.mkstemp(prefix=f".{Path(path).name}.", dir=directory)
    except OSError as error:
        raise ConfigurationError(f"--output: {path!r} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(partial).chmod(0o666 & ~_umask())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Of this process; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
