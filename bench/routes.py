"""Route matching beside a cached dict look-up in Python: nanoseconds per path.

`cargo run --release -p plectrum-http --example routing` prints what matching costs in Rust, this what Python needs to
find the same paths in a dict that holds every path it was ever asked for. A request's path is new text each time, so
that its hash is computed; the last column is what that leaves out.
"""

from __future__ import annotations

import timeit

PATHS = [
    "/hello",
    "/api/v1/articles",
    "/api/v1/articles/search",
    "/api/v1/teams/12345",
    "/api/v1/teams/12345/comments",
]
NUMBER = 200_000


def best(statement: str, **names: object) -> float:
    """Nanoseconds of the statement: the best of many runs, less an empty loop's."""
    times = [min(timeit.repeat(each, globals=names, number=NUMBER, repeat=15)) for each in (statement, "pass")]
    return (times[0] - times[1]) / NUMBER * 1e9


def main() -> None:
    """Prints the table."""
    cache = {path: (index, {"id": "12345"}) for index, path in enumerate(PATHS)}
    cache.update({f"/api/v1/teams/{number}": (0, {"id": str(number)}) for number in range(1000)})
    print(f"{'path':34} {'bytes → str → dict':>20} {'str, hash known':>16}")
    for path in PATHS:
        assert cache[path.encode().decode()] is cache[path]
        fresh = best("cache[raw.decode()]", cache=cache, raw=path.encode())
        known = best("cache[path]", cache=cache, path=path)
        print(f"{path:34} {fresh:17.1f} ns {known:13.1f} ns")


if __name__ == "__main__":
    main()
