"""Cookies out and, signed, in again."""

from __future__ import annotations

import datetime

import pytest
from django.core import signing as django_signing
from django.http import HttpRequest, HttpResponse

from plectrum import API, ConfigurationError, Request, Response, conf, signing
from plectrum.testing import TestClient


def lines(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "set-cookie"]


def test_attributes() -> None:
    response = Response()
    response.set_cookie("a", "1")
    response.set_cookie(
        "__Host-b", "2", max_age=datetime.timedelta(minutes=1), secure=True, httponly=True, samesite="None",
        partitioned=True, expires=datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC),
    )  # fmt: skip
    response.delete_cookie("c", path="/x", domain="example.org", samesite=None)
    assert lines(response) == [
        "a=1; Path=/; SameSite=Lax",
        (
            "__Host-b=2; expires=Tue, 01 Jan 2030 00:00:00 GMT; Max-Age=60; Path=/; SameSite=None; Secure; HttpOnly; "
            "Partitioned"
        ),
        "c=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=example.org; Path=/x",
    ]


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("a b",), {}, "its name must be"),
        (("a", "b\r\nset-cookie: c=d"), {}, "its value must be"),
        (("a", "b"), {"path": "/;secure"}, "its path holds a semicolon"),
        (("a", "b"), {"domain": "a\r\nb"}, "its domain holds a semicolon or a control"),
        (("a", "b"), {"samesite": "none"}, "browsers drop a cookie with SameSite=None unless it has secure=True"),
        (("__Host-a", "b"), {"secure": True, "path": "/x"}, "needs path"),
        (("a", "b"), {"samesite": "some"}, 'samesite must be "lax", "strict", "none" or None, not "some".'),
        (("a", "b"), {"expires": datetime.datetime(2030, 1, 1)}, "expires must be an aware datetime"),
        (("a", "b"), {"expires": float("nan")}, "expires must be an aware datetime"),
    ],
)
def test_refusals(arguments: tuple[str, ...], options: dict[str, object], said: str) -> None:
    response = Response()
    with pytest.raises(ValueError, match=said):
        response.set_cookie(*arguments, **options)  # type: ignore[arg-type]
    assert lines(response) == []


@pytest.mark.parametrize(("name", "value"), [("x", "a\r\nb: c"), ("x\r\ny", "1"), ("", "1"), ("x", "a\0")])
def test_headers_cannot_be_split(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be the"):
        Response(headers={name: value})
    with pytest.raises(ValueError, match="cannot be the"):
        Response().set_header(name, value)


def test_signed_cookies_are_djangos_too() -> None:
    api = API()

    @api.get("/")
    async def read(request: Request) -> list[str | None]:
        return [request.signed_cookie("a"), request.signed_cookie("b", salt="s", max_age=60)]

    ours, theirs = Response(), HttpResponse()
    ours.set_signed_cookie("a", "1", httponly=True)
    theirs.set_signed_cookie("b", "two", salt="s")
    signed = {"a": lines(ours)[0].split(";")[0].partition("=")[2], "b": theirs.cookies["b"].value}
    with TestClient(api) as client:
        assert client.get("/", cookies=signed).json() == ["1", "two"]
        assert client.get("/", cookies={"a": signed["b"], "b": signed["b"] + "x"}).json() == [None, None]
        assert client.get("/").json() == [None, None]
    request = HttpRequest()
    request.COOKIES = signed
    assert request.get_signed_cookie("a") == "1"


class TestWithoutDjango:
    @pytest.fixture(autouse=True)
    def without_django(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signing, "_django_has_key", lambda: False)
        monkeypatch.setattr(conf, "current", lambda: conf.Settings(secret_key="k" * 50))

    def test_there_and_back(self) -> None:
        signed = signing.sign_cookie("a", "é:1", "salt")
        assert signing.unsign_cookie("a", signed, "salt") == "é:1"
        assert signing.unsign_cookie("a", signed, "salt", 60) == "é:1"
        assert signing.unsign_cookie("a", signed, "salt", datetime.timedelta(seconds=-1)) is None
        assert signing.unsign_cookie("a", signed, "salt", -1) is None

    @pytest.mark.parametrize("forged", ["", "1", "a:1", "a:1:", ":::", "é:1:é", "b" * 1000])
    def test_forgeries(self, forged: str) -> None:
        assert signing.unsign_cookie("a", forged) is None
        signed = signing.sign_cookie("a", "1")
        assert signing.unsign_cookie("b", signed) is None
        assert signing.unsign_cookie("a", "2" + signed[1:]) is None
        assert signing.unsign_cookie("a", django_signing.TimestampSigner().sign("1")) is None

    def test_without_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conf, "current", conf.Settings)
        with pytest.raises(ConfigurationError, match="Set PLECTRUM_SECRET_KEY"):
            signing.sign_cookie("a", "1")
