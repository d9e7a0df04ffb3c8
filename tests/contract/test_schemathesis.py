"""What the shop's OpenAPI document promises and what the server does are one: schemathesis looks for the difference."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tools.fuzz_shop import LOGIN_RATE, fuzz
from tools.shop import shop


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shop(tmp_path_factory.mktemp("shop"), LOGIN_RATE=LOGIN_RATE) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url) as client:
        yield client


def test_schemathesis_finds_nothing(url: str) -> None:
    status, report = fuzz(url, examples=10, seconds=20, seed=1)
    assert status == 0, report
    assert re.search(r"Selected: (\d+)/\1\n", report), report


def test_times_and_durations_are_described_as_they_are_written(client: httpx.Client) -> None:
    properties = client.get("/openapi.json").json()["components"]["schemas"]["Article"]["properties"]
    airs_at, reading_time = (properties[name]["anyOf"][0] for name in ("airs_at", "reading_time"))
    assert airs_at["format"] == "time-local"  # JSON Schema's `time` wants an offset
    assert reading_time.get("format") is None  # JSON Schema's `duration` is ISO 8601's, not Django's


def test_the_last_page_is_documented_and_refused_at_its_parameter(client: httpx.Client) -> None:
    assert client.get(f"/api/authors?page={2**31 - 1}&page_size=100").status_code == 404
    refused = client.get(f"/api/authors?page={2**31}")
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["query", "page"])


def test_no_decimal_is_empty(client: httpx.Client) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/api/articles"]["get"]
    price = next(parameter for parameter in operation["parameters"] if parameter["name"] == "price__lte")
    assert price["schema"]["anyOf"][1]["pattern"].startswith("^[+-]?([0-9]+")
    assert client.get("/api/articles?price__lte=").status_code == 422


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"article_id": 10**6}, 404), ({"article_id": 10**30}, 404), ({"name": "\0"}, 422), ({}, 201)],
)
def test_comments_on_nothing_and_of_nothing(client: httpx.Client, changes: dict[str, object], status: int) -> None:
    article = client.get("/api/articles").json()["results"][0]["id"]
    answer = client.post("/api/comments", json={"article_id": article, "name": "Ada", "body": "Nice.", **changes})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("query", ["country=%00", "country=xx"])
def test_countries_are_choices(client: httpx.Client, query: str) -> None:
    assert client.get(f"/api/articles/popular?{query}").status_code == 422
    assert client.get("/api/articles/popular?country=fr").status_code == 200


def test_misspelt_filters_are_refused(client: httpx.Client) -> None:
    refused = client.get("/api/articles?price_lte=5")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["msg"] == "Unknown query parameter. Did you mean 'price__lte'?"
