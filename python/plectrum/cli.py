"""The ``plectrum`` command, and the options it shares with ``manage.py plectrum``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from . import commands
from .errors import PlectrumError

__all__ = ["add_commands", "execute", "main"]

Action = Callable[..., int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; the ``plectrum`` script.

    Parameters:
        argv: arguments; those of the process where ``None``.

    Returns:
        Exit status: 0, 1 for an error in the user's project, 2 for wrong usage.
    """
    parser = argparse.ArgumentParser(prog="plectrum", description="Serve Python APIs from Rust.")
    parser.add_argument("--version", action="version", version=f"plectrum {version('plectrum')}")
    add_commands(parser, serve="run", app=True)
    options = parser.parse_args(argv)
    try:
        return execute(options, django=_set_up_django(), out=sys.stdout)
    except PlectrumError as error:
        print(f"plectrum: {error}", file=sys.stderr)
        return 1


def add_commands(parser: argparse.ArgumentParser, *, serve: str, app: bool) -> None:
    """Adds all commands to a parser.

    Parameters:
        parser: of the ``plectrum`` script or of ``manage.py plectrum``.
        serve: name of the command that serves.
        app: whether commands take the name of the API object first.
    """
    adding = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, action: Action, text: str, *, named: bool = True) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = adding.add_parser(name, help=text, description=text)
        command.set_defaults(action=action, app=None)
        if app and named:
            command.add_argument("app", metavar="module:api", nargs="?", help="the API object (default: PLECTRUM_API)")
        return command

    _add_serve_options(add(serve, commands.serve, "Serve the API."))
    listing = add("routes", commands.routes, "List the routes and how each is answered.")
    listing.add_argument("--json", action="store_true", help="as JSON")
    _add_explain_options(add("explain", commands.explain, "Tell what a route does: its way, statements and plans."))
    document = add("openapi", commands.openapi, "Write the OpenAPI 3.1 document.")
    document.add_argument("--check", metavar="FILE", help="compare with FILE instead; fails where it differs")
    document.add_argument("--api-version", metavar="NAME", help="which version's (default: the default one)")
    document.add_argument("--indent", type=int, default=2, metavar="N", help="spaces per level (default: %(default)s)")
    _add_doctor_options(
        add("doctor", commands.doctor, "Tell what Rust takes over, and what slows it down.", named=False)
    )
    _add_bench_options(add("bench", commands.bench, "Measure what a route costs the server."))
    _add_export_options(add("export", commands.export, "Write all rows of a model to a file.", named=False))
    if app:
        making = add("new", commands.new, "Make a Django project with an API.", named=False)
        making.add_argument("name", metavar="NAME", help="of the project, its directory and its package")
    add("check", commands.check, "Compile everything as a start would, serve nothing.")


def execute(options: argparse.Namespace, *, django: bool, out: TextIO) -> int:
    """Runs the chosen command.

    Errors:
        PlectrumError: the user's project cannot be served as it is; the message says why.
    """
    action: Action = options.action
    return action(options, options.app, django=django, out=out)


def _add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Each overrides the setting of its name."""
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes a free one (default: 8000)")
    parser.add_argument("--unix-socket", metavar="PATH", help="listen on a unix socket instead")
    parser.add_argument("--certfile", metavar="PATH", help="certificate with its chain, PEM: speak TLS")
    parser.add_argument("--keyfile", metavar="PATH", help="its private key, PEM, where that is not in the same file")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one per core; 1 with --reload)")
    parser.add_argument(
        "--drain-timeout", type=float, metavar="SECONDS", help="for running requests to finish at the end"
    )
    parser.add_argument("--reload", action="store_true", help="restart when source files change (development)")


def _add_explain_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("route", metavar="ROUTE", help="its name or pattern, or a path it answers")
    parser.add_argument("--method", help="where several answer (default: GET before others)")
    parser.add_argument("--run", action="store_true", help="send the path as a GET and tell the statements it makes")
    parser.add_argument("--no-plan", action="store_true", help="do not ask the database for its plans")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _add_doctor_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", dest="label", metavar="LABEL", help="only serializers and views of this application")
    parser.add_argument("--measure", action="store_true", help="try them on the project's own rows")
    parser.add_argument("--rows", type=int, default=200, metavar="N", help="to measure on (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="show every field, also those Rust takes over")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--threshold", type=float, metavar="PERCENT", help="exit with 1 below this share of fields, or on an error"
    )


def _add_bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="what is asked for, with its query, such as '/notes?page=2'")
    parser.add_argument("--method", default="GET", help="default: %(default)s")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="sent with each request")
    parser.add_argument("--body", default="", metavar="TEXT", help="sent with each request, as JSON by default")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="APP.MODEL", help="whose rows")
    parser.add_argument("--format", choices=["json", "ndjson", "csv"], default="json", help="default: %(default)s")
    parser.add_argument("--fields", metavar="NAME,…", help="only these, in this order; author__name follows relations")
    parser.add_argument("--output", metavar="FILE", help="write there, if at all a whole file (default: stdout)")
    parser.add_argument("--guard-formulas", action="store_true", help="keep spreadsheets from running text of a CSV")
    parser.add_argument("--batch", type=int, default=1000, metavar="ROWS", help="fetched at once (%(default)s)")
    parser.add_argument("--database", metavar="ALIAS", help="default: as Django's routers say")
    parser.add_argument("--quiet", action="store_true", help="draw no progress bar")


def _set_up_django() -> bool:
    """Sets Django up where the environment names its settings."""
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        return False
    sys.path.insert(0, str(Path.cwd()))
    import django

    django.setup()
    return True
