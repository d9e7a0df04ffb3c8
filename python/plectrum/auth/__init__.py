"""Authentication: who makes a request, decided in Rust before the body is read and before Python is entered.

``auth=[…]`` of an API, a router or a route names the schemes a request may be authenticated by; the innermost one that
is given counts, and ``auth=None`` opens what is inside. Where there is ``auth`` and no ``guards``, a request has to be
authenticated. See ``docs/authentication.md``.
"""

from __future__ import annotations

from .api_key import APIKey, hash_key
from .callbacks import Basic, Bearer, Principal
from .jwt import JWT
from .scheme import Scheme
from .session import Session

__all__ = ["JWT", "APIKey", "Basic", "Bearer", "Principal", "Scheme", "Session", "hash_key"]
