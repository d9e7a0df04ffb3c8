"""List views whose rows go from the database's driver into the response, where `RustJSONRenderer` is to render them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnList

from . import renderer
from .values import class_of

__all__ = ["LIST", "RustListModelMixin", "WrittenResponse", "list_rows"]

# DRF's own, as it was before anybody could patch it.
LIST: Any = vars(ListModelMixin)["list"]

if TYPE_CHECKING:
    _Base = ListModelMixin
else:
    _Base = object


class RustListModelMixin(_Base):
    """``ListModelMixin`` without ``.data`` in between, for list views without pagination.

    Put before a view's other bases. Where ``RustJSONRenderer`` renders, and the rows are a queryset that
    :func:`plectrum.drf.to_json` writes without model instances, the response holds their JSON; ``response.data`` is
    read from it when somebody asks. Everything else is DRF's own ``list``. ``PLECTRUM = {"DRF": True}`` does the same
    for every view that has not a ``list`` of its own.
    """

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """See ``rest_framework.mixins.ListModelMixin.list``."""
        return list_rows(self, request)


class WrittenResponse(Response):
    """A list that is JSON already.

    Parameters:
        written: what the renderer would make of ``serializer.data``.
        serializer: the list serializer.
    """

    def __init__(self, written: bytes, serializer: Any) -> None:
        self._written: bytes | None = written
        self._serializer = serializer
        super().__init__()
        self._written = written  # `Response` has set `data`

    @property
    def data(self) -> Any:
        """``serializer.data``; what is asked for may be changed, so that it is what is rendered from then on."""
        if self._written is not None:
            rows = json.loads(self._written)
            serializer = self._serializer
            self._data: Any = rows if serializer is None else ReturnList(rows, serializer=serializer)
            self._written = None
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data, self._written = data, None

    @property
    def rendered_content(self) -> Any:
        """See ``rest_framework.response.Response.rendered_content``."""
        written = self._written
        if written is None or not _renders(
            self.accepted_renderer, self.accepted_media_type, getattr(self, "renderer_context", None)
        ):
            return super().rendered_content
        # What sets the headers is DRF's, and the renderer gives back what is written.
        self.data = renderer.Written(written)
        try:
            return super().rendered_content
        finally:
            self._written = written

    def __getstate__(self) -> dict[str, Any]:
        """Without the serializer, as ``ReturnList`` is pickled."""
        state = cast("dict[str, Any]", super().__getstate__())
        return {**state, "_serializer": None}


def list_rows(view: Any, request: Any) -> Response:
    """What ``view.list(request)`` returns.

    Parameters:
        view: a generic view with DRF's ``ListModelMixin``.
        request: DRF's request.

    Errors:
        What DRF would raise.
    """
    queryset = view.filter_queryset(view.get_queryset())
    page = view.paginate_queryset(queryset)
    if page is not None:
        return cast("Response", view.get_paginated_response(view.get_serializer(page, many=True).data))
    serializer = view.get_serializer(queryset, many=True)
    chosen, media_type = getattr(request, "accepted_renderer", None), getattr(request, "accepted_media_type", None)
    if _renders(chosen, media_type, {}):
        written = renderer.written_rows(serializer)
        if written is not None:
            return WrittenResponse(written, serializer)
    return Response(serializer.data)


def _renders(chosen: Any, media_type: str | None, context: Any) -> bool:
    """Whether the renderer writes compact JSON and nothing else of its own."""
    return class_of(chosen) is renderer.RustJSONRenderer and bool(chosen.is_plain(media_type, context))
