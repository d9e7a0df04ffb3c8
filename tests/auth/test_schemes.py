"""API keys, passwords, opaque tokens, Django's sessions; several at once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as DjangoClient

from plectrum import API, ConfigurationError, Request
from plectrum.auth import JWT, APIKey, Basic, Bearer, Principal, Session, hash_key
from plectrum.guards import AllowAny, HasScope
from plectrum.testing import TestClient

from .keys import SECRET, bearer

KEY, OTHER = "k" * 32, "o" * 32


def client(*schemes: Any, **options: Any) -> TestClient:
    api = API(auth=list(schemes))

    @api.route("/me", methods=["GET", "POST"], **options)
    async def me(request: Request) -> Any:
        user = await request.auser()
        return [request.auth, getattr(user, "username", user)]

    @api.get("/read", guards=[HasScope("read")])
    async def read() -> str:
        return "in"

    return TestClient(api)


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_known_keys_hashed_or_not() -> None:
    scheme = APIKey(keys={"billing": KEY, "shop": hash_key(OTHER)}, scopes={"shop": ["read"]})
    with client(scheme) as api:
        assert api.get("/me", headers={"x-api-key": KEY}).json() == [{"sub": "billing", "scope": []}, ""]
        assert api.get("/me", headers={"x-api-key": OTHER}).json()[0]["sub"] == "shop"
        for wrong in ("", KEY[:-1], KEY + "k", hash_key(OTHER), "x"):
            assert api.get("/me", headers={"x-api-key": wrong}).status_code == 401, wrong
        assert api.get("/me").headers["www-authenticate"] == 'ApiKey realm="X-API-Key"'
        assert api.get("/read", headers={"x-api-key": OTHER}).status_code == 200
        assert api.get("/read", headers={"x-api-key": KEY}).status_code == 403
    assert KEY not in repr(scheme)


def test_keys_in_queries_and_cookies() -> None:
    with client(APIKey(keys={"a": KEY}, query="key")) as api:
        assert [api.get(f"/me?x=1&key={key}").status_code for key in (KEY, "x")] == [200, 401]
        assert api.get("/me", headers={"x-api-key": KEY}).status_code == 401
    with client(APIKey(keys={"a": KEY}, cookie="key")) as api:
        assert api.get("/me", cookies={"key": KEY}).status_code == 200


def test_keys_that_a_function_knows() -> None:
    async def verify(request: Request, key: str) -> Principal | None:
        assert request.path == "/me"
        return Principal(subject="7", claims={"plan": "gold"}, user="Ann") if key == "good" else None

    with client(APIKey(verify=verify, header="X-Key")) as api:
        assert api.get("/me", headers={"x-key": "good"}).json() == [{"plan": "gold"}, "Ann"]
        assert api.get("/me", headers={"x-key": "bad"}).status_code == 401


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        (APIKey(), "either keys= or verify="),
        (APIKey(keys={"a": "short"}), "The API key of 'a' has 5 characters and could be guessed"),
        (APIKey(keys={"a": KEY}, scopes={"b": ["x"]}), "names 'b', who is not in keys"),
        (APIKey(keys={"a": KEY}, query="a", header="b"), "from one place"),
        (APIKey(keys={"a": "sha256:zz"}), "no SHA-256 in hexadecimal"),
        (APIKey(keys={"a": KEY}, header="a b"), "cannot be the name of a header"),
    ],
)
def test_what_could_not_work(scheme: APIKey, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        client(scheme)
    assert words in str(raised.value)


def test_passwords_of_django(db: None) -> None:
    User.objects.create_user("ann", password="a:b")
    User.objects.create_user("gone", password="x", is_active=False)
    with client(Basic(realm='the "shop"')) as api:
        assert api.get("/me", headers=basic("ann", "a:b")).json()[1] == "ann"
        for pair in (("ann", "x"), ("nobody", "x"), ("gone", "x")):
            refused = api.get("/me", headers=basic(*pair))
            assert (refused.status_code, refused.headers["www-authenticate"]) == (
                401, 'Basic realm="the \\"shop\\"", charset="UTF-8"',
            )  # fmt: skip
        assert api.get("/me", headers={"authorization": "Basic ?"}).status_code == 401


def test_passwords_and_tokens_that_functions_know() -> None:
    def check(request: Request, user: str, password: str) -> str | None:
        return user if password == "good" else None

    async def look_up(request: Request, token: str) -> dict[str, Any] | None:
        return {"sub": token, "scope": "read"} if token != "bad" else None

    with client(Basic(verify=check), Bearer(verify=look_up, user=lambda subject, claims: str(subject).upper())) as api:
        assert api.get("/me", headers=basic("é", "good")).json()[0] == {"sub": "é"}
        assert api.get("/me", headers={"authorization": "bearer abc"}).json() == [
            {"sub": "abc", "scope": "read"},
            "ABC",
        ]
        refused = api.get("/me", headers={"authorization": "Bearer bad"})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith(
            'Basic realm="api", charset="UTF-8", Bearer realm="api", error='
        )
        assert api.get("/read", headers={"authorization": "bearer abc"}).status_code == 200


@pytest.fixture
def browser(db: None) -> DjangoClient:
    """Logged in, as by the admin's login page."""
    browser = DjangoClient(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_user("ann", password="x"), "django.contrib.auth.backends.ModelBackend")
    return browser


