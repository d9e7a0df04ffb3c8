"""Versions of an API at the same paths: told apart by a header, or by a parameter of ``Accept``."""

from __future__ import annotations

from typing import Any

import pytest

from plectrum import API, ConfigurationError, Router
from plectrum.edge import CORS
from plectrum.testing import TestClient
from plectrum.versions import AcceptVersion, HeaderVersion

PROBLEM = "application/problem+json"


def api_of(versioning: Any, **options: Any) -> API:
    """``/name`` in versions 1 and 2, ``/new`` in 2 alone, ``/same`` in all."""
    api = API(versioning=versioning, **options)
    first, second = Router(version="1"), Router(version="2")

    @first.get("/name")
    async def old_name() -> str:
        return "first"

    @second.get("/name")
    async def new_name(full: bool = False) -> dict[str, bool]:
        return {"full": full}

    @second.post("/name")
    async def rename() -> str:
        return "renamed"

    @api.get("/same")
    async def same() -> str:
        return "same"

    @api.get("/both", version=["1", "2"])
    async def both() -> str:
        return "both"

    @second.get("/new")
    async def new() -> str:
        return "new"

    api.include(first)
    api.include(second)
    return api


@pytest.mark.parametrize(
    ("versioning", "header", "value", "refused"),
    [
        (HeaderVersion(default="1"), "x-api-version", "{}", 400),
        (HeaderVersion(default="1", header="Shop-Version"), "shop-version", "{}", 400),
        (AcceptVersion(default="1"), "accept", "application/json; version={}", 406),
        (AcceptVersion(default="1", param="v"), "accept", 'text/html, application/json;v="{}";q=0.9', 406),
    ],
)
def test_a_header_chooses(versioning: Any, header: str, value: str, refused: int) -> None:
    with TestClient(api_of(versioning)) as client:

        def get(path: str, version: str | None = None) -> Any:
            return client.get(path, headers={} if version is None else {header: value.format(version)})

        assert get("/name").json() == "first"
        assert get("/name", "1").json() == "first"
        assert get("/name?full=1", "2").json() == {"full": True}
        assert [get("/both", version).json() for version in (None, "1", "2")] == ["both"] * 3
        assert [get("/same", version).json() for version in (None, "1", "2")] == ["same"] * 3
        assert (get("/new").status_code, get("/new", "1").status_code, get("/new", "2").json()) == (404, 404, "new")
        unknown = get("/same", "3")
        assert (unknown.status_code, unknown.headers["content-type"]) == (refused, PROBLEM)
        assert unknown.json()["detail"] == 'There is no version "3" of this API. There are: 1, 2.'
        for answer in (get("/name"), get("/same", "2"), unknown, get("/nowhere")):
            assert header in answer.headers["vary"].lower()


def test_methods_are_those_of_the_version() -> None:
    with TestClient(api_of(HeaderVersion(default="1"))) as client:
        second = {"x-api-version": "2"}
        assert client.post("/name", headers=second).json() == "renamed"
        refused = client.post("/name")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert client.options("/name", headers=second).headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert client.head("/new", headers=second).status_code == 200
        for headers in ({}, second):
            refused = client.post("/same", headers=headers)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
            assert client.options("/same", headers=headers).status_code == 204
            assert client.put("/nowhere", headers=headers).status_code == 404


def test_a_path_may_have_methods_of_a_version_and_of_all() -> None:
    api = API(versioning=HeaderVersion(default="1"))

    @api.get("/x", version="1")
    async def read() -> str:
        return "read"

    @api.post("/x")
    async def write() -> str:
        return "written"

    with TestClient(api) as client:
        assert (client.get("/x").json(), client.post("/x").json()) == ("read", "written")
        assert client.delete("/x").headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert client.options("/x").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_browsers_that_ask_beforehand_name_no_version() -> None:
    api = api_of(HeaderVersion(default="1"), cors=CORS(origins=["https://a.example"], headers=["x-api-version"]))
    asked = {"origin": "https://a.example", "access-control-request-method": "GET",
             "access-control-request-headers": "x-api-version"}  # fmt: skip
    with TestClient(api) as client:
        for path in ("/name", "/new", "/same"):
            answer = client.options(path, headers=asked)
            assert answer.headers["access-control-allow-origin"] == "https://a.example", path
        answer = client.get("/new", headers={"origin": "https://a.example", "x-api-version": "2"})
        assert answer.headers["access-control-allow-origin"] == "https://a.example"


def test_answers_that_are_kept_are_of_their_version() -> None:
    api = API(versioning=HeaderVersion(default="1"))
    for version in ("1", "2"):

        @api.get("/", version=version, cache=60)
        async def cached(version: str = version) -> str:
            return version

        @api.post("/", version=version, idempotent=True)
        async def once(version: str = version) -> str:
            return version

    with TestClient(api) as client:
        for _ in range(2):
            assert [client.get("/", headers={"x-api-version": v}).json() for v in ("1", "2")] == ["1", "2"]
            keyed = [{"x-api-version": v, "idempotency-key": "k"} for v in ("1", "2")]
            assert [client.post("/", headers=headers).json() for headers in keyed] == ["1", "2"]


def test_each_version_has_its_document() -> None:
    with TestClient(api_of(HeaderVersion(default="1"))) as client:
        first, second = (client.get("/openapi.json", headers={"x-api-version": v}).json() for v in ("1", "2"))
        assert client.get("/openapi.json").json() == first
        assert client.get("/docs").status_code == 200
    assert set(first["paths"]) == {"/name", "/same", "/both"}
    assert set(second["paths"]) == {"/name", "/same", "/both", "/new"}
    assert set(second["paths"]["/name"]) == {"get", "post"}
    header = {"name": "X-API-Version", "in": "header", "schema": {"type": "string", "const": "2"}, "required": True}
    assert header in second["paths"]["/name"]["get"]["parameters"]
    assert first["paths"]["/name"]["get"]["parameters"][0]["required"] is False
    assert "parameters" not in second["paths"]["/same"]["get"]


def test_mistakes_stop_the_start() -> None:
    api = API()
    api.include(api_of(None))
    with pytest.raises(ConfigurationError, match=r"test_versions\.py:\d+: GET /name is of version '1'.*HeaderVersion"):
        api.compile()
    with pytest.raises(ConfigurationError, match=r"default='3'.*no route has this version\. There are '1', '2'"):
        api_of(HeaderVersion(default="3")).compile()

    async def handler() -> str: ...

    for wrong in ([], "", "a b", 2, ["1", None]):
        api = API(versioning=HeaderVersion(default="1"))
        api.get("/", version=wrong)(handler)
        with pytest.raises(ConfigurationError, match=r"version=.* is a name"):
            api.compile()
