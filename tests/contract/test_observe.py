"""What is seen of a server's work: metrics by Prometheus' parser, lines by a JSON parser, traces by a collector."""

from __future__ import annotations

import contextlib
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


def test_numbers_of_each_route(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, metrics_path="/metrics")
    for _ in range(3):
        server.get("/hello")
    server.get("/wait?seconds=0.06")
    server.get("/wait?seconds=x")
    server.get("/fail")
    server.get("/nowhere")
    server.get("/list/2")
    found = samples(server)
    assert value(found, "requests_total", route="/hello", method="GET", way="object", status="2xx") == 3
    assert value(found, "requests_total", route="/wait", status="4xx") == 1
    assert value(found, "requests_total", route="/fail", status="5xx") == 1
    assert value(found, "requests_total", route="(no route)", status="4xx") == 1
    assert value(found, "requests_total", route="/list/{n}", way="native", status="2xx") == 1
    bucket = {"route": "/wait", "le": "0.05"}
    assert value(found, "request_duration_seconds_bucket", **bucket) == 1
    assert value(found, "request_duration_seconds_bucket", **{**bucket, "le": "0.1"}) == 2
    assert value(found, "request_duration_seconds_bucket", **{**bucket, "le": "+Inf"}) == 2
    assert value(found, "request_duration_seconds_count", route="/wait") == 2
    assert 0.06 < value(found, "request_duration_seconds_sum", route="/wait") < 0.2
    # The one that asks.
    assert value(found, "requests_in_flight") == 1
    assert value(found, "database_connections") >= 1
    assert value(found, "database_connections_opened_total") >= 1
    assert value(found, "workers") == 1
    assert 10_000_000 < value(found, "worker_memory_bytes") < 1_000_000_000


def test_clients_that_give_up_are_counted_apart(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, metrics_path="/metrics")
    with server.connect() as connection:
        connection.sendall(request("GET", "/wait?seconds=30"))
        until(lambda: value(samples(server), "requests_in_flight") == 2)
    until(lambda: value(samples(server), "requests_total", route="/wait", status="abandoned") == 1)
    found = samples(server)
    assert value(found, "requests_in_flight") == 1
    assert value(found, "request_duration_seconds_count", route="/wait") == 0


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


def test_not_ready_without_redis(serve: Serve, database: Postgres) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"
    server = start(serve, database, ready_path="/ready", channels_redis=url)
    assert server.get("/ready").json()["checks"]["redis channels"] == "failed"


# Logs.


def test_a_line_for_each_request(serve: Serve, database: Postgres, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    server = start(serve, database, access_log=str(log), trusted_proxies="127.0.0.1")
    answer = server.get("/list/2", "x-request-id: given-1", "x-forwarded-for: 203.0.113.9")
    assert answer.headers["x-request-id"] == "given-1"
    server.get("/wait?seconds=0.05&secret=1")
    server.get("/block?seconds=0.05")
    server.get("/queryset/2")
    server.get('/"quoted"')
    assert server.stop() == 0
    one, wait, block, queryset, missing = lines(log, "request")
    assert one | {"time": 0, "ms": 0, "queue_ms": 0, "database_ms": 0} == {
        "time": 0,
        "level": "info",
        "event": "request",
        "request_id": "given-1",
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
    assert "secret" not in log.read_text()
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


def test_errors_with_the_id_of_their_request(serve: Serve, database: Postgres, tmp_path: Path) -> None:
    log = tmp_path / "errors.log"
    server = start(serve, database, error_log=str(log))
    name = server.get("/fail").headers["x-request-id"]
    until(lambda: len(lines(log, "log")) >= 1)
    error = lines(log, "log")[-1]
    assert (error["level"], error["logger"], error["message"][:5]) == ("error", "plectrum.request", "fail:")
    assert "RuntimeError: on purpose" in error["exception"]
    assert error["exception"].startswith("Traceback")
    assert (error["request_id"], error["time"][-1]) == (name, "Z")
    for target in ("/logged", "/logged/sync"):
        name = server.get(target).headers["x-request-id"]
        until(lambda name=name: any(line.get("request_id") == name for line in lines(log, "log")))
    assert lines(log, "log")[-1] | {"time": 0} == {
        "time": 0,
        "level": "warning",
        "event": "log",
        "logger": "shop",
        "message": "in a thread",
        "request_id": name,
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


def test_slow_executions_are_reported(serve: Serve, database: Postgres) -> None:
    server = start(serve, database, slow_query="0.5", metrics_path="/metrics")
    server.get("/list/2")
    server.get("/slow?seconds=0.5")
    assert re.search(r'slow: GET /slow took \d+\.\d{3} ms for SELECT "item"."id" AS "number", slow\(', server.log)
    assert "/list" not in server.log
    assert value(samples(server), "slow_executions_total") == 1


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


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    with contextlib.closing(made.server.socket):
        yield made
        made.server.shutdown()
        thread.join()


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_traces_reach_a_collector(serve: Serve, database: Postgres, collector: Collector) -> None:
    server = start(serve, database, otlp_endpoint=collector.url, otlp_headers="x-key=secret", otlp_service="shop")
    server.get("/list/2", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01")
    until(lambda: len(collector.spans) >= 2)
    path, headers, body = collector.requests[0]
    assert (path, headers["x-key"], headers["content-type"]) == ("/v1/traces", "secret", "application/json")
    assert attributes(body["resourceSpans"][0]["resource"]) == {"service.name": "shop"}
    own, statement = collector.spans
    assert (own["traceId"], own["parentSpanId"], own["kind"]) == (TRACE, "00f067aa0ba902b7", 2)
    assert own["name"] == "GET /list/{n}"
    assert attributes(own)["http.response.status_code"] == "200"
    assert (statement["traceId"], statement["parentSpanId"], statement["kind"]) == (TRACE, own["spanId"], 3)
    assert statement["name"] == "SELECT"
    assert 'FROM "item"' in attributes(statement)["db.query.text"]
    begins, ends = (int(own[f"{name}TimeUnixNano"]) for name in ("start", "end"))
    assert begins <= int(statement["startTimeUnixNano"]) <= int(statement["endTimeUnixNano"])
    assert 0 < ends - begins < 5e9


def test_the_trace_goes_on_with_the_handler(serve: Serve, database: Postgres, collector: Collector) -> None:
    server = start(serve, database, otlp_endpoint=collector.url)
    said = server.get("/named", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01").json()
    assert said["trace"] == said["header"]
    assert said["trace"].startswith(f"00-{TRACE}-")
    until(lambda: collector.spans)
    assert said["trace"].split("-")[2] == collector.spans[0]["spanId"]
    begun = server.get("/named").json()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", begun["trace"])
    assert begun["id"]
    server.get("/fail")
    until(lambda: len(collector.spans) >= 3)
    assert collector.spans[-1]["status"] == {"code": 2}


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(serve, database, otlp_endpoint=f"http://127.0.0.1:{port}", metrics_path="/metrics")
    assert [server.get("/hello").status for _ in range(3)] == [200] * 3
    until(lambda: value(samples(server), "spans_dropped_total") >= 3)
    assert "traces are lost" in server.log
