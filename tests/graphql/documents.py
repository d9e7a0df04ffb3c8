"""Documents made at random over the zoo's schema: valid ones, and the same with a mistake in them."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["Maker", "spoil"]

#: The value of a variable that is not given.
ABSENT = object()

SCALARS = {
    "Book": ["id", "title", "price", "printedOn", "authorId", "editorId", "publisherId", "__typename"],
    "Author": ["id", "name", "bornAt", "__typename"],
    "Publisher": ["id", "number"],
    "Label": ["id", "rank", "__typename"],
}
ONES = {"Book": {"author": "Author", "editor": "Author", "publisher": "Publisher", "sequelTo": "Book"}}
MANY = {
    "Book": {"sequels": "Book", "labels": "Label"},
    "Author": {"books": "Book", "edited": "Book"},
    "Publisher": {"books": "Book"},
    "Label": {"books": "Book"},
}
ROOTS = {"books": "Book", "authors": "Author", "publishers": "Publisher", "labels": "Label"}
ORDERS = {"Book": ["title", "price", "authorId"], "Author": ["name"], "Publisher": ["number"], "Label": ["rank"]}


class Maker:
    """Makes documents.

    Parameters:
        chance: decides.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        #: Declaration and value; those with ``ABSENT`` are not given.
        self.variables: dict[str, tuple[str, Any]] = {}
        self.fragments: list[str] = []

    def document(self) -> tuple[str, dict[str, Any]]:
        """A valid document and its variables."""
        roots = [self._root(number) for number in range(self.chance.randint(1, 3))]
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        head = f"query Q({declared}) " if declared else self.chance.choice(["", "query ", "query Named "])
        text = f"{head}{{{' '.join(roots)}}} {' '.join(self.fragments)}"
        return text, {name: value for name, (_, value) in self.variables.items() if value is not ABSENT}

    def _root(self, number: int) -> str:
        root, target = self.chance.choice(list(ROOTS.items()))
        kind = self.chance.random()
        if kind < 0.15:
            key = self.chance.choice(['"3"', "4", '"label-2"', '"p 1/é"', '"x"'])
            return f"r{number}: {root[:-1]}(id: {key}) {self._selection(target, 2)}"
        if kind < 0.25:
            return f"r{number}: {root}Aggregate{self._arguments(target, slices=False)} {{count}}"
        if kind < 0.4:
            return f"r{number}: {self._connection(root, target, 2)}"
        if kind < 0.43:
            return f"r{number}: __typename"
        arguments = self._arguments(target, limits=(0, 2, 7, 7, 7, 7, -1, 2000))
        return f"r{number}: {root}{arguments} {self._selection(target, 3)}"

    def _selection(self, target: str, depth: int) -> str:
        fields = self.chance.sample(SCALARS[target], self.chance.randint(1, len(SCALARS[target])))
        if self.chance.random() < 0.3:
            fields[0] = f"a{self.chance.randint(0, 9)}x: {fields[0]}"
        if depth > 0:
            for name, inner in ONES.get(target, {}).items():
                if self.chance.random() < 0.3:
                    fields.append(f"{name} {self._selection(inner, depth - 1)}")
            for name, inner in MANY[target].items():
                if self.chance.random() < 0.35:
                    fields.append(f"{name}{self._arguments(inner)} {self._selection(inner, depth - 1)}")
                    if self.chance.random() < 0.3:
                        fields.append(f"{name}Again: {name}{self._arguments(inner)} {{id}}")
                elif self.chance.random() < 0.2:
                    fields.append(self._connection(name, inner, depth - 1))
                elif self.chance.random() < 0.15:
                    fields.append(f"{name}Aggregate{self._arguments(inner, slices=False)} {{n: count}}")
        if self.chance.random() < 0.3:
            fields.append(self._fragment(target))
        if self.chance.random() < 0.25:
            fields.append(f"maybe: id @{self.chance.choice(['skip', 'include'])}(if: {self._boolean()})")
        return f"{{{' '.join(fields)}}}"

    def _fragment(self, target: str) -> str:
        directive = f" @{self.chance.choice(['skip', 'include'])}(if: {self._boolean()})" if self._rarely() else ""
        inner = f"{{f{len(self.fragments)}: id}}"
        if self.chance.random() < 0.5:
            condition = self.chance.choice([f" on {target}", ""])
            return f"...{condition}{directive} {inner}"
        if self.fragments and self._rarely():
            again = [text.split()[1] for text in self.fragments if f" on {target} " in text]
            if again:
                return f"...{self.chance.choice(again)}{directive}"
        name = f"F{len(self.fragments)}"
        self.fragments.append("")
        if self._rarely() and ONES.get(target):
            one, of = self.chance.choice(list(ONES[target].items()))
            inner = f"{{{one} {self._selection(of, 0)}}}"
        self.fragments[int(name[1:])] = f"fragment {name} on {target} {inner}"
        return f"...{name}{directive}"

    def _rarely(self) -> bool:
        return self.chance.random() < 0.25

    def _connection(self, name: str, target: str, depth: int) -> str:
        given = [self._slice(self.chance.choice(["first", "last"]))] if self.chance.random() < 0.8 else []
        if self.chance.random() < 0.06:
            given.append("first: 1, last: 1" if not given else "before: null")
        if self.chance.random() < 0.4:
            given.append(f"filter: {self._filter(target, 1)}")
        if self.chance.random() < 0.4:
            given.append(f"orderBy: {{{self.chance.choice(ORDERS[target])}: ASC}}")
        arguments = f"({', '.join(given)})" if given else ""
        parts = [f"edges {{node {self._selection(target, depth)}}}", "totalCount",
                 "pageInfo {hasNextPage hasPreviousPage}", "__typename"]  # fmt: skip
        selected = self.chance.sample(parts, self.chance.randint(1, len(parts)))
        return f"{name}Connection{arguments} {{{' '.join(selected)}}}"

    def _slice(self, name: str) -> str:
        size = self.chance.choice((0, 1, 2, 5, 5, 5, 100, -1))
        return f"{name}: {self._value('Int', size, str(size))}"

    def _boolean(self) -> str:
        value = self.chance.random() < 0.5
        return self._value("Boolean!", value, str(value).lower())

    def _value(self, kind: str, value: Any, literal: str) -> str:
        """A literal, or a variable that holds it."""
        if self.chance.random() < 0.6:
            return literal
        name = f"v{len(self.variables)}"
        if not kind.endswith("!") and self._rarely():
            # Left out, with a default value or without.
            self.variables[name] = self.chance.choice([(f"{kind} = {literal}", ABSENT), (kind, ABSENT), (kind, None)])
        else:
            self.variables[name] = (kind, value)
        return f"${name}"

    def _arguments(
        self, target: str, *, slices: bool = True, limits: tuple[int, ...] = (0, 1, 3, 7, 7, 7, 7, 7, -1, 2000)
    ) -> str:
        given: list[str] = []
        if self.chance.random() < 0.5:
            given.append(f"filter: {self._filter(target, 2)}")
        if slices and self.chance.random() < 0.5:
            limit = self.chance.choice(limits)
            given.append(f"limit: {self._value('Int', limit, str(limit))}")
        if slices and self.chance.random() < 0.2:
            given.append(f"offset: {self._value('Int', 2, '2')}")
        if slices and self.chance.random() < 0.4:
            column = self.chance.choice(ORDERS[target])
            item = f"{{{column}: {self.chance.choice(['ASC', 'DESC'])}}}"
            given.append(f"orderBy: {self.chance.choice([item, f'[{item}]'])}")
        return f"({', '.join(given)})" if given else ""

    def _filter(self, target: str, depth: int) -> str:
        kind = self.chance.random()
        if depth and kind < 0.15:
            return f"{{not: {self._filter(target, depth - 1)}}}"
        if depth and kind < 0.35:
            word = self.chance.choice(["and", "or"])
            return f"{{{word}: [{self._filter(target, depth - 1)}, {self._filter(target, depth - 1)}]}}"
        if depth and kind < 0.5 and ONES.get(target):
            name, inner = self.chance.choice(list(ONES[target].items()))
            return f"{{{name}: {self._filter(inner, depth - 1)}}}"
        if depth and kind < 0.65:
            name, inner = self.chance.choice(list(MANY[target].items()))
            return f"{{{name}: {{{self.chance.choice(['some', 'every', 'none'])}: {self._filter(inner, depth - 1)}}}}}"
        return self._comparison(target)

    def _comparison(self, target: str) -> str:
        text = self._value("String", "1", '"1"')
        chosen = {
            "Book": [
                f"{{title: {{contains: {text}}}}}", '{price: {gte: "10", lt: "22.5"}}', "{printedOn: {isNull: true}}",
                '{printedOn: {ne: "2000-01-03"}}', "{editorId: {eq: null}}", '{title: {in: ["Book 4 ", "Book 7 xxx"]}}',
                '{publisherId: {notIn: ["p 1/é"]}}', '{publisherId: {in: "p 1/é"}}', "{title: null}",
                "{id: {in: [3, 4]}}",
                '{authorId: {eq: "x"}}' if self._rarely() else "{authorId: {ne: 3}}",
            ],
            "Author": [f"{{name: {{endsWith: {text}}}}}", '{name: {ne: "Author 3"}}', "{bornAt: {isNull: false}}"],
            "Publisher": ['{number: {gt: "0.25"}}', '{id: {in: ["p 1/é", "p 2/é"]}}'],
            "Label": ["{rank: {gte: 1}}", '{id: {ne: "label-2"}}'],
        }[target]  # fmt: skip
        found = self.chance.choice(chosen)
        if text.startswith("$") and text not in found:
            del self.variables[text[1:]]
        return found


