"""The dashboard in a browser: headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from plectrum import API, ConfigurationError
from plectrum.testing import TestClient

from .support import Postgres, Server, until

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


# The path of each route shown, then its other cells.
ROWS = "[...document.querySelectorAll('#routes tbody tr')]"
CELLS = "(row) => [row.querySelector('code').textContent, ...[...row.cells].slice(1).map((cell) => cell.textContent)]"


class Page:
    """A page that is open in a browser."""

    def __init__(self, url: str, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Page.navigate", url=url)

    def send(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (message := json.loads(self._connection.recv(timeout=20))).get("id") != number:
            if message["method"] == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]))
            if message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(message["params"]["entry"]["text"])
        return message.get("result", {})

    def value(self, script: str) -> Any:
        return self.send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def text(self, selector: str) -> str:
        return str(self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))


@pytest.fixture(scope="module")
def server(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {
        "DATABASE_URL": database.url,
        "PLECTRUM_DASHBOARD": "1",
        "PLECTRUM_DEBUG": "1",
        "PLECTRUM_SLOW_QUERY": "0.2",
        "PLECTRUM_ACCESS_LOG": "/dev/null",
    }
    running = Server("shown", tmp_path_factory.mktemp("shown") / "log", "--workers=2", environ=environ)
    yield running
    running.close()


@pytest.fixture
def page(server: Server, tmp_path: Path) -> Iterator[Page]:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    command = [found, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,1400", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            told = tmp_path / "profile" / "DevToolsActivePort"
            until(lambda: told.exists() and len(told.read_text().splitlines()) == 2, 60)
            port, path = told.read_text().splitlines()
            with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as whole:
                whole.send(json.dumps({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}))
                while (message := json.loads(whole.recv(timeout=20))).get("id") != 1:
                    pass
                target = message["result"]["targetId"]
                with connect(f"ws://127.0.0.1:{port}/devtools/page/{target}", max_size=None) as connection:
                    yield Page(f"http://127.0.0.1:{server.port}/_plectrum/", connection)
        finally:
            browser.kill()


@pytest.mark.postgresql
def test_the_page_shows_what_happens(server: Server, page: Page) -> None:
    until(lambda: page.text("#live") == "live", 30)
    assert "None." in page.text("#errors")
    for _ in range(20):
        server.get("/hello")
    server.get("/list/5")
    server.get("/fail")
    server.get("/slow?seconds=0.25")
    server.get("/nplusone")
    server.get("/<img src=x onerror=document.title='taken'>")
    until(lambda: "/slow" in page.text("#slow"), 30)
    until(lambda: "select_related" in page.text("#nplusone"), 30)
    by_path = {row[0]: row for row in page.value(f"{ROWS}.map({CELLS})")}
    assert by_path["/hello"][1] == "object"
    assert by_path["/hello"][4] == "20"
    assert by_path["/list/{n}"][1] == "native"
    assert by_path["/fail"][9] == "1"
    assert not any(path.startswith("/_plectrum") for path in by_path)
    assert "/fail" in page.text("#errors")
    assert page.value("document.querySelectorAll('#workers tbody tr').length") == 2
    assert "slow(" in page.text("#slow pre")
    page.value("document.querySelector('#slow button').click()")
    until(lambda: "cost=" in page.text("#slow .plan"), 30)
    assert page.value("document.title") == "Plectrum"
    assert page.value("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.errors == []


@pytest.mark.postgresql
def test_only_what_is_shown_is_explained(server: Server) -> None:
    assert server.get("/_plectrum/plan?at=2020-01-01T00:00:00Z").status == 404


def test_staff_alone_see_it_without_debug(db: None) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    client = TestClient(API(), dashboard=True, debug=False)
    assert [client.get(path).status_code for path in ("/_plectrum/", "/_plectrum/data")] == [403, 403]
    for name, staff, expected in (("guest", False, 403), ("ada", True, 200)):
        login = Client()
        login.force_login(User.objects.create_user(name, is_staff=staff))
        cookies = {key: morsel.value for key, morsel in login.cookies.items()}
        assert client.get("/_plectrum/data", cookies=cookies).status_code == expected


def test_it_is_off_unless_asked_for() -> None:
    assert TestClient(API()).get("/_plectrum/").status_code == 404


def test_nobody_could_be_staff_without_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plectrum.dashboard.routes._has_sessions", lambda: False)
    with pytest.raises(ConfigurationError, match="DASHBOARD shows itself to staff, who log in with Django"):
        TestClient(API(), dashboard=True, debug=False)
