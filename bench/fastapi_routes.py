"""FastAPI's routes with pydantic models beside the same with `plectrum.fastapi`: `python -m bench.fastapi_routes`.

One process calls both applications as a server would, by ASGI, so that no client's time is counted. Answers are
compared first; each figure is CPU time per request, the median of nine rounds in which the two take turns.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import fastapi
import pydantic

from bench.schema import Article, PArticle, article
from plectrum.fastapi import PlectrumRoute

ROUNDS = 9
SECONDS = 0.3
ROWS = [article(number) for number in range(1, 101)]


def application(model: Any, make: Callable[[dict[str, Any]], Any], route: Any = None) -> fastapi.FastAPI:
    """An application whose routes say the same whatever its models are.

    Parameters:
        model: the class of bodies and answers.
        make: a row as an instance of it.
        route: class of the routes; FastAPI's own where ``None``.
    """
    app = fastapi.FastAPI(openapi_url=None)
    if route is not None:
        app.router.route_class = route
    instances = [make(row) for row in ROWS]

    async def dicts() -> Any:
        return ROWS

    async def objects() -> Any:
        return instances

    async def body(article: Any) -> Any:
        return {"id": article.id}

    body.__annotations__ = {"article": model}
    app.get("/dicts", response_model=list[model])(dicts)
    app.get("/objects", response_model=list[model])(objects)
    app.post("/body")(body)
    return app


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request; ``body`` makes it a POST."""

    name: str
    path: str
    body: bytes = b""

    async def of(self, app: fastapi.FastAPI) -> bytes:
        """What the application answers."""
        sent: list[bytes] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST" if self.body else "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"bench"), (b"content-type", b"application/json")],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200, message
            sent.append(message.get("body", b""))

        await app(scope, receive, send)
        return b"".join(sent)


ASKED = [
    Asked("100 dicts as list[Article]", "/dicts"),
    Asked("100 instances as list[Article]", "/objects"),
    Asked("Article as a body", "/body", json.dumps(article(5)).encode()),
]


async def measure(asked: Asked, apps: dict[str, fastapi.FastAPI]) -> dict[str, list[float]]:
    """Microseconds per request, by round."""
    answers = {name: json.loads(await asked.of(app)) for name, app in apps.items()}
    assert answers["pydantic"] == answers["plectrum"]
    times: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(ROUNDS):
        for name, app in apps.items():
            calls, start = 0, time.process_time()
            while (spent := time.process_time() - start) < SECONDS:
                await asked.of(app)
                calls += 1
            times[name].append(spent / calls * 1e6)
    return times


def main() -> None:
    """Prints a line per request."""
    apps = {
        "pydantic": application(PArticle, PArticle.model_validate),
        "plectrum": application(Article, Article.validate, PlectrumRoute),
    }
    print(f"Python {sys.version.split()[0]}, {platform.machine()}, CPU time; median of {ROUNDS}, ± half of the range")
    print(f"FastAPI {fastapi.__version__}, pydantic {pydantic.VERSION}")
    print(f"{'':32}{'pydantic':>20}{'plectrum':>20}{'ratio':>8}")
    for asked in ASKED:
        times = asyncio.run(measure(asked, apps))
        cells = "".join(f"{f'{statistics.median(t):.0f} ± {(max(t) - min(t)) / 2:.0f} µs':>20}" for t in times.values())
        before, after = (statistics.median(found) for found in times.values())
        print(f"{asked.name:32}{cells}{after / before:>7.2f}x")


if __name__ == "__main__":
    main()
