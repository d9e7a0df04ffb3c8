"""Subscriptions of GraphQL over real sockets: both protocols, both sources, and what happens when somebody goes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from .conftest import Serve
from .support import ROOT, Postgres, Server, request, until

pytestmark = pytest.mark.postgresql

PROTOCOL: Any = "graphql-transport-ws"


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL with the tables, and the trigger of `AddFeed`."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", throw_away=True) as running:
        environ = {**os.environ, "DATABASE_URL": running.url}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run([sys.executable, "-m", "tests.contract.live"], cwd=ROOT, env=environ, check=True)
        running.sql("INSERT INTO owner (name) VALUES ('ada'), ('bob')")
        running.sql("INSERT INTO note (text, status, price) VALUES ('zero', 'draft', 1)")
        yield running


@pytest.fixture(scope="module")
def server(notes: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("live") / "log"
    running = Server("live", log, "--workers=1", environ={"DATABASE_URL": notes.url})
    yield running
    running.close()


class Talk:
    """A client of `graphql-transport-ws`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection

    def send(self, type: str, **more: Any) -> None:
        self.socket.send(json.dumps({"type": type, **more}))

    def receive(self, timeout: float = 5.0) -> Any:
        return json.loads(self.socket.recv(timeout=timeout))

    def begin(self, **payload: Any) -> None:
        self.send("connection_init", payload=payload)
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, query: str, id: str = "1", **variables: Any) -> None:
        self.send("subscribe", id=id, payload={"query": query, "variables": variables})

    def next(self, id: str = "1") -> Any:
        """The data of the next response."""
        message = self.receive()
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        return value

    def closed(self) -> tuple[int, str]:
        """Code and reason with which the server closes."""
        try:
            while True:
                self.socket.recv(timeout=5)
        except ConnectionClosed as closed:
            close = closed.rcvd
        assert close is not None
        return close.code, close.reason


@contextlib.contextmanager
def talk(server: Server, path: str = "/graphql", *, protocols: Any = (PROTOCOL,), **options: Any) -> Iterator[Talk]:
    with connect(f"ws://127.0.0.1:{server.port}{path}", subprotocols=protocols, **options) as connection:
        yield Talk(connection)


def seen(server: Server) -> Any:
    return server.get("/seen").json()


def hear(talk: Talk, notes: Postgres, again: str | None = None) -> None:
    """Until the worker listens, and a change is heard; `again` is asked once more where that fails."""

    def heard() -> bool:
        notes.sql("UPDATE note SET status = 'ping' WHERE id = 1")
        talk.send("ping")
        while (message := talk.receive())["type"] != "pong":
            if message["type"] == "next":
                return True
            if again is not None and message["type"] == "error":
                talk.subscribe(again)
        return False

    until(heard)
    while True:  # what else was said of it
        try:
            talk.receive(timeout=0.3)
        except TimeoutError:
            return


# ── The protocol ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_operation_from_subscribe_to_complete(server: Server) -> None:
    with talk(server) as client:
        assert client.socket.subprotocol == PROTOCOL
        client.begin()
        client.subscribe("subscription ($n: Int!) { t: ticks(count: $n) { n: number __typename } }", n=2)
        assert client.next() == {"n": 0, "__typename": "Tick"}
        assert client.next() == {"n": 1, "__typename": "Tick"}
        assert client.receive() == {"type": "complete", "id": "1"}
        client.subscribe("{ owners(orderBy: [{name: ASC}]) { name } }")
        assert client.next() == [{"name": "ada"}, {"name": "bob"}]
        assert client.receive() == {"type": "complete", "id": "1"}


def test_pings_are_answered_with_their_payload(server: Server) -> None:
    with talk(server) as client:
        client.send("ping", payload={"a": 1})
        assert client.receive() == {"type": "pong", "payload": {"a": 1}}
        client.send("pong", payload={"un": "asked"})
        client.begin()
        client.send("ping")
        assert client.receive() == {"type": "pong"}


