"""JSON Web Tokens: made by PyJWT, by ourselves and by attackers."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from plectrum import API, ConfigurationError, Request, _core
from plectrum.auth import JWT
from plectrum.guards import AllowAny
from plectrum.testing import TestClient, TestResponse

from .keys import ALGORITHMS, SECRET, bearer, jwk, private, public, token


def client(*schemes: JWT, **options: Any) -> TestClient:
    api = API(auth=list(schemes))

    @api.get("/me", **options)
    async def me(request: Request) -> Any:
        return request.auth

    return TestClient(api)


def secret(**options: Any) -> TestClient:
    return client(JWT(key=SECRET, **options))


def shown(client: TestClient, text: str) -> TestResponse:
    return client.get("/me", headers={"authorization": f"Bearer {text}"})


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Any, claims: Any, key: str = SECRET, digest: str = "sha256") -> str:
    message = f"{encoded(header)}.{encoded(claims)}"
    return f"{message}.{encoded(hmac.digest(key.encode(), message.encode(), digest))}"


def good() -> dict[str, Any]:
    return {"sub": "7", "exp": time.time() + 60}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_both_ways(algorithm: str) -> None:
    with client(JWT(key=public(algorithm), algorithms=[algorithm])) as api:
        assert api.get("/me", headers=bearer(algorithm)).json()["sub"] == "7"
        own = _core.sign_jwt(json.dumps(good()), private(algorithm), algorithm, "k")
        assert shown(api, own).status_code == 200
        assert shown(api, own[:-8] + "AAAAAAAA").status_code == 401
    assert jwt.decode(own, public(algorithm), [algorithm])["sub"] == "7"
    assert json.loads(_core.verify_jwt(own, public(algorithm), algorithm))["sub"] == "7"


def test_a_refusal_says_what_and_how() -> None:
    with secret(realm="shop") as api:
        nothing = api.get("/me")
        assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, 'Bearer realm="shop"')
        expired = api.get("/me", headers=bearer(exp=1))
        assert expired.status_code == 401
        assert expired.headers["www-authenticate"] == (
            'Bearer realm="shop", error="invalid_token", error_description="the token has expired"'
        )
        assert expired.json()["detail"] == "The token has expired."


def test_none_and_other_algorithms_are_refused() -> None:
    with secret() as api:
        for name in ("none", "None", "NONE", "nOnE", "", "HS1"):
            header, claims = encoded({"alg": name, "typ": "JWT"}), encoded(good())
            for text in (f"{header}.{claims}.", signed({"alg": name}, good())):
                assert shown(api, text).status_code == 401, text
        assert api.get("/me", headers=bearer("HS512")).status_code == 401
        assert shown(api, signed({"alg": "HS256"}, good(), digest="sha512")).status_code == 401


def test_a_public_key_is_never_a_secret() -> None:
    """CVE-2015-9235: HS256 with the public key's text as the secret."""
    for algorithm in ("RS256", "ES256", "EdDSA"):
        with client(JWT(key=public(algorithm), algorithms=[algorithm])) as api:
            for key in (public(algorithm), public(algorithm).strip()):
                for name in ("HS256", algorithm):
                    assert shown(api, signed({"alg": name}, good(), key)).status_code == 401
    with client(JWT(jwks={"keys": [jwk("RS256", kid="a")]}, algorithms=["RS256"])) as api:
        for key in (public("RS256"), jwk("RS256")["n"], json.dumps(jwk("RS256"))):
            assert shown(api, signed({"alg": "HS256", "kid": "a"}, good(), key)).status_code == 401
    with pytest.raises(ConfigurationError, match=r"of different kinds and cannot share one key"):
        client(JWT(key=public("RS256"), algorithms=["RS256", "HS256"]))
    with pytest.raises(ConfigurationError, match=r"the key is in PEM, but HS256 take a secret"):
        client(JWT(key=public("RS256")))