def spoil(text: str, chance: random.Random) -> str:
    """A document with one mistake in it.

    Parameters:
        text: a valid document.
        chance: which mistake.
    """
    mistakes = [
        lambda: text.replace("{", "{ nothing ", 1),
        lambda: text.replace("{", "{ books ", 1),
        lambda: text.replace("{", "{ books {title {deeper}} ", 1),
        lambda: text.replace("{", "{ books(nothing: 1) {id} ", 1),
        lambda: text.replace("{", '{ books(limit: "1") {id} ', 1),
        lambda: text.replace("{", "{ books(limit: 1, limit: 2) {id} ", 1),
        lambda: text.replace("{", "{ books(limit: $undeclared) {id} ", 1),
        lambda: text.replace("{", "{ book {id} ", 1),
        lambda: text.replace("{", "{ book(id: null) {id} ", 1),
        lambda: text.replace("{", "{ x: books {id} x: authors {id} ", 1),
        lambda: text.replace("{", "{ books {id: title id} ", 1),
        lambda: text.replace("{", "{ ...Missing ", 1),
        lambda: text.replace("{", "{ ... on Missing {id} ", 1),
        lambda: text.replace("{", "{ ... on Book {id} ", 1),
        lambda: text.replace("{", "{ ... on Int {id} ", 1),
        lambda: text.replace("{", "{ __typename @nothing ", 1),
        lambda: text.replace("{", "{ __typename @skip ", 1),
        lambda: text.replace("{", "{ __typename @skip(if: true) @skip(if: true) ", 1),
        lambda: text.replace("{", "{ books(orderBy: [{title: UP}]) {id} ", 1),
        lambda: text.replace("{", "{ books(filter: {nothing: 1}) {id} ", 1),
        lambda: text.replace("{", "{ books(filter: {title: {eq: 1}}) {id} ", 1),
        lambda: text.replace("{", '{ books(filter: {title: {eq: "a", eq: "b"}}) {id} ', 1),
        lambda: f"{text} fragment Unused on Book {{id}}",
        lambda: f"{text} fragment Scalar on Int {{id}}",
        lambda: f"{text} query Twice {{__typename}} query Twice {{__typename}}",
        lambda: f"{text} {{__typename}}",
        lambda: f"query V($unused: Int) {{__typename}} {text}",
        lambda: "query V($a: Int, $a: Int) {books(limit: $a) {id}}",
        lambda: "query V($a: Missing) {books(limit: $a) {id}}",
        lambda: "query V($a: String) {books(limit: $a) {id}}",
        lambda: "query V($a: ID) {book(id: $a) {id}}",
        lambda: 'query V($a: Int = "x") {books(limit: $a) {id}}',
        lambda: "{books {...A}} fragment A on Book {sequels {...A}}",
        lambda: "{books {...A}} fragment A on Book {id} fragment A on Book {id}",
        lambda: "type Query {a: Int}",
        lambda: text[: chance.randint(1, len(text) - 1)].rstrip("} ") or "{",
        lambda: text.replace("{", "{{", 1),
        lambda: text + " }",
        lambda: text.replace(":", "::", 1) if ":" in text else "{a::b}",
        lambda: text.replace("{", '{ books(filter: {title: {eq: "unfinished}}) {id} ', 1),
    ]
    return chance.choice(mistakes)()
