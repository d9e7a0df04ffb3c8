"""Django's URLconf in the same process, over a real socket: `api.mount_django`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


# Middleware around routes: `django_middleware=`.


def test_a_session_over_requests_and_a_user_who_logged_in(browser: httpx.Client) -> None:
    assert [browser.get("/api/chained/visits").json() for _ in range(3)] == [1, 2, 3]
    assert browser.post("/api/chained/me").status_code == 403  # CSRF
    submit(browser, "/admin/", username="ada", password="secret")
    headers = {"x-csrftoken": browser.cookies["csrftoken"], "accept-language": "de"}
    answer = browser.post("/api/chained/me", headers=headers)
    assert answer.json() == {"user": "ada", "said": "Ja", "host": f"127.0.0.1:{browser.base_url.port}"}
    assert answer.headers["content-language"] == "de"


def test_sync_middleware_around_a_handler_that_waits(browser: httpx.Client) -> None:
    answer = browser.get("/api/chained/behind-a-thread")
    assert (answer.json(), answer.headers["x-sync"]) == ([1, 1], "1")


def test_what_middleware_is_told_of_is_logged_by_django(server: Server, browser: httpx.Client) -> None:
    answer = browser.get("/api/chained/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "Internal Server Error: /api/chained/broken" in server.log
    assert "RuntimeError: broken handler" in server.log
    before = browser.get("/api/finished").json()["finished"]
    assert browser.get("/api/chained/stream").text == "1 0\n1 1\n1 2\n"
    until(lambda: browser.get("/api/finished").json()["finished"] == before + 1)


def test_a_request_has_one_thread_and_its_connection_is_closed_after_it(browser: httpx.Client) -> None:
    for _ in range(2):
        seen = browser.get("/api/threads").json()
        assert len(set(seen["threads"])) == 1
        assert seen["opened"] == 1  # CONN_MAX_AGE is 0


def test_requests_do_not_wait_for_each_others_threads(browser: httpx.Client) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert [answer.status_code for answer in pool.map(lambda _: browser.get("/api/sleep"), range(4))] == [200] * 4
    assert time.monotonic() - started < 1.5
