"""The client's mistakes that only the planner can see."""

from __future__ import annotations

from plectrum.errors import PlectrumError

__all__ = ["GraphQLError"]


class GraphQLError(PlectrumError):
    """A field that cannot be answered as it was asked for; its message is for the client (``BAD_USER_INPUT``)."""