def test_what_is_no_message_is_4400(server: Server) -> None:
    for text in ("{", "[]", '{"type": "start", "id": "1"}', '{"type": "subscribe", "id": "1", "payload": {}}'):
        with talk(server) as client:
            client.begin()
            client.socket.send(text)
            code, reason = client.closed()
            assert code == 4400, text
            assert reason.startswith("Invalid message: it "), text
    with talk(server) as client:
        client.socket.send(b'{"type": "connection_init"}')
        assert client.closed()[0] == 4400


def test_nobody_is_heard_before_they_are_acknowledged(server: Server) -> None:
    with talk(server) as client:
        client.subscribe("subscription { ticks { number } }")
        assert client.closed() == (4401, "Unauthorized")


def test_a_second_introduction_is_4429(server: Server) -> None:
    with talk(server) as client:
        client.begin()
        client.send("connection_init")
        assert client.closed() == (4429, "Too many initialisation requests")


def test_whoever_says_nothing_is_4408(server: Server) -> None:
    with talk(server) as client:
        start = time.monotonic()
        assert client.closed() == (4408, "Connection initialisation timeout")
        assert 0.7 < time.monotonic() - start < 4


def test_an_id_is_taken_as_long_as_its_operation_runs(server: Server) -> None:
    with talk(server) as client:
        client.begin()
        client.subscribe("subscription { ticks(count: 9, every: 60) { number } }")
        client.subscribe("subscription { ticks { number } }")
        assert client.closed() == (4409, "Subscriber for 1 already exists")


def test_another_protocol_is_4406(server: Server) -> None:
    for protocols in (["graphql-ws"], None):
        with talk(server, protocols=protocols) as client:
            assert client.socket.subprotocol is None
            assert client.closed() == (4406, "Subprotocol not acceptable")


def test_what_is_wrong_with_a_document_ends_its_operation_alone(server: Server) -> None:
    with talk(server) as client:
        client.begin()
        for query, code in (
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { a: ticks { number } b: ticks { number } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("mutation { x }", "GRAPHQL_VALIDATION_FAILED"),
            ('subscription { ticks(count: "x") { number } }', "GRAPHQL_VALIDATION_FAILED"),
        ):
            client.subscribe(query)
            message = client.receive()
            assert (message["type"], message["id"]) == ("error", "1")
            assert message["payload"][0]["extensions"]["code"] == code, query
        client.subscribe("subscription { ticks(count: 1) { number } }")
        assert client.next() == {"number": 0}


def test_a_client_may_end_an_operation(server: Server) -> None:
    before = seen(server)
    with talk(server) as client:
        client.begin()
        client.subscribe("subscription { ticks(count: 1000, every: 0.05) { number } }")
        assert client.next() == {"number": 0}
        client.send("complete", id="1")
        until(lambda: seen(server)["closed"] == before["closed"] + 1)
        client.send("complete", id="nobody's")
        client.subscribe("subscription { ticks(count: 1) { number } }", id="2")
        while (message := client.receive())["id"] == "1":
            assert message["type"] == "next"
        assert message["payload"] == {"data": {"ticks": {"number": 0}}}


def test_generators_are_closed_when_their_client_is_gone(server: Server) -> None:
    before = seen(server)
    with talk(server) as client:
        client.begin()
        for id in "123":
            client.subscribe("subscription { ticks(count: 1000, every: 0.05) { number } }", id=id)
        until(lambda: seen(server)["begun"] == before["begun"] + 3)
        client.subscribe("subscription { ticks { number } }", id="4")
        while (message := client.receive())["type"] == "next":
            pass
        assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("4", "LIMIT_EXCEEDED")
        client.socket.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: seen(server)["closed"] == before["closed"] + 3)


