"""Documents made to hurt, sent to a graph: how long each takes to be refused, and what memory does meanwhile.

    make dev && python -m tools.graphql_abuse --random 100000

Runs in this process, through the same app as a server's; only an optimized build (`make dev`) says anything about time.
The exit status is 1 where a document took longer than `--most` milliseconds, got through, or memory grew.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["floods", "main", "randoms"]

PIECES = [
    *"{}()[]:!$@|=& \n\"#,", '"""', "...", "query", "mutation", "fragment", "on", "Post", "Query", "posts", "post",
    "title", "author", "limit", "filter", "1", "-0.5e3", "true", "null", "@skip(if: true)", "$v", "é", "\u0000",
    "{posts {id}}", "(limit: 1)", "{title}", "(filter: {title: {eq: \"x\"}})",
]  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """A request.

    Parameters:
        name: what it tries.
        query: its document.
        variables: as JSON text.
        harmless: whether it may be answered.
    """

    name: str
    query: str
    variables: str = "{}"
    harmless: bool = False


def floods() -> Iterator[Attack]:
    """Requests that are refused, one of each kind."""
    for depth in (20, 190, 10_000):
        yield Attack(f"fields {depth} deep", f"{{posts{'{author' * depth}{{name}}{'}' * depth}}}")
    for name, open_, close in (
        ("inline fragments", "...on Post{", "}"), ("unclosed fields", "{posts", ""), ("unclosed braces", "{", ""),
    ):  # fmt: skip
        yield Attack(f"{name} 10,000 deep", f"{{posts{{{open_ * 10_000}id{close * 10_000}}}}}")
    for name, open_, close in (("lists", "[", "]"), ("objects", "{not:", "}"), ("and lists", "{and:[", "]}")):
        yield Attack(f"{name} 10,000 deep", f"{{posts(filter:{open_ * 10_000}{close * 10_000}){{id}}}}")
    yield Attack("list types 10,000 deep", f"query($a:{'[' * 10_000}Int{']' * 10_000}){{posts{{id}}}}")
    for count in (100, 5_000):
        yield Attack(f"{count} aliases", f"{{posts{{{' '.join(f'a{n}:id' for n in range(count))}}}}}")
        yield Attack(f"{count} aliased roots", f"{{{' '.join(f'a{n}:posts{{id}}' for n in range(count))}}}")
        yield Attack(f"{count} directives", f"{{posts{{id {'@skip(if:false)' * count}}}}}")
        yield Attack(f"{count} unknown directives", f"{{posts{{id {'@a' * count}}}}}")
        yield Attack(f"{count} variables", f"query({' '.join(f'$v{n}:Int' for n in range(count))}){{posts{{id}}}}")
    yield Attack("1,900 fields of one key", f"{{posts{{{'id ' * 1_900}}}}}")
    yield Attack("900 fields of one key, 3 levels", f"{{posts{{{'author{posts{id}}' * 500}}}}}")
    yield Attack("cycle of one", "{posts{...A}} fragment A on Post{...A}")
    chain = "".join(f"fragment F{n} on Post{{...F{(n + 1) % 1_000}}} " for n in range(1_000))
    yield Attack("cycle of 1,000", f"{{posts{{...F0}}}} {chain}")
    bomb = "".join(f"fragment F{n} on Author{{posts{{author{{...F{n + 1} ...F{n + 1}}}}}}} " for n in range(40))
    yield Attack("fragments that multiply", f"{{posts{{author{{...F0}}}}}} {bomb}fragment F40 on Author{{name}}")
    yield Attack("1,000 operations", "query A{posts{id}} " * 1_000)
    yield Attack("comment of 1 MB", f"{{posts{{id}}}} #{'x' * 1_000_000}")
    yield Attack("60,000 quotes", '"' * 60_000)
    yield Attack("byte order marks", "\ufeff{" * 10_000)
    yield from _variables()


