from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plectrum import database_url
from plectrum.errors import ConfigurationError

POSTGRES = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
WAL = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", "transaction_mode": "IMMEDIATE"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgres://ada:s%40crt@db.example.com:5433/shop?sslmode=require&connect_timeout=5",
            {
                "ENGINE": POSTGRES,
                "NAME": "shop",
                "USER": "ada",
                "PASSWORD": "s@crt",
                "HOST": "db.example.com",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require", "connect_timeout": "5"},
            },
        ),
        (
            "postgresql://postgres@/postgres?host=/tmp/sockets",
            {"ENGINE": POSTGRES, "NAME": "postgres", "USER": "postgres", "HOST": "/tmp/sockets"},
        ),
        ("postgresql:///shop", {"ENGINE": POSTGRES, "NAME": "shop"}),
        ("postgresql://[::1]:6000/shop", {"ENGINE": POSTGRES, "NAME": "shop", "HOST": "::1", "PORT": "6000"}),
        (
            "postgresql://?dbname=shop&user=ada&port=7000",
            {"ENGINE": POSTGRES, "NAME": "shop", "USER": "ada", "PORT": "7000"},
        ),
        ("postgresql://%2Ftmp%2Fs/caf%C3%A9", {"ENGINE": POSTGRES, "NAME": "café", "HOST": "/tmp/s"}),
        ("sqlite:///shop.sqlite3", {"ENGINE": SQLITE, "NAME": "shop.sqlite3", "OPTIONS": WAL}),
        ("sqlite:////var/lib/shop.sqlite3", {"ENGINE": SQLITE, "NAME": "/var/lib/shop.sqlite3", "OPTIONS": WAL}),
        ("sqlite://:memory:", {"ENGINE": SQLITE, "NAME": ":memory:"}),
        ("sqlite://", {"ENGINE": SQLITE, "NAME": ":memory:"}),
        ("mysql://u@h/n", {"ENGINE": "django.db.backends.mysql", "NAME": "n", "USER": "u", "HOST": "h"}),
    ],
)
def test_parse(url: str, expected: dict[str, object]) -> None:
    assert database_url.parse(url) == expected


def test_unknown_scheme() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL starts with 'redis://', which is none of mysql://, "):
        database_url.parse("redis://localhost")


def test_port_that_is_no_number() -> None:
    with pytest.raises(ConfigurationError, match="The port in DATABASE_URL is not a number"):
        database_url.parse("postgresql://localhost:abc/shop")


def test_who_reads_a_sqlite_file_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3"
    script = f"""
from django.conf import settings
from plectrum import database_url
settings.configure(DATABASES={{"default": database_url.parse("sqlite:///{path}")}})
import django, sqlite3
django.setup()
from django.db import connection, transaction
connection.cursor().execute("CREATE TABLE item (id integer)")
with transaction.atomic():
    connection.cursor().execute("INSERT INTO item VALUES (1)")
    other = sqlite3.connect("{path}", timeout=0)
    print(other.execute("SELECT count(*) FROM item").fetchone()[0], other.execute("PRAGMA journal_mode").fetchone()[0])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0 wal\n", "")
