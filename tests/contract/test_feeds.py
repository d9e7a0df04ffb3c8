"""Change feeds: what clients hear of what others write, over a restart of the database, too."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Serve
from .support import ROOT, Postgres, Server, request, until

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL with the table, and the trigger of `AddFeed`."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", throw_away=True) as running:
        environ = {**os.environ, "DATABASE_URL": running.url}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run([sys.executable, "-m", "tests.contract.feeds"], cwd=ROOT, env=environ, check=True)
        yield running


@pytest.fixture(scope="module")
def server(notes: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("feeds") / "log"
    running = Server("feeds", log, "--workers=1", environ={"DATABASE_URL": notes.url})
    yield running
    running.close()


EVENT = re.compile(r"event: (\w+)\nid: (.*)\ndata: (.*)\n")


class Listener:
    """A client of the feed."""

    def __init__(self, server: Server, query: str = "", *headers: str) -> None:
        self.connection: socket.socket = server.connect()
        self.connection.sendall(request("GET", f"/notes{query}", *headers))
        self.received = b""
        # The first heartbeat: by then the worker listens.
        self._until(b":\n\n")
        self.received = b""

    def _until(self, end: bytes) -> None:
        while end not in self.received:
            piece = self.connection.recv(100_000)
            assert piece, self.received
            self.received += piece

    def events(self, count: int) -> list[tuple[str, str, Any]]:
        """The next events: kind, id, data."""
        while self.received.count(b"\ndata: ") < count or not self.received.endswith(b"\n\r\n"):
            piece = self.connection.recv(100_000)
            assert piece, self.received
            self.received += piece
        found = EVENT.findall(self.received.decode())
        self.received = b""
        return [(kind, id, json.loads(data)) for kind, id, data in found]

    def silent(self) -> bool:
        """Whether nothing but heartbeats comes."""
        time.sleep(0.3)
        self.connection.settimeout(0.6)
        with contextlib.suppress(TimeoutError):
            self.received += self.connection.recv(100_000)
        self.connection.settimeout(10)
        return b"data" not in self.received

    def close(self) -> None:
        self.connection.close()


def insert(notes: Postgres, text: str, status: str = "draft") -> int:
    statement = "INSERT INTO note (text, status, price, made) VALUES ('{}', '{}', 9.5, now()) RETURNING id"
    return int(notes.sql(statement.format(text, status))[0][0])


def test_changes_are_heard_as_the_api_shows_rows(server: Server, notes: Postgres) -> None:
    listener = Listener(server)
    id = insert(notes, "first")
    [(kind, _, row)] = listener.events(1)
    assert (kind, row) == ("insert", {"id": id, "text": "first", "status": "draft", "price": "9.50"})
    notes.sql(f"UPDATE note SET text = repeat('x', 10000) WHERE id = {id}")
    [(kind, _, row)] = listener.events(1)
    assert (kind, len(row["text"])) == ("update", 10_000)
    notes.sql(f"DELETE FROM note WHERE id = {id}")
    [(kind, _, row)] = listener.events(1)
    assert (kind, row) == ("delete", {"id": id})
    listener.close()


def test_what_is_rolled_back_is_not_heard_and_order_is_that_of_commits(server: Server, notes: Postgres) -> None:
    listener = Listener(server)
    with pytest.raises(Exception, match="division by zero"):
        notes.sql("INSERT INTO note (text, status, price, made) VALUES ('never', 'draft', 1, now()); SELECT 1 / 0")
    texts = [f"note {number}" for number in range(100)]
    values = ", ".join(f"('{text}', 'draft', 1, now())" for text in texts)
    notes.sql(f"INSERT INTO note (text, status, price, made) VALUES {values}")
    assert [row["text"] for _, _, row in listener.events(100)] == texts
    listener.close()


def test_filters(server: Server, notes: Postgres) -> None:
    listener = Listener(server, "?status=published")
    insert(notes, "no")
    id = insert(notes, "yes", "published")
    assert [row["text"] for _, _, row in listener.events(1)] == ["yes"]
    notes.sql(f"UPDATE note SET status = 'draft' WHERE id = {id}")
    assert listener.silent()
    listener.close()
    assert server.get("/notes?id=many").status == 422


def test_clients_come_back_for_what_they_missed(server: Server, notes: Postgres) -> None:
    listener = Listener(server)
    insert(notes, "seen")
    [(_, last, _)] = listener.events(1)
    listener.close()
    for number in range(3):
        insert(notes, f"missed {number}")
    time.sleep(0.3)
    back = Listener.__new__(Listener)
    back.connection, back.received = server.connect(), b""
    back.connection.sendall(request("GET", "/notes", f"last-event-id: {last}"))
    assert [row["text"] for _, _, row in back.events(3)] == ["missed 0", "missed 1", "missed 2"]
    back.close()
    for number in range(5):
        insert(notes, f"more {number}")
    time.sleep(0.3)
    for unknown in (last, "garbage"):
        late = Listener.__new__(Listener)
        late.connection, late.received = server.connect(), b""
        late.connection.sendall(request("GET", "/notes", f"last-event-id: {unknown}"))
        assert late.events(1) == [("reset", "", {})]
        late.close()


def test_one_connection_however_many_clients(server: Server, notes: Postgres) -> None:
    listeners = [Listener(server) for _ in range(20)]
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    assert notes.sql(count) == [(1,)]
    insert(notes, "for all")
    assert all(listener.events(1)[0][2]["text"] == "for all" for listener in listeners)
    for listener in listeners:
        listener.close()


def test_a_restart_of_the_database_is_told_and_survived(serve: Serve, notes: Postgres) -> None:
    server = serve("feeds", "--workers=1", DATABASE_URL=notes.url)
    listener = Listener(server)
    insert(notes, "before")
    listener.events(1)
    notes.stop(signal.SIGINT)
    assert listener.events(1) == [("reset", "", {})]
    notes.start()
    until(lambda: notes.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")[0][0] >= 1)
    time.sleep(0.5)
    insert(notes, "after")
    assert [row["text"] for _, _, row in listener.events(1)] == ["after"]
    listener.close()


def test_a_feed_of_another_engine_is_refused_at_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(RuntimeError, match=r"a feed needs PostgreSQL's LISTEN and NOTIFY; 'default' is sqlite"):
        Server("feeds", log, "--workers=1", environ={"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"})
