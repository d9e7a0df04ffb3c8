from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from plectrum import conf
from plectrum.conf import Settings
from plectrum.errors import ConfigurationError


def problems(given: object = None, **environ: str) -> list[tuple[str, str, str]]:
    return [(each.id, each.message, each.hint) for each in conf.read(given, environ)[1]]


def test_defaults_need_nothing() -> None:
    assert conf.load(None, {}) == Settings()


def test_django_dict_then_environment() -> None:
    given = {"PORT": 9000, "MAX_BODY": 5, "KEEP_ALIVE_TIMEOUT": None, "DRAIN_TIMEOUT": 3, "API": "shop.api.api"}
    settings = conf.load(given, {"PLECTRUM_PORT": "9001", "PLECTRUM_OPENAPI": "off", "PLECTRUM_WRITE_TIMEOUT": "1.5"})
    assert (settings.port, settings.max_body, settings.keep_alive_timeout) == (9001, 5, None)
    assert (settings.drain_timeout, type(settings.drain_timeout)) == (3.0, float)
    assert (settings.openapi, settings.write_timeout, settings.api) == (False, 1.5, "shop.api.api")


@pytest.mark.parametrize(("text", "value"), [("", None), ("none", None), ("nginx", "nginx")])
def test_optional_text_from_the_environment(text: str, value: str | None) -> None:
    assert conf.load(None, {"PLECTRUM_SERVER_HEADER": text}).server_header == value


@pytest.mark.parametrize(("text", "value"), [("1", True), ("YES", True), ("true", True), ("0", False), ("off", False)])
def test_booleans_from_the_environment(text: str, value: bool) -> None:
    assert conf.load(None, {"PLECTRUM_DATE_HEADER": text}).date_header is value


def test_debug_is_djangos_unless_set() -> None:
    assert conf.load(None, {}, debug=True).debug
    assert not conf.load({"DEBUG": False}, {}, debug=True).debug


def test_unknown_key() -> None:
    expected = ("plectrum.E001", 'PLECTRUM["MAX_BODDY"] is not a setting.', "Did you mean 'MAX_BODY'?")
    assert problems({"MAX_BODDY": 1}) == [expected]


def test_lower_case_key() -> None:
    assert problems({"port": 1}) == [
        ("plectrum.E001", 'PLECTRUM["port"] is not a setting.', "Did you mean 'PORT'?"),
    ]


def test_unlike_anything() -> None:
    assert problems({"XYZZY": 1})[0][2] == "See docs/settings.md for all of them."


def test_unknown_variable_only_warns() -> None:
    found = problems(None, PLECTRUM_PROT="1", PLECTRUM_TEST_PG="x", PLECTRUM_INTERNAL_JOB="x", OTHER="x")
    assert found == [
        ("plectrum.W001", "The environment variable PLECTRUM_PROT is not a setting.", "Did you mean 'PORT'?"),
    ]
    assert conf.load(None, {"PLECTRUM_PROT": "1"}) == Settings()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("PORT", "8000", "PLECTRUM[\"PORT\"] is '8000', which is not an integer."),
        ("PORT", True, 'PLECTRUM["PORT"] is True, which is not an integer.'),
        ("PORT", None, 'PLECTRUM["PORT"] is None, which is not an integer.'),
        ("DRAIN_TIMEOUT", "3", "PLECTRUM[\"DRAIN_TIMEOUT\"] is '3', which is not a number."),
        ("WRITE_TIMEOUT", [], 'PLECTRUM["WRITE_TIMEOUT"] is [], which is not a number or None.'),
        ("OPENAPI", 1, 'PLECTRUM["OPENAPI"] is 1, which is not True or False.'),
        ("HOST", 1, 'PLECTRUM["HOST"] is 1, which is not a string.'),
        (
            "TRAILING_SLASH",
            "on",
            "PLECTRUM[\"TRAILING_SLASH\"] is 'on', which is not one of 'strict', 'ignore', 'redirect'.",
        ),
    ],
)
def test_wrong_type(key: str, value: object, message: str) -> None:
    [(id, found, hint)] = problems({key: value})
    assert (id, found) == ("plectrum.E002", message)
    assert hint.startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("PORT", 70_000, "more than 65535"),
        ("PORT", -1, "less than 0"),
        ("DRAIN_TIMEOUT", float("inf"), "not finite"),
        ("MAX_HEADERS", 0, "less than 1"),
    ],
)
def test_out_of_bounds(key: str, value: object, why: str) -> None:
    [(id, message, _)] = problems({key: value})
    assert (id, message) == ("plectrum.E003", f'PLECTRUM["{key}"] is {value!r}, which is {why}.')


@pytest.mark.parametrize(
    ("name", "text", "id", "message"),
    [
        ("PORT", "tcp://10.0.0.1:80", "plectrum.E002", "is 'tcp://10.0.0.1:80', which is not an integer."),
        ("PORT", "99999", "plectrum.E003", "is '99999', which is more than 65535."),
        ("DEBUG", "maybe", "plectrum.E002", "is 'maybe', which is not 1, 0, true, false, yes, no, on or off."),
        ("DRAIN_TIMEOUT", "nan", "plectrum.E003", "is 'nan', which is not finite."),
    ],
)
def test_wrong_variable(name: str, text: str, id: str, message: str) -> None:
    assert problems(None, **{f"PLECTRUM_{name}": text})[0][:2] == (
        id,
        f"The environment variable PLECTRUM_{name} {message}",
    )


def test_not_a_dict() -> None:
    assert problems([1])[0][:2] == ("plectrum.E004", "PLECTRUM is a list, not a dict.")


def test_load_tells_every_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        conf.load({"PROT": 1, "PORT": "x"}, {})
    assert str(caught.value).splitlines() == [
        "PLECTRUM[\"PROT\"] is not a setting. Did you mean 'PORT'?",
        "PLECTRUM[\"PORT\"] is 'x', which is not an integer. PORT: Port to listen on; 0 takes a free one.",
    ]


def test_json_is_flat_and_complete() -> None:
    found = json.loads(Settings(port=1).to_json())
    assert "*" in found.pop("edge")["hosts"]
    assert found.pop("throttle_segment") is None
    assert found.pop("observe")["on"] is False
    assert found.pop("budget") is None
    assert found.pop("cache_tags") is None
    assert found == json.loads(json.dumps(dataclasses.asdict(Settings(port=1))))


def test_replace_ignores_what_was_not_given() -> None:
    assert Settings().replace(port=5, host=None) == Settings(port=5)


def test_replace_checks() -> None:
    with pytest.raises(ConfigurationError, match=r"^port is -1, which is less than 0\. PORT: Port to listen on"):
        Settings().replace(port=-1)


def test_every_setting_is_described_where_users_look() -> None:
    text = Path(__file__).parent.parent.joinpath("docs/settings.md").read_text()
    for field in dataclasses.fields(Settings):
        default = "" if field.default is None else str(field.default)
        assert f"| `{field.name.upper()}` | `{default or 'None'}` | {field.metadata['doc']} |" in text
