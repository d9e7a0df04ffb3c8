"""Which connection runs an operation, and how Rust's are configured."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from catalog.models import Article
from django.db import connections, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from plectrum.conf import Settings
from plectrum.errors import ValidationError
from plectrum.orm import connection_config, django_reason, must_run_on_django, trace
from plectrum.orm.connection import engine_reason
from plectrum.orm.django_backend import execute
from plectrum.orm.libpq import postgres_config
from plectrum.orm.operation import plan_result
from tests.orm.conftest import params_of


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_transactions_run_on_django(alias: str) -> None:
    assert django_reason(alias) is None
    with transaction.atomic(using=alias):
        assert django_reason(alias) == "inside transaction.atomic()"
    assert not must_run_on_django(alias)
    connection = connections[alias]
    with CaptureQueriesContext(connection):
        assert django_reason(alias) == "queries are being captured"
    with connection.execute_wrapper(lambda execute, *args: execute(*args)):
        assert django_reason(alias) == "an execute_wrapper wants to see every statement"
    connection.set_autocommit(False)
    assert django_reason(alias) == "autocommit is off, so statements belong to a transaction"
    connection.rollback()
    connection.set_autocommit(True)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_atomic_requests(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections[alias].settings_dict, "ATOMIC_REQUESTS", True)
    assert django_reason(alias) == "ATOMIC_REQUESTS is on"


def test_forbidden_queries_are_not_run_by_rust() -> None:
    assert django_reason("default") == "a test forbids database access"


class InTestCase(TestCase):
    """Django's own test case wraps each test in a transaction."""

    def test_reason(self) -> None:
        assert django_reason("default") == "inside transaction.atomic()"


def _other(alias: str, **changes: Any) -> Any:
    """A connection to nowhere with other settings."""
    connection = copy.copy(connections[alias])
    connection.settings_dict = {**copy.deepcopy(connection.settings_dict), **changes}
    vars(connection).pop("timezone_name", None)
    return connection


def test_engines_rust_cannot_reach() -> None:
    def reason(connection: Any) -> str | None:
        engine_reason.cache_clear()
        connections["other"] = connection
        try:
            return engine_reason("other")
        finally:
            del connections["other"]

    assert reason(_other("sqlite", NAME=":memory:")) == "an in-memory database belongs to the connection that made it"
    mysql = _other("sqlite")
    mysql.vendor, mysql.display_name = "mysql", "MySQL"
    assert reason(mysql) == "Rust does not speak MySQL"
    own = _other("sqlite", ENGINE="acme.encrypted")
    own.__class__ = type("Own", (type(own),), {"get_new_connection": lambda self, params: None})
    assert reason(own) == "the engine 'acme.encrypted' opens its connections its own way"
    engine_reason.cache_clear()


def _config(**changes: Any) -> dict[str, Any]:
    return postgres_config(_other("default", **changes))[0]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


EMPTY = {"HOST": "", "PORT": "", "USER": "", "PASSWORD": "", "NAME": "shop", "OPTIONS": {}}


@pytest.mark.postgresql
def test_settings(clean: Path) -> None:
    config = _config(
        HOST="a.example,b.example",
        PORT="5433,5434",
        USER="u",
        PASSWORD="p",
        NAME="shop",
        OPTIONS={
            "sslmode": "verify-full",
            "sslrootcert": "/ca.pem",
            "connect_timeout": 3,
            "options": "-c search_path=tenant -c statement_timeout=500",
            "target_session_attrs": "read-write",
            "keepalives_idle": 7,
            "assume_role": "reader",
            "isolation_level": 3,
            "pool": {"min_size": 2, "max_size": 5, "timeout": 1.5, "max_lifetime": 60},
        },
    )
    assert config == {
        "hosts": [{"host": "a.example", "port": 5433}, {"host": "b.example", "port": 5434}],
        "user": "u",
        "password": "p",
        "dbname": "shop",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "connect_timeout": 3.0,
        "options": "-c search_path=tenant -c statement_timeout=500",
        "target_session_attrs": "read-write",
        "keepalives": {"enabled": True, "idle": 7},
        "parameters": {"TimeZone": "UTC", "default_transaction_isolation": "repeatable read"},
        "assume_role": "reader",
        "max_connections": 5,
        "acquire_timeout_ms": 1500,
        "max_lifetime": 60.0,
    }


