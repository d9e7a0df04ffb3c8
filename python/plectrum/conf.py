"""Settings: one frozen dataclass, filled from Django's ``PLECTRUM`` dict and ``PLECTRUM_*`` environment variables.

Every field of :class:`Settings` is a key, upper-case in the dict (``PLECTRUM = {"MAX_BODY": 1_000_000}``) and prefixed
in the environment (``PLECTRUM_MAX_BODY=1000000``). The environment wins. Times are in seconds, sizes in bytes. Rust
reads the same names in lower case from :meth:`Settings.to_json`.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import json
import math
import os
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from . import budgets, caching, edge, observe
from .errors import ConfigurationError, place
from .throttling import Rate, rates_of, shared_segment

__all__ = ["PREFIX", "Problem", "Settings", "current", "load", "read"]

PREFIX = "PLECTRUM_"
# Variables of that prefix that belong to the test suite and to the supervisor's own children.
_RESERVED = ("PLECTRUM_TEST_", "PLECTRUM_INTERNAL_")


def _key(default: Any, doc: str, *, minimum: float | None = None, maximum: float | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"doc": doc, "minimum": minimum, "maximum": maximum})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. ``metadata["doc"]`` of a field describes it; see ``docs/settings.md``."""

    api: str | None = _key(None, "The API object, as `package.module.name`; found in `<project>.api` where absent.")
    debug: bool = _key(False, "Show tracebacks in answers. Django's `DEBUG` where absent.")

    secret_key: str | None = _key(None, "Signs cookies where Django, whose `SECRET_KEY` does otherwise, is not set up.")

    host: str = _key("127.0.0.1", "Address to listen on; `0.0.0.0` or `::` for all.")
    port: int = _key(8000, "Port to listen on; 0 takes a free one.", minimum=0, maximum=65_535)
    unix_socket: str | None = _key(None, "Path of a unix socket to listen on instead of host and port.")
    certfile: str | None = _key(None, "Certificate with its chain, PEM: speak TLS; read again when it changes.")
    keyfile: str | None = _key(None, "Its private key, PEM, where that is not in the same file.")
    http2: bool = _key(True, "Speak HTTP/2, over TLS and, to clients that begin with it, without.")
    http2_max_streams: int = _key(128, "Requests of one HTTP/2 connection that run at the same time.", minimum=1)
    workers: int = _key(0, "Worker processes; 0 starts one per CPU core.", minimum=0, maximum=1024)
    processes: int = _key(
        0, "Processes whose threads the workers are, on a free-threaded Python; 0 is one for all.", minimum=0
    )
    backlog: int = _key(2048, "Connections the kernel queues before they are accepted.", minimum=1)
    drain_timeout: float = _key(30.0, "How long running requests may take to finish after SIGTERM.", minimum=0)
    spare_worker: bool = _key(True, "Keep one more process loaded, to take the place of a worker that dies.")
    worker_max_requests: int = _key(0, "Requests after which a worker is replaced; 0 for any number.", minimum=0)
    worker_max_age: float = _key(0.0, "How long a worker serves before it is replaced; 0 for ever.", minimum=0)
    worker_max_memory: int = _key(0, "Bytes of resident memory past which it is; 0 for any number.", minimum=0)
    pin_workers: bool = _key(False, "Keep each worker on a CPU core of its own (Linux).")
    sync_threads: int = _key(8, "Threads per worker for `sync=True` handlers.", minimum=1)

    max_connections: int = _key(10_000, "Open connections per worker; further ones wait.", minimum=1)
    max_head_size: int = _key(65_536, "Bytes of request line and headers together; more is a 431.", minimum=1024)
    max_headers: int = _key(100, "Header lines of a request; more is a 431.", minimum=1)
    max_uri: int = _key(8192, "Bytes of the request target; more is a 414.", minimum=64)
    max_body: int = _key(10_485_760, "Bytes of a request body; more is a 413.", minimum=0)
    form_max_fields: int = _key(1000, "Fields of a form, files aside; more is a 413.", minimum=0)
    form_max_field_size: int = _key(1_048_576, "Bytes of one field of a form with files; more is a 413.", minimum=0)
    form_max_files: int = _key(100, "Files of a form; more is a 413.", minimum=0)
    upload_memory: int = _key(
        1_048_576, "Bytes of an uploaded file that are kept in memory; more goes to disk.", minimum=0
    )
    upload_directory: str | None = _key(
        None, "Where uploaded files go that are too large for memory; `TMPDIR` where absent."
    )
    header_read_timeout: float | None = _key(15.0, "For the whole head of a request, then 408.", minimum=0.25)
    body_read_timeout: float | None = _key(30.0, "Between two pieces of a request body, then 408.", minimum=0.25)
    keep_alive_timeout: float | None = _key(75.0, "Between two requests of a connection.", minimum=0.25)
    write_timeout: float | None = _key(30.0, "Between two pieces of a response that the client takes.", minimum=0.25)
    websocket_max_message: int = _key(
        16_777_216, "Bytes of a WebSocket message; more is closed with 1009.", minimum=125
    )
    websocket_max_queue: int = _key(32, "WebSocket messages that wait for their handler; then none is read.", minimum=1)
    websocket_max_unsent: int = _key(
        4_194_304, "Bytes that wait for a WebSocket client to take them; then it is cut off.", minimum=65_536
    )
    websocket_ping_interval: float | None = _key(
        20.0, "Silence of a WebSocket client after which it is sent a ping.", minimum=0.25
    )
    websocket_ping_timeout: float | None = _key(
        20.0, "For a sign of life after that ping; then it is cut off.", minimum=0.25
    )
    websocket_compression: Literal["off", "shared", "dedicated"] = _key(
        "shared",
        "permessage-deflate: `shared` compresses each message by itself and keeps nothing per connection, `dedicated` "
        "refers to earlier messages and keeps about 300 KiB per connection that uses it.",
    )
    websocket_origins: str | None = _key(
        None, "Origins whose pages may open a WebSocket besides the API's own, separated by commas; `*` for all."
    )
    channels_redis: str | None = _key(
        None, "Redis that carries groups between hosts, `redis://host:port/0`; the workers of one server need none."
    )
    channels_prefix: str = _key("plectrum", "Put before the names of groups in that Redis.")
    date_header: bool = _key(True, "Send `Date`.")
    server_header: str | None = _key(None, "Value of `Server`; not sent where absent.")
    trailing_slash: Literal["strict", "ignore", "redirect"] = _key(
        "strict",
        "What a path that differs only by its last slash gets: `strict` 404, `ignore` the route, `redirect` 308.",
    )
    errors: Literal["problem", "drf", "fastapi"] = _key(
        "problem", "Shape of error bodies: RFC 9457 problem documents, or as DRF or FastAPI write them."
    )
    etags: bool = _key(True, "Send `ETag` with what native routes answer to GET, and 304 to clients that have it.")
    openapi: bool = _key(True, "Serve the OpenAPI document and its pages, where the API object names their paths.")
    nplusone: Literal["off", "warn", "raise"] = _key(
        "off",
        "Watch for relations loaded row by row, and `warn` of each place once or `raise`; for development and tests.",
    )
    prewarm: bool = _key(
        False, "Import and compile the API and all serializers when Django starts, not when they are first used."
    )
    drf: bool = _key(False, "Let Rust represent and validate for all DRF serializers; see `docs/drf.md`.")

    allowed_hosts: tuple[str, ...] | None = _key(
        None, "Names this server answers to, as in Django; Django's `ALLOWED_HOSTS` where absent, `*` without Django."
    )
    trusted_proxies: tuple[str, ...] = _key(
        (), 'Proxies that are believed: addresses, networks such as `"10.0.0.0/8"`, or `"unix"`.'
    )
    proxy_headers: Literal["x-forwarded", "forwarded"] = _key(
        "x-forwarded", "What they write: `X-Forwarded-For/-Proto/-Host`, or `Forwarded` (RFC 7239). Only that is read."
    )
    proxy_host: bool | None = _key(
        None, "Believe them about the host too; Django's `USE_X_FORWARDED_HOST` where absent."
    )
    https_redirect: bool | None = _key(None, "Send requests to HTTPS; Django's `SECURE_SSL_REDIRECT` where absent.")
    security_headers: bool | None = _key(
        None, "Send the headers of Django's `SecurityMiddleware` and `XFrameOptionsMiddleware`; as listed where absent."
    )
    cors_origins: tuple[str, ...] = _key(
        (), "Origins whose pages may read answers, `https://shop.example`, `https://*.shop.example` or `*`."
    )
    cors_credentials: bool = _key(False, "Whether their requests may bring cookies; not with `*`.")
    cors_methods: tuple[str, ...] = _key((), "Methods they may use; all of a route's where empty.")
    cors_headers: tuple[str, ...] = _key((), "Headers they may send; all where empty.")
    cors_expose: tuple[str, ...] = _key((), "Answer headers their scripts may read.")
    cors_max_age: int = _key(600, "How long a browser may remember a preflight's answer.", minimum=0)
    compression: tuple[str, ...] = _key((), "Compress answers, in order of preference: of `br`, `zstd` and `gzip`.")
    compression_min_size: int = _key(1024, "Bytes of an answer that is worth compressing.", minimum=0)
    request_id_header: str | None = _key(None, "Name each request in this header, such as `X-Request-ID`.")

    max_requests: int | None = _key(
        None, "Requests to routes that a worker answers at once; further ones wait.", minimum=1
    )
    max_waiting: int = _key(100, "Requests that wait for a place; further ones are a 503 at once.", minimum=0)
    waiting_timeout: float = _key(1.0, "How long each may wait, then 503.", minimum=0)
    request_timeout: float | None = _key(
        None, "What an answer may take where its route has no `timeout`, then 504.", minimum=0.001
    )

    cache_memory: int = _key(
        33_554_432,
        "Bytes of answers that a worker keeps for `cache=`; as many (1 MiB at least) for idempotency keys.",
        minimum=0,
    )
    cache_redis: str | None = _key(
        None, "Redis that keeps them, and the answers to idempotency keys, for all workers: `redis://host:port/0`."
    )
    cache_prefix: str = _key("plectrum", "Put before keys in that Redis.")
    cache_timeout: float = _key(0.25, "What it may take to answer; then nothing is kept.", minimum=0.01)

    metrics_path: str | None = _key(None, "Path of Prometheus metrics, such as `/metrics`; not served where absent.")
    metrics_token: str | None = _key(None, "Token that metrics are given for, as `Authorization: Bearer`.")
    health_path: str | None = _key(None, "Path that says the process lives, such as `/health`.")
    ready_path: str | None = _key(
        None, "Path that says whether databases, Redis and migrations are there, such as `/ready`; 503 where not."
    )
    access_log: str | None = _key(None, "Where a line of JSON for each request goes: `stdout`, `stderr` or a file.")
    access_log_sample: float = _key(
        1.0, "The share of requests that are logged; those with a 5xx always are.", minimum=0, maximum=1
    )
    error_log: str | None = _key(
        None, "Where Python's `logging` goes as lines of JSON with the request's id: `stdout`, `stderr` or a file."
    )
    slow_query: float | None = _key(
        None, "Report what takes the database longer, a request's statements together.", minimum=0
    )
    dashboard: bool = _key(
        False, "Serve the dashboard at `/_plectrum/`, for staff; for everybody where `DEBUG` is set."
    )
    otlp_endpoint: str | None = _key(None, "OpenTelemetry collector that takes traces, `http://127.0.0.1:4318`.")
    otlp_headers: tuple[str, ...] = _key((), "Sent to it, as `name=value`.")
    otlp_service: str = _key("plectrum", "Name of this service in traces.")
    trace_sample: float = _key(
        1.0, "The share of traces begun here that are kept; of others, trusted proxies decide.", minimum=0, maximum=1
    )

    throttle: tuple[str, ...] = _key(
        (), 'Rates of every route that names none, such as `("100/min", "1000/day per user")`.'
    )
    throttle_slots: int = _key(65_536, "Clients whose requests a host counts at a time, in 16 bytes each.", minimum=64)
    throttle_redis: str | None = _key(None, "Count in this Redis instead, `redis://host:port/0`, for several hosts.")
    throttle_timeout: float = _key(0.25, "What Redis may take to answer.", minimum=0.01)
    throttle_without_redis: Literal["local", "open", "closed"] = _key(
        "local", "While Redis does not answer: each host counts for itself, nothing is counted, or requests are a 503."
    )

    database_connections: int = _key(8, "PostgreSQL connections per worker.", minimum=1)
    database_acquire_timeout: float = _key(5.0, "Wait for a free connection, then 503.", minimum=0)
    database_max_pipeline: int = _key(128, "Statements in flight on one connection.", minimum=1)
    database_statement_cache: int = _key(
        256, "Prepared statements kept per connection; 0 prepares none (PgBouncer in transaction mode).", minimum=0
    )
    database_statement_timeout: float = _key(
        0.0, "How long a statement may run, then 504; 0 keeps the server's own limit.", minimum=0
    )

    def to_json(self) -> str:
        """All settings as one flat JSON object, for Rust.

        Errors:
            ConfigurationError: a rate of ``throttle`` cannot be read.
        """
        described = {
            "throttle": [rate.describe("default") for rate in self.rates],
            "throttle_segment": shared_segment(),
            "edge": edge.describe(self),
            "observe": observe.describe(self),
            "budget": budgets.describe(self),
            "cache_tags": caching.tags_path(),
        }
        return json.dumps({**dataclasses.asdict(self), **described})

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The rates of ``throttle``, which count the requests to all routes together."""
        return rates_of(self.throttle)

    def replace(self, **changes: Any) -> Settings:
        """A copy with those settings changed; ``None`` values are ignored (command-line options not given).

        Errors:
            ConfigurationError: a value of the wrong type or out of bounds.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        for name, value in given.items():
            try:
                given[name] = _checked(name, value)
            except _WrongValueError as error:
                raise ConfigurationError(f"{name} is {value!r}, which is {error}. {_about(name)}") from None
        return dataclasses.replace(self, **given)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something wrong with a setting.

    Parameters:
        id: stable id, also of the system check (``plectrum.E001``).
        message: what was found and expected.
        hint: the fix.
    """

    id: str
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        """Whether it stops the start (``E``) or only warns (``W``)."""
        return self.id.rpartition(".")[2].startswith("E")


#: Finds where the user wrote a key of ``PLECTRUM``.
Locate = Callable[[str], "str | None"]

_FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
_TYPES = typing.get_type_hints(Settings)


def load(
    given: object = None,
    environ: Mapping[str, str] = os.environ,
    *,
    debug: bool = False,
    locate: Locate | None = None,
) -> Settings:
    """Reads the settings and refuses wrong ones.

    Parameters:
        given: Django's ``PLECTRUM`` dict, where there is one.
        environ: environment variables.
        debug: value of ``debug`` where neither names it.
        locate: finds the line a key of the dict stands in.

    Errors:
        ConfigurationError: every problem, one per line.
    """
    settings, problems = read(given, environ, debug=debug, locate=locate)
    errors = [f"{problem.message} {problem.hint}" for problem in problems if problem.is_error]
    if errors:
        raise ConfigurationError("\n".join(errors))
    return settings


def current() -> Settings:
    """The settings of this process: Django's where it is configured, and the environment's.

    Errors:
        ConfigurationError: as :func:`load`.
    """
    django = sys.modules.get("django.conf")
    if django is None or not (django.settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ):
        return load()
    given = getattr(django.settings, "PLECTRUM", None)
    return load(given, debug=django.settings.DEBUG, locate=line_in_settings)


def line_in_settings(key: str) -> str | None:
    """Where Django's settings module names a key of ``PLECTRUM``, as ``file:line``; ``None`` where that is not seen.

    Parameters:
        key: as the user wrote it, right or wrong.
    """
    module = sys.modules.get(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
    try:
        tree = ast.parse(inspect.getsource(module)) if module else ast.Module([], [])
    except (OSError, TypeError, SyntaxError):
        return None
    words = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == key]
    return place(inspect.getsourcefile(cast("Any", module)) or "", words[-1].lineno) if words else None


def read(
    given: object = None,
    environ: Mapping[str, str] = os.environ,
    *,
    debug: bool = False,
    locate: Locate | None = None,
) -> tuple[Settings, list[Problem]]:
    """Reads the settings and what is wrong with them; see :func:`load`. A wrong key keeps its default."""
    values: dict[str, Any] = {"debug": debug}
    problems: list[Problem] = []
    if isinstance(given, Mapping):
        for key, value in cast("Mapping[object, Any]", given).items():
            before = len(problems)
            _take(values, problems, str(key), value, _checked)
            if problems[before:] and locate and (line := locate(str(key))):
                problems[-1] = dataclasses.replace(problems[-1], message=f"{line}: {problems[-1].message}")
    elif given is not None:
        found = type(given).__name__
        problems.append(
            Problem("plectrum.E004", f"PLECTRUM is a {found}, not a dict.", 'Write PLECTRUM = {"PORT": 8000}.')
        )
    for name, text in environ.items():
        if name.startswith(PREFIX) and not name.startswith(_RESERVED):
            _take(values, problems, name, text, _parsed)
    return Settings(**values), problems


def _take(
    values: dict[str, Any], problems: list[Problem], name: str, value: Any, convert: Callable[[str, Any], Any]
) -> None:
    from_environment = convert is _parsed
    key = name.removeprefix(PREFIX) if from_environment else name
    where = f"The environment variable {name}" if from_environment else f'PLECTRUM["{name}"]'
    if key != key.upper() or key.lower() not in _FIELDS:
        # A platform may set variables of this prefix for reasons of its own (Kubernetes, for a service so named).
        number = "plectrum.W001" if from_environment else "plectrum.E001"
        problems.append(Problem(number, f"{where} is not a setting.", _did_you_mean(key)))
        return
    try:
        values[key.lower()] = convert(key.lower(), value)
    except _WrongValueError as error:
        problems.append(Problem(error.id, f"{where} is {value!r}, which is {error}.", _about(key.lower())))


def _did_you_mean(key: str) -> str:
    close = difflib.get_close_matches(key.upper(), [name.upper() for name in _FIELDS], n=1)
    return f"Did you mean {close[0]!r}?" if close else "See docs/settings.md for all of them."


def _about(name: str) -> str:
    return f"{name.upper()}: {_FIELDS[name].metadata['doc']}"


class _WrongValueError(Exception):
    """Says what the value is; ``id`` is the system check's."""

    def __init__(self, id: str, what: str) -> None:
        super().__init__(what)
        self.id = id


