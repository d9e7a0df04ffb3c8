"""Answers with their own status, headers and media type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._core import Response

__all__ = ["HTML", "JSON", "PlainText", "Redirect", "Response"]

_Headers = Mapping[str, str]


class JSON(Response):
    """A value written as JSON, whatever its type.

    Parameters:
        content: any value with a JSON form.
        status: 200 to 599.
        headers: added to the answer.
    """

    def __new__(cls, content: Any = None, status: int = 200, headers: _Headers | None = None) -> JSON:
        """Encodes the value at once, so that errors point at the handler."""
        from ._core import encode

        return super().__new__(cls, encode(content), status, headers, "application/json")


class HTML(Response):
    """HTML text. Parameters: as :class:`JSON`, with text content."""

    def __new__(cls, content: str = "", status: int = 200, headers: _Headers | None = None) -> HTML:
        """Encodes the text as UTF-8."""
        return super().__new__(cls, content, status, headers, "text/html; charset=utf-8")


class PlainText(Response):
    """Plain text. Parameters: as :class:`JSON`, with text content."""

    def __new__(cls, content: str = "", status: int = 200, headers: _Headers | None = None) -> PlainText:
        """Encodes the text as UTF-8."""
        return super().__new__(cls, content, status, headers, "text/plain; charset=utf-8")


class Redirect(Response):
    """Sends the client elsewhere.

    Parameters:
        location: URL, absolute or relative.
        status: 301, 302, 303, 307 or 308 (RFC 9110, section 15.4).
        headers: added to the answer.
    """

    def __new__(cls, location: str, status: int = 307, headers: _Headers | None = None) -> Redirect:
        """An answer without a body."""
        return super().__new__(cls, None, status, {**(headers or {}), "location": location})