def test_a_generator_waits_for_a_client_that_takes_nothing(server: Server) -> None:
    before = seen(server)
    with talk(server, compression=None, max_queue=1) as client:
        client.begin()
        client.subscribe("subscription { texts(size: 100000) }")
        until(lambda: seen(server)["made"] > before["made"])
        made = [-1]

        def rests() -> bool:
            time.sleep(0.7)
            made.append(seen(server)["made"])
            return made[-1] == made[-2]

        until(rests, seconds=30)
        # As much as the system buffers for a connection, and no more.
        assert made[-1] - before["made"] < 300
        assert len(client.next()) == 100_000
        assert len(client.next()) == 100_000
    until(lambda: seen(server)["closed"] == before["closed"] + 1)


# ── Functions ───────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_shown_as_queries_show_them(server: Server, notes: Postgres) -> None:
    key = notes.sql("INSERT INTO note (text, status, price, owner_id) VALUES ('n', 'x', 2.5, 1) RETURNING id")[0][0]
    with talk(server) as client:
        client.begin()
        client.subscribe(
            "subscription ($ids: [Int!]!) { notes(ids: $ids) { text p: price owner { name } } }", ids=[key, -1, key]
        )
        shown = {"text": "n", "p": "2.50", "owner": {"name": "ada"}}
        assert [client.next(), client.next()] == [shown, shown]
        assert client.receive()["type"] == "complete", "a row that is not there is no event"


def test_what_a_function_refuses_is_told_and_what_is_ours_is_not(server: Server) -> None:
    with talk(server) as client:
        client.begin()
        for how, code, message in (
            ("forbidden", "FORBIDDEN", "Enough."),
            ("broken", "INTERNAL_SERVER_ERROR", "Internal server error."),
        ):
            client.subscribe("subscription ($how: String!) { failing(how: $how) }", how=how)
            assert client.next() == 1
            told = client.receive()
            (error,) = told["payload"]
            assert (told["type"], error["message"], error["extensions"]) == ("error", message, {"code": code})
    assert "a secret" in server.log


def test_a_function_knows_what_the_client_said_of_itself(server: Server) -> None:
    with talk(server, "/graphql?x=1") as client:
        client.begin(name="me")
        client.subscribe("subscription { said }")
        assert client.next() == "me /graphql None"


# ── Who may ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_credentials_come_in_the_handshake_or_in_the_introduction(server: Server) -> None:
    for payload, headers in (({"X-API-Key": "key-of-ada-123456"}, {}), ({}, {"X-API-Key": "key-of-ada-123456"})):
        with talk(server, "/closed", additional_headers=headers) as client:
            client.begin(**payload)
            client.subscribe("subscription { whoami }")
            assert client.next() == "ada"
    with talk(server, "/closed") as client:
        client.begin(**{"x-api-key": "key-of-bob-123456"})
        client.subscribe("subscription { whoami }")
        assert client.receive()["payload"][0]["extensions"] == {"code": "FORBIDDEN"}


def test_whoever_may_not_is_4403(server: Server) -> None:
    for payload in ({}, {"x-api-key": "wrong"}, {"x-api-key": 1}, {"cookie": "x"}):
        with talk(server, "/closed") as client:
            client.send("connection_init", payload=payload)
            assert client.closed() == (4403, "Forbidden")


def test_pages_of_other_origins_are_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"), talk(server, origin="https://elsewhere.org"):
        pass


# ── Changes ─────────────────────────────────────────────────────────────────────────────────────────────────

CHANGES = "subscription ($f: NoteFilter) { c: noteChanges(filter: $f) { kind id note { text owner { name } } } }"


def test_changes_are_heard_without_python(server: Server, notes: Postgres) -> None:
    with talk(server) as client:
        client.begin()
        client.subscribe(CHANGES)
        hear(client, notes)
        key = notes.sql("INSERT INTO note (text, status, price, owner_id) VALUES ('a', 'x', 1, 1) RETURNING id")[0][0]
        assert client.next() == {"kind": "CREATED", "id": str(key), "note": {"text": "a", "owner": {"name": "ada"}}}
        notes.sql(f"UPDATE note SET text = 'b', owner_id = NULL WHERE id = {key}")
        assert client.next() == {"kind": "UPDATED", "id": str(key), "note": {"text": "b", "owner": None}}
        notes.sql(f"DELETE FROM note WHERE id = {key}")
        assert client.next() == {"kind": "DELETED", "id": str(key), "note": None}


