"""How people say who they are: tokens for apps, Django's sessions for browsers."""

from __future__ import annotations

from plectrum.auth import JWT, Session
from plectrum.auth.tokens import ModelRevocation, Tokens

TOKENS = Tokens(revocation=ModelRevocation("accounts.RevokedToken"))

#: `auth=` of every route that wants to know its user.
CUSTOMERS = [JWT(), Session()]
