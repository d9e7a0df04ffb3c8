"""The compiled core: the boundary between Python and Rust, checked against the module by stubtest."""

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, Self, TypeVar, final

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from typing_extensions import Buffer

from .api import Compiled
from .background import BackgroundTasks
from .nodes import ClassEntry
from .pipeline import Field
from .streaming import Source
from .uploads import UploadFile

_T_co = TypeVar("_T_co", covariant=True)
_T = TypeVar("_T")

@final
class App:
    """An API, compiled and ready to be served."""

    def __new__(cls, compiled: Compiled, settings: str) -> Self: ...
    def openapi(self, version: str | None = None) -> str:
        """The OpenAPI document as JSON text."""
    def serve(self, listeners: Sequence[int], ready: int | None = None) -> None:
        """Serves until SIGTERM or SIGINT on descriptors of listening sockets; tells ``ready`` once it does."""
    def client(self) -> Client:
        """A client that calls the app on the calling thread."""

@final
class Client:
    """A worker without a server; see :class:`plectrum.testing.TestClient`."""

    def request(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of the answer to one request."""
    def websocket(
        self, target: str, headers: Sequence[tuple[str, str]]
    ) -> tuple[tuple[int, list[tuple[str, str]], bytes], ClientSocket | None]:
        """The answer to the request for a WebSocket, and this end of it where it was accepted."""
    def close(self) -> None:
        """Ends what is still running."""

@final
class Invalidator:
    """Tells caches what has changed, from any thread; see :mod:`plectrum.caching`."""

    def __new__(cls, tags: str | None, redis: str | None, prefix: str) -> Self: ...
    def changed(self, names: list[str]) -> None:
        """Answers made of these are not given any more; raises ``ConnectionError`` where Redis could not be told."""

@final
class LogLines:
    """A log whose lines Rust writes, from any thread; see :class:`plectrum.observe.JSONHandler`."""

    def __new__(cls, target: str) -> Self: ...
    def write(self, line: str) -> None:
        """Writes one line at once."""

@final
class ExportCursor:
    """A file whose rows Rust reads from PostgreSQL; see :mod:`plectrum.export`."""

    def __new__(cls, options: Mapping[str, Any], args: list[Any], config: str, batch: int) -> Self: ...
    def next(self) -> tuple[bytes, int] | None:
        """The next bytes and the number of rows so far; ``None`` after the last ones."""
    def close(self) -> None:
        """Stops the query, from any thread."""

@final
class ExportFile:
    """A file whose rows Python brings; see :mod:`plectrum.export`."""

    def __new__(cls, options: Mapping[str, Any]) -> Self: ...
    def begin(self) -> bytes:
        """What stands before the first row."""
    def rows(self, rows: list[list[tuple[Any, ...]]]) -> tuple[bytes, int]:
        """A batch, rows by statement, as bytes; and the number of rows so far."""
    def end(self) -> bytes:
        """What stands behind the last row."""
    def broken(self) -> bytes:
        """What makes a file that broke off unreadable."""

@final
class Operation:
    """A compiled operation; see :class:`plectrum.orm.Operation`."""

    def __new__(cls, description: str) -> Self: ...
    @property
    def number(self) -> int: ...
    @property
    def statements(self) -> list[str]: ...
    def write_rows(self, rows: list[list[tuple[Any, ...]]], arguments: Sequence[Any], zone: str) -> bytes:
        """The answer as JSON bytes, from rows that Django's connection gave; ``zone`` is an IANA name."""
    def write_given(
        self,
        fetched: list[tuple[Iterable[tuple[Any, ...]] | tuple[Libpq, Any], Sequence[int | None]]],
        arguments: Sequence[Any],
        zone: str,
        session: str,
    ) -> tuple[bytes, int]:
        """The answer as JSON bytes, from rows as Django's drivers hold them, before Django converts them; and how many
        rows the first statement gave.

        Parameters:
            fetched: for each statement ``sqlite3``'s tuples or psycopg's ``PGresult``, and the most digits of each
                column's decimals.
            arguments: those of the execution.
            zone, session: IANA names of the zones aware datetimes are shown in, and stored in.

        Errors:
            ValueError: a value is not plainly of its column's type; Django's converters tell more.
        """

@final
class Libpq:
    """Functions of psycopg's libpq, by their addresses: ``PQntuples``, ``PQnfields``, ``PQgetisnull``, ``PQgetlength``,
    ``PQgetvalue``.
    """

    def __new__(cls, addresses: list[int]) -> Self: ...

@final
class Request:
    """The request, as a handler's parameter annotated ``Request`` receives it."""

    @property
    def method(self) -> str:
        """Method in upper case."""
    @property
    def path(self) -> str:
        """Path as it was sent, percent-encoded."""
    @property
    def query_string(self) -> str:
        """Query string as it was sent, without the question mark."""
    @property
    def query(self) -> list[tuple[str, str]]:
        """Decoded pairs of the query string, in order."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Name and value of every header, names in lower case."""
    def header(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header, or ``default``; the name in any case."""
    def cookie(self, name: str) -> str:
        """A cookie's value; ``KeyError`` where there is none."""
    def signed_cookie(self, name: str, *, salt: str = "", max_age: int | timedelta | None = None) -> str | None:
        """The value of a cookie that :meth:`Response.set_signed_cookie` (or Django) signed.

        Parameters:
            name, salt: as it was set with.
            max_age: seconds since it was signed, at most.

        Returns:
            ``None`` where it is absent, was changed, or is too old.
        """
    @property
    def client(self) -> tuple[str, int] | None:
        """The nearest hop's address and port; ``None`` over a unix socket."""
    @property
    def body(self) -> bytes:
        """The whole body; ``RuntimeError`` on a route with ``stream=True``."""
    def stream(self) -> RequestStream:
        """The pieces of the body as they arrive, on a route with ``stream=True``.

        Iterate with ``async for``. Nothing is read from the socket before it is asked for. What the client
        does wrong (413, 408, 400) is raised as :class:`plectrum.HTTPException`.
        """
    @property
    def scheme(self) -> str:
        """``https`` or ``http``: as the client's connection was, where a trusted proxy tells."""
    @property
    def state(self) -> dict[str, Any]:
        """A dict that lives as long as the request."""
    @property
    def auth(self) -> dict[str, Any] | None:
        """Claims of the token or key that was shown; ``None`` for an anonymous request."""
    @property
    def user(self) -> Any:
        """The user, loaded when it is first read; in an ``async`` handler ``await request.auser()``."""
    def auser(self) -> Coroutine[Any, Any, Any]:
        """The user, loaded without blocking."""
    def _remember_user(self, user: Any) -> None: ...
    @property
    def django(self) -> HttpRequest:
        """The request as Django's middleware and views know it; of routes with ``django_middleware=``."""

    @property
    def session(self) -> SessionBase:
        """Django's session; of routes with ``django_middleware=``."""

    def _attach_django(self, django: HttpRequest) -> None: ...
    def _environ(self) -> dict[str, Any]: ...
    def _form(self) -> tuple[list[tuple[str, str]], list[tuple[str, UploadFile]]] | None: ...

@final
class Responder:
    """Makes answers of results, as they would be sent."""

    def answer(self, result: object = None) -> Response | Awaitable[Response]:
        """The response to ``result``, or an awaitable that gives it."""

@final
class RequestStream:
    """The pieces of a body, as they arrive; see :meth:`Request.stream`."""

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> asyncio.Future[bytes]: ...

class Response:
    """An answer with its own status, headers and body.

    Parameters:
        content: text and bytes stand for themselves; any other value is written as JSON.
        status: 200 to 599.
        headers: a mapping, or pairs where a name repeats.
        media_type: of the body.
        background: a function without arguments or :class:`plectrum.BackgroundTasks`, called after the answer was sent.
    """

    def __new__(
        cls,
        content: Any = None,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        media_type: str | None = None,
        background: Callable[[], Any] | BackgroundTasks | None = None,
        _source: Source | str | None = None,
    ) -> Self: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def body(self) -> bytes | None:
        """Already encoded; ``None`` where it is made while it is sent."""
    @property
    def _length(self) -> int | None: ...
    @property
    def _source(self) -> Source | str | None: ...
    def _headed(self, status: int, headers: Iterable[tuple[str, str]]) -> Response: ...
    def set_header(self, name: str, value: str) -> None:
        """Sets a header, in place of any of that name.

        Errors:
            ValueError: name or value would end the header, or are none.
        """
    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Adds a cookie (RFC 6265, RFC 6265bis).

        Parameters:
            name: a token.
            value: printable ASCII without spaces, quotes, commas, semicolons and backslashes.
            max_age: seconds it is kept; as long as the browser runs where neither this nor ``expires`` is given.
            expires: an aware datetime, or seconds since 1970.
            path: where it is sent to.
            domain: host whose subdomains get it too.
            secure: sent over TLS only.
            httponly: not shown to scripts.
            samesite: ``"lax"``, ``"strict"``, ``"none"``, or ``None`` to leave it to the browser.
            partitioned: kept apart by top-level site.

        Errors:
            ValueError: the client would drop the cookie, or read another one than was meant.
        """
    def set_signed_cookie(self, name: str, value: str, *, salt: str = "", **attributes: Any) -> None:
        """As :meth:`set_cookie`, with a value nobody can change; :meth:`Request.signed_cookie` reads it."""
    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Has the client forget a cookie; path and domain must be those it was set with."""

@final
class StreamQueue:
    """Where the driver of a stream puts what it has; see :mod:`plectrum.streaming`."""

    def push(self, data: Buffer | str) -> asyncio.Future[None] | None:
        """Adds a piece; what to wait for where the queue is full."""
    def push_event(self, item: Any) -> asyncio.Future[None] | None:
        """Adds an item of an event stream; as :meth:`push`."""
    def put(self, data: Buffer | str) -> bool:
        """Adds a piece and blocks the thread while the queue is full; whether anybody reads still."""
    def close(self, broken: bool = False) -> None:
        """Ends the stream; a broken one is cut off, so that the client can tell."""
    @property
    def abandoned(self) -> bool:
        """Whether nobody reads any more."""

@final
class WebSocket:
    """A WebSocket, as a handler's parameter annotated ``WebSocket`` receives it (RFC 6455; the API is Starlette's).

    Methods that receive raise :class:`plectrum.WebSocketDisconnect` once the other side is gone, and so do those that
    send. One task receives at a time; any number may send. Sending waits while more than 64 KiB wait for the client.
    """

    @property
    def request(self) -> Request:
        """The request that asked for it: path, query, headers, cookies."""
    @property
    def subprotocols(self) -> list[str]:
        """Subprotocols the client offers, the one it likes best first; empty after :meth:`accept`."""
    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
    @property
    def close_code(self) -> int | None:
        """The code it was closed with, once it is over; 1005 where none was given, 1006 where the connection broke."""
    def accept(
        self,
        subprotocol: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> Awaitable[None]:
        """Agrees to the conversation; to be called once, before anything is sent or received.

        Parameters:
            subprotocol: one of :attr:`subprotocols`.
            headers: added to the answer.
        """
    def receive(self) -> Awaitable[dict[str, Any]]:
        """The next event as ASGI describes it: ``websocket.receive`` with ``text`` or ``bytes``, or
        ``websocket.disconnect`` with ``code`` and ``reason``."""
    def receive_text(self) -> Awaitable[str]:
        """The next message. One that is binary ends the conversation with 1003."""
    def receive_bytes(self) -> Awaitable[bytes]:
        """The next message. One that is text ends the conversation with 1003."""
    def receive_json(self) -> Awaitable[Any]:
        """The next message as a JSON value. One that is no JSON ends the conversation with 1007."""
    def __aiter__(self) -> Messages[str | bytes]:
        """Messages as they were sent, until the other side is gone."""
    def iter_text(self) -> Messages[str]:
        """Text messages until the other side is gone."""
    def iter_bytes(self) -> Messages[bytes]:
        """Binary messages until the other side is gone."""
    def iter_json(self) -> Messages[Any]:
        """JSON values until the other side is gone."""
    def send(self, message: str | bytes | bytearray | dict[str, Any]) -> Awaitable[None]:
        """Sends text, bytes, or an event as ASGI describes it."""
    def send_text(self, data: str) -> Awaitable[None]:
        """Sends text."""
    def send_bytes(self, data: bytes | bytearray) -> Awaitable[None]:
        """Sends bytes."""
    def send_json(self, data: Any) -> Awaitable[None]:
        """Sends a value as JSON text."""
    def close(self, code: int = 1000, reason: str = "") -> Awaitable[None]:
        """Says goodbye. A WebSocket that was not accepted is refused with 403 instead.

        Parameters:
            code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455, section 7.4).
            reason: for people, at most 123 bytes.
        """

@final
class ClientSocket:
    """A test's end of a WebSocket; see :class:`plectrum.testing.WebSocketSession`."""

    def send(self, message: str | bytes) -> None:
        """Sends text or bytes."""
    def receive(self, seconds: float) -> str | bytes:
        """Waits for the next message, for so many seconds at most."""
    def close(self, code: int = 1000, reason: str = "") -> None:
        """Says goodbye and waits until the server has, too."""

@final
class Channels:
    """A worker's groups; see :mod:`plectrum.channels`."""

    def join(self, topic: str, socket: WebSocket, name: str | None = None) -> None:
        """Adds a WebSocket to a group, under a name that others may ask for."""
    def leave(self, topic: str, socket: WebSocket) -> None:
        """Takes a WebSocket out of a group."""
    def broadcast(self, topic: str, message: str | bytes) -> int:
        """Sends text or bytes to the WebSockets of a group; how many there are on this worker."""
    def publish(self, topic: str, payload: bytes) -> int:
        """Sends an event to whoever subscribed; how many there are on this worker."""
    def subscribe(self, topic: str, callback: Callable[[bytes], object]) -> int:
        """Calls ``callback(payload)`` for every event of a topic; the number ends it."""
    def unsubscribe(self, topic: str, number: int) -> None:
        """Ends a subscription."""
    def present(self, topic: str, callback: Callable[[list[str]], object]) -> None:
        """Calls ``callback(names)`` with the names of a group's members on all workers."""

def encode_event(item: object) -> bytes:
    """An item of an event stream as it goes over the wire."""

@final
class Messages(Generic[_T_co]):
    """An iteration over a WebSocket's messages."""

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[_T_co]: ...

def check_schema(description: str) -> None:
    """Compiles a type's description; ``ValueError`` says which of its constraints nothing can meet."""

@final
class RustResponseBytes:
    """A JSON body that is finished; handed on without being parsed or copied.

    Plectrum's handlers and Starlette's endpoints return it as it is. ``Response`` of Starlette and FastAPI and Django's
    ``HttpResponse`` take it as their content.

    Parameters:
        data: the body.
        content_type: its media type, ``application/json`` without one.
    """

    def __new__(cls, data: bytes, content_type: str | None = None) -> Self: ...
    @property
    def bytes(self) -> builtins.bytes:
        """The body, each time the same object."""
    @property
    def content_type(self) -> str:
        """Media type of the body."""
    def only_value(self) -> tuple[int, int]:
        """Where the value of the only field of ``data`` stands: its first byte, and the one behind its last.

        Errors:
            ValueError: the body is not a response of exactly one field.
        """
    def encode(self, charset: str = "utf-8") -> builtins.bytes:
        """The body in UTF-8, the one encoding JSON has; Starlette asks content that is not ``bytes`` for it."""
    def __bytes__(self) -> builtins.bytes: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> Iterator[builtins.bytes]:
        """One chunk, the whole body, as WSGI and Django take content."""
    def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> Coroutine[Any, Any, None]:
        """Sends the body as an ASGI response."""
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __release_buffer__(self, buffer: memoryview, /) -> None: ...

@final
class TypeRegistry:
    """Object types by name, and what their fields hold; shared by all threads."""

    def __new__(cls) -> Self: ...
    def register_type(self, name: str, fields: Mapping[str, str] | None = None) -> None:
        """Adds a type, or replaces it; see :func:`plectrum.pipeline.register_type`."""
    @property
    def names(self) -> list[str]:
        """The registered names, sorted."""

def build_response(fields: Sequence[Field], registry: TypeRegistry) -> bytes:
    """The response that holds ``fields``, in their order."""

def to_camel(name: str) -> str:
    """A snake_case name in camelCase; see :mod:`plectrum.naming`."""

def to_snake(name: str) -> str:
    """A camelCase name in snake_case; see :mod:`plectrum.naming`."""

def sign_jwt(claims: str, key: str, algorithm: str, key_id: str | None = None) -> str:
    """Signs claims (a JSON object); see :mod:`plectrum.auth.tokens`."""

def verify_jwt(token: str, key: str, algorithm: str) -> bytes:
    """The claims of a signed token, as JSON; nothing but the signature is judged."""

def read_cursor(secret: bytes, scope: str, cursor: str) -> tuple[Literal["next", "previous"], bytes] | None:
    """Direction and values (a JSON array) of a cursor of the list ``scope``; ``None`` where it is none of its."""

def close_upload(descriptor: int) -> None:
    """Closes the descriptor of an uploaded file, off the runtime's thread where this is that."""

def encode(value: Any) -> bytes:
    """A value as JSON bytes."""

class Validator(Generic[_T]):
    """A compiled type; see :class:`plectrum.schema.CompiledValidator`."""

    def __new__(cls, description: str, classes: Sequence[ClassEntry]) -> Self: ...
    def validate(self, data: object) -> _T:
        """Validates a Python value; ``InvalidError`` says everything that is wrong."""
    def validate_json(self, data: bytes | bytearray | memoryview | str) -> _T:
        """Validates a JSON document (RFC 8259) in one pass.

        Of a repeated key the last value counts. Nesting ends at 128 levels.

        Errors:
            InvalidError: everything that is wrong, or the one place where it is not JSON.
        """
    def validate_many(self, rows: Iterable[object]) -> list[_T]:
        """Validates every value of an iterable, all or none."""
    def dump(self, value: object) -> bytes:
        """A value of the type as JSON bytes."""
    def dump_many(self, values: Iterable[object]) -> bytes:
        """Values of the type as a JSON array."""
    def dump_rows(self, rows: Iterable[Sequence[object]], columns: tuple[str, ...]) -> bytes:
        """Rows as a JSON array of objects; ``columns`` names their fields."""
    @staticmethod
    def load(data: bytes | bytearray | memoryview | str) -> Any:
        """JSON bytes as plain Python values."""
    def describe(self, prefix: str) -> tuple[str, str]:
        """JSON Schema 2020-12 as JSON text, references beginning with ``prefix``: the schema, and its definitions."""

@final
class Representation:
    """The compiled ``to_representation`` of a DRF serializer; see :mod:`plectrum.drf`."""

    def __new__(
        cls,
        serializer: object,
        fields: list[Any],
        steps: list[tuple[Any, str, tuple[Any, ...], tuple[Any, ...]]],
    ) -> Self: ...
    def represent(self, instance: object) -> Any:
        """What the serializer's ``to_representation`` returns."""
    def is_current(self) -> bool:
        """Whether the serializer still has the fields it was compiled for, each as it was."""

@final
class InternalRows:
    """``ListSerializer.to_internal_value`` as a method; see :mod:`plectrum.drf`."""

    def __new__(cls) -> Self: ...
    def __get__(self, instance: object, owner: object = None, /) -> Any: ...
    def __call__(self, *args: Any) -> Any: ...

@final
class Validation:
    """The compiled ``run_validation`` of a DRF serializer; see :mod:`plectrum.drf`."""

    def __new__(cls, serializer: object, fields: list[Any], steps: list[tuple[Any, ...]], has_tail: bool) -> Self: ...
    def internal(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the serializer's ``to_internal_value`` returns for a dict."""

    def run_many(self, rows: list[Any], start: int, valid: list[Any], invalid: dict[int, Exception]) -> int:
        """Validates rows until the fields are found to have changed; gives the position of the first that is left."""

    def is_current(self) -> bool:
        """Whether the serializer still has the fields it was compiled for, each as it was."""

def represent_many(child: object, rows: object) -> list[Any]:
    """``ListSerializer.to_representation`` over rows that are no manager."""

def represent_json(child: object, rows: object, default: object) -> bytes:
    """The JSON of :func:`represent_many`; ``default`` is the encoder's."""

def check_graphql_schema(sdl: str) -> None:
    """Compiles a GraphQL schema; what is wrong with it is an error."""

def validate_graphql(sdl: str, document: str) -> str:
    """Errors of a GraphQL document against a schema, as the JSON text ``{"errors":[…]}``."""

def dump_json(value: object, default: object, allow_nan: bool) -> bytes:
    """A value as DRF's compact ``JSONRenderer`` writes it."""

def note(json: str) -> None:
    """Leaves a JSON object for the dashboard."""

def request_id() -> str | None:
    """What the request of this thread is called."""

def snapshot() -> str | None:
    """The numbers of all workers, as JSON text; none where nothing is observed."""

def traceparent() -> str | None:
    """The trace of this thread's request."""