def _variables() -> Iterator[Attack]:
    query = "query($v:PostFilter){posts(filter:$v){id}}"
    yield Attack("variable 10,000 deep", query, f'{{"v":{"[" * 10_000}{"]" * 10_000}}}')
    nested = '{"not":' * 120 + "1" + "}" * 120
    yield Attack("variable 120 deep", query, f'{{"v":{nested}}}')
    ids = "query($v:[ID!]){posts(filter:{id:{in:$v}}){id}}"
    yield Attack("200,000 ids and a wrong one", ids, json.dumps({"v": [*range(200_000), "x"]}))
    yield Attack("text of 1 MB for a number", "query($v:Int){posts(limit:$v){id}}", json.dumps({"v": "x" * 1_000_000}))
    many = json.dumps({f"v{n}": n for n in range(50_000)} | {"v": "x"})
    yield Attack("50,000 variables nobody declared", "query($v:Int){posts(limit:$v){id}}", many)


def randoms(count: int) -> Iterator[Attack]:
    """Requests that may be anything, the same ones each time.

    Parameters:
        count: of them.
    """
    chance = random.Random(20260101)
    for _ in range(count):
        yield Attack("random", "".join(chance.choices(PIECES, k=chance.randrange(60))), harmless=True)


def resident() -> int:
    """Memory of this process, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


class Target:
    """A graph of two models on a database in memory."""

    def __init__(self) -> None:
        import django
        from django.conf import settings

        settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            PLECTRUM={"MAX_BODY": 64 << 20},
            USE_TZ=True,
        )
        django.setup()
        from django.db import connection, models

        class Author(models.Model):
            name = models.TextField()

            class Meta:
                app_label = "abuse"

        class Post(models.Model):
            title = models.TextField()
            author = models.ForeignKey(Author, models.CASCADE, related_name="posts")

            class Meta:
                app_label = "abuse"

        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Post)
        from plectrum import API
        from plectrum.graphql import GraphQL
        from plectrum.testing import TestClient

        api = API(openapi_url=None)
        api.graphql("/graphql", GraphQL([Author, Post]))
        self._client = TestClient(api)

    def send(self, attack: Attack) -> tuple[float, dict[str, Any]]:
        """Milliseconds and the answer."""
        body = f'{{"query":{json.dumps(attack.query)},"variables":{attack.variables}}}'.encode()
        headers = {"content-type": "application/json"}
        start = time.perf_counter()
        response = self._client.post("/graphql", content=body, headers=headers)
        took = time.perf_counter() - start
        return took * 1000, response.json()


def main() -> int:
    """Attacks, and prints what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=100_000, help="random documents (default: %(default)s)")
    parser.add_argument("--most", type=float, default=5, help="milliseconds each may take (default: %(default)s)")
    options = parser.parse_args()
    target = Target()
    failures: list[str] = []
    for attack in floods():
        took, answer = min((target.send(attack) for _ in range(5)), key=lambda one: one[0])
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer.get("title", "answered")
        print(f"{took:8.2f} ms  {code:26} {attack.name}")
        if took > options.most or code == "answered":
            failures.append(attack.name)
    failures += _random(target, options.random, options.most)
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "all refused in time")
    return 1 if failures else 0


def _random(target: Target, count: int, most: float) -> Iterator[str]:
    times: list[float] = []
    memory: list[int] = []
    for number, attack in enumerate(randoms(count)):
        took, _ = target.send(attack)
        if took > most:
            # The machine may have been elsewhere; a slow document is slow each time.
            took = min(target.send(attack)[0] for _ in range(5))
        times.append(took)
        if took > most:
            yield f"{took:.1f} ms: {attack.query!r}"
        if number % max(count // 10, 1) == 0:
            memory.append(resident())
    times.sort()
    middle, slow = times[len(times) // 2], times[int(len(times) * 0.999)]
    print(f"{count} random documents: median {middle:.3f} ms, 99.9 % {slow:.2f} ms, longest {times[-1]:.2f} ms")
    print(f"memory, KiB: {' '.join(map(str, memory))}")
    # The caches fill in the first tenths.
    if memory[-1] > memory[len(memory) // 2] * 1.05:
        yield "memory grew"


if __name__ == "__main__":
    sys.exit(main())
