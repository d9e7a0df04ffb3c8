"""Who makes a request, in the rules of a type: symbolic, bound by Rust on each request."""

from __future__ import annotations

from typing import Any

from .arguments import Arguments

__all__ = ["Viewer"]


class Viewer:
    """What a rule may ask of the request. What a request does not have is NULL: comparisons with it let no row pass.

    Parameters:
        arguments: of the plan in the making.
    """

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments

    def subject(self, type: Any = str) -> Any:
        """Who makes the request: the user's id, a token's ``sub``, the owner of an API key.

        Parameters:
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("subject", "", type)

    def claim(self, name: str, type: Any = str) -> Any:
        """A claim of the token.

        Parameters:
            name: such as ``"tenant"``.
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("claim", name, type)

    def header(self, name: str, type: Any = str) -> Any:
        """A header of the request.

        Parameters:
            name: such as ``"x-tenant"``.
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("header", name.lower(), type)
