"""Names at every edge, in both directions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plectrum.errors import ConfigurationError
from plectrum.naming import Names, to_camel, to_snake

EDGES = {
    "created_at": "createdAt",
    "_x": "_x",
    "x_": "x_",
    "_": "_",
    "": "",
    "__typename": "__typename",
    "a__b": "a__b",
    "line_1": "line_1",
    "a_1b": "a_1b",
    "a1_b": "a1B",
    "x_é": "x_é",
    "é_x": "éX",
    "ß_straße": "ßStraße",
    "名_前": "名_前",
}


@pytest.mark.parametrize(("snake", "camel"), EDGES.items())
def test_edges_both_ways(snake: str, camel: str) -> None:
    assert to_camel(snake) == camel
    assert to_snake(camel) == snake


@pytest.mark.parametrize(
    ("camel", "snake"),
    [("userID", "user_id"), ("HTTPServer", "http_server"), ("parseHTMLDoc", "parse_html_doc"), ("Article", "article")],
)
def test_a_run_of_capitals_is_one_word(camel: str, snake: str) -> None:
    assert to_snake(camel) == snake


def test_words_of_one_letter_need_names() -> None:
    assert to_snake(to_camel("a_b_c")) == "a_bc"
    names = Names(["a_b_c", "a_bc", "line_1", "id"])
    assert dict(names.camel) == {"a_b_c": "aBC", "a_bc": "aBc", "line_1": "line_1", "id": "id"}
    assert names.snake["aBC"] == "a_b_c"
    assert repr(names) == "Names(['a_b_c', 'a_bc', 'line_1', 'id'])"


def test_names_that_meet_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^'user_id' and 'userId' are both 'userId' in camelCase\. Rename one of them\.$"
    ):
        Names(["user_id", "userId"])


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_é]{0,12}", fullmatch=True), unique=True))
def test_names_are_exact(names: list[str]) -> None:
    known = Names(names)
    assert [known.snake[known.camel[name]] for name in names] == names


@given(st.from_regex(r"[a-z]{2,6}(_[a-z]{2,6}){0,4}", fullmatch=True))
def test_words_are_capitalized(name: str) -> None:
    head, *rest = name.split("_")
    assert to_camel(name) == head + "".join(word.capitalize() for word in rest)
    assert to_snake(to_camel(name)) == name


@given(st.text())
def test_any_text_has_a_name(name: str) -> None:
    assert to_camel(to_camel(name)) == to_camel(name)
    assert not re.search("[A-Z]", to_snake(name))
