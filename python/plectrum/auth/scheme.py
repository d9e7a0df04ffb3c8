"""What all authentication schemes have in common."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Loader", "Registry", "Scheme"]

#: Finds a user: takes the key that the credentials name and the claims; plain or ``async``.
Loader = Callable[[str | None, dict[str, Any]], Any]


class Registry(Protocol):
    """Where a scheme registers the functions that Rust asks."""

    def callback(self, function: Callable[..., Any], answer: Callable[[Any], Any], name: str) -> int:
        """Registers a function of a request and a credential.

        Parameters:
            function: the user's; plain or ``async``.
            answer: makes what Rust reads of its result; see :mod:`plectrum.auth.answers`.
            name: for error messages and the log.

        Returns:
            Its number.
        """
        ...


class Scheme(abc.ABC):
    """One way to tell who makes a request."""

    #: Name among OpenAPI's ``securitySchemes``; made unique where two are alike.
    name: str

    @abc.abstractmethod
    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/gate/spec.rs``).

        Errors:
            ConfigurationError: the scheme cannot work as it is.
        """

    @property
    def loader(self) -> Loader | None:
        """Finds the user of a request that was authenticated by this scheme; ``None`` asks Django by primary key."""
        return None
