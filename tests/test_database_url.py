from __future__ import annotations

import pytest

from plectrum import database_url
from plectrum.errors import ConfigurationError

POSTGRES = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


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
        ("sqlite:///shop.sqlite3", {"ENGINE": SQLITE, "NAME": "shop.sqlite3"}),
        ("sqlite:////var/lib/shop.sqlite3", {"ENGINE": SQLITE, "NAME": "/var/lib/shop.sqlite3"}),
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
