"""What every request and answer passes: hosts, proxies, HTTPS, CORS, compression, security headers, request ids."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from hypothesis import given, settings
from hypothesis import strategies as st

from plectrum import API, ConfigurationError, Request, Response, Stream
from plectrum.edge import CORS
from plectrum.testing import TestClient

TEXT = "All work and no play makes Jack a dull boy. " * 100
SHOP = "https://shop.example"


def client(**options: Any) -> TestClient:
    api = API()

    @api.get("/")
    async def hello(request: Request) -> Any:
        return {"client": request.client, "scheme": request.scheme, "host": request.header("host")}

    @api.get("/long")
    async def long() -> str:
        return TEXT

    @api.get("/typed")
    async def typed(kind: str = "text/plain", etag: str = "", encoding: str = "", cache: str = "") -> Response:
        given = {"content-type": kind, "etag": etag, "content-encoding": encoding, "cache-control": cache}
        return Response(TEXT, headers={name: value for name, value in given.items() if value})

    @api.get("/stream")
    async def stream() -> Stream:
        async def pieces() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number} {TEXT}"

        return Stream(pieces(), media_type="text/plain")

    @api.post("/own", cors=CORS(origins=["https://own.example"], credentials=True))
    async def own() -> str:
        return "own"

    @api.get("/closed", cors=None)
    async def closed() -> str:
        return "closed"

    return TestClient(api, **options)


# Hosts.

_HOSTS = st.one_of(
    st.from_regex(r"\A[a-zA-Z0-9.\-\[\]:_@/]{0,20}\Z"),
    st.sampled_from(["example.com", "EXAMPLE.com:80", "a.shop.org", "shop.org.", "[::1]:8", "evil.com", "xshop.org"]),
)


@settings(deadline=None, max_examples=200)
@given(host=_HOSTS)
def test_hosts_as_django_matches_them(host: str) -> None:
    allowed = ["example.com", ".shop.org", "[::1]"]
    domain, _ = split_domain_port(host)
    expected = bool(domain) and validate_host(domain, allowed)
    status = _CLIENT.get("/", headers={"host": host}).status_code
    assert (status == 200) == expected, host
    assert status in (200, 400)


_CLIENT = client(allowed_hosts=("example.com", ".shop.org", "[::1]"))


def test_hosts_of_djangos_settings(settings: Any) -> None:
    for hosts, debug, expected in [(["a"], False, [200, 400]), ([], True, [400, 200]), ([], False, [400, 400])]:
        settings.ALLOWED_HOSTS, settings.DEBUG = hosts, debug
        with client() as api:
            assert [api.get("/", headers={"host": host}).status_code for host in ("a", "x.localhost:80")] == expected
    assert HttpRequest  # what decides there is Django's own


# HTTPS and security headers.


def test_to_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    with client() as api:
        moved = api.get("/long?a=1", headers={"host": "a.example:80"})
        assert (moved.status_code, moved.headers["location"]) == (301, "https://a.example:80/long?a=1")
    settings.SECURE_SSL_HOST = "safe.example"
    with client(trusted_proxies=("unix",)) as api:
        assert api.get("/", headers={"host": "a"}).headers["location"] == "https://safe.example/"
        assert api.get("/", headers={"x-forwarded-proto": "https"}).json()["scheme"] == "https"


def test_security_headers_as_django_sends_them(settings: Any) -> None:
    from django.http import HttpResponse
    from django.middleware.clickjacking import XFrameOptionsMiddleware
    from django.middleware.security import SecurityMiddleware
    from django.test import RequestFactory

    names = ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "x-frame-options",
             "strict-transport-security")  # fmt: skip
    listed = ["django.middleware.security.SecurityMiddleware",
              "django.middleware.clickjacking.XFrameOptionsMiddleware"]  # fmt: skip
    with client() as api:
        assert not set(names) & set(api.get("/").headers)
    for changes in (
        {},
        {"SECURE_HSTS_SECONDS": 60, "SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True},
        {"SECURE_REFERRER_POLICY": ("origin", "same-origin"), "SECURE_CONTENT_TYPE_NOSNIFF": False},
        {"SECURE_CROSS_ORIGIN_OPENER_POLICY": None, "X_FRAME_OPTIONS": "sameorigin", "SECURE_REFERRER_POLICY": None},
    ):
        for name, value in {"MIDDLEWARE": listed, **changes}.items():
            setattr(settings, name, value)
        for secure in (False, True):
            request = RequestFactory().get("/", secure=secure)
            chain: Any = SecurityMiddleware(XFrameOptionsMiddleware(lambda _: HttpResponse()))
            expected = {name: value for name, value in chain(request).headers.items() if name.lower() in names}
            with client(trusted_proxies=("unix",)) as api:
                headers = api.get("/", headers={"x-forwarded-proto": "https"} if secure else {}).headers
            found = {name: headers[name] for name in names if name in headers}
            assert found == {name.lower(): value for name, value in expected.items()}, (changes, secure)


# CORS.


def test_a_simple_request() -> None:
    with client(cors_origins=(SHOP, "https://*.below.example"), cors_expose=("x-total",)) as api:
        allowed = api.get("/", headers={"origin": SHOP})
        assert allowed.headers["access-control-allow-origin"] == SHOP
        assert allowed.headers["access-control-expose-headers"] == "x-total"
        assert "origin" in allowed.headers["vary"]
        assert "access-control-allow-credentials" not in allowed.headers
        for origin in ("https://a.below.example", "https://a.b.below.example"):
            assert api.get("/", headers={"origin": origin}).headers["access-control-allow-origin"] == origin
        for origin in (
            "https://evil.example", "http://shop.example", "null", "https://shop.example.evil.example",
            "https://below.example", "https://xbelow.example", "https://evil.example/.below.example",
            "https://a.below.example:81", SHOP + ":80",
        ):  # fmt: skip
            refused = api.get("/", headers={"origin": origin})
            assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (200, False), origin
            assert "origin" in refused.headers["vary"]
        assert "origin" in api.get("/").headers["vary"]
        assert api.get("/nowhere", headers={"origin": SHOP}).headers["access-control-allow-origin"] == SHOP


def preflight(
    api: TestClient, path: str, method: str, origin: str = SHOP, headers: str | None = None
) -> dict[str, str]:
    asked = {"origin": origin, "access-control-request-method": method}
    if headers:
        asked["access-control-request-headers"] = headers
    answer = api.options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    return {name[21:]: value for name, value in answer.headers.items() if name.startswith("access-control-allow-")}


def test_preflights() -> None:
    with client(cors_origins=(SHOP,), cors_credentials=True) as api:
        assert preflight(api, "/", "GET", headers="x-a, x-b") == {
            "origin": SHOP, "credentials": "true", "methods": "GET, HEAD, OPTIONS", "headers": "x-a, x-b",
        }  # fmt: skip
        assert preflight(api, "/", "GET", "https://evil.example") == {}
        assert api.options("/").headers["allow"] == "GET, HEAD, OPTIONS"
    with client(cors_origins=("*",), cors_methods=("GET",), cors_headers=("x-a",), cors_max_age=5) as api:
        assert preflight(api, "/", "GET", "null") == {"origin": "*", "methods": "GET", "headers": "x-a"}
        plain = api.get("/", headers={"origin": "null"})
        assert plain.headers["access-control-allow-origin"] == "*"
        assert "vary" not in plain.headers


def test_a_route_has_a_policy_of_its_own() -> None:
    with client(cors_origins=(SHOP,)) as api:
        assert preflight(api, "/own", "POST") == {}
        own = preflight(api, "/own", "POST", "https://own.example")
        assert (own["origin"], own["credentials"]) == ("https://own.example", "true")
        assert "access-control-allow-origin" not in api.post("/own", headers={"origin": SHOP}).headers
        assert "access-control-allow-origin" not in api.get("/closed", headers={"origin": SHOP}).headers
        assert api.get("/", headers={"origin": SHOP}).headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cors_origins": ("*",), "cors_credentials": True}, "would let any site act in its visitors' names"),
        ({"cors_origins": ("shop.example",)}, "is no origin as browsers send it"),
        ({"cors_origins": ("https://shop.example/",)}, "is no origin as browsers send it"),
        ({"cors_origins": ("https://shop.example:443",)}, "is no origin as browsers send it"),
        ({"cors_headers": ("a b",), "cors_origins": ("*",)}, "cannot be the name of a header"),
        ({"trusted_proxies": ("proxy",)}, "is neither an address, nor a network"),
        ({"compression": ("deflate",)}, "'deflate', which is not one of br, zstd, gzip"),
        ({"request_id_header": "a b"}, "cannot be the name of a header"),
    ],
)
def test_what_could_not_work_is_refused_at_start(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        client(**options)
    assert words in str(raised.value)


# Compression.


def coding(api: TestClient, accept: str | None, path: str = "/long") -> str | None:
    answer = api.get(path, headers={} if accept is None else {"accept-encoding": accept})
    assert answer.status_code == 200
    return answer.headers.get("content-encoding")


def test_the_clients_weights_decide() -> None:
    with client(compression=("br", "zstd", "gzip")) as api:
        for accept, expected in [
            (None, None), ("", None), ("identity", None), ("deflate", None), ("gzip", "gzip"), ("GZIP", "gzip"),
            ("gzip, br", "br"), ("gzip, zstd", "zstd"), ("gzip;q=1, br;q=0.5", "gzip"), ("br;q=0, gzip", "gzip"),
            ("br;q=0", None), ("*", "br"), ("*;q=0.5, br;q=0.1", "zstd"), ("br;q=0, *", "zstd"),
            ("gzip;q=0.5, identity;q=0.9", None), ("gzip;q=0.5, identity;q=0.5", "gzip"), ("gzip;q=2", None),
            ("gzip;q=x", None), ("gzip ; q=0.001", "gzip"), ("*;q=0", None),
        ]:  # fmt: skip
            assert coding(api, accept) == expected, accept
    with client(compression=("gzip",)) as api:
        assert coding(api, "br, gzip;q=0.1") == "gzip"


def test_the_bytes_come_back() -> None:
    with client(compression=("gzip",)) as api:
        answer = api.get("/long", headers={"accept-encoding": "gzip"})
        assert gzip.decompress(answer.content).decode() == f'"{TEXT}"'
        assert len(answer.content) < len(TEXT) / 10
        assert answer.headers["vary"] == "accept-encoding"
        streamed = api.get("/stream", headers={"accept-encoding": "gzip"})
        assert gzip.decompress(streamed.content).decode() == "".join(f"{number} {TEXT}" for number in range(3))
        assert api.get("/long").headers["vary"] == "accept-encoding"
        head = api.head("/long", headers={"accept-encoding": "gzip"})
        assert (head.headers["content-encoding"], head.content) == ("gzip", b"")


def test_what_is_left_alone() -> None:
    with client(compression=("gzip",)) as api:
        assert coding(api, "gzip", "/") is None  # too small
        for kind, expected in [
            ("image/png", None), ("application/zip", None), ("video/mp4", None), ("application/octet-stream", None),
            ("image/svg+xml", "gzip"), ("application/problem+json", "gzip"), ("text/html; charset=utf-8", "gzip"),
        ]:  # fmt: skip
            assert coding(api, "gzip", f"/typed?kind={kind.replace('+', '%2B').replace(' ', '%20')}") == expected, kind
        assert coding(api, "gzip", "/typed?encoding=br") == "br"
        assert coding(api, "gzip", "/typed?cache=no-transform") is None
    with client() as api:
        assert coding(api, "gzip") is None


def test_tags_are_weakened() -> None:
    with client(compression=("gzip",)) as api:
        for tag, expected in (('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')):
            answer = api.get("/typed", params={"etag": tag}, headers={"accept-encoding": "gzip"})
            assert answer.headers["etag"] == expected
            assert api.get("/typed", params={"etag": tag}).headers["etag"] == tag


# Request ids and proxies; the rest of the proxies is in Rust, and in tests/contract over real sockets.


def test_requests_have_names() -> None:
    with client(request_id_header="X-Request-ID") as api:
        names = {api.get("/").headers["x-request-id"] for _ in range(5)}
        assert len(names) == 5
        assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
        assert api.get("/nowhere", headers={"x-request-id": "mine"}).headers["x-request-id"] != "mine"
    with client(request_id_header="X-Request-ID", trusted_proxies=("unix",)) as api:
        assert api.get("/", headers={"x-request-id": "mine"}).headers["x-request-id"] == "mine"
        assert len(api.get("/", headers={"x-request-id": "x" * 200}).headers["x-request-id"]) == 32


def test_a_trusted_proxy_speaks_for_the_client() -> None:
    said = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https", "x-forwarded-host": "shop", "host": "own"}
    with client() as api:
        assert api.get("/", headers=said).json() == {"client": None, "scheme": "http", "host": "own"}
    with client(trusted_proxies=("unix",)) as api:
        assert api.get("/", headers=said).json() == {"client": ["192.0.2.7", 0], "scheme": "https", "host": "own"}
    with client(trusted_proxies=("unix",), proxy_host=True, allowed_hosts=("shop",)) as api:
        assert api.get("/", headers=said).json()["host"] == "shop"
        assert api.get("/", headers={**said, "x-forwarded-host": "evil"}).status_code == 400
