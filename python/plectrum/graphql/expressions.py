"""SQL expressions of the graph's own: cursors and global ids, as bytes that are written in base64."""

from __future__ import annotations

from typing import Any, Final, cast

from django.db.models import BinaryField, F, Func, Value

__all__ = ["cursor_of", "distinct", "global_id"]


_BYTES: Final = cast("Any", BinaryField)()


class _Bytes(Func):
    """Text as bytes."""

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_options: Any) -> Any:
        """By the SQL standard, as far as there is one."""
        return self._written(compiler, connection, "CAST({} AS BINARY)")

    def as_postgresql(self, compiler: Any, connection: Any, **_options: Any) -> Any:
        """PostgreSQL's."""
        return self._written(compiler, connection, "convert_to({}, 'UTF8')")

    def as_sqlite(self, compiler: Any, connection: Any, **_options: Any) -> Any:
        """SQLite's."""
        return self._written(compiler, connection, "CAST({} AS BLOB)")

    def _written(self, compiler: Any, connection: Any, cast: str) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        for expression in self.get_source_expressions():
            sql, own = compiler.compile(expression)
            parts.append(sql)
            params += own
        return cast.format(self.join(parts, connection.vendor)), params

    def join(self, parts: list[str], vendor: str) -> str:
        """The text, from its parts' SQL."""
        raise NotImplementedError


class _Cursor(_Bytes):
    """The values a list is ordered by, as a JSON array."""

    def join(self, parts: list[str], vendor: str) -> str:
        """A JSON array."""
        values = ", ".join(parts)
        return f"json_build_array({values})::text" if vendor == "postgresql" else f"json_array({values})"


class _GlobalId(_Bytes):
    """``Type:key``."""

    def join(self, parts: list[str], vendor: str) -> str:
        """Text, or null where the key is."""
        return f"{parts[0]} || {parts[1]}::text" if vendor == "postgresql" else f"{parts[0]} || {parts[1]}"


def cursor_of(paths: list[str]) -> Any:
    """A row's cursor.

    Parameters:
        paths: what the list is ordered by.
    """
    return _Cursor(*(F(path) for path in paths), output_field=_BYTES)


def global_id(type_name: str, path: str) -> Any:
    """An id that names its type.

    Parameters:
        type_name: of the object type.
        path: to its key.
    """
    return _GlobalId(Value(f"{type_name}:"), F(path), output_field=_BYTES)


def distinct(rows: Any, expressions: dict[str, Any]) -> dict[str, Any]:
    """Expressions no two of which are equal: Django selects equal ones once where it numbers rows.

    Parameters:
        rows: what they are of.
        expressions: by name.
    """
    resolved: dict[str, Any] = rows.annotate(**expressions).query.annotations
    seen = set[Any]()
    found: dict[str, Any] = {}
    for name, expression in expressions.items():
        repeated = resolved[name] in seen
        seen.add(resolved[name])
        found[name] = Func(expression, template="%(expressions)s", name=name) if repeated else expression
    return found