def test_changes_are_filtered_and_chosen(server: Server, notes: Postgres) -> None:
    with talk(server) as client:
        client.begin()
        client.subscribe(CHANGES, f={"status": {"eq": "live"}, "price": {"gt": "5"}})
        client.subscribe("subscription { noteChanges(kinds: [DELETED]) { id __typename } }", id="2")
        client.subscribe("subscription { noteChanges { kind } }", id="3")
        hear(client, notes)
        values = "('no', 'draft', 9), ('cheap', 'live', 1), ('yes', 'live', 9)"
        keys = notes.sql(f"INSERT INTO note (text, status, price) VALUES {values} RETURNING id")
        messages = sorted((client.receive() for _ in range(4)), key=lambda message: message["id"])
        assert [message["id"] for message in messages] == ["1", "3", "3", "3"]
        assert messages[0]["payload"]["data"]["c"]["note"] == {"text": "yes", "owner": None}
        notes.sql(f"DELETE FROM note WHERE id = {keys[0][0]}")
        told = {message["id"]: message["payload"]["data"] for message in (client.receive() for _ in range(3))}
        assert told["2"] == {"noteChanges": {"id": str(keys[0][0]), "__typename": "NoteChange"}}
        assert told["3"] == {"noteChanges": {"kind": "DELETED"}}


def test_rows_of_others_are_not_heard_of(server: Server, notes: Postgres) -> None:
    with talk(server) as listener, talk(server, "/closed") as ada, talk(server, "/closed") as bob:
        listener.begin()
        listener.subscribe(CHANGES)
        for client, name in ((ada, "ada"), (bob, "bob")):
            client.begin(**{"x-api-key": f"key-of-{name}-123456"})
            client.subscribe("subscription { noteChanges { kind note { text } } }")
        hear(listener, notes)
        # The graphs listen each for itself: this one as well, as soon as it hears.
        until(lambda: _hears(ada, notes, "ada", 1))
        until(lambda: _hears(bob, notes, "bob", 2))
        keys = [
            notes.sql(
                f"INSERT INTO note (text, status, price, owner_id) VALUES ('{name}', 'x', 1, {owner}) RETURNING id"
            )[0][0]
            for name, owner in (("to ada", 1), ("to bob", 2))
        ]
        notes.sql(f"DELETE FROM note WHERE id IN ({keys[0]}, {keys[1]})")
        for client, name in ((ada, "to ada"), (bob, "to bob")):
            assert client.next() == {"kind": "CREATED", "note": {"text": name}}
            client.send("ping")
            assert client.receive() == {"type": "pong"}, "nobody can tell whose a row was that is gone"


def _hears(client: Talk, notes: Postgres, name: str, owner: int) -> bool:
    notes.sql(f"INSERT INTO note (text, status, price, owner_id) VALUES ('ping', 'x', 1, {owner})")
    with contextlib.suppress(TimeoutError):
        client.receive(timeout=0.3)
        while True:
            client.receive(timeout=0.2)
    return True


def test_the_same_question_is_asked_once(server: Server, notes: Postgres) -> None:
    count = 60
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(talk(server)) for _ in range(count)]
        for client in clients:
            client.begin()
            client.subscribe("subscription { noteChanges { note { text price } } }")
        hear(clients[0], notes)
        for client in clients[1:]:
            with contextlib.suppress(TimeoutError):
                while True:
                    client.receive(timeout=0.01)
        notes.sql("SELECT pg_stat_reset()")
        reads = "SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE relname = 'note'"
        notes.sql("UPDATE note SET text = 'once' WHERE id = 1")
        for client in clients:
            assert client.next()["note"]["text"] == "once"
        time.sleep(1.2)  # until the server has told its statistics, those of what was before among them
        assert int(notes.sql(reads)[0][0]) < count * 0.6


