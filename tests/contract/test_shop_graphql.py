"""The shop's GraphQL: nested rows in few statements, a mutation, and a subscription in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.shop import STAFF, shop, token_of

from .browser import PATH, Browser
from .support import until

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shop(tmp_path_factory.mktemp("shop")) as url:
        yield url


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if PATH is None:
        pytest.skip("there is no Chromium on this machine")
    running = Browser(tmp_path / "browser")
    yield running
    running.close()


def wait(browser: Browser, script: str) -> Any:
    """Waits until an expression is true in the page; its value."""
    found: list[Any] = []
    until(lambda: found.append(browser.run(script)) or found[-1], seconds=30)
    return found[-1]


def ask(url: str, query: str, **variables: Any) -> Any:
    answer = httpx.post(f"{url}/api/graphql", json={"query": query, "variables": variables}, timeout=30)
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def test_a_comment_is_added_and_what_is_wrong_is_told(url: str) -> None:
    (article,) = ask(url, "{ articles(limit: 1) { id } }")["articles"]
    add = """mutation ($draft: DraftInput!) { addComment(draft: $draft) {
        ... on Created { id articleId } ... on Refused { errors { field code } }
    } }"""
    draft = {"articleId": int(article["id"]), "name": "Ada", "body": "Lovely.", "stars": 5}
    assert ask(url, add, draft=draft)["addComment"]["articleId"] == int(article["id"])
    refused = ask(url, add, draft={**draft, "stars": 6, "name": ""})["addComment"]["errors"]
    assert [error["field"] for error in refused] == ["draft.name", "draft.stars"]
    assert ask(url, add, draft={**draft, "articleId": -1})["addComment"]["errors"][0]["code"] == "not_found"


def count(url: str, article: int, available: int) -> None:
    """As staff counts."""
    headers = {"authorization": f"Bearer {token_of(STAFF[2])}"}
    answer = httpx.put(f"{url}/api/articles/{article}/stock", json={"available": available}, headers=headers)
    assert answer.status_code < 300, answer.text


def test_a_browser_sees_what_changes(url: str, browser: Browser) -> None:
    browser.open(f"{url}/live/")
    wait(browser, "document.querySelectorAll('#levels tr').length === 20")
    article = int(browser.run("document.querySelector('#levels tr').id").removeprefix("article-"))
    numbers = iter(range(700, 900))

    def seen() -> bool:
        number = next(numbers)
        count(url, article, number)
        return bool(browser.run(f"document.getElementById('article-{article}').innerText.includes('{number}')"))

    until(seen)


def test_the_page_for_trying_knows_schema_and_subscriptions(url: str, browser: Browser) -> None:
    browser.open(f"{url}/api/graphql")
    wait(browser, "document.getElementById('type-Article') !== null")
    fill = "((id, text) => { document.getElementById(id).value = text; })"
    browser.run(f"{fill}('query', 'query ($n: Int!) {{ articles(limit: $n) {{ title }} }}')")
    browser.run(f"{fill}('variables', '{{\"n\": 2}}')")
    browser.run("document.getElementById('run').click()")
    answer = json.loads(wait(browser, "document.getElementById('answer').textContent"))
    assert len(answer["data"]["articles"]) == 2
    browser.run(f"{fill}('headers', '{{\"X-Test\": \"1\"}}')")
    browser.run(f"{fill}('query', 'subscription {{ levelChanges {{ kind level {{ available }} }} }}')")
    browser.run(f"{fill}('variables', '')")
    browser.run("document.getElementById('run').click()")
    (level,) = ask(url, "{ levels(limit: 1) { articleId } }")["levels"]
    numbers = iter(range(300, 500))

    def seen() -> bool:
        number = next(numbers)
        count(url, int(level["articleId"]), number)
        return f'"available": {number}' in browser.run("document.getElementById('answer').textContent")

    until(seen)
    browser.run("document.getElementById('stop').click()")
    wait(browser, "document.getElementById('took').textContent === 'Stopped.'")
    browser.run("search.value = 'publishedOn'; find()")
    assert browser.run("!document.getElementById('type-Article').hidden && document.getElementById('type-Tag').hidden")
