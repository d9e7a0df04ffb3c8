"""JSON bytes, equal to those of DRF's ``JSONRenderer``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from django.db.models import QuerySet
from django.db.models.manager import BaseManager
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ListSerializer

from .._core import dump_json, represent_json
from .compile import LIST_DATA, is_list
from .direct import queryset_bytes
from .values import class_of, rows_of, state_of

__all__ = ["RustJSONRenderer", "Written", "to_json", "written_rows"]

_OVERRIDES = ("__init__", "encode", "iterencode")


class Written(NamedTuple):
    """What a renderer is given that has nothing left to do.

    Parameters:
        content: the bytes.
    """

    content: bytes


class RustJSONRenderer(JSONRenderer):
    """``JSONRenderer`` in Rust, for ``DEFAULT_RENDERER_CLASSES`` or a view's ``renderer_classes``.

    Indented, non-compact and ASCII-only output, and encoders that override more than ``default``, are DRF's own work;
    so is every value that cannot be written, as the error is then DRF's too.
    """

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """See ``rest_framework.renderers.JSONRenderer.render``."""
        if isinstance(data, Written):
            return data.content
        if data is not None and self.is_plain(accepted_media_type, renderer_context):
            # Whatever goes wrong, DRF meets it again and says it in its own words.
            with contextlib.suppress(Exception):
                return dump_json(data, self._default(), not self.strict)
        rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        return rendered

    def is_plain(self, media_type: str | None, context: Mapping[str, Any] | None) -> bool:
        """Whether the output is compact, not ASCII alone, and the encoder's own in nothing but ``default``.

        Parameters:
            media_type, context: as :meth:`render` takes them.
        """
        if self.ensure_ascii or not self.compact or self.get_indent(cast("str", media_type), context or {}) is not None:
            return False
        kind = self.encoder_class
        return all(getattr(kind, name) is getattr(json.JSONEncoder, name) for name in _OVERRIDES)

    def _default(self) -> Any:
        default = self.encoder_class(ensure_ascii=False, allow_nan=not self.strict, separators=(",", ":")).default

        def repeatable(value: Any) -> Any:
            # What can be iterated only once must still be whole when DRF has to begin again.
            if isinstance(value, Iterator):
                raise TypeError("an iterator is DRF's to write")
            return default(value)

        return repeatable


def to_json(serializer: Any) -> bytes:
    """``JSONRenderer().render(serializer.data)``, for ``many=True`` without building ``.data``.

    Where the instances are a queryset that was not read yet and every field is a plain column, no model instances are
    made either, and the queryset stays unread.

    Parameters:
        serializer: one whose ``.data`` can be asked for.

    Returns:
        UTF-8 bytes, compact, to be sent as ``application/json``.

    Errors:
        What DRF would raise.
    """
    renderer = RustJSONRenderer()
    if _is_direct(serializer) and renderer.is_plain(None, None):
        rows = rows_of(serializer.instance)
        written = queryset_bytes(serializer.child, rows)
        if written is not None:
            return written[0]
        with contextlib.suppress(Exception):
            return represent_json(serializer.child, rows, renderer._default())
    return renderer.render(serializer.data)


def written_rows(serializer: Any) -> bytes | None:
    """:func:`to_json` without model instances, where ``serializer.data`` can be read back from it; ``None`` elsewhere.

    Parameters:
        serializer: one whose ``.data`` can be asked for.

    Errors:
        django.db.Error: as the database says.
    """
    if not _is_direct(serializer):
        return None
    found = queryset_bytes(serializer.child, rows_of(serializer.instance), readable=True)
    return None if found is None else found[0]


def _is_direct(serializer: Any) -> bool:
    """Whether ``.data`` would be the list of the instances' representations, and has not been asked for."""
    kind, state = class_of(serializer), state_of(serializer)
    if not isinstance(state.get("instance"), (list, tuple, QuerySet, BaseManager)) or not {
        "_data",
        "_errors",
        "initial_data",
    }.isdisjoint(state):
        return False
    return issubclass(kind, ListSerializer) and bool(kind.data is LIST_DATA) and is_list(serializer)