def test_an_ecdsa_signature_of_zeros_is_refused() -> None:
    """CVE-2022-21449."""
    with client(JWT(key=public("ES256"), algorithms=["ES256"])) as api:
        text = f"{encoded({'alg': 'ES256'})}.{encoded(good())}.{encoded(bytes(64))}"
        assert shown(api, text).status_code == 401


def test_keys_that_tokens_bring_are_not_used() -> None:
    """``jwk``, ``jku`` and ``x5c`` in a header name a key of the sender's."""
    with client(JWT(key=public("RS256"), algorithms=["RS256"])) as api:
        own = jwt.encode(good(), private("RS256"), "RS256", headers={"jwk": jwk("RS256"), "jku": "http://127.0.0.1/"})
        assert shown(api, own).status_code == 200  # ignored, not obeyed
    with client(JWT(key=public("PS256"), algorithms=["PS256"])) as api:
        assert (
            shown(api, jwt.encode(good(), private("RS256"), "RS256", headers={"jwk": jwk("RS256")})).status_code == 401
        )


@pytest.mark.parametrize(
    "text",
    [
        "x", "a.b", "a.b.c", "a.b.c.d", "..", "...", "é.é.é",
        signed({"alg": "HS256", "crit": ["exp"]}, {"exp": 9e9}),
        signed({"alg": "HS256"}, []), signed({"alg": "HS256"}, "x"), signed({"alg": "HS256"}, b"\xff"),
        signed({"alg": "HS256"}, b'{"exp":9e9,"exp":1}'), signed([], {"exp": 9e9}), signed({}, {"exp": 9e9}),
        signed({"alg": ["HS256"]}, {"exp": 9e9}), signed({"alg": "HS256"}, {"exp": "9000000000"}),
        signed({"alg": "HS256"}, {"exp": 9e9}) + "=", signed({"alg": "HS256"}, {"exp": 9e9}) + "\n.x",
        signed({"alg": "HS256"}, {"exp": 9e9, "pad": "x" * 20_000}),
    ],
)  # fmt: skip
def test_what_is_no_token(text: str) -> None:
    with secret() as api:
        try:
            assert shown(api, text).status_code == 401
        except ValueError:
            assert not text.isprintable()  # no header at all


def test_claims() -> None:
    with secret(audience="shop", issuer=["us", "them"], required=["exp", "jti"], leeway=5) as api:
        claims = {"aud": ["x", "shop"], "iss": "them", "jti": "1"}
        assert api.get("/me", headers=bearer(**claims)).status_code == 200
        assert api.get("/me", headers=bearer(**claims, exp=int(time.time()) - 3)).status_code == 200
        for wrong in (
            {"aud": "other"}, {"aud": None}, {"iss": "x"}, {"iss": None}, {"jti": None}, {"exp": None},
            {"exp": int(time.time()) - 6}, {"nbf": int(time.time()) + 60}, {"token_type": "refresh"},
        ):  # fmt: skip
            assert api.get("/me", headers=bearer(**{**claims, **wrong})).status_code == 401, wrong


def test_key_sets_choose_by_name_kind_and_use() -> None:
    keys = [
        jwk("RS256", kid="rsa"),
        jwk("ES256", kid="ec"),
        jwk("EdDSA", kid="ed", use="enc"),
        {"kty": "oct", "k": encoded(SECRET.encode()), "kid": "oct"},
        {"kty": "new"},
    ]
    with client(JWT(jwks={"keys": keys}, algorithms=["RS256", "PS256", "ES256", "EdDSA", "HS256"])) as api:

        def status(algorithm: str, kid: str | None) -> int:
            headers = None if kid is None else {"kid": kid}
            return api.get("/me", headers=bearer(algorithm, headers=headers)).status_code

        assert [status("RS256", "rsa"), status("ES256", "ec"), status("RS256", None), status("PS256", "rsa")] == [
            200
        ] * 4
        assert [status("RS256", "ec"), status("EdDSA", "ed"), status("HS256", "oct"), status("RS256", "x")] == [401] * 4
    with client(JWT(jwks={"keys": [jwk("RS256", kid="rsa", alg="RS512")]}, algorithms=["RS256", "RS512"])) as api:
        assert api.get("/me", headers=bearer("RS256")).status_code == 401
        assert api.get("/me", headers=bearer("RS512")).status_code == 200


