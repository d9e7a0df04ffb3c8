"""Django's admin in a real browser: served by Plectrum, its files by Rust."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.browser import PATH, Browser
from tests.contract.support import ROOT, Server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PATH is None, reason="no chromium on this machine")]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def server(files: Path) -> Iterator[Server]:
    environ = {"ADMIN_FILES": str(files)}
    subprocess.run(
        [sys.executable, "-m", "tests.contract.admin_site"], cwd=ROOT, env={**os.environ, **environ}, check=True
    )
    served = Server("admin_site", files / "log", environ=environ)
    yield served
    served.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    running = Browser(tmp_path / "profile")
    yield running
    running.close()


def test_somebody_works_in_the_admin(server: Server, browser: Browser, files: Path, tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{server.port}"
    browser.open(f"{site}/admin/")
    browser.fill(username="ada", password="wrong")
    browser.click("input[type=submit]")
    assert "Please enter the correct username and password" in browser.text
    browser.fill(username="ada", password="secret")
    browser.click("input[type=submit]")
    assert "Site administration" in browser.text

    # Add one, with a file.
    letter = tmp_path / "letter é.txt"
    letter.write_text("Dear reader")
    browser.open(f"{site}/admin/documents/document/add/")
    browser.fill(title="First letter", written="2026-02-03")
    browser.choose_file("file", letter)
    browser.click("input[name=_save]")
    assert "The document “First letter” was added successfully." in browser.text
    [saved] = (files / "media" / "documents").iterdir()
    assert saved.read_text() == "Dear reader"

    # It is in the list, and its file is served.
    assert "First letter" in browser.text
    assert "Feb. 3, 2026" in browser.text
    address = browser.run("document.querySelector('td.field-file').innerText")
    link = browser.run("fetch('/media/" + address + "').then(answer => answer.text())")
    assert link == "Dear reader"
    browser.fill(q="nothing like it")
    browser.click("#changelist-search input[type=submit]")
    assert "0 documents" in browser.text

    # Change it, and take it away.
    browser.open(f"{site}/admin/documents/document/1/change/")
    browser.fill(title="Second letter")
    browser.click("input[name=_save]")
    assert "The document “Second letter” was changed successfully." in browser.text
    browser.open(f"{site}/admin/documents/document/1/delete/")
    browser.click("input[type=submit]")
    assert "The document “Second letter” was deleted successfully." in browser.text
    assert "0 documents" in browser.text

    # Every page had all of its files, those that were compressed before as they were.
    missing = {path: found for path, found in browser.loaded.items() if found[0] not in (200, 304)}
    assert missing.keys() <= {"/favicon.ico"}
    assert browser.loaded["/static/admin/css/base.css"] == (200, "gzip")
    assert browser.loaded["/static/admin/js/theme.js"][0] == 200