@pytest.mark.postgresql
def test_environment_and_files(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "env.example")
    monkeypatch.setenv("PGUSER", "env")
    monkeypatch.setenv("PGAPPNAME", "app")
    assert _config(**EMPTY)["hosts"] == [{"host": "env.example", "port": 5432}]
    assert _config(**{**EMPTY, "USER": "mine"})["user"] == "mine"
    (clean / ".pg_service.conf").write_text("[shop]\nhost=service.example\nport=6000\nuser=service\ndbname=db\n")
    found = _config(**{**EMPTY, "NAME": "", "OPTIONS": {"service": "shop"}})
    assert found["hosts"] == [{"host": "service.example", "port": 6000}]
    assert (found["user"], found["dbname"], found["application_name"]) == ("service", "db", "app")


@pytest.mark.postgresql
def test_password_file(clean: Path) -> None:
    file = clean / ".pgpass"
    file.write_text("# comment\nother:*:*:*:no\nh:5432:sh\\:op:u:s\\:ecret\n*:*:*:*:any\n")
    file.chmod(0o600)
    assert _config(**{**EMPTY, "HOST": "h", "USER": "u", "NAME": "sh:op"})["password"] == "s:ecret"
    assert _config(**{**EMPTY, "HOST": "h", "USER": "v"})["password"] == "any"
    file.chmod(0o644)  # readable by others: libpq ignores it
    assert "password" not in _config(**{**EMPTY, "HOST": "h", "USER": "u"})


@pytest.mark.postgresql
def test_socket_directory(clean: Path) -> None:
    assert _config(**{**EMPTY, "HOST": str(clean)})["hosts"] == [{"host": str(clean), "port": 5432}]
    assert _config(**EMPTY)["hosts"][0]["host"].startswith("/")


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sslcrl": "/crl"}, "Rust's connections have no counterpart of sslcrl='/crl'"),
        ({"channel_binding": "require"}, "Rust's connections have no counterpart of channel_binding='require'"),
        ({"channel_binding": "prefer", "gssencmode": "disable"}, None),
    ],
)
def test_what_rust_cannot_honour(clean: Path, options: dict[str, str], reason: str | None) -> None:
    assert postgres_config(_other("default", **{**EMPTY, "OPTIONS": options}))[1] == reason


@pytest.mark.django_db(databases="__all__")
def test_connection_config(alias: str) -> None:
    found = connection_config(alias, Settings(database_connections=3, database_statement_timeout=1.5))
    assert (found["zone"], found["session"]) == ("UTC", "UTC")
    if connections[alias].vendor == "postgresql":
        assert found["engine"] == "postgres"
        assert (found["config"]["max_connections"], found["config"]["statement_timeout_ms"]) == (3, 1500)
    else:
        assert found["engine"] == "sqlite"
        path = str(connections[alias].settings_dict["NAME"])
        assert found["config"] == {"path": path, "timeout": 5.0, "init": [], "statement_cache_size": 256}


@pytest.mark.django_db(databases="__all__")
def test_statements_are_seen_and_counted(shop: str, django_assert_num_queries: Any) -> None:
    operation = plan_result(Article.objects.using(shop).prefetch_related("comments", "author__articles"))
    with django_assert_num_queries(operation.statement_count(), connection=connections[shop]):
        execute(operation)
    with CaptureQueriesContext(connections[shop]) as captured:
        execute(plan_result(Article.objects.using(shop).only("title")))
    assert [query["sql"].split(" FROM ")[0] for query in captured.captured_queries] == [
        'SELECT "catalog_article"."id", "catalog_article"."title"'
    ]


@pytest.mark.django_db(databases="__all__")
def test_children_of_no_rows_are_not_asked_for(alias: str, django_assert_num_queries: Any) -> None:
    operation = plan_result(Article.objects.using(alias).prefetch_related("comments"))
    with django_assert_num_queries(1, connection=connections[alias]):
        (rowset,) = execute(operation)
    assert (rowset.rows, [child.rowset.rows for child in rowset.children]) == ([], [[], []])


@pytest.mark.django_db(databases="__all__")
def test_negative_slices_are_refused(shop: str) -> None:
    def rows(start: int, stop: int) -> Any:
        return Article.objects.all()[start:stop]

    operation = trace(rows, params_of(rows), using=shop)
    assert len(execute(operation, [1, 3])[0].rows) == 2
    assert execute(operation, [3, 1])[0].rows == []
    with pytest.raises(ValidationError) as caught:
        execute(operation, [-1, 3])
    assert caught.value.errors == [
        {"loc": ["query", "start"], "type": "slice", "msg": "The start of the slice must not be negative."}
    ]
