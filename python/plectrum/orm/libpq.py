"""Connection parameters as libpq would see them: Django's, then the service file, then ``PG*`` variables, then
defaults.

Source: PostgreSQL documentation, "libpq": 32.1.2 parameter key words, 32.15 environment variables, 32.16 the password
file, 32.17 the connection service file.
"""

from __future__ import annotations

import configparser
import getpass
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["postgres_config"]

_ENVIRONMENT: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "channel_binding": "PGCHANNELBINDING",
    "require_auth": "PGREQUIREAUTH",
    "gssencmode": "PGGSSENCMODE",
    "service": "PGSERVICE",
}
_COPIED: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "target_session_attrs", "options")
#: Parameters that ask for something Rust's connections do not do, and the values that do not ask for it.
_UNSUPPORTED: Final[dict[str, tuple[str, ...]]] = {
    "sslcrl": ("",),
    "sslcrldir": ("",),
    "sslpassword": ("",),
    "channel_binding": ("", "prefer", "disable"),
    "require_auth": ("",),
    "gssencmode": ("", "prefer", "disable"),
    "ssl_min_protocol_version": ("", "TLSv1", "TLSv1.1", "TLSv1.2"),
    "ssl_max_protocol_version": ("", "TLSv1.3"),
    "sslnegotiation": ("", "postgres"),
    "load_balance_hosts": ("", "disable"),
    "requirepeer": ("",),
}
_FOR_PSYCOPG: Final = ("context", "cursor_factory", "prepare_threshold", "client_encoding", "autocommit", "row_factory")


def postgres_config(connection: Any) -> tuple[dict[str, Any], str | None]:
    """The configuration of a PostgreSQL alias, and why Rust cannot honour it.

    Parameters:
        connection: Django's, of the alias; it need not be open.

    Returns:
        the Rust side's ``Config``, and ``None`` or the parameter it has no counterpart for.
    """
    options = connection.settings_dict["OPTIONS"]
    given = {k: v for k, v in connection.get_connection_params().items() if k not in _FOR_PSYCOPG and v is not None}
    found = _resolved({key: str(value) for key, value in given.items()})
    config: dict[str, Any] = {name: found[name] for name in _COPIED if found.get(name)}
    config["user"] = found.get("user") or getpass.getuser()
    config["dbname"] = found.get("dbname") or config["user"]
    config["hosts"] = list(_hosts(found))
    password = found.get("password") or _from_password_file(found, config)
    if password:
        config["password"] = password
    if found.get("connect_timeout"):
        config["connect_timeout"] = float(found["connect_timeout"])
    config["keepalives"] = _keepalives(found)
    config["parameters"] = {"TimeZone": connection.timezone_name, **_isolation(options)}
    if options.get("assume_role"):
        config["assume_role"] = options["assume_role"]
    return config | _pool(options.get("pool")), _unsupported(found)


def _resolved(given: Mapping[str, str]) -> dict[str, str]:
    environment = {name: os.environ[variable] for name, variable in _ENVIRONMENT.items() if os.environ.get(variable)}
    service = given.get("service") or environment.get("service")
    return {**environment, **(_service(service) if service else {}), **given}


def _service(name: str) -> dict[str, str]:
    directory = os.environ.get("PGSYSCONFDIR", "/etc/postgresql-common")
    own = Path(os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf")
    for file in (own, Path(directory) / "pg_service.conf"):
        parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",))
        parser.read(file, encoding="utf-8")
        if parser.has_section(name):
            return dict(parser.items(name))
    return {}


def _hosts(found: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    names = (found.get("host") or found.get("hostaddr") or "").split(",")
    ports = (found.get("port") or "5432").split(",")
    for index, name in enumerate(names):
        port = ports[index] if len(ports) > 1 else ports[0]
        yield {"host": name or _socket_directory(port or "5432"), "port": int(port or 5432)}


def _socket_directory(port: str) -> str:
    """Where a server without a host name listens: a directory built into libpq, which differs by distribution."""
    for directory in ("/var/run/postgresql", "/run/postgresql", "/tmp"):  # noqa: S108 - PostgreSQL's own default
        if Path(directory, f".s.PGSQL.{port}").exists():
            return directory
    return "localhost" if os.name == "nt" else "/var/run/postgresql"


def _from_password_file(found: Mapping[str, str], config: Mapping[str, Any]) -> str | None:
    file = Path(found.get("passfile") or Path.home() / ".pgpass")
    try:
        mode = file.stat().st_mode
    except OSError:
        return None
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None  # libpq ignores a file that others may read
    for host in config["hosts"]:
        name = "localhost" if host["host"].startswith(("/", "@")) else host["host"]
        wanted = (name, str(host["port"]), config["dbname"], config["user"])
        for line in file.read_text(encoding="utf-8").splitlines():
            *fields, password = _fields(line) if line and not line.startswith("#") else [""]
            if len(fields) == len(wanted) and all(f in ("*", w) for f, w in zip(fields, wanted, strict=True)):
                return password
    return None


def _fields(line: str) -> list[str]:
    """Split at colons; a backslash takes the next character as it is."""
    fields, escaped = [""], False
    for character in line:
        if escaped or character not in ":\\":
            fields[-1] += character
            escaped = False
        elif character == ":":
            fields.append("")
        else:
            escaped = True
    return fields


def _keepalives(found: Mapping[str, str]) -> dict[str, Any]:
    keys = (("keepalives_idle", "idle"), ("keepalives_interval", "interval"), ("keepalives_count", "count"))
    values = {ours: int(found[theirs]) for theirs, ours in keys if found.get(theirs, "0") != "0"}
    return {"enabled": found.get("keepalives", "1") != "0", **values}


def _isolation(options: Mapping[str, Any]) -> dict[str, str]:
    if "isolation_level" not in options:
        return {}
    from django.db.backends.postgresql.psycopg_any import IsolationLevel

    level = IsolationLevel(options["isolation_level"])
    return {"default_transaction_isolation": level.name.lower().replace("_", " ")}


def _pool(options: Any) -> dict[str, Any]:
    """psycopg_pool's options, of which ``min_size`` is the ceiling where there is no ``max_size``."""
    if not options:
        return {}
    given: Mapping[str, Any] = {} if options is True else options
    config: dict[str, Any] = {"max_connections": given.get("max_size") or max(given.get("min_size", 4), 1)}
    if "timeout" in given:
        config["acquire_timeout_ms"] = round(given["timeout"] * 1000)
    if "max_lifetime" in given:
        config["max_lifetime"] = float(given["max_lifetime"])
    if "max_idle" in given:
        config["idle_timeout"] = float(given["max_idle"])
    return config


def _unsupported(found: Mapping[str, str]) -> str | None:
    for name, harmless in _UNSUPPORTED.items():
        if found.get(name, "") not in harmless:
            return f"Rust's connections have no counterpart of {name}={found[name]!r}"
    return None
