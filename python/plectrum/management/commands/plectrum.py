"""``manage.py plectrum serve | routes | explain | openapi | doctor | bench | export | check``."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plectrum import cli
from plectrum.errors import PlectrumError


class Command(BaseCommand):
    """See :mod:`plectrum.cli`."""

    help = "Serve the project's API from Rust, or look at it."
    # What would be wrong with the API is told by the command itself, as an error.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The commands of :mod:`plectrum.cli`; the API object comes from the settings."""
        cli.add_commands(parser, serve="serve", app=False)

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the chosen command."""
        try:
            status = cli.execute(Namespace(**options), django=True, out=cast(TextIO, self.stdout))
        except PlectrumError as error:
            raise CommandError(str(error)) from error
        if status:
            sys.exit(status)
