"""Dependencies: resolved when a route is registered, run in order for each request."""

# No postponed annotations here: dependencies below are local to their tests.

import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from dependency_injector import containers, providers
from dependency_injector.wiring import Provide, inject

from plectrum import API, Body, ConfigurationError, Depends, Header, NotFound, Query, Request, Router
from plectrum.testing import TestClient

_events: list[str] = []


@pytest.fixture(autouse=True)
def events() -> list[str]:
    _events.clear()
    return _events


def answered(handler: Callable[..., Any], target: str = "/", *, sync: bool = False, **options: Any) -> Any:
    api = API()
    api.get("/", sync=sync)(handler)
    with TestClient(api, overrides=options.pop("overrides", None)) as client:
        response = client.get(target, **options)
    assert response.status_code == 200, response.text
    return response.json()


def plain(n: int = 1) -> int:
    return n * 2


async def awaited(n: Annotated[int, Depends(plain)]) -> int:
    _events.append("awaited")
    return n + 1


def test_values_come_from_functions_and_their_own_parameters() -> None:
    async def handler(a: Annotated[int, Depends(plain)], b: Annotated[int, Depends(awaited)], *, c: str = "c") -> Any:
        return [a, b, c]

    assert answered(handler, "/?n=5&c=d") == [10, 11, "d"]
    assert answered(handler) == [2, 3, "c"]


def test_the_default_style_works_too() -> None:
    async def handler(a: int = Depends(plain)) -> int:
        return a

    assert answered(handler, "/?n=4") == 8


def test_a_parameter_of_a_dependency_is_validated_and_documented() -> None:
    async def handler(a: Annotated[int, Depends(awaited)]) -> int:
        return a

    api = API()
    api.get("/")(handler)
    with TestClient(api) as client:
        assert client.get("/?n=x").json()["errors"][0]["loc"] == ["query", "n"]
        document = client.get("/openapi.json").json()
    assert [p["name"] for p in document["paths"]["/"]["get"]["parameters"]] == ["n"]


def test_a_value_is_made_once_for_a_request_unless_told_otherwise(events: list[str]) -> None:
    async def other(n: Annotated[int, Depends(awaited)]) -> int:
        return n

    async def handler(
        a: Annotated[int, Depends(awaited)],
        b: Annotated[int, Depends(other)],
        c: Annotated[int, Depends(awaited, cache=False)],
    ) -> list[int]:
        return [a, b, c]

    assert answered(handler) == [3, 3, 3]
    assert events == ["awaited", "awaited"]


def resource() -> Iterator[str]:
    _events.append("open")
    try:
        yield "resource"
    except LookupError:
        _events.append("failed")
        raise
    finally:
        _events.append("close")


async def async_resource(inner: Annotated[str, Depends(resource)]) -> AsyncIterator[str]:
    _events.append("async open")
    yield inner.upper()
    _events.append("async close")


@pytest.mark.parametrize("sync", [False, True])
def test_generators_clean_up_in_reverse(events: list[str], sync: bool) -> None:
    async def handler(value: Annotated[str, Depends(async_resource)]) -> str:
        _events.append("handled")
        return value

    def sync_handler(value: Annotated[str, Depends(resource)]) -> str:
        _events.append("handled")
        return value

    if sync:
        assert answered(sync_handler, sync=True) == "resource"
        assert events == ["open", "handled", "close"]
    else:
        assert answered(handler) == "RESOURCE"
        assert events == ["open", "async open", "handled", "async close", "close"]


def test_an_exception_passes_through_the_generators(events: list[str]) -> None:
    async def handler(value: Annotated[str, Depends(resource)]) -> str:
        raise KeyError(value)

    api = API()
    api.get("/")(handler)
    with TestClient(api) as client:
        assert client.get("/").status_code == 500
    assert events == ["open", "failed", "close"]


def test_a_generator_may_turn_an_exception_into_an_answer_but_not_swallow_it() -> None:
    def translating() -> Iterator[None]:
        try:
            yield
        except LookupError as error:
            raise NotFound("nothing there") from error

    def swallowing() -> Iterator[None]:
        with contextlib.suppress(LookupError):
            yield

    api = API()

    @api.get("/translated", dependencies=[Depends(translating)])
    async def translated() -> None:
        raise KeyError

    @api.get("/swallowed", dependencies=[Depends(swallowing)])
    async def swallowed() -> None:
        raise KeyError

    with TestClient(api, debug=True) as client:
        assert client.get("/translated").status_code == 404
        answer = client.get("/swallowed")
    assert answer.status_code == 500
    assert "did not raise it again" in answer.json()["detail"]


