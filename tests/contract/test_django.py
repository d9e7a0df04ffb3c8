"""Django's URLconf in the same process, over a real socket: `api.mount_django`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.support import ROOT, Server, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = tmp_path_factory.mktemp("mounted")
    environ = {"MOUNTED_FILES": str(files)}
    subprocess.run(
        [sys.executable, "-m", "tests.contract.mounted"], cwd=ROOT, env={**os.environ, **environ}, check=True
    )
    served = Server("mounted", files / "log", environ=environ)
    yield served
    served.close()


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True) as client:
        yield client


def submit(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Fills in the form of a page, with the CSRF token that is in it."""
    page = browser.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text
    return browser.post(page.url, data={"csrfmiddlewaretoken": token[1], **fields})


def test_a_user_works_in_the_admin(browser: httpx.Client) -> None:
    page = submit(browser, "/admin/", username="ada", password="secret")
    assert page.url.path == "/admin/"
    assert "Welcome" in page.text
    added = submit(browser, "/admin/auth/group/add/", name="Editors", permissions="1")
    assert "was added successfully" in added.text  # the messages framework, through the session
    assert "Editors" in browser.get("/admin/auth/group/?q=edit").text
    assert browser.post("/admin/logout/").status_code == 403  # without the token


def test_what_a_view_sees(browser: httpx.Client) -> None:
    files = {"photo": ("cat.png", b"\x89PNG")}
    headers = [("X-Two", "1"), ("X-Two", "2"), ("X_Forwarded_For", "6.6.6.6"), ("Cookie", "a=b")]
    seen = browser.post("/echo/?q=a%20b&é=1", data={"title": "Straße"}, files=files, headers=headers).json()
    assert (seen["method"], seen["path"], seen["here"]) == ("POST", "/echo/", "/echo/")
    assert seen["url"] == f"{browser.base_url}/echo/?q=a%20b&%C3%A9=1".replace("//echo", "/echo")
    assert (seen["query"], seen["form"]) == ({"q": "a b", "é": "1"}, {"title": "Straße"})
    assert seen["files"] == {"photo": ["cat.png", 4]}
    assert seen["meta"]["HTTP_X_TWO"] == "1,2"
    assert seen["meta"]["HTTP_COOKIE"] == "a=b"
    assert seen["meta"]["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_FOR" not in seen["meta"]
    assert seen["atomic"] == 1  # Django's own ATOMIC_REQUESTS, and none around it


def test_below_a_path_reverse_knows_it(browser: httpx.Client) -> None:
    seen = browser.put("/below/echo/", content=b"raw").json()
    assert (seen["path"], seen["here"], seen["meta"]["CONTENT_LENGTH"]) == ("/below/echo/", "/below/echo/", "3")
    assert browser.get("/below/admin/").url.path == "/below/admin/login/"


def test_streams_and_files_are_closed_after_their_last_byte(server: Server, browser: httpx.Client) -> None:
    before = browser.get("/api/finished").json()["finished"]
    assert browser.get("/stream").text == "1 0\n1 1\n1 2\n"
    answer = browser.get("/file")
    assert answer.content == Path(__file__).with_name("mounted.py").read_bytes()
    assert answer.headers["content-disposition"] == 'inline; filename="module.py"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    until(lambda: browser.get("/api/finished").json()["finished"] == before + 2)


def test_middleware_and_cookies(browser: httpx.Client) -> None:
    answer = browser.get("/cookies", headers={"accept-language": "de"})
    assert (answer.text, answer.headers["content-language"]) == ("Ja", "de")
    assert answer.headers.get_list("set-cookie") == ["a=1; HttpOnly; Path=/", "b=2; Path=/"]
    assert browser.head("/cookies").content == b""
    assert browser.get("/echo").url.path == "/echo/"  # APPEND_SLASH


def test_a_broken_view_is_djangos_500_and_rolled_back(server: Server, browser: httpx.Client) -> None:
    answer = browser.get("/broken")
    assert (answer.status_code, "Server Error (500)" in answer.text) == (500, True)
    assert browser.get("/api/finished").json()["users"] == 1
    assert "RuntimeError: broken view" in server.log
    assert browser.get("/nowhere").status_code == 404


def test_hosts_are_djangos_to_refuse(server: Server) -> None:
    assert server.get("/echo/", "host: evil.test").status == 400


def test_a_path_of_the_api_is_its_own_with_every_method(browser: httpx.Client) -> None:
    refused = browser.post("/api/finished")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert refused.headers["content-type"] == "application/problem+json"
    assert browser.options("/api/finished").status_code == 204
    assert browser.get("/api/nothing").headers["content-type"] == "text/html; charset=utf-8"  # Django's own 404


def test_the_apis_own_routes_win(browser: httpx.Client) -> None:
    assert browser.get("/docs").text.count("swagger") > 0
    assert browser.get("/api/finished").json()["users"] == 1
