"""Documents checked against any schema, without executing them."""

from __future__ import annotations

import json
from typing import Any

from plectrum import _core

__all__ = ["validate"]


def validate(sdl: str, document: str) -> list[dict[str, Any]]:
    """Check a document by every rule of the specification.

    Parameters:
        sdl: the schema, in the schema definition language.
        document: the text of an executable document.

    Returns:
        the errors as a response has them (``message``, ``locations``, ``extensions``); empty where it is valid.

    Errors:
        ValueError: the schema itself is wrong.

    Source: GraphQL specification, October 2021, section 5.
    """
    errors: list[dict[str, Any]] = json.loads(_core.validate_graphql(sdl, document))["errors"]
    return errors
