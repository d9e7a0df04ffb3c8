"""Pairs of tokens: made, used, renewed, stolen and revoked."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from django.core.cache import cache

from plectrum import API, Request, Unauthorized
from plectrum.auth import JWT
from plectrum.auth.tokens import CacheRevocation, ModelRevocation, Tokens
from plectrum.testing import TestClient
from tests.project.models import RevokedToken

from .keys import SECRET, private, public


@pytest.fixture(params=["cache", "model"])
def tokens(request: pytest.FixtureRequest, db: None) -> Tokens:
    cache.clear()
    revocation = CacheRevocation() if request.param == "cache" else ModelRevocation("project.RevokedToken")
    return Tokens(key=SECRET, issuer="us", audience="shop", revocation=revocation)


def client(tokens: Tokens) -> TestClient:
    api = API(auth=[JWT(key=SECRET, issuer="us", audience="shop", revocation=tokens.revocation)])

    @api.get("/")
    async def handler(request: Request) -> Any:
        return request.auth

    return TestClient(api)


def status(client: TestClient, token: str) -> int:
    return client.get("/", headers={"authorization": f"Bearer {token}"}).status_code


def test_a_pair_and_what_each_of_it_opens(tokens: Tokens) -> None:
    pair = tokens.create_pair(7, scope="read")
    with client(tokens) as api:
        assert (status(api, pair.access_token), status(api, pair.refresh_token)) == (200, 401)
    claims = jwt.decode(pair.access_token, SECRET, ["HS256"], audience="shop", issuer="us")
    assert (claims["sub"], claims["scope"], claims["exp"] - claims["iat"]) == ("7", "read", pair.expires_in)
    with pytest.raises(Unauthorized, match="not a refresh token"):
        tokens.refresh(pair.access_token)


def test_renewing_uses_a_token_up(tokens: Tokens) -> None:
    first = tokens.create_pair(7, scope="read")
    second = tokens.refresh(first.refresh_token)
    third = tokens.refresh(second.refresh_token)
    claims = json.loads(jwt.api_jws.decode(third.access_token, SECRET, ["HS256"]))
    assert (claims["sub"], claims["scope"]) == ("7", "read")
    with client(tokens) as api:
        assert status(api, third.access_token) == 200
        with pytest.raises(Unauthorized, match="used before"):
            tokens.refresh(first.refresh_token)
        # Whoever has the newest token may be the thief: the family is out, access tokens too.
        with pytest.raises(Unauthorized, match="revoked"):
            tokens.refresh(third.refresh_token)
        assert status(api, third.access_token) == 401


def test_logging_out(tokens: Tokens) -> None:
    pair, other = tokens.create_pair(7), tokens.create_pair(7)
    with client(tokens) as api:
        tokens.revoke(pair.refresh_token)
        answer = api.get("/", headers={"authorization": f"Bearer {pair.access_token}"})
        assert (answer.status_code, answer.json()["detail"]) == (401, "The token has been revoked.")
        assert status(api, other.access_token) == 200
    with pytest.raises(Unauthorized):
        tokens.refresh(pair.refresh_token)


def test_what_is_refused(tokens: Tokens) -> None:
    good = jwt.decode(tokens.create_pair(7).refresh_token, options={"verify_signature": False})
    for wrong in ({"exp": 1}, {"exp": None}, {"jti": 1}, {"iss": "x"}, {"aud": "x"}, {"sub": None}):
        with pytest.raises(Unauthorized):
            tokens.refresh(jwt.encode({**good, **wrong}, SECRET, "HS256"))
    for text in ("", "x", jwt.encode(good, "x" * 40, "HS256"), jwt.encode(good, SECRET, "HS512")):
        with pytest.raises(Unauthorized) as raised:
            tokens.refresh(text)
        assert raised.value.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_family_grows_no_older(tokens: Tokens) -> None:
    first = tokens.create_pair(7)
    until = jwt.decode(first.refresh_token, options={"verify_signature": False})["exp"]
    second = tokens.refresh(first.refresh_token)
    assert jwt.decode(second.refresh_token, options={"verify_signature": False})["exp"] == until


def test_keys_of_two_halves() -> None:
    tokens = Tokens(
        key=private("ES256"), public_key=public("ES256"), algorithm="ES256", key_id="a", refresh_lifetime=60
    )
    pair = tokens.create_pair(7)
    assert jwt.get_unverified_header(pair.access_token) == {"alg": "ES256", "typ": "JWT", "kid": "a"}
    assert tokens.read_refresh(pair.refresh_token)["exp"] <= time.time() + 61


def test_rows_say_until_when(db: None) -> None:
    ModelRevocation(RevokedToken).revoke("x", time.time() + 60)
    assert 50 < RevokedToken.objects.get(name="x").until.timestamp() - time.time() <= 60