def test_key_sets_from_files(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [jwk("ES384")]}))
    with client(JWT(jwks=path, algorithms=["ES384"])) as api:
        assert api.get("/me", headers=bearer("ES384")).status_code == 200
    path.write_text('{"keys": []}')
    with pytest.raises(ConfigurationError, match=r"none of the 0 keys of the set is for ES384"):
        client(JWT(jwks=path, algorithms=["ES384"]))


def test_several_issuers_side_by_side() -> None:
    one = JWT(key=SECRET, issuer="one", user_claim="uid")
    two = JWT(key=public("ES256"), algorithms=["ES256"], issuer="two")
    with client(one, two) as api:
        assert api.get("/me", headers=bearer(iss="one")).status_code == 200
        assert api.get("/me", headers=bearer("ES256", iss="two")).status_code == 200
        refused = api.get("/me", headers=bearer("ES256", iss="one"))
        assert refused.status_code == 401
        assert refused.json()["detail"] == "The token's algorithm is not accepted."


def test_a_wrong_token_never_passes_as_none() -> None:
    with client(JWT(key=SECRET), guards=[AllowAny]) as api:
        assert api.get("/me").json() is None
        assert api.get("/me", headers=bearer()).json()["sub"] == "7"
        assert api.get("/me", headers=bearer(exp=1)).status_code == 401


def test_cookies_where_they_are_asked_for() -> None:
    with secret(cookie="token") as api:
        assert api.get("/me", cookies={"token": token()}).status_code == 200
        assert api.get("/me", cookies={"token": "x"}).status_code == 401
    with secret() as api:
        assert api.get("/me", cookies={"token": token()}).status_code == 401


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": "short"}, "the secret has 5 bytes, but HS256 needs 32"),
        ({"key": SECRET, "algorithms": ["none"]}, 'the algorithm "none" signs nothing and is never accepted'),
        ({"key": SECRET, "algorithms": ["HS257"]}, '"HS257" is no known algorithm: choose from HS256'),
        ({"key": SECRET, "algorithms": []}, "no algorithm is named"),
        ({"key": "x", "algorithms": ["RS256"]}, "the key is no public key in PEM that RS256 can use"),
        ({"key": SECRET, "jwks": {"keys": []}}, "takes either key= or jwks="),
        ({"jwks": "http://example.org/keys"}, "must be an https:// address"),
        ({"jwks": {"keys": 1}}, "not a JSON Web Key Set"),
    ],
)
def test_what_could_not_work_is_refused_at_start(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        client(JWT(**options))
    assert words in str(raised.value)
    assert SECRET not in repr(JWT(**options))


def test_requests_with_one_token_share_nothing_but_its_claims() -> None:
    api = API(auth=[JWT(key=SECRET)])

    @api.get("/")
    async def handler(request: Request) -> Any:
        request.state["times"] = request.state.get("times", 0) + 1
        claims = request.auth
        assert claims is not None
        claims["seen"] = claims.get("seen", 0) + 1
        return [request.state["times"], claims["seen"]]

    text = token()
    with TestClient(api) as asked:
        assert [asked.get("/", headers={"authorization": f"Bearer {text}"}).json() for _ in range(3)] == [[1, 1]] * 3
        # One byte more or less is another token, however good the one before was.
        for other in (text[:-1], text + "A", text.upper()):
            assert asked.get("/", headers={"authorization": f"Bearer {other}"}).status_code == 401
