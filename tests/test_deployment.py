"""`manage.py check --deploy`: what of Plectrum's settings is not meant for production."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.core.checks import run_checks

SAFE: dict[str, Any] = {}


def findings(settings: Any, plectrum: dict[str, Any], engine: str = "postgresql") -> list[str]:
    settings.PLECTRUM = plectrum
    with mock.patch.dict(settings.DATABASES["default"], {"ENGINE": f"django.db.backends.{engine}"}):
        found = run_checks(tags=["plectrum"], include_deployment_checks=True)
    return [str(message.id).removeprefix("plectrum.") for message in found]


@pytest.mark.parametrize(
    ("plectrum", "ids"),
    [
        (SAFE, []),
        ({"DEBUG": True}, ["W101"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["W102"]),
        ({"ALLOWED_HOSTS": ["shop.example"], "TRUSTED_PROXIES": ["10.0.0.0/8", "unix"]}, []),
        ({"TRUSTED_PROXIES": ["0.0.0.0/0", "::/0"]}, ["W103", "W103"]),
        ({"CORS_ORIGINS": ["*"]}, ["W104"]),
        ({"WEBSOCKET_ORIGINS": "*"}, ["W105"]),
        ({"HEADER_READ_TIMEOUT": None, "WRITE_TIMEOUT": None}, ["W106", "W106"]),
        ({"NPLUSONE": "raise"}, ["W107"]),
        ({"NPLUSONE": "warn"}, []),
    ],
)
def test_findings(settings: Any, plectrum: dict[str, Any], ids: list[str]) -> None:
    assert findings(settings, plectrum) == ids


def test_https_that_only_a_header_tells_of(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert findings(settings, {}) == ["W108"]
    assert findings(settings, {"TRUSTED_PROXIES": ["10.0.0.1"]}) == []


def test_a_database_that_is_a_file(settings: Any) -> None:
    assert findings(settings, {}, "sqlite3") == ["W109"]


def test_only_with_deploy(settings: Any) -> None:
    settings.PLECTRUM = {"DEBUG": True}
    assert run_checks(tags=["plectrum"]) == []


def test_each_says_what_to_do(settings: Any) -> None:
    settings.PLECTRUM = {"ALLOWED_HOSTS": ["*"], "CORS_ORIGINS": ["*"], "BODY_READ_TIMEOUT": None}
    found = run_checks(tags=["plectrum"], include_deployment_checks=True)
    assert len([message for message in found if message.id != "plectrum.W109"]) == 3
    assert all(message.hint for message in found)
