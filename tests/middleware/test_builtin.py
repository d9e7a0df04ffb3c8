"""Django's own middleware around routes: sessions, users, messages, CSRF, languages, caching headers."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.signals import got_request_exception, request_finished, request_started
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from plectrum import API, EventStream, File, Request, Response, Stream, UploadFile
from plectrum.auth import JWT
from plectrum.testing import TestClient
from tests.middleware import support

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
USUAL = [SESSIONS, COMMON, CSRF, AUTH, MESSAGES]


def cookies_of(answer: Any) -> list[str]:
    """Name and value of each cookie that is set."""
    return re.findall(r"(?:^|, )(\w+=[^;,]*);", answer.headers.get("set-cookie", ""))


def cookie_of(answer: Any, name: str) -> str:
    return next(cookie for cookie in cookies_of(answer) if cookie.startswith(f"{name}="))


@pytest.mark.django_db
def test_a_session_is_kept_from_request_to_request() -> None:
    api = API(django_middleware=USUAL)

    @api.get("/count")
    async def count(request: Request) -> int:
        seen: int = await request.session.aget("seen", 0) + 1
        await request.session.aset("seen", seen)
        return seen

    client = TestClient(api)
    first = client.get("/count")
    assert (first.json(), first.headers["vary"]) == (1, "Cookie")
    cookie = cookie_of(first, "sessionid")
    assert [client.get("/count", headers={"cookie": cookie}).json() for _ in range(2)] == [2, 3]
    assert client.get("/count").json() == 1


@pytest.mark.django_db
def test_the_user_of_a_session(client: Client) -> None:
    api = API(django_middleware=USUAL)

    @api.get("/me")
    async def me(request: Request) -> list[Any]:
        user = await request.auser()
        return [user.username, user.is_authenticated]

    @api.get("/sync", sync=True)
    def sync(request: HttpRequest) -> list[Any]:
        return [request.user.get_username(), request.user.is_authenticated]

    ada = User.objects.create_user("ada", password="secret")
    client.force_login(ada)
    cookie = {"cookie": f"sessionid={client.cookies['sessionid'].value}"}
    served = TestClient(api)
    assert served.get("/me", headers=cookie).json() == ["ada", True]
    assert served.get("/sync", headers=cookie).json() == ["ada", True]
    assert served.get("/me").json() == ["", False]
    assert served.get("/me", headers={"cookie": "sessionid=forged"}).json() == ["", False]


@pytest.mark.django_db
def test_a_routes_own_scheme_says_who_the_user_is(client: Client) -> None:
    api = API(django_middleware=USUAL, auth=[JWT(key="0123456789abcdef" * 4)])

    @api.get("/me")
    async def me(request: Request) -> str:
        return str((await request.auser()).username)

    ada = User.objects.create_user("ada")
    eve = User.objects.create_user("eve")
    client.force_login(eve)
    token = JWT(key="0123456789abcdef" * 4)
    from plectrum import _core

    text = _core.sign_jwt(json.dumps({"sub": str(ada.pk), "exp": 4e9}), token.key, "HS256")  # type: ignore[arg-type]
    headers = {"cookie": f"sessionid={client.cookies['sessionid'].value}", "authorization": f"Bearer {text}"}
    assert TestClient(api).get("/me", headers=headers).json() == "ada"


@pytest.mark.django_db
def test_messages_go_from_one_request_to_the_next() -> None:
    api = API(django_middleware=USUAL)

    @api.post("/say")
    @csrf_exempt
    async def say(request: HttpRequest) -> None:
        messages.success(request, "Saved")

    @api.get("/hear")
    async def hear(request: HttpRequest) -> list[str]:
        return [str(message) for message in messages.get_messages(request)]

    client = TestClient(api)
    cookie = cookie_of(client.post("/say"), "messages")
    heard = client.get("/hear", headers={"cookie": cookie})
    assert heard.json() == ["Saved"]
    assert 'messages=""' in heard.headers["set-cookie"]  # heard once


def test_csrf_as_django_checks_it() -> None:
    api = API(django_middleware=[CSRF])

    @api.post("/write")
    async def write(note: str) -> str:
        return note

    @api.post("/open")
    @csrf_exempt
    async def opened(request: Request) -> str:
        return "open"

    @api.get("/form")
    async def form(request: HttpRequest) -> str:
        from django.middleware.csrf import get_token

        return get_token(request)

    client = TestClient(api)
    assert client.post("/write?note=a").status_code == 403
    assert client.post("/open").json() == "open"
    got = client.get("/form")
    cookie = {"cookie": cookie_of(got, "csrftoken")}
    assert client.post("/write?note=a", headers=cookie).status_code == 403
    assert client.post("/write?note=a", headers={**cookie, "x-csrftoken": got.json()}).json() == "a"
    token = {"csrfmiddlewaretoken": got.json()}
    assert client.post("/write?note=a", headers=cookie, data=token).json() == "a"
    assert client.post("/write?note=a", headers=cookie, data=token, files={"f": b"x"}).json() == "a"


def test_a_form_received_in_rust_is_djangos_too() -> None:
    api = API(django_middleware=[CSRF])

    @api.post("/photo")
    @csrf_exempt
    async def photo(request: HttpRequest, photo: UploadFile) -> list[Any]:
        other: Any = request.FILES["photo"]
        return [request.POST["title"], other.name, other.read().decode(), (await photo.read()).decode()]

    answer = TestClient(api).post("/photo", data={"title": "Cat"}, files={"photo": ("cat.txt", b"meow")})
    assert answer.json() == ["Cat", "cat.txt", "meow", "meow"]


def test_what_djangos_request_says() -> None:
    api = API(prefix="/v1", django_middleware=[])

    @api.post("/items/{item:int}", name="item")
    async def read(request: HttpRequest, item: int) -> dict[str, Any]:
        match = request.resolver_match
        assert match is not None
        return {
            "path": request.get_full_path(),
            "url": request.build_absolute_uri(),
            "get": request.GET.dict(),
            "type": [request.content_type, request.content_params],
            "body": request.body.decode(),
            "cookies": request.COOKIES,
            "meta": [request.META[name] for name in ("REQUEST_METHOD", "HTTP_X_A", "CONTENT_LENGTH", "SERVER_PORT")],
            "match": [match.url_name, match.kwargs, match.func is read, match.route],
            "secure": request.is_secure(),
            "accepts": request.accepts("text/html"),
        }

    headers = {
        "cookie": "a=1; b=2",
        "x-a": "x",
        "content-type": "text/plain; charset=utf-8",
        "content-length": "5",
        "host": "[::1]:81",
    }
    answer = TestClient(api).post("/v1/items/7?q=a%20b", headers=headers, content=b"hello")
    assert answer.json() == {
        "path": "/v1/items/7?q=a%20b",
        "url": "http://[::1]:81/v1/items/7?q=a%20b",
        "get": {"q": "a b"},
        "type": ["text/plain", {"charset": "utf-8"}],
        "body": "hello",
        "cookies": {"a": "1", "b": "2"},
        "meta": ["POST", "x", "5", "81"],
        "match": ["item", {"item": 7}, True, "v1/items/{item:int}"],
        "secure": False,
        "accepts": True,
    }


def test_responses_of_django_and_of_plectrum(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from a file")
    api = API(django_middleware=[f"{support.__name__}.Rewriting", f"{support.__name__}.Quick"])

    async def numbers() -> AsyncIterator[str]:
        for number in ("one", "two"):
            yield number

    def letters() -> Iterator[bytes]:
        yield from (b"a", b"b")

    made: dict[str, Any] = {
        "/json": lambda: {"a": "b"},
        "/bytes": lambda: Response(b"bytes", 201, {"x-own": "1"}),
        "/stream": lambda: Stream(numbers()),
        "/letters": lambda: Stream(letters()),
        "/events": lambda: EventStream(numbers()),
        "/file": lambda: File(tmp_path / "a.txt"),
        "/http": lambda: HttpResponse("http", status=202, headers={"X-Own": "1"}),
        "/streaming": lambda: StreamingHttpResponse(letters()),
        "/async": lambda: StreamingHttpResponse(numbers()),
        "/fileresponse": lambda: FileResponse((tmp_path / "a.txt").open("rb")),
    }
    for path, make in made.items():
        api.get(path, name=path)(_calls(make))
    client = TestClient(api)
    texts = {path: client.get(path) for path in made}
    assert all(answer.headers["x-quick"] == "1" for answer in texts.values())
    assert {path: answer.text for path, answer in texts.items()} == {
        "/json": '{"A":"B"}',
        "/bytes": "BYTES",
        "/stream": "ONETWO",
        "/letters": "AB",
        "/events": "DATA: ONE\n\nDATA: TWO\n\n",
        "/file": "FROM A FILE",
        "/http": "HTTP",
        "/streaming": "AB",
        "/async": "ONETWO",
        "/fileresponse": "FROM A FILE",
    }
    assert (texts["/bytes"].status_code, texts["/bytes"].headers["x-own"]) == (201, "1")
    assert (texts["/http"].status_code, texts["/http"].headers["x-own"]) == (202, "1")


def _calls(make: Any) -> Any:
    async def handler() -> Any:
        return make()

    return handler


def test_a_file_keeps_its_ranges(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0123456789")
    api = API(django_middleware=[f"{support.__name__}.Quick"])

    @api.get("/file")
    async def file() -> File:
        return File(tmp_path / "a.txt")

    answer = TestClient(api).get("/file", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.text, answer.headers["x-quick"]) == (206, "234", "1")


def test_cookies_of_both_sides() -> None:
    api = API(django_middleware=[f"{support.__name__}.Quick"])

    @api.get("/ours")
    async def ours() -> Response:
        answer = Response("x")
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    @api.get("/djangos")
    async def djangos() -> HttpResponse:
        answer = HttpResponse("x")
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    client = TestClient(api)
    for path in ("/ours", "/djangos"):
        assert cookies_of(client.get(path)) == ["a=1", "b=2"]


def test_templates_are_rendered_behind_their_hooks(settings: Any) -> None:
    engine = "django.template.backends.django.DjangoTemplates"
    templates = {"loaders": [("django.template.loaders.locmem.Loader", {"hello": "Hello {{ name }} by {{ by }}"})]}
    settings.TEMPLATES = [{"BACKEND": engine, "OPTIONS": templates}]
    api = API(django_middleware=[f"{support.__name__}.Quick"])

    @api.get("/")
    async def home() -> SimpleTemplateResponse:
        return SimpleTemplateResponse("hello", {"name": "you"})

    assert TestClient(api).get("/").text == "Hello you by quick"


def test_gzip_and_conditions() -> None:
    api = API(django_middleware=[GZIP, CONDITIONAL])

    @api.get("/")
    async def home() -> str:
        return "a" * 1000

    client = TestClient(api)
    answer = client.get("/", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.content)) == "a" * 1000
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"if-none-match": tag}).status_code == 304


def test_signals_for_those_who_listen() -> None:
    heard: list[str] = []

    def started(sender: Any, environ: dict[str, Any], **rest: Any) -> None:
        heard.append(f"started {environ['PATH_INFO']}")

    def finished(sender: Any, **rest: Any) -> None:
        heard.append("finished")

    def failed(sender: Any, request: Any, **rest: Any) -> None:
        heard.append(f"failed {request.path}")

    api = API(django_middleware=[])

    @api.get("/{name}")
    async def read(name: str) -> str:
        heard.append(name)
        if name == "bad":
            raise RuntimeError(name)
        return name

    client = TestClient(api)
    request_started.connect(started)
    request_finished.connect(finished)
    got_request_exception.connect(failed)
    try:
        client.get("/a")
        assert heard == ["started /a", "a", "finished"]
        heard.clear()
        assert client.get("/bad").status_code == 500
        assert heard == ["started /bad", "bad", "failed /bad", "finished"]
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)
        got_request_exception.disconnect(failed)


def test_the_language_of_a_request() -> None:
    api = API(django_middleware=[LOCALE])

    @api.get("/")
    async def home() -> str:
        return translation.gettext("Yes")

    client = TestClient(api)
    answer = client.get("/", headers={"accept-language": "de"})
    assert (answer.json(), answer.headers["content-language"]) == ("Ja", "de")
    assert client.get("/").json() == "Yes"


def test_djangos_responses_without_middleware() -> None:
    api = API()

    @api.get("/")
    async def home() -> HttpResponse:
        answer = HttpResponse("hello", status=203, headers={"X-Own": "1"})
        answer.set_cookie("a", "1")
        return answer

    @api.get("/stream")
    async def stream() -> StreamingHttpResponse:
        return StreamingHttpResponse(iter([b"a", b"b"]))

    client = TestClient(api)
    answer = client.get("/")
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (203, "hello", "1")
    assert cookies_of(answer) == ["a=1"]
    assert client.get("/stream").text == "ab"


@pytest.mark.django_db
def test_what_nobody_reads_is_not_made(client: Client, settings: Any) -> None:
    support.LOG.clear()
    api = API(django_middleware=[support.Looking, *USUAL])

    @api.get("/")
    async def home() -> str:
        return "x"

    ada = User.objects.create_user("ada")
    client.force_login(ada)
    cookie = {"cookie": f"sessionid={client.cookies['sessionid'].value}"}
    served = TestClient(api)
    assert served.get("/").headers.get("vary") is None
    assert support.steps() == []
    assert "set-cookie" not in served.get("/", headers=cookie).headers
    # As in Django: a cookie that can be no session's is taken back; every session is saved where the setting says so.
    assert 'sessionid=""' in served.get("/", headers={"cookie": "sessionid=short"}).headers["set-cookie"]
    settings.SESSION_SAVE_EVERY_REQUEST = True
    assert "sessionid=" in served.get("/", headers=cookie).headers["set-cookie"]
