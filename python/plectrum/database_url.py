"""`DATABASE_URL` → one entry of Django's `DATABASES`.

The URL is libpq's (PostgreSQL documentation, 32.1.1.2): `postgresql://user:password@host:port/name?option=value`; the
host may also be a socket directory in `?host=`. SQLite is `sqlite:///relative.db`, `sqlite:////absolute.db` or
`sqlite://:memory:`; a file is kept in WAL mode (SQLite documentation, "Write-Ahead Logging"), in which nobody who reads
waits for who writes.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from plectrum.errors import ConfigurationError

_ENGINES = {
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "sqlite": "django.db.backends.sqlite3",
    "mysql": "django.db.backends.mysql",
    "oracle": "django.db.backends.oracle",
}

#: For a file that several processes read and write. A transaction that begins by reading and then writes fails where
#: another has written meanwhile, however long it would wait; one that begins as a writer waits.
_SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    "transaction_mode": "IMMEDIATE",
}


def parse(url: str) -> dict[str, Any]:
    """Translate a database URL.

    Args:
        url: As described above. Percent-encoded characters are decoded in user, password, host and name.

    Returns:
        `ENGINE`, `NAME` and, where given, `USER`, `PASSWORD`, `HOST`, `PORT` and `OPTIONS`.

    Raises:
        ConfigurationError: Unknown scheme or a port that is not a number.
    """
    scheme, _, rest = url.partition("://")
    engine = _ENGINES.get(scheme)
    if engine is None:
        known = ", ".join(f"{name}://" for name in sorted(_ENGINES))
        raise ConfigurationError(f"DATABASE_URL starts with {scheme + '://'!r}, which is none of {known}.")
    if scheme == "sqlite":
        name = _sqlite_name(rest)
        return {"ENGINE": engine, "NAME": name, **({} if name == ":memory:" else {"OPTIONS": dict(_SQLITE_OPTIONS)})}
    # urlsplit knows the schemes of the web only; the shape of the rest is the same for all of them.
    parts = urlsplit(f"http://{rest}")
    options = dict(parse_qsl(parts.query))
    try:
        port = options.pop("port", None) or parts.port
    except ValueError as error:
        raise ConfigurationError(f"The port in DATABASE_URL is not a number: {error}.") from None
    entry = {
        "NAME": unquote(parts.path.removeprefix("/")) or options.pop("dbname", ""),
        "USER": unquote(parts.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(parts.password or "") or options.pop("password", ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(port or ""),
    }
    filled: dict[str, Any] = {name: value for name, value in entry.items() if value}
    return {"ENGINE": engine, **filled, **({"OPTIONS": options} if options else {})}


def _sqlite_name(rest: str) -> str:
    path = unquote(rest.partition("?")[0])
    return path if path == ":memory:" else path.removeprefix("/") or ":memory:"
