"""The compiled core: the boundary between Python and Rust, checked against the module by stubtest."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, final

from .api import Compiled

@final
class App:
    """An API, compiled and ready to be served."""

    def __new__(cls, compiled: Compiled, settings: str) -> Self: ...
    def openapi(self) -> str:
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
    def close(self) -> None:
        """Ends what is still running."""

@final
class Operation:
    """A compiled operation; see :class:`plectrum.orm.Operation`."""

    def __new__(cls, description: str) -> Self: ...
    @property
    def number(self) -> int: ...
    @property
    def statements(self) -> list[str]: ...

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
    @property
    def client(self) -> tuple[str, int] | None:
        """The nearest hop's address and port; ``None`` over a unix socket."""
    @property
    def body(self) -> bytes:
        """The whole body."""
    @property
    def state(self) -> dict[str, Any]:
        """A dict that lives as long as the request."""

class Response:
    """An answer with its own status, headers and body.

    Parameters:
        content: text and bytes stand for themselves; any other value is written as JSON.
        status: 200 to 599.
        headers: a mapping, or pairs where a name repeats.
        media_type: of the body.
    """

    def __new__(
        cls,
        content: Any = None,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        media_type: str | None = None,
    ) -> Self: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...

def check_schema(description: str) -> None:
    """Compiles a type's description; ``ValueError`` says which of its constraints nothing can meet."""

def encode(value: Any) -> bytes:
    """A value as JSON bytes."""