def cookies(browser: DjangoClient, **more: str) -> dict[str, str]:
    return {**{name: morsel.value for name, morsel in browser.cookies.items()}, **more}


def test_sessions_of_django(browser: DjangoClient) -> None:
    with client(Session()) as api:
        assert api.get("/me", cookies=cookies(browser)).json()[1] == "ann"
        nobody = api.get("/me")
        assert (nobody.status_code, "www-authenticate" in nobody.headers) == (403, False)
        assert api.get("/me", cookies={settings.SESSION_COOKIE_NAME: "x" * 32}).status_code == 403
    User.objects.update(is_active=False)
    with client(Session()) as api:
        assert api.get("/me", cookies=cookies(browser)).status_code == 403


def test_csrf_as_django_checks_it(browser: DjangoClient) -> None:
    token, other = "a" * 32, "b" * 32
    with client(Session()) as api:

        def post(cookie: str | None, **options: Any) -> int:
            more = {} if cookie is None else {"csrftoken": cookie}
            return api.post("/me", cookies=cookies(browser, **more), **options).status_code

        assert post(None) == 403
        assert post(token) == 403
        assert post(token, headers={"x-csrftoken": other}) == 403
        assert post(token, headers={"x-csrftoken": token}) == 200
        assert post(None, headers={"x-csrftoken": token}) == 403
        assert post(token, data={"csrfmiddlewaretoken": token}) == 200
        assert post(token, data={"csrfmiddlewaretoken": other}) == 403
        assert post(token, json={"csrfmiddlewaretoken": token}) == 403
        host = {"host": "shop.example", "x-csrftoken": token}
        assert post(token, headers={**host, "origin": "http://shop.example"}) == 200
        assert post(token, headers={**host, "origin": "http://evil.example"}) == 403
        assert post(token, headers={**host, "origin": "null"}) == 403
        refused = api.post("/me", cookies=cookies(browser))
        assert refused.json()["detail"].startswith("CSRF failed: CSRF cookie not set")


def test_a_form_is_still_there_after_its_token_was_read(browser: DjangoClient) -> None:
    from typing import Annotated

    from plectrum import Form

    api = API(auth=[Session()])

    async def handler(name: Annotated[str, Form()]) -> str:
        return name

    handler.__annotations__["name"] = Annotated[str, Form()]
    api.post("/")(handler)
    with TestClient(api) as client:
        data = {"csrfmiddlewaretoken": "a" * 32, "name": "Ann"}
        answer = client.post("/", data=data, cookies=cookies(browser, csrftoken="a" * 32))
        assert answer.json() == "Ann"


def test_a_session_of_nobody_is_like_none(db: None) -> None:
    browser = DjangoClient()
    session = browser.session
    session["cart"] = 1
    session.save()
    jar = {settings.SESSION_COOKIE_NAME: session.session_key or ""}
    with client(Session(), guards=[AllowAny]) as api:
        assert api.get("/me", cookies=jar).json() == [None, ""]
        assert api.post("/me", cookies=jar).status_code == 200


def test_several_at_once(browser: DjangoClient) -> None:
    with client(JWT(key=SECRET), APIKey(keys={"a": KEY}), Session()) as api:
        assert api.get("/me", headers=bearer(sub="9")).json()[0]["sub"] == "9"
        assert api.get("/me", headers={"x-api-key": KEY}).json()[0]["sub"] == "a"
        assert api.get("/me", cookies=cookies(browser)).json()[1] == "ann"
        nobody = api.get("/me")
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (
            401,
            'Bearer realm="api", ApiKey realm="X-API-Key"',
        )


def test_openapi_says_what_is_required() -> None:
    import json

    from plectrum import _core, conf

    api = API(auth=[JWT(key=SECRET), APIKey(keys={"a": KEY}, query="key")])

    async def handler() -> None:
        """Nothing."""

    api.get("/guarded", throttle="1/s")(handler)
    api.get("/optional", guards=[AllowAny])(handler)
    api.get("/open", auth=None)(handler)
    document = json.loads(_core.App(api.compile(), conf.current().to_json()).openapi())
    assert document["components"]["securitySchemes"] == {
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "apiKey": {"type": "apiKey", "in": "query", "name": "key"},
    }
    operations = {path: item["get"] for path, item in document["paths"].items()}
    assert operations["/guarded"]["security"] == [{"jwt": []}, {"apiKey": []}]
    assert {"401", "429"} <= set(operations["/guarded"]["responses"])
    assert operations["/optional"]["security"] == [{"jwt": []}, {"apiKey": []}, {}]
    assert "security" not in operations["/open"]
    assert not {"401", "403", "429"} & set(operations["/open"]["responses"])
    assert SECRET not in json.dumps(document)
    assert KEY not in json.dumps(document)
