"""What a handler returned, written by its return annotation: what the annotation does not name does not leave."""

from __future__ import annotations

from typing import Any

from .errors import line_of
from .returns import Returns
from .routing import Handler

__all__ = ["Output", "output_of"]


class Output:
    """Writes the results of one handler.

    Parameters:
        handler: whose line is told where a result is not what was announced.
        annotation: its return annotation.
    """

    __slots__ = ("_announced", "_dump", "_writer")

    def __init__(self, handler: Handler, annotation: Any) -> None:
        from .schema import CompiledValidator

        self._writer: Any = CompiledValidator(annotation, output=True)
        self._dump = self._writer.dump
        name = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
        self._announced = f"{line_of(handler)}: {handler.__qualname__}() is annotated '-> {name or annotation}'"

    def write(self, value: Any) -> bytes:
        """JSON of a result.

        Errors:
            TypeError: it has not the fields that were announced.
        """
        try:
            data: bytes = self._dump(value)
        except (AttributeError, KeyError) as error:
            raise TypeError(f"{self._announced}, and returned {type(value).__name__} without {error}.") from error
        return data

    def check(self, value: Any) -> bytes:
        """As :meth:`write`, and reads it back by the annotation's rules: what ``DEBUG`` pays for.

        Errors:
            TypeError: it is not what was announced; names every mistake.
        """
        from .schema import InvalidError

        data = self.write(value)
        try:
            self._writer.validate_json(data)
        except InvalidError as error:
            raise TypeError(f"{self._announced}, and returned something else: {error}") from error
        return data


def output_of(returns: Returns, handler: Handler) -> Output | None:
    """What writes a handler's results; ``None`` where the annotation has no fields, and any JSON says what it is."""
    if returns.way != "object" or returns.schema is None:
        return None
    has_fields = any(node["type"] == "struct" for node in returns.schema["definitions"])
    return Output(handler, returns.annotation) if has_fields else None
