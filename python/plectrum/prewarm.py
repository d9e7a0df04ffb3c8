"""Everything a first request would import and compile, imported and compiled at the start.

``PLECTRUM = {"PREWARM": True}`` does it when Django starts, for servers that Plectrum does not start itself (gunicorn,
uvicorn, ``runserver``); a worker of ``manage.py plectrum serve`` compiles its API before it accepts in any case. What
is wrong with an API or a serializer is told then, not to a client.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.translation import gettext

from . import conf, discovery
from .errors import ConfigurationError

__all__ = ["Warmed", "at_start", "warm"]

_log = logging.getLogger("plectrum")
#: Modules of an application that define what requests use.
_MODULES = ("serializers",)


@dataclass(frozen=True)
class Warmed:
    """What was compiled.

    Parameters:
        routes: of the API.
        serializers: classes of DRF's.
        failed: serializers that cannot be made without arguments, or at all.
        seconds: how long it took.
    """

    routes: int
    serializers: int
    failed: tuple[str, ...]
    seconds: float


def at_start() -> None:
    """:func:`warm`, where this process is going to serve; a command such as ``migrate`` has no use for it."""
    command = sys.argv[1:2]
    if os.path.basename(sys.argv[0]) in ("manage.py", "django-admin") and command != ["runserver"]:  # noqa: PTH119
        return
    warmed = warm()
    _log.info(
        "compiled %d routes and %d serializers in %.0f ms", warmed.routes, warmed.serializers, warmed.seconds * 1000
    )


def warm() -> Warmed:
    """Imports and compiles the project's API and serializers.

    Errors:
        PlectrumError: the API that the settings name cannot be found or compiled.
    """
    started = time.perf_counter()
    for config in apps.get_app_configs():
        for name in (f"{config.name}.{module}" for module in _MODULES):
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
    gettext("")  # catalogues of messages are read when the first one is asked for
    routes = _warm_api()
    count, failed = _warm_serializers() if "rest_framework.serializers" in sys.modules else (0, ())
    return Warmed(routes, count, failed, time.perf_counter() - started)


def _warm_api() -> int:
    named = conf.current().api
    try:
        compiled = discovery.find_in_django(named).compile()
    except ConfigurationError:
        if named is not None:
            raise
        return 0
    from . import bridge
    from .native import Planner

    for route in compiled.routes:
        if isinstance(route.planner, Planner):
            bridge.compiled(route.planner.base)
    return len(compiled.routes)


def _warm_serializers() -> tuple[int, tuple[str, ...]]:
    """One of each is made and compiled: their fields, validators and messages, and what those import."""
    from django.utils.translation import get_language
    from rest_framework.serializers import Serializer

    from .drf import RustJSONRenderer
    from .drf.compile import compiled as output_of
    from .drf.validate import compiled as input_of

    failed: list[str] = []
    kinds = [kind for kind in _below(Serializer) if not kind.__module__.startswith(("rest_framework.", "plectrum."))]
    for kind in kinds:
        try:
            made: Any = kind()
            output_of(made)
            input_of(made)
        except Exception as error:  # noqa: BLE001 - an abstract or a broken one is its own users' business
            failed.append(f"{kind.__module__}.{kind.__qualname__}: {error}")
    RustJSONRenderer().render([{"a": 1}])
    get_language()  # labels and messages have one; asking imports what translates
    return len(kinds) - len(failed), tuple(failed)


def _below(kind: type[Any]) -> list[type[Any]]:
    return [found for below in kind.__subclasses__() for found in (below, *_below(below))]
