"""Order, exceptions and threads of middleware around routes, as Django has them."""

from __future__ import annotations

from typing import Any

import pytest

from plectrum import API, Request
from plectrum.errors import ConfigurationError
from plectrum.testing import TestClient
from tests.middleware import support

HERE = "tests.middleware.support"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    support.LOG.clear()


def client(*names: str, **options: Any) -> TestClient:
    api = API(django_middleware=[f"{HERE}.{name}" for name in names])

    @api.get("/items/{item}", **options)
    async def read(item: int) -> dict[str, int]:
        support.note("handler", "read")
        if item == 0:
            raise LookupError("no item 0")
        return {"item": item}

    return TestClient(api)


def test_hooks_in_djangos_order() -> None:
    answer = client("Hooked", "Quick").get("/items/7")
    assert (answer.status_code, answer.json()) == (200, {"item": 7})
    assert (answer.headers["x-hooked"], answer.headers["x-quick"]) == ("1", "1")
    assert answer.headers["content-type"] == "application/json"
    assert support.steps() == [
        "hooked.request",
        "quick.request",
        "hooked.view read {'item': 7}",
        "quick.view read {'item': 7}",
        "handler.read",
        "quick.response",
        "hooked.response",
    ]


def test_middleware_of_every_kind() -> None:
    answer = client("Quick", "AsyncOnly", "both", "SyncOnly", "unused", "Inner").get("/items/7")
    assert answer.json() == {"item": 7}
    assert [answer.headers[f"x-{name}"] for name in ("quick", "async", "sync", "inner")] == ["1"] * 4
    assert support.steps() == [
        "quick.request",
        "async.in",
        "both.in",
        "sync.in",
        "inner.request",
        "quick.view read {'item': 7}",
        "async.view",
        "inner.view read {'item': 7}",
        "handler.read",
        "inner.response",
        "sync.out",
        "async.out",
        "quick.response",
    ]


def test_one_that_answers_by_itself() -> None:
    answer = client("Quick", "Inner").get("/items/7?stop=inner")
    assert (answer.status_code, answer.text) == (418, "stopped")
    assert support.steps() == ["quick.request", "inner.request", "inner.response", "quick.response"]
    support.LOG.clear()
    assert client("Quick", "Inner").get("/items/7?stop=quick").headers.get("x-inner") is None
    assert client("Quick", "Inner").get("/items/7?view=inner").text == "by the view hook"


def test_exceptions_are_answers_to_the_middleware_outside(caplog: pytest.LogCaptureFixture) -> None:
    answer = client("Quick", "Inner").get("/items/7?raise=inner.request")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers.get("x-inner") is None
    assert answer.headers["x-quick"] == "1"
    answer = client("Quick", "Inner").get("/items/7?raise=inner.response")
    assert (answer.status_code, answer.headers.get("x-inner"), answer.headers["x-quick"]) == (500, None, "1")
    assert client("Quick", "AsyncOnly").get("/items/7?raise=async").headers["x-quick"] == "1"
    logged = [record for record in caplog.records if record.name == "django.request"]
    assert len(logged) == 3
    assert all(record.exc_info and record.request.path == "/items/7" for record in logged)  # type: ignore[attr-defined]


def test_a_hook_may_excuse_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    answer = client("Quick", "Inner").get("/items/0?excuse=quick")
    assert (answer.status_code, answer.text) == (203, "excused")
    assert support.steps()[-4:] == [
        "inner.exception no item 0",
        "quick.exception no item 0",
        "inner.response",
        "quick.response",
    ]
    assert client("Quick").get("/items/0").status_code == 500
    assert "no item 0" in caplog.text


def test_what_rust_refuses_never_gets_there() -> None:
    refused = client("Quick").get("/items/seven")
    assert refused.status_code == 422
    assert support.steps() == []


def test_sync_handlers_stay_sync() -> None:
    api = API(django_middleware=[f"{HERE}.Quick"])

    @api.get("/", sync=True)
    def home(request: Request) -> str:
        support.note("handler", str(request.django.path))
        return "home"

    assert TestClient(api).get("/").json() == "home"
    assert support.steps() == ["quick.request", "quick.view home {}", "handler./", "quick.response"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["tests.middleware.support.Nobody"], "cannot be imported"),
        (["tests.middleware.support.nothing"], "returned None"),
        (["tests.middleware.support.Neither"], "neither sync_capable nor async_capable"),
        (["django.contrib.auth.middleware.AuthenticationMiddleware"], "needs django.contrib.sessions"),
        (["django.contrib.messages.middleware.MessageMiddleware"], "needs django.contrib.sessions"),
        (
            [
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.sessions.middleware.SessionMiddleware",
            ],
            "stands behind it",
        ),
        ([f"{HERE}.Quick", f"{HERE}.Quick"], "stands twice"),
        ({"exclude": ["django.middleware.csrf.CsrfViewMiddlware"]}, "Did you mean"),
        ({"only": []}, "has to be"),
        ("django.middleware.csrf.CsrfViewMiddleware", "neither True, a list"),
    ],
)
def test_what_cannot_work_is_found_at_the_start(names: Any, said: str, settings: Any) -> None:
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    api = API()

    @api.get("/", django_middleware=names)
    async def home() -> None: ...

    with pytest.raises(ConfigurationError, match=rf"test_stack\.py:\d+: .*{said}"):
        TestClient(api)


def test_a_part_of_djangos_list(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.Quick", f"{HERE}.Hooked", f"{HERE}.Inner"]
    api = API(django_middleware=True)

    async def home() -> None: ...

    api.get("/all")(home)
    api.get("/without", django_middleware={"exclude": [f"{HERE}.Hooked"]})(home)
    api.get("/only", django_middleware={"include": [f"{HERE}.Inner", support.Quick]})(home)
    api.get("/none", django_middleware=False)(home)
    browser = TestClient(api)
    for path, expected in {
        "/all": {"quick", "hooked", "inner"},
        "/without": {"quick", "inner"},
        "/only": {"quick", "inner"},
        "/none": set(),
    }.items():
        found = browser.get(path).headers
        assert {name for name in ("quick", "hooked", "inner") if f"x-{name}" in found} == expected, path


def test_streams_and_middleware_do_not_mix() -> None:
    api = API(django_middleware=[])

    @api.post("/", stream=True)
    async def upload(request: Request) -> None: ...

    with pytest.raises(ConfigurationError, match=r"reads its body as a stream.*django_middleware=False"):
        TestClient(api)
