"""An operation's response, described for OpenAPI: the same templates that write it say what it looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .fields import Kind
from .plan import Child, Column, Operation, Plan, Response, Template

__all__ = ["describe_response"]

#: A node of :mod:`plectrum.nodes`.
Node = dict[str, Any]
#: Makes a named struct of fields (name and node): :meth:`plectrum.nodes.Nodes.record`.
Record = Callable[[str, list[tuple[str, Node]]], Node]

#: Kinds whose node has another name.
_NODES: Final[dict[str, str]] = {
    "text": "str",
    "ip": "str",
    "json": "any",
    "duration": "str",
}
_LINK: Final[Node] = {"type": "optional", "inner": {"type": "str"}}


def describe_response(operation: Operation, name: str, record: Record) -> Node:
    """The node of what ``operation`` answers.

    Parameters:
        operation: as planned.
        name: of the row's object, for components of OpenAPI.
        record: makes named structs.
    """
    return _Describer(operation, name, record).response(operation.response)


class _Describer:
    def __init__(self, operation: Operation, name: str, record: Record) -> None:
        self.queries = operation.queries
        self.name = name
        self.record = record

    def response(self, response: Response) -> Node:
        form, value = _only(response)
        match form:
            case "rows":
                return {"type": "list", "item": self._row(self._query(value), self.name)}
            case "one":
                return self._row(self._query(value), self.name)
            case "scalar":
                return self._cell(self._query(value).columns[0])
            case "object":
                return self.record(f"{self.name}Result", [(key, self.response(inner)) for key, inner in value])
            case "page":
                results: Node = {"type": "list", "item": self._row(self._query(value["results"]), self.name)}
                links = [("next", _LINK), ("previous", _LINK)]
                if value["count"] is None:
                    return self.record(f"{self.name}UncountedPage", [("results", results), *links])
                return self.record(f"{self.name}Page", [("count", {"type": "int"}), *links, ("results", results)])
            case "cursor":
                results = {"type": "list", "item": self._row(self._query(value["results"]), self.name)}
                fields = [("results", results), ("next", _LINK), ("previous", _LINK)]
                return self.record(f"{self.name}CursorPage", fields)
            case _:
                return {"type": "any"}

    def _query(self, index: int) -> Plan:
        return self.queries[index]

    def _row(self, plan: Plan, name: str) -> Node:
        return self._template(plan.row, plan, name)

    def _template(self, template: Template, plan: Plan, name: str) -> Node:
        form, value = _only(template)
        match form:
            case "column":
                column: Column = plan.columns[int(value)]
                return self._cell(column)
            case "object":
                fields = [(key, self._template(inner, plan, f"{name}{_title(key)}")) for key, inner in value["fields"]]
                node = self.record(name, fields)
                return node if value.get("absent") is None else {"type": "optional", "inner": node}
            case "array":
                return {"type": "tuple", "items": [self._template(item, plan, name) for item in value]}
            case "child":
                child: Child = plan.children[int(value)]
                row = self._row(child.plan, name)
                return {"type": "list", "item": row} if child.many else {"type": "optional", "inner": row}
            case _:
                return {"type": "any"}

    def _cell(self, column: Column) -> Node:
        node = _node(column.kind)
        return {"type": "optional", "inner": node} if _may_be_null(column) else node


def _only(described: dict[str, Any]) -> tuple[str, Any]:
    """The one member of a response or template: its form, and what that form needs."""
    ((form, value),) = described.items()
    return form, value


def _node(kind: Kind) -> Node:
    match kind["kind"]:
        case "decimal":
            return {"type": "str" if kind.get("string", True) else "float"}
        case "array":
            return {"type": "list", "item": _node(kind["item"])}
        case "hstore":
            return {"type": "dict", "key": {"type": "str"}, "value": _LINK}
        case "range":
            return {"type": "dict", "key": {"type": "str"}, "value": {"type": "any"}}
        case "file":
            return _LINK
        case name:
            return {"type": _NODES.get(name, name)}


def _may_be_null(column: Column) -> bool:
    """Whether the column is declared nullable; a computed one may be, as far as anybody knows."""
    if column.kind["kind"] == "file":
        return False
    target = getattr(column.expression, "target", None)
    if target is not None:
        return bool(target.null)
    return column.expression is not None


def _title(key: str) -> str:
    return "".join(part.capitalize() for part in key.split("_"))
