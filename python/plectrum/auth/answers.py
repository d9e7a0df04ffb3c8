"""What functions of the user's answer, as Rust reads it (``crates/py/src/gate.rs``)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, cast

__all__ = ["Answer", "Principal", "permitted", "vouched"]

#: Verdict, words for a no, the user's key, claims as JSON, the user.
Answer = tuple[bool, str | None, str | None, str | None, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Principal:
    """Who has been let in, where a function says more than a user.

    Parameters:
        subject: the user's key.
        claims: what ``request.auth`` and the guards ``HasScope`` and ``HasClaim`` see.
        user: what ``request.user`` gives; loaded by ``subject`` where ``None``.
    """

    subject: str | None = None
    claims: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    user: Any = None


def permitted(result: Any, message: str | None = None) -> Answer:
    """Of a guard: anything true permits."""
    return bool(result), None if result else message, None, None, None


def vouched(result: Any) -> Answer:
    """Of a function that checks credentials: a user, claims, a name or a :class:`Principal`; anything false refuses."""
    if not result:
        return False, None, None, None, None
    principal = _principal(result)
    claims = json.dumps(dict(principal.claims), default=str) if principal.claims else None
    return True, None, principal.subject, claims, principal.user


def _principal(result: Any) -> Principal:
    if isinstance(result, Principal):
        return result
    if isinstance(result, str):
        return Principal(subject=result, claims={"sub": result})
    if isinstance(result, Mapping):
        claims = cast("Mapping[str, Any]", result)
        subject = claims.get("sub")
        return Principal(subject=None if subject is None else str(subject), claims=claims)
    if result is True:
        return Principal()
    key = getattr(result, "pk", None)
    return Principal(subject=None if key is None else str(key), user=result)
