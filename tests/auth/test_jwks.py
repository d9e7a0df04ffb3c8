"""Key sets at an address: fetched when needed, once, again as keys rotate, and not while it fails."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from plectrum import API, ConfigurationError
from plectrum.auth import JWT
from plectrum.testing import TestClient

from .keys import bearer, jwk


class Issuer(http.server.ThreadingHTTPServer):
    """Publishes keys; counts who asks."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/keys?tenant=7"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        issuer = self.server
        assert isinstance(issuer, Issuer)
        issuer.asked.append(f"{self.path} {self.headers['host']} {self.headers['accept']}")
        body = json.dumps({"keys": issuer.keys}).encode()
        self.send_response(issuer.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        threading.Thread(target=issuer.serve_forever, daemon=True).start()
        yield issuer
        issuer.shutdown()


def client(issuer: Issuer, **options: Any) -> TestClient:
    api = API(auth=[JWT(jwks=issuer.url, algorithms=["RS256", "ES256"], **options)])

    @api.get("/")
    async def handler() -> str:
        return "in"

    return TestClient(api)


def status(client: TestClient, algorithm: str = "RS256", kid: str = "a") -> int:
    return client.get("/", headers=bearer(algorithm, headers={"kid": kid})).status_code


def test_fetched_when_needed_and_once(issuer: Issuer) -> None:
    issuer.keys = [jwk("RS256", kid="a")]
    with client(issuer) as api:
        assert (api.get("/").status_code, issuer.asked) == (401, [])
        assert [status(api) for _ in range(5)] == [200] * 5
        host = f"127.0.0.1:{issuer.server_address[1]}"
        assert issuer.asked == [f"/keys?tenant=7 {host} application/jwk-set+json, application/json"]


def test_made_up_key_ids_are_not_requests_elsewhere(issuer: Issuer) -> None:
    issuer.keys = [jwk("RS256", kid="a")]
    with client(issuer) as api:
        assert status(api) == 200
        assert [status(api, kid=f"made up {number}") for number in range(20)] == [401] * 20
        assert len(issuer.asked) == 1
        assert status(api) == 200


def test_keys_rotate(issuer: Issuer) -> None:
    issuer.keys = [jwk("RS256", kid="a")]
    with client(issuer) as api:
        assert status(api) == 200
        # Of a key that is not published yet.
        assert status(api, "ES256", "b") == 401
    issuer.keys.append(jwk("ES256", kid="b"))
    with client(issuer) as api:
        assert status(api, "ES256", "b") == 200


def test_a_lifetime_is_not_shorter_than_the_pause_between_fetches(issuer: Issuer) -> None:
    with pytest.raises(ConfigurationError, match="at least 10 seconds"):
        client(issuer, jwks_lifetime=1)


def test_an_issuer_that_fails(issuer: Issuer) -> None:
    issuer.status = 500
    with client(issuer) as api:
        refused = api.get("/", headers=bearer("RS256", headers={"kid": "a"}))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert status(api) == 401  # it is left alone for a second
        assert len(issuer.asked) == 1
    issuer.status, issuer.keys = 200, [{"kty": "oct", "k": "AAAA"}]
    with client(issuer) as api:
        assert status(api) == 503


def test_an_issuer_that_is_not_there() -> None:
    issuer = Issuer()
    issuer.server_close()
    with client(issuer, jwks_timeout=0.5) as api:
        assert status(api) == 503
