"""Who may pass: claims in Rust, users and code of the user's in Python, objects."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from plectrum import API, ConfigurationError, Forbidden, HTTPException, Request, Router
from plectrum.auth import JWT
from plectrum.guards import (
    AllowAny,
    Guard,
    HasClaim,
    HasPermission,
    HasScope,
    IsAuthenticated,
    IsStaff,
    check_object,
)
from plectrum.testing import TestClient

from .keys import SECRET, bearer

scheme = JWT(key=SECRET)


def statuses(guards: Any, *claims: dict[str, Any] | None, jwt: JWT = scheme) -> list[int]:
    """With each of these claims; ``None`` is an anonymous request."""
    api = API(auth=[jwt])

    @api.get("/", guards=guards)
    async def handler() -> str:
        return "in"

    with TestClient(api) as client:
        return [client.get("/", headers={} if some is None else bearer(**some)).status_code for some in claims]


class Inline(Guard):
    inline = True
    message = "Only from the office."

    def has_permission(self, request: Request) -> bool:
        return request.header("x-office") == "yes"


class Awaited(Guard):
    async def has_permission(self, request: Request) -> bool:
        return (request.auth or {}).get("n") == 1


class Threaded(Guard):
    def has_permission(self, request: Request) -> bool:
        return (request.auth or {}).get("n") == 1


def test_claims_in_rust() -> None:
    reader, writer = {"scope": "read"}, {"scope": "read write"}
    assert statuses(HasScope("read"), None, {}, reader, writer) == [401, 403, 200, 200]
    assert statuses(HasScope("read", "write"), reader, writer) == [403, 200]
    assert statuses([HasScope("read"), HasScope("write")], reader, writer) == [403, 200]
    either = HasScope("write") | HasClaim("tier", "gold", 1.5)
    assert statuses(either, {"tier": "gold"}, {"tier": 1.5}, reader, writer) == [200, 200, 403, 200]
    assert statuses(IsAuthenticated() & ~HasScope("write"), None, reader, writer) == [401, 200, 403]
    assert statuses(HasClaim("groups", "b"), {"groups": ["a", "b"]}, {"groups": []}) == [200, 403]


def test_the_scope_claim_has_any_name() -> None:
    assert statuses(HasScope("a"), {"scp": ["a"]}, {"scope": "a"}, jwt=JWT(key=SECRET, scope_claim="scp")) == [200, 403]


def test_without_guards_somebody_must_be_authenticated() -> None:
    assert statuses(None, None, {}) == [401, 200]
    assert statuses([], None, {}) == [200, 200]
    assert statuses([AllowAny], None, {}) == [200, 200]


@pytest.mark.parametrize("guard", [Awaited, Threaded])
def test_code_of_the_users_own(guard: type[Guard]) -> None:
    assert statuses([guard], None, {"n": 1}, {"n": 2}) == [401, 200, 403]
    assert statuses(guard() | HasScope("x"), {"n": 1}, {"scope": "x"}, {}) == [200, 200, 403]
    assert statuses([IsAuthenticated, ~guard()], None, {"n": 1}, {"n": 2}) == [401, 403, 200]


def test_classes_combine_as_python_reads_them() -> None:
    assert statuses([Awaited | Threaded], {"n": 1}, {}) == [200, 403]
    assert statuses(IsStaff | HasScope("x"), {"scope": "x"}) == [200]


def test_a_refusal_in_words() -> None:
    api = API()

    @api.get("/", guards=[Inline])
    async def handler() -> str:
        return "in"

    with TestClient(api) as client:
        assert client.get("/", headers={"x-office": "yes"}).status_code == 200
        refused = client.get("/")
        assert (refused.status_code, refused.json()["detail"]) == (403, "Only from the office.")


def test_a_guard_answers_itself_and_fails_as_a_handler() -> None:
    class Teapot(Guard):
        async def has_permission(self, request: Request) -> bool:
            if request.query_string:
                raise HTTPException(418, "short and stout")
            raise KeyError("oops")

    api = API(guards=[Teapot()])

    @api.get("/")
    async def handler() -> str:
        return "in"

    with TestClient(api) as client:
        assert client.get("/?x").json()["detail"] == "short and stout"
        assert client.get("/").status_code == 500


def test_what_a_guard_leaves_the_handler_finds() -> None:
    class Tenant(Guard):
        async def has_permission(self, request: Request) -> bool:
            request.state["tenant"] = 7
            return True

    api = API()

    @api.get("/", guards=[Tenant])
    async def handler(request: Request) -> Any:
        return request.state

    with TestClient(api) as client:
        assert client.get("/").json() == {"tenant": 7}


def test_the_innermost_word_counts() -> None:
    api, inner = API(auth=[scheme], guards=[HasScope("api")]), Router("/inner", guards=[HasScope("inner")])

    async def handler() -> str:
        return "in"

    api.get("/outer")(handler)
    api.get("/open", auth=None)(handler)
    inner.get("/a")(handler)
    inner.get("/b", guards=[HasScope("b")])(handler)
    api.include(inner)
    with TestClient(api) as client:

        def passes(path: str, scope: str) -> bool:
            return client.get(path, headers=bearer(scope=scope)).status_code == 200

        assert [passes("/outer", scope) for scope in ("api", "inner")] == [True, False]
        assert [passes("/inner/a", scope) for scope in ("inner", "api")] == [True, False]
        assert [passes("/inner/b", scope) for scope in ("b", "inner")] == [True, False]
        assert client.get("/open").status_code == 200
        assert client.get("/openapi.json").status_code == 200


def test_nobody_could_ever_pass() -> None:
    async def handler() -> str:
        return "in"

    for guards, words in [
        ([IsAuthenticated], "IsAuthenticated asks who makes the request, but the route has no auth="),
        ([HasScope("x") & Awaited()], "asks who makes the request"),
        (["x"], "guards= takes guards of plectrum.guards, not 'x'"),
        ([HasScope], "needs scopes without spaces"),
        ([HasClaim], "the class HasClaim, which wants arguments"),
    ]:
        api = API()
        api.get("/", guards=guards)(handler)
        with pytest.raises(ConfigurationError, match=r"test_guards\.py:\d+: ") as raised:
            api.compile()
        assert words in str(raised.value)
    api = API(auth=[JWT])
    api.get("/")(handler)
    with pytest.raises(ConfigurationError, match=r"Write JWT\(\)\."):
        api.compile()


@pytest.fixture
def users(db: None) -> dict[str, User]:
    staff = User.objects.create_user("staff", is_staff=True)
    clerk = User.objects.create_user("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="add_user", content_type__app_label="auth"))
    gone = User.objects.create_user("gone", is_active=False, is_staff=True)
    return {"staff": staff, "clerk": clerk, "gone": gone}


def test_django_permissions_and_staff(users: dict[str, User]) -> None:
    claims = [{"sub": str(users[name].pk)} for name in ("staff", "clerk", "gone")]
    strange: list[dict[str, Any]] = [{"sub": "no number"}, {"sub": None}]
    assert statuses(IsStaff, *claims, *strange) == [200, 403, 403, 403, 403]
    assert statuses(HasPermission("auth.add_user"), *claims, *strange) == [403, 200, 403, 403, 403]
    assert statuses(IsStaff() | HasPermission("auth.add_user"), *claims) == [200, 200, 403]


def test_claims_spare_the_database(db: None, django_assert_num_queries: Any) -> None:
    jwt = JWT(key=SECRET, staff_claim="staff", permissions_claim="perms")
    with django_assert_num_queries(0):
        assert statuses(IsStaff, {"staff": True}, {"staff": "true"}, {}, jwt=jwt) == [200, 403, 403]
        claims: list[dict[str, Any]] = [{"perms": ["a.b"]}, {"perms": "a.c a.b"}, {"perms": ["a.c"]}]
        assert statuses(HasPermission("a.b"), *claims, jwt=jwt) == [200, 200, 403]


def test_the_user_is_loaded_when_it_is_read(users: dict[str, User], django_assert_num_queries: Any) -> None:
    api = API(auth=[scheme])

    @api.get("/unread")
    async def unread(request: Request) -> Any:
        return request.auth

    @api.get("/read", guards=[IsStaff])
    async def read(request: Request) -> Any:
        return [(await request.auser()).username, request.user.username]

    @api.get("/sync", sync=True)
    def sync(request: Request) -> Any:
        return [request.user.username, request.user.is_staff]

    headers = bearer(sub=str(users["staff"].pk))
    with TestClient(api) as client:
        with django_assert_num_queries(0):
            assert client.get("/unread", headers=headers).status_code == 200
        with django_assert_num_queries(1):
            assert client.get("/read", headers=headers).json() == ["staff"] * 2
        with django_assert_num_queries(1):
            assert client.get("/sync", headers=headers).json() == ["staff", True]


class IsOwner(Guard):
    message = "It belongs to somebody else."

    def has_object_permission(self, request: Request, obj: Any) -> bool:
        return bool(request.user.pk == obj)


def test_objects(users: dict[str, User]) -> None:
    clerk, staff = users["clerk"].pk, users["staff"].pk
    api = API(auth=[scheme])
    guards = [IsAuthenticated() & (IsOwner() | IsStaff())]

    @api.get("/{owner}", guards=guards)
    async def handler(request: Request, owner: int) -> str:
        await check_object(guards, request, owner)
        return "in"

    @api.get("/{owner}/others", guards=[~IsOwner()])
    async def others(request: Request, owner: int) -> str:
        await check_object(~IsOwner(), request, owner)
        return "in"

    with TestClient(api) as client:

        def ask(path: str, user: int) -> int:
            return client.get(path, headers=bearer(sub=str(user))).status_code

        assert [ask(f"/{clerk}", clerk), ask(f"/{clerk}", staff), ask(f"/{staff}", clerk)] == [200, 200, 403]


def test_what_is_turned_round_says_nothing_where_its_parts_say_nothing() -> None:
    class Asked:
        auth: dict[str, Any] = {}

        async def auser(self) -> None: ...

    class Even(Guard):
        def has_object_permission(self, request: Any, obj: int) -> bool:
            return obj % 2 == 0

    def allowed(guard: Guard, obj: int) -> bool:
        try:
            asyncio.run(check_object(guard, Asked(), obj))
        except Forbidden:
            return False
        return True

    assert [allowed(~Even(), n) for n in (1, 2)] == [True, False]
    assert [allowed(~~Even(), n) for n in (1, 2)] == [False, True]
    silent = HasScope("a") & HasScope("b")
    assert [allowed(guard, 1) for guard in (silent, ~silent, ~~silent)] == [True, True, True]


def test_check_object_says_why() -> None:
    class Never(Guard):
        message = "Never."

        async def has_object_permission(self, request: Request, obj: Any) -> bool:
            return False

    api = API(auth=[JWT(key=SECRET, user=lambda subject, claims: subject)])

    @api.get("/")
    async def handler(request: Request) -> None:
        try:
            await check_object(Never, request, 1)
        except Forbidden as error:
            raise HTTPException(409, error.detail) from error

    with TestClient(api) as client:
        assert client.get("/", headers=bearer()).json()["detail"] == "Never."