def _wrong_type(expected: str) -> _WrongValueError:
    return _WrongValueError("plectrum.E002", f"not {expected}")


def _checked(name: str, value: Any) -> Any:
    """A Python value, as it is."""
    expected, optional = _expected(name)
    if value is None and optional:
        return None
    if typing.get_origin(expected) is Literal:
        choices = typing.get_args(expected)
        if value not in choices:
            raise _wrong_type("one of " + ", ".join(repr(choice) for choice in choices))
        return value
    if expected is tuple:
        if not isinstance(value, (list, tuple)) or any(type(item) is not str for item in cast("list[Any]", value)):
            raise _wrong_type("a list of strings")
        return tuple(cast("list[str]", value))
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        raise _wrong_type(_NAMES[expected] + (" or None" if optional else ""))
    return _bounded(name, value)


def _parsed(name: str, text: str) -> Any:
    """The text of an environment variable, as the setting's type."""
    expected, optional = _expected(name)
    if optional and text.lower() in ("", "none"):
        return None
    if expected is bool:
        if text.lower() not in _BOOLEANS:
            raise _wrong_type("1, 0, true, false, yes, no, on or off")
        return _BOOLEANS[text.lower()]
    if expected is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if expected in (int, float):
        try:
            number = expected(text)
        except ValueError:
            raise _wrong_type(_NAMES[expected]) from None
        return _bounded(name, number)
    return _checked(name, text)


def _bounded(name: str, value: Any) -> Any:
    minimum, maximum = _FIELDS[name].metadata["minimum"], _FIELDS[name].metadata["maximum"]
    if isinstance(value, float) and not math.isfinite(value):
        raise _WrongValueError("plectrum.E003", "not finite")
    if minimum is not None and value < minimum:
        raise _WrongValueError("plectrum.E003", f"less than {minimum}")
    if maximum is not None and value > maximum:
        raise _WrongValueError("plectrum.E003", f"more than {maximum}")
    return value


def _expected(name: str) -> tuple[Any, bool]:
    hint = _TYPES[name]
    if isinstance(hint, types.UnionType):
        return _origin(next(option for option in typing.get_args(hint) if option is not type(None))), True
    return _origin(hint), False


def _origin(hint: Any) -> Any:
    """``tuple[str, ...]`` is checked as ``tuple``."""
    return tuple if typing.get_origin(hint) is tuple else hint


_NAMES: dict[Any, str] = {bool: "True or False", int: "an integer", float: "a number", str: "a string"}
_BOOLEANS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off", ""), False),
}