# ── Server-sent events ──────────────────────────────────────────────────────────────────────────────────────


def events(server: Server, query: str, method: str = "POST") -> list[tuple[str, Any]]:
    """All events of an operation."""
    body = json.dumps({"query": query}).encode()
    headers = ("accept: text/event-stream", "content-type: application/json")
    answer = server.ask(method, "/graphql", *headers, body=body)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    found: list[tuple[str, Any]] = []
    for part in answer.body.decode().split("\n\n"):
        lines = [line for line in part.split("\n") if line and not line.startswith(":")]
        if lines:
            name, data = (line.split(": ", 1)[1] for line in lines)
            found.append((name, json.loads(data) if data else None))
    return found


def test_an_operation_as_a_stream_of_events(server: Server) -> None:
    told = events(server, "subscription { ticks(count: 2) { number } }")
    assert told == [
        ("next", {"data": {"ticks": {"number": 0}}}),
        ("next", {"data": {"ticks": {"number": 1}}}),
        ("complete", None),
    ]
    assert events(server, "{ owner(id: 1) { name } }") == [
        ("next", {"data": {"owner": {"name": "ada"}}}),
        ("complete", None),
    ]


def test_errors_are_events_too(server: Server) -> None:
    (name, told), last = events(server, "subscription { nothing }")
    assert (name, last) == ("next", ("complete", None))
    assert told["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    first, (name, told), last = events(server, 'subscription { failing(how: "forbidden") }')
    assert (first, name, last) == (("next", {"data": {"failing": 1}}), "next", ("complete", None))
    assert told["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_stream_has_heartbeats_and_its_generator_an_end(server: Server) -> None:
    before = seen(server)
    body = json.dumps({"query": "subscription { ticks(count: 9, every: 60) { number } }"}).encode()
    with server.connect() as connection:
        connection.sendall(
            request("POST", "/graphql", "accept: text/event-stream", "content-type: application/json", body=body)
        )
        received = b""
        while received.count(b":\n\n") < 2:
            received += connection.recv(10_000)
    until(lambda: seen(server)["closed"] == before["closed"] + 1)


def test_a_subscription_needs_one_of_the_two(server: Server) -> None:
    body = json.dumps({"query": "subscription { ticks { number } }"}).encode()
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        answer = server.ask("POST", "/graphql", f"accept: {accept}", "content-type: application/json", body=body)
        assert answer.status == status
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
        assert "text/event-stream" in error["message"]


# ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_that_goes_away_ends_what_was_heard_of_it(
    notes: Postgres, serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = serve("live", "--workers=1", DATABASE_URL=notes.url)
    with talk(server) as client:
        client.begin()
        client.subscribe(CHANGES)
        hear(client, notes)
        notes.stop()
        told = client.receive(timeout=15)
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "SERVICE_UNAVAILABLE")
        notes.start()
        client.subscribe(CHANGES)
        hear(client, notes, again=CHANGES)


def test_a_server_that_stops_says_so(notes: Postgres, serve: Serve) -> None:
    server = serve("live", "--workers=1", DATABASE_URL=notes.url)
    body = json.dumps({"query": "subscription { ticks(count: 99, every: 0.1) { number } }"}).encode()
    with talk(server) as client, server.connect() as stream:
        client.begin()
        client.subscribe("subscription { ticks(count: 99, every: 0.1) { number } }")
        client.next()
        stream.sendall(
            request("POST", "/graphql", "accept: text/event-stream", "content-type: application/json", body=body)
        )
        assert b"200 OK" in stream.recv(10_000)
        server.process.send_signal(signal.SIGTERM)
        assert client.closed()[0] == 1012
        while stream.recv(10_000):
            pass
    assert server.process.wait(15) == 0
