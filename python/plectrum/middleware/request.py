"""A request as Django's middleware sees it: an ``HttpRequest`` of which nothing is made before it is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, QueryDict, parse_cookie
from django.urls import ResolverMatch
from django.utils.datastructures import MultiValueDict
from django.utils.encoding import repercent_broken_unicode
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from plectrum import _core

    from .around import Around

__all__ = ["ServedRequest"]


def _lazy(function: Callable[[Any], Any]) -> Any:
    """A plain attribute to everybody else, made when it is first read."""
    return cached_property(function)


class ServedRequest(HttpRequest):
    """An ``HttpRequest`` over a request of Plectrum's.

    Host, scheme and client are what trusted proxies say, as everywhere; ``SECURE_PROXY_SSL_HEADER`` and
    ``USE_X_FORWARDED_HOST`` work as Django has them.

    Parameters:
        plectrum: the request of Plectrum's, with ``auth`` and ``state``.
        around: the route it is for.
        responder: makes answers of results.
        values: the handler's arguments by position; ``keywords`` by name.

    Source: ``django.core.handlers.wsgi.WSGIRequest``, ``django.core.handlers.asgi.ASGIRequest``.
    """

    def __init__(
        self,
        plectrum: _core.Request,
        around: Around,
        responder: _core.Responder,
        values: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        # Not the base's: it makes six dictionaries, which are made here when they are asked for.
        self.plectrum = plectrum
        self._around, self._responder = around, responder
        self._values, self._keywords = values, keywords
        self.method = plectrum.method
        path = plectrum.path
        if "%" in path:
            path = repercent_broken_unicode(unquote_to_bytes(path)).decode()
        self.path = self.path_info = path
        self._read_started = False
        self._post_parse_error = False

    def __getattr__(self, name: str) -> Any:
        """What middleware would have set, where it was not read before."""
        make = self._around.stack.late.get(name) if name != "_around" else None
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        make(self)
        return self.__dict__[name]

    def _get_meta(self) -> dict[str, Any]:
        variables = self.plectrum._environ()
        variables["SCRIPT_NAME"], variables["PATH_INFO"] = "", self.path_info
        return variables

    def _get_get(self: Any) -> QueryDict:
        return QueryDict(self.plectrum.query_string, encoding=self._encoding)

    def _get_cookies(self) -> dict[str, str]:
        cookie = self.plectrum.header("cookie")
        return parse_cookie(cookie) if cookie else {}

    def _get_content_type(self: Any) -> str:
        self._set_content_type_params(self.META)
        return str(self.__dict__["content_type"])

    def _get_content_params(self: Any) -> dict[str, str]:
        self._set_content_type_params(self.META)
        found: dict[str, str] = self.__dict__["content_params"]
        return found

    def _get_resolver_match(self) -> ResolverMatch:
        """The route, as Django's resolver would tell it."""
        return self._around.match(self._values, self._keywords)

    def _get_stream(self) -> io.BytesIO:
        return io.BytesIO(self.plectrum.body)

    def _get_scheme(self) -> str:
        return self.plectrum.scheme

    def _load_post_and_files(self: Any) -> None:
        received = self.plectrum._form()
        if received is None:
            HttpRequest._load_post_and_files(self)
            return
        fields, files = received
        post = QueryDict(None, mutable=True, encoding=self._encoding)
        for name, value in fields:
            post.appendlist(name, value)
        setattr(post, "_mutable", False)  # noqa: B010 - as Django does
        self._post = post
        self._files = MultiValueDict[str, Any]()
        for name, file in files:
            self._files.appendlist(name, file.to_django())

    def _get_post(self: Any) -> QueryDict:
        if not hasattr(self, "_post"):
            self._load_post_and_files()
        post: QueryDict = self._post
        return post

    def _set_post(self: Any, post: QueryDict) -> None:
        self._post = post

    def _get_files(self: Any) -> MultiValueDict[str, Any]:
        if not hasattr(self, "_files"):
            self._load_post_and_files()
        files: MultiValueDict[str, Any] = self._files
        return files

    META = _lazy(_get_meta)
    GET = _lazy(_get_get)
    COOKIES = _lazy(_get_cookies)
    content_type = _lazy(_get_content_type)
    content_params = _lazy(_get_content_params)
    resolver_match = _lazy(_get_resolver_match)
    _stream = _lazy(_get_stream)
    POST: Any = property(_get_post, _set_post)
    FILES: Any = property(_get_files)
