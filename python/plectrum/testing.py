"""``TestClient``: requests to an API in process, through the same pipeline that serves sockets.

Handlers run on the calling thread, so a test sees its own transaction and a handler sees the test's rows.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import json as json_module
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from . import _core, conf
from .api import API
from .deps.resolve import Overrides

__all__ = ["AsyncTestClient", "TestClient", "TestResponse", "WebSocketRefused", "WebSocketSession"]


@dataclasses.dataclass(frozen=True)
class TestResponse:
    """An answer, completely received.

    Parameters:
        status_code: HTTP status.
        headers: name (lower case) to value; repeated names are joined with ``", "``.
        content: body bytes.
    """

    __test__ = False

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.content.decode()

    def json(self) -> Any:
        """The body as a JSON value."""
        return json_module.loads(self.content)


class WebSocketRefused(AssertionError):  # noqa: N818 - an answer, not a mistake
    """The server did not accept a WebSocket.

    Parameters:
        response: what it answered.
    """

    def __init__(self, response: TestResponse) -> None:
        super().__init__(f"the WebSocket was refused with {response.status_code}: {response.text}")
        self.response = response


class WebSocketSession:
    """A test's end of a WebSocket.

    Parameters:
        socket: the compiled half.
        response: the 101.
        timeout: seconds to wait for each message.
    """

    def __init__(self, socket: _core.ClientSocket, response: TestResponse, timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self.response = response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.response.headers.get("sec-websocket-protocol")

    def send(self, message: str | bytes) -> None:
        """Sends text or bytes."""
        self._socket.send(message)

    def send_json(self, value: Any) -> None:
        """Sends a value as JSON text."""
        self.send(json_module.dumps(value))

    def receive(self) -> str | bytes:
        """Waits for the next message.

        Errors:
            WebSocketDisconnect: the server closed the WebSocket.
            TimeoutError: nothing came.
        """
        return self._socket.receive(self._timeout)

    def receive_json(self) -> Any:
        """Waits for the next message, which must be JSON; see :meth:`receive`."""
        return json_module.loads(self.receive())

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Says goodbye and waits until the handler is told."""
        self._socket.close(code, reason)

    def __enter__(self) -> WebSocketSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_UPGRADE = {
    "upgrade": "websocket",
    "connection": "upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class TestClient:
    """Sends requests to ``api`` without a socket.

    Parameters:
        api: the API; compiled when the client is made.
        headers: sent with every request.
        overrides: dependencies by the one that each stands in for.
        settings: settings that differ from the project's, by their names in lower case.

    Errors:
        PlanError, SchemaError, ConfigurationError: as ``API.compile``.
    """

    __test__ = False

    def __init__(
        self,
        api: API,
        *,
        headers: Mapping[str, str] | None = None,
        overrides: Overrides | None = None,
        **settings: Any,
    ) -> None:
        given = conf.current().replace(**settings)
        self._client = _core.App(api.compile(overrides, given), given.to_json()).client()
        self._headers = dict(headers or {})

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Sends one request and waits for the answer.

        Parameters:
            method: in any case.
            path: path, with or without a query.
            params: query parameters; a list value repeats its name.
            json: body, written as JSON.
            data: body, written as a form.
            files: sent with ``data`` as ``multipart/form-data``; by name, a file is its bytes, ``(filename, bytes)`` or
                ``(filename, bytes, content type)``.
            content: body, as it is.
            headers: added to the client's own.
            cookies: sent in one ``Cookie`` header.
        """
        all_headers = {name.lower(): value for name, value in {**self._headers, **(headers or {})}.items()}
        if json is not None:
            content = json_module.dumps(json).encode()
            all_headers.setdefault("content-type", "application/json")
        elif files is not None:
            content, kind = _multipart(data or {}, files)
            all_headers.setdefault("content-type", kind)
        elif data is not None:
            content = urlencode(data, doseq=True).encode()
            all_headers.setdefault("content-type", "application/x-www-form-urlencoded")
        if cookies:
            all_headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if params:
            path += ("&" if "?" in path else "?") + urlencode(params, doseq=True)
        status, pairs, body = self._client.request(method.upper(), path, list(all_headers.items()), content)
        return TestResponse(status, _joined(pairs), body)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET; options as :meth:`request`."""
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Any) -> TestResponse:
        """HEAD; options as :meth:`request`."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> TestResponse:
        """OPTIONS; options as :meth:`request`."""
        return self.request("OPTIONS", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """POST; options as :meth:`request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        """PUT; options as :meth:`request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        """PATCH; options as :meth:`request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        """DELETE; options as :meth:`request`."""
        return self.request("DELETE", path, **options)

    def websocket(
        self,
        path: str,
        *,
        subprotocols: Sequence[str] = (),
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> WebSocketSession:
        """Opens a WebSocket; to be used in a ``with`` block, at whose end it is closed.

        The server's side runs while this side waits: in ``receive`` and ``close`` of the session, and in requests.

        Parameters:
            path: path, with or without a query.
            subprotocols: offered to the server.
            params: query parameters.
            headers: added to the client's own.
            cookies: sent in one ``Cookie`` header.
            timeout: seconds to wait for each message.

        Errors:
            WebSocketRefused: the server answered with something else than a WebSocket.
        """
        sent = {"host": "testserver", **self._headers, **(headers or {}), **_UPGRADE}
        if subprotocols:
            sent["sec-websocket-protocol"] = ", ".join(subprotocols)
        if cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if params:
            path += ("&" if "?" in path else "?") + urlencode(params, doseq=True)
        (status, pairs, body), socket = self._client.websocket(path, list(sent.items()))
        response = TestResponse(status, _joined(pairs), body)
        if socket is None:
            raise WebSocketRefused(response)
        return WebSocketSession(socket, response, timeout)

    def close(self) -> None:
        """Cancels what is still running and closes the client's event loop and connections."""
        self._client.close()

    def __enter__(self) -> TestClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _multipart(data: Mapping[str, Any], files: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> tuple[bytes, str]:
    """A form with files, and its content type (RFC 7578)."""
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []

    def add(name: str, more: str, content: bytes) -> None:
        escaped = name.replace('"', "%22")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped}"{more}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")

    for name, value in data.items():
        values = cast("Sequence[Any]", value if isinstance(value, (list, tuple)) else [value])
        for item in values:
            add(name, "", str(item).encode())
    for name, file in files.items() if isinstance(files, Mapping) else files:
        filename, content, *kind = (name, file) if isinstance(file, bytes) else file
        media_type = f"\r\nContent-Type: {kind[0]}" if kind else ""
        add(name, f'; filename="{filename}"{media_type}', content)
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


