"""Versions of an API that share its paths: which of them a request means is told by a header.

Where the version is a piece of the path, routers with prefixes do: ``Router("/v2")``. See ``docs/versions.md``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._inherit import INHERIT, several
from .errors import ConfigurationError, line_of

if TYPE_CHECKING:
    from .routing import Route

__all__ = ["AcceptVersion", "HeaderVersion", "Versioning", "describe_versioning", "versions_of"]

#: A token of RFC 9110, section 5.6.2: what a parameter of ``Accept`` can be without quotes.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeaderVersion:
    """``X-API-Version: 2``. A version there is not is a 400.

    Parameters:
        default: version of requests that name none.
        header: name of the header.
    """

    default: str
    header: str = "X-API-Version"

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/versions.rs``)."""
        return {"header": self.header, "parameter": None, "default": self.default}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AcceptVersion:
    """``Accept: application/json; version=2``. A version there is not is a 406.

    Parameters:
        default: version of requests that name none.
        param: name of the media type's parameter.

    Source: Django REST framework, ``AcceptHeaderVersioning``; RFC 9110, section 12.5.1.
    """

    default: str
    param: str = "version"

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/versions.rs``)."""
        return {"header": "Accept", "parameter": self.param, "default": self.default}


Versioning = HeaderVersion | AcceptVersion


def versions_of(route: Route) -> list[str]:
    """The versions that have a route; none where all have.

    Errors:
        ConfigurationError: ``version=`` is no name, or no names.
    """
    given = route.options.version
    if given is None or given is INHERIT:
        return []
    names = several(given)
    if not names or not all(isinstance(name, str) and _TOKEN.fullmatch(name) for name in names):
        raise ConfigurationError(
            f'{line_of(route.handler)}: version={given!r} is a name such as "2", or several; letters, digits and marks '
            "such as . and -."
        )
    return list(dict.fromkeys(names))


def describe_versioning(versioning: Versioning | None, routes: Iterable[Route]) -> dict[str, Any] | None:
    """How requests name their version, as the Rust side reads it; ``None`` where there are no versions.

    Errors:
        ConfigurationError: routes have versions that no request could name, or the default is none of them.
    """
    versioned = {name: route for route in routes for name in versions_of(route)}
    if versioning is None:
        for name, route in versioned.items():
            raise ConfigurationError(
                f"{line_of(route.handler)}: {route.method} {route.path} is of version {name!r}, but requests have no "
                "way to name one. Say how: API(versioning=HeaderVersion(default=…)), of plectrum.versions."
            )
        return None
    if versioning.default not in versioned:
        known = ", ".join(map(repr, versioned)) or "none: give routes or routers a version="
        raise ConfigurationError(
            f"API(versioning={type(versioning).__name__}(default={versioning.default!r})): no route has this version. "
            f"There are {known}."
        )
    return {**versioning.describe(), "versions": list(versioned)}
