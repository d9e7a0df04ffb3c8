"""What is seen of a server's work: metrics by Prometheus' parser, lines by a JSON parser, traces by a collector."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .conftest import Serve
from .support import Postgres, Server, request, until

pytestmark = pytest.mark.postgresql

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def start(serve: Serve, database: Postgres, *options: str, **environ: str) -> Server:
    settings = {f"PLECTRUM_{name.upper()}": value for name, value in environ.items()}
    return serve("observed", *(options or ("--workers=1",)), DATABASE_URL=database.url, **settings)


@dataclasses.dataclass
class Observed:
    """A server on which all of it is on, and where it goes."""

    server: Server
    collector: Collector
    folder: Path

    def lines(self, name: str, event: str, **wanted: Any) -> list[dict[str, Any]]:
        every = lines(self.folder / name, event)
        return [line for line in every if all(line.get(key) == value for key, value in wanted.items())]

    def spans(self, trace: str) -> list[dict[str, Any]]:
        return [span for span in self.collector.spans if span["traceId"] == trace]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, database: Postgres) -> Iterator[Observed]:
    """Shared by those tests that need no server of their own."""
    folder = tmp_path_factory.mktemp("observed")
    with collecting() as collector:
        settings = {
            "access_log": folder / "access",
            "channels_redis": f"redis://127.0.0.1:{unused_port()}/0",
            "error_log": folder / "errors",
            "metrics_path": "/metrics",
            "otlp_endpoint": collector.url,
            "otlp_headers": "x-key=secret",
            "otlp_service": "shop",
            "ready_path": "/ready",
            "slow_query": "0.5",
            "trusted_proxies": "127.0.0.1",
        }
        environ = {f"PLECTRUM_{name.upper()}": str(value) for name, value in settings.items()}
        server = Server("observed", folder / "log", "--workers=1", environ={"DATABASE_URL": database.url, **environ})
        yield Observed(server, collector, folder)
        server.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def samples(server: Server) -> Samples:
    answer = server.get("/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert len({family.name for family in families}) == len(families)
    found = [sample for family in families for sample in family.samples]
    keys = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in found}
    assert len(keys) == len(found)
    return keys


def value(found: Samples, name: str, **labels: str) -> float:
    """The sum of samples that have those labels."""
    wanted = set(labels.items())
    return sum(value for (key, given), value in found.items() if key == f"plectrum_{name}" and wanted <= set(given))


def lines(path: Path, event: str) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in every if line["event"] == event]


# Metrics.


def test_numbers_of_each_route(observed: Observed) -> None:
    server = observed.server
    before = samples(server)
    for _ in range(3):
        server.get("/hello")
    server.get("/wait?seconds=0.06")
    server.get("/wait?seconds=x")
    server.get("/fail")
    server.get("/nowhere")
    server.get("/list/2")
    found = samples(server)

    def more(name: str, **labels: str) -> float:
        return value(found, name, **labels) - value(before, name, **labels)

    assert more("requests_total", route="/hello", method="GET", way="object", status="2xx") == 3
    assert more("requests_total", route="/wait", status="4xx") == 1
    assert more("requests_total", route="/fail", status="5xx") == 1
    assert more("requests_total", route="(no route)", status="4xx") == 1
    assert more("requests_total", route="/list/{n}", way="native", status="2xx") == 1
    bucket = {"route": "/wait", "le": "0.05"}
    assert more("request_duration_seconds_bucket", **bucket) == 1
    assert more("request_duration_seconds_bucket", **{**bucket, "le": "0.1"}) == 2
    assert more("request_duration_seconds_bucket", **{**bucket, "le": "+Inf"}) == 2
    assert more("request_duration_seconds_count", route="/wait") == 2
    assert 0.06 < more("request_duration_seconds_sum", route="/wait") < 0.2
    # The one that asks.
    assert value(found, "requests_in_flight") == 1
    assert value(found, "database_connections") >= 1
    assert value(found, "database_connections_opened_total") >= 1
    assert value(found, "workers") == 1
    assert 10_000_000 < value(found, "worker_memory_bytes") < 1_000_000_000


def test_clients_that_give_up_are_counted_apart(observed: Observed) -> None:
    server = observed.server
    before = value(samples(server), "request_duration_seconds_count", route="/wait")
    gone = {"route": "/wait", "status": "abandoned"}
    gone_before = value(samples(server), "requests_total", **gone)
    with server.connect() as connection:
        connection.sendall(request("GET", "/wait?seconds=30"))
        until(lambda: value(samples(server), "requests_in_flight") == 2)
    until(lambda: value(samples(server), "requests_total", **gone) == gone_before + 1)
    found = samples(server)
    assert value(found, "requests_in_flight") == 1
    assert value(found, "request_duration_seconds_count", route="/wait") == before


def test_any_worker_tells_of_all_and_of_those_that_died(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, "--workers=2", metrics_path="/metrics")
    for _ in range(40):
        server.get("/hello")
    assert {value(samples(server), "requests_total", route="/hello") for _ in range(8)} == {40}
    assert value(samples(server), "workers") == 2
    server.wait_for_spare()
    pids = server.pids(2)
    victim = pids.pop()
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in server.pids(2))
    found = samples(server)
    assert value(found, "requests_total", route="/hello") == 40
    assert value(found, "workers") == 2
    assert value(found, "worker_memory_bytes", worker="0") > 0
    # Whoever is in the place of the dead one counts on.
    assert value(found, "worker_requests_total") == value(found, "requests_total")
    assert min(value(found, "worker_requests_total", worker=worker) for worker in "01") > 0


def test_metrics_for_those_who_have_the_token(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, metrics_path="/metrics", metrics_token="secret")
    assert [server.get("/metrics").status, server.get("/metrics", "authorization: Bearer wrong").status] == [401, 401]
    assert server.get("/metrics", "authorization: bearer secret").status == 200


# Probes.


def test_ready_with_the_database(serve: Serve, tmp_path: Path) -> None:
    with Postgres(tmp_path / "own", throw_away=True) as own:
        server = start(serve, own, health_path="/health", ready_path="/ready")
        # The application has a migration that nobody has applied.
        answer = server.get("/ready")
        assert (answer.status, answer.json()["checks"]) == (503, {"database default": "ok", "migrations": "failed"})
        environ = {**os.environ, "DATABASE_URL": own.url}
        migrate = "import tests.contract.queries; from django.core.management import call_command as c; c('migrate')"
        subprocess.run([sys.executable, "-c", migrate], env=environ, check=True, capture_output=True)
        until(lambda: server.get("/ready").status == 200)
        assert server.get("/ready").json() == {
            "status": "ready",
            "checks": {"database default": "ok", "migrations": "ok"},
        }
        own.stop()
        until(lambda: server.get("/ready").status == 503)
        assert server.get("/health").json() == {"status": "ok"}
        own.start()
        until(lambda: server.get("/ready").status == 200)
    assert "not ready: migrations: not applied: contenttypes.0001_initial" in server.log


def test_not_ready_without_redis(observed: Observed) -> None:
    assert observed.server.get("/ready").json()["checks"]["redis channels"] == "failed"


# Logs.


def test_a_line_for_each_request(observed: Observed) -> None:
    client, server = "203.0.113.9", observed.server
    answer = server.get("/list/2", "x-request-id: given-1", f"x-forwarded-for: {client}")
    assert answer.headers["x-request-id"] == "given-1"
    for target in ("/wait?seconds=0.05&secret=1", "/block?seconds=0.05", "/queryset/2", '/"quoted"'):
        server.get(target, f"x-forwarded-for: {client}")
    until(lambda: len(observed.lines("access", "request", client=client)) == 5)
    one, wait, block, queryset, missing = observed.lines("access", "request", client=client)
    assert one | {"time": 0, "ms": 0, "queue_ms": 0, "database_ms": 0} == {
        "time": 0,
        "level": "info",
        "event": "request",
        "request_id": "given-1",
        "trace_id": one["trace_id"],
        "span_id": one["span_id"],
        "method": "GET",
        "path": "/list/2",
        "route": "/list/{n}",
        "way": "native",
        "status": 200,
        "client": "203.0.113.9",
        "ms": 0,
        "queue_ms": 0,
        "python_ms": 0.0,
        "database_ms": 0,
        "serialization_ms": 0.0,
        "statements": 1,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", one["time"])
    assert wait["python_ms"] >= 50
    assert wait["ms"] >= wait["python_ms"]
    assert wait["database_ms"] == 0
    assert block["python_ms"] >= 50
    assert queryset["statements"] == 1
    assert queryset["database_ms"] > 0
    assert queryset["python_ms"] > 0
    assert (missing["status"], missing["path"], missing["route"]) == (404, '/"quoted"', "(no route)")
    assert "secret" not in (observed.folder / "access").read_text()
    assert len({line["request_id"] for line in (one, wait, block, queryset, missing)}) == 5


def test_strangers_do_not_name_requests(serve: Serve, database: Postgres, tmp_path: Path) -> None:
    server = start(serve, database, access_log=str(tmp_path / "log"), trusted_proxies="10.0.0.0/8")
    assert server.get("/hello", "x-request-id: forged").headers["x-request-id"] != "forged"


def test_a_sample_keeps_what_failed(serve: Serve, database: Postgres, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    server = start(serve, database, access_log=str(log), access_log_sample="0")
    for target in ("/hello", "/fail", "/hello"):
        server.get(target)
    server.stop()
    assert [(line["path"], line["level"]) for line in lines(log, "request")] == [("/fail", "error")]


def test_errors_with_the_id_of_their_request(observed: Observed) -> None:
    def told(target: str) -> dict[str, Any]:
        name = observed.server.get(target).headers["x-request-id"]
        until(lambda: observed.lines("errors", "log", request_id=name))
        return observed.lines("errors", "log", request_id=name)[-1]

    error = told("/fail")
    assert (error["level"], error["logger"], error["message"][:5]) == ("error", "plectrum.request", "fail:")
    assert "RuntimeError: on purpose" in error["exception"]
    assert error["exception"].startswith("Traceback")
    assert error["time"][-1] == "Z"
    told("/logged")
    warning = told("/logged/sync")
    assert warning | {"time": 0} == {
        "time": 0,
        "level": "warning",
        "event": "log",
        "logger": "shop",
        "message": "in a thread",
        "request_id": warning["request_id"],
        "trace_id": warning["trace_id"],
        "order": 7,
    }


def test_workers_lines_do_not_mix(serve: Serve, database: Postgres, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    server = start(serve, database, "--workers=2", access_log=str(log))
    body = request("GET", "/hello") * 200
    with server.connections(8) as connections:
        for connection in connections:
            connection.sendall(body[:-2] + b"connection: close\r\n\r\n")
        for connection in connections:
            assert connection.makefile("rb").read().count(b"HTTP/1.1 200") == 200
    server.stop()
    assert len(lines(log, "request")) == 1600


def test_a_full_disk_costs_lines_and_nothing_else(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, access_log="/dev/full", metrics_path="/metrics")
    assert [server.get("/hello").status for _ in range(5)] == [200] * 5
    until(lambda: value(samples(server), "log_lines_dropped_total") >= 5)


def test_slow_executions_are_reported(observed: Observed) -> None:
    server = observed.server
    before = value(samples(server), "slow_executions_total")
    server.get("/list/2")
    server.get("/slow?seconds=0.5")

    def told() -> list[str]:
        return [line["message"] for line in observed.lines("errors", "log") if "slow:" in line["message"]]

    until(told)
    assert re.search(r'slow: GET /slow took \d+\.\d{3} ms for SELECT "item"."id" AS "number", slow\(', told()[0])
    assert "/list" not in "".join(told())
    assert value(samples(server), "slow_executions_total") == before + 1


# Traces.


class Collector:
    """Takes traces as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list[dict[str, Any]]:
        resources = [resource for _, _, body in self.requests for resource in body["resourceSpans"]]
        return [span for resource in resources for scope in resource["scopeSpans"] for span in scope["spans"]]


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    with contextlib.closing(made.server.socket):
        yield made
        made.server.shutdown()
        thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_traces_reach_a_collector(observed: Observed) -> None:
    observed.server.get("/list/2", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01")
    until(lambda: len(observed.spans(TRACE)) >= 2)
    path, headers, body = observed.collector.requests[0]
    assert (path, headers["x-key"], headers["content-type"]) == ("/v1/traces", "secret", "application/json")
    assert attributes(body["resourceSpans"][0]["resource"]) == {"service.name": "shop"}
    own, statement = observed.spans(TRACE)
    assert (own["traceId"], own["parentSpanId"], own["kind"]) == (TRACE, "00f067aa0ba902b7", 2)
    assert own["name"] == "GET /list/{n}"
    assert attributes(own)["http.response.status_code"] == "200"
    assert (statement["traceId"], statement["parentSpanId"], statement["kind"]) == (TRACE, own["spanId"], 3)
    assert statement["name"] == "SELECT"
    assert 'FROM "item"' in attributes(statement)["db.query.text"]
    begins, ends = (int(own[f"{name}TimeUnixNano"]) for name in ("start", "end"))
    assert begins <= int(statement["startTimeUnixNano"]) <= int(statement["endTimeUnixNano"])
    assert 0 < ends - begins < 5e9


def test_the_trace_goes_on_with_the_handler(observed: Observed) -> None:
    server, trace = observed.server, TRACE[::-1]
    said = server.get("/named", f"traceparent: 00-{trace}-00f067aa0ba902b7-01").json()
    assert said["trace"] == said["header"]
    assert said["trace"].startswith(f"00-{trace}-")
    until(lambda: observed.spans(trace))
    assert said["trace"].split("-")[2] == observed.spans(trace)[0]["spanId"]
    begun = server.get("/named").json()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", begun["trace"])
    assert begun["id"]
    failed = "0af7651916cd43dd8448eb211c80319c"
    server.get("/fail", f"traceparent: 00-{failed}-00f067aa0ba902b7-01")
    until(lambda: observed.spans(failed))
    assert observed.spans(failed)[-1]["status"] == {"code": 2}


def test_only_trusted_callers_decide_what_is_kept(serve: Serve, database: Postgres, collector: Collector) -> None:
    asked = f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01"
    strangers = start(serve, database, otlp_endpoint=collector.url, trace_sample="0")
    trusted = start(
        serve, database, otlp_endpoint=collector.url, trace_sample="0", trusted_proxies="127.0.0.1", otlp_service="us"
    )
    assert strangers.get("/named", asked).json()["trace"].endswith("-00")
    assert trusted.get("/named", asked).json()["trace"].endswith("-01")
    trusted.get("/named")
    assert (strangers.stop(), trusted.stop()) == (0, 0)
    # What was waiting is sent at the end.
    assert len(collector.spans) == 1


def test_a_collector_that_is_gone_costs_spans_and_nothing_else(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, otlp_endpoint=f"http://127.0.0.1:{unused_port()}", metrics_path="/metrics")
    assert [server.get("/hello").status for _ in range(3)] == [200] * 3
    until(lambda: value(samples(server), "spans_dropped_total") >= 3)
    assert "traces are lost" in server.log