class AsyncTestClient:
    """:class:`TestClient` for ``async def`` tests.

    Requests are answered on the thread that Django's async ORM uses, so tests, handlers and ``await
    Model.objects.aget()`` see one transaction.

    Parameters:
        api, options: as :class:`TestClient`.

    Errors:
        PlanError, SchemaError, ConfigurationError: as ``API.compile``.
    """

    __test__ = False

    def __init__(self, api: API, **options: Any) -> None:
        self._api = api
        self._options = options
        self._client: TestClient | None = None
        self._run = _one_thread()

    async def request(self, method: str, path: str, **options: Any) -> TestResponse:
        """Sends one request; parameters as :meth:`TestClient.request`."""

        def send() -> TestResponse:
            # Made where it is used: it belongs to that thread.
            if self._client is None:
                self._client = TestClient(self._api, **self._options)
            return self._client.request(method, path, **options)

        return cast(TestResponse, await self._run(send))

    async def get(self, path: str, **options: Any) -> TestResponse:
        """GET; options as :meth:`request`."""
        return await self.request("GET", path, **options)

    async def head(self, path: str, **options: Any) -> TestResponse:
        """HEAD; options as :meth:`request`."""
        return await self.request("HEAD", path, **options)

    async def options(self, path: str, **options: Any) -> TestResponse:
        """OPTIONS; options as :meth:`request`."""
        return await self.request("OPTIONS", path, **options)

    async def post(self, path: str, **options: Any) -> TestResponse:
        """POST; options as :meth:`request`."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> TestResponse:
        """PUT; options as :meth:`request`."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> TestResponse:
        """PATCH; options as :meth:`request`."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> TestResponse:
        """DELETE; options as :meth:`request`."""
        return await self.request("DELETE", path, **options)

    async def aclose(self) -> None:
        """Cancels what is still running and closes the client."""
        client, self._client = self._client, None
        if client is not None:
            await self._run(client.close)

    async def __aenter__(self) -> AsyncTestClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _one_thread() -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    """Runs functions on one thread: asgiref's, where Django's async ORM is, or one of our own."""
    try:
        from asgiref.sync import sync_to_async
    except ImportError:
        executor = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="plectrum-client")
        return lambda function: asyncio.get_running_loop().run_in_executor(executor, function)
    return lambda function: sync_to_async(function, thread_sensitive=True)()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