def test_classes_callables_and_partials_are_providers() -> None:
    @dataclasses.dataclass
    class Paging:
        page: int = 1
        size: Annotated[int, Query(le=50)] = 20

    class Least:
        def __init__(self, least: int) -> None:
            self.least = least

        def __call__(self, n: int = 0) -> int:
            return max(n, self.least)

    def product(a: int, b: int = 2) -> int:
        return a * b

    async def handler(
        paging: Annotated[Paging, Depends()],
        least: Annotated[int, Depends(Least(3))],
        product: Annotated[int, Depends(functools.partial(product, b=5))],
    ) -> Any:
        return [dataclasses.asdict(paging), least, product]

    assert answered(handler, "/?page=2&a=4") == [{"page": 2, "size": 20}, 3, 20]


def test_the_request_its_path_and_its_body_reach_every_function() -> None:
    async def tenant(request: Request, id: int, x_tenant: Annotated[str, Header()] = "none") -> str:
        return f"{request.method} {id} {x_tenant}"

    async def size(data: Annotated[dict[str, Any], Body()]) -> int:
        return len(data)

    api = API()

    @api.post("/{id}")
    async def handler(
        request: Request,
        id: int,
        data: Annotated[dict[str, Any], Body()],
        tenant: Annotated[str, Depends(tenant)],
        size: Annotated[int, Depends(size)],
    ) -> Any:
        return [request.path, id, data, tenant, size]

    with TestClient(api) as client:
        answer = client.post("/7", json={"a": 1}, headers={"x-tenant": "t"})
    assert answer.json() == ["/7", 7, {"a": 1}, "POST 7 t", 1]


def test_routers_and_routes_run_dependencies_for_what_they_do(events: list[str]) -> None:
    def note(word: str) -> Any:
        return Depends(lambda: _events.append(word))

    router = Router("/r", dependencies=[note("router")])
    api = API(dependencies=[note("api")])

    @router.get("/x", dependencies=[note("route")])
    async def handler() -> str:
        _events.append("handler")
        return ""

    api.include(router)
    with TestClient(api) as client:
        assert client.get("/r/x").status_code == 200
    assert events == ["api", "router", "route", "handler"]


def test_overrides_stand_in() -> None:
    async def handler(a: Annotated[int, Depends(awaited)]) -> int:
        return a

    assert answered(handler, overrides={plain: lambda: 40}) == 41


class Service:
    def __init__(self, word: str) -> None:
        self.word = word


class Container(containers.DeclarativeContainer):
    service = providers.Factory(Service, word="real")


def test_dependency_injector_providers_and_wiring() -> None:
    container = Container()

    async def provided(service: Annotated[Service, Depends(container.service)]) -> str:
        return service.word

    @inject
    async def wired(name: str = "x", service: Service = Provide[Container.service]) -> str:
        return f"{service.word} {name}"

    assert answered(provided) == "real"
    with container.service.override(providers.Factory(Service, word="fake")):
        assert answered(provided) == "fake"
    container.wire(modules=[__name__])
    try:
        assert answered(wired, "/?name=y") == "real y"
    finally:
        container.unwire()


def test_a_route_without_dependencies_is_called_directly() -> None:
    async def handler(a: int = 1) -> int:
        return a

    api = API()
    api.get("/")(handler)
    [route] = api.compile().routes
    assert route.plan is None
    assert route.call is handler


# What cannot be resolved is refused at start-up ────────────────────────────────────────────────────────────────────


def refused(handler: Callable[..., Any], **options: Any) -> str:
    api = API()
    api.get("/", **options)(handler)
    with pytest.raises(ConfigurationError) as caught:
        api.compile()
    return str(caught.value)


def one(x: Annotated[int, Depends(lambda: 1)]) -> int:
    return x


def test_a_cycle_is_refused() -> None:
    def first(x: Any) -> int:
        return 1

    def second(x: Annotated[int, Depends(first)]) -> int:
        return 1

    first.__annotations__["x"] = Annotated[int, Depends(second)]

    async def handler(x: Annotated[int, Depends(first)]) -> int:
        return x

    assert "dependencies need each other" in refused(handler)


def test_an_async_dependency_of_a_sync_handler_is_refused() -> None:
    def handler(x: Annotated[int, Depends(awaited)]) -> int:
        return x

    assert "awaited() is 'async def'" in refused(handler, sync=True)


def test_parameters_that_contradict_each_other_are_refused() -> None:
    async def handler(n: str, x: Annotated[int, Depends(plain)]) -> int:
        return x

    assert "with another type or default" in refused(handler)


def test_depends_without_a_provider_is_refused() -> None:
    async def handler(x: Annotated[Any, Depends()]) -> int:
        return 1

    assert "Depends() without a provider" in refused(handler)
