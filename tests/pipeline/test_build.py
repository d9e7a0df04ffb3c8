"""Rows in, bytes out: equal to what a parser would make of them."""

from __future__ import annotations

import json
import pickle
import re
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plectrum.naming import to_camel
from plectrum.pipeline import (
    Field,
    InvalidRowError,
    Row,
    Selection,
    TypeRegistry,
    build_empty_array_response,
    build_list_response,
    build_multi_field_response,
    build_null_response,
    build_single_response,
    register_type,
    registry,
)

SHOP = TypeRegistry()
SHOP.register_type("Article", {"author": "Author!", "comments": "[Comment!]!", "meta_data": "JSON"})
SHOP.register_type("Comment", {"writtenBy": "Author"})
SHOP.register_type("Author")

ROW = (
    '{"id":1,"full_title":"T","author":{"id":2,"full_name":"N"},"comments":'
    '[{"id":3,"written_by":null}],"meta_data":{"a_b": 1}}'
)


def camel_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel(key): camel_keys(item) for key, item in value.items()}
    return [camel_keys(item) for item in value] if isinstance(value, list) else value


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_list() -> None:
    rows: list[Row] = ['{"author_id": 1}', b'{"author_id":2}', None]
    answer = build_list_response(rows, "articles", "Article")
    assert type(answer) is bytes
    assert answer == (
        b'{"data":{"articles":[{"__typename":"Article","authorId":1},{"__typename":"Article","authorId":2},null]}}'
    )


def test_any_iterable_is_a_list() -> None:
    expected = b'{"data":{"x":[1,2]}}'
    for rows in (["1", "2"], ("1", "2"), iter(["1", "2"]), (text for text in "12")):
        assert build_list_response(rows, "x") == expected


def test_nothing() -> None:
    assert build_list_response([], "articles", "Article") == b'{"data":{"articles":[]}}'
    assert build_empty_array_response("articles") == b'{"data":{"articles":[]}}'
    assert build_null_response("article") == b'{"data":{"article":null}}'
    assert build_single_response(None, "article", "Article") == b'{"data":{"article":null}}'


def test_one() -> None:
    expected = b'{"data":{"article":{"__typename":"Article","authorId":1}}}'
    assert build_single_response(b'{"author_id":1}', "article", "Article") == expected


def test_names_are_escaped() -> None:
    answer = build_single_response("{}", 'a"b\n', 'T"x')
    assert json.loads(answer) == {"data": {'a"b\n': {"__typename": 'T"x'}}}


def test_types_of_nested_fields() -> None:
    answer = build_list_response([ROW], "articles", "Article", registry=SHOP)
    assert answer == (
        b'{"data":{"articles":[{"__typename":"Article","id":1,"fullTitle":"T","author":{"__typename":"Author","id":2,'
        b'"fullName":"N"},"comments":[{"__typename":"Comment","id":3,"writtenBy":null}],"metaData":{"a_b": 1}}]}}'
    )


def test_the_default_registry() -> None:
    register_type("PipelineOuter", {"inner_one": "PipelineInner"})
    assert "PipelineOuter" in registry.names
    assert build_single_response('{"inner_one":{}}', "x", "PipelineOuter") == (
        b'{"data":{"x":{"__typename":"PipelineOuter","innerOne":{"__typename":"PipelineInner"}}}}'
    )
    register_type("PipelineOuter")
    assert b"PipelineInner" not in build_single_response('{"inner_one":{}}', "x", "PipelineOuter")


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (["full_title", "id"], '{"fullTitle":"T","id":1}'),
        (["headline: fullTitle", "again: full_title"], '{"headline":"T","again":"T"}'),
        (["author.fullName", "__typename", "author.id"], '{"author":{"fullName":"N","id":2},"__typename":"Article"}'),
        ([{"writer: author": ["kind: __typename"]}], '{"writer":{"kind":"Author"}}'),
        ([{"comments": ["id", {"writtenBy": ["id"]}]}], '{"comments":[{"id":3,"writtenBy":null}]}'),
        (["missing", "metaData"], '{"missing":null,"metaData":{"a_b": 1}}'),
    ],
)
def test_projection(select: Selection, expected: str) -> None:
    answer = build_single_response(ROW, "x", "Article", select=select, registry=SHOP)
    assert answer.decode() == f'{{"data":{{"x":{expected}}}}}'


def test_a_typename_that_was_not_asked_for() -> None:
    answer = build_single_response(ROW, "x", "Article", select=["id", "author.id"], always_typename=True, registry=SHOP)
    assert answer == (b'{"data":{"x":{"__typename":"Article","id":1,"author":{"__typename":"Author","id":2}}}}')


def test_several_fields() -> None:
    answer = build_multi_field_response(
        [
            Field("articles", [ROW, None], "Article", ["id"]),
            Field("author", '{"full_name":"N"}', "Author", many=False),
            Field("none", None, many=False),
        ]
    )
    assert answer == (
        b'{"data":{"articles":[{"id":1},null],"author":{"__typename":"Author","fullName":"N"},"none":null}}'
    )
    assert build_multi_field_response([]) == b'{"data":{}}'


def test_leaves_are_untouched() -> None:
    row = r'{"big_int":123456789012345678901234567890,"f_f":1.10e+2,"s_s":"\u00e9\/é\ud800 😀","z":-0}'
    expected = row.replace("big_int", "bigInt").replace("f_f", "fF").replace("s_s", "sS")
    for given_row in (row, row.encode()):
        assert build_single_response(given_row, "x") == f'{{"data":{{"x":{expected}}}}}'.encode()


@pytest.mark.parametrize(
    ("row", "position", "reason"),
    [
        ('{"é":1 "b":2}', 7, "expected a comma or }"),
        ('{"é":1 "b":2}'.encode(), 8, "expected a comma or }"),
        ("", 0, "expected a value"),
        ('{"a":NaN}', 5, "expected a value"),
        ('{"a":1}{"a":1}', 7, "more after the value"),
        (b'{"a":"\xff"}', 6, "invalid UTF-8"),
        ('{"é":"\ud800"}', 6, "lone surrogate"),
        ("[" * 100_000, 128, "nested too deeply"),
        ('{"a":' * 100_000, 640, "nested too deeply"),
    ],
)
def test_a_row_that_is_no_json_is_named(row: Row, position: int, reason: str) -> None:
    for select in (None, ["id"]):
        with pytest.raises(InvalidRowError) as caught:
            build_list_response(["{}", None, row, "{}"], "articles", select=select)
        error = caught.value
        assert str(error) == f'Row 2 of "articles" is not valid JSON: {reason} at position {position}.'
        assert (error.field, error.row, error.position, error.reason) == ("articles", 2, position, reason)
    with pytest.raises(
        InvalidRowError, match=f'^The row of "article" is not valid JSON: {reason} at position {position}'
    ):
        build_single_response(row, "article")


def test_the_error_travels() -> None:
    error = pickle.loads(pickle.dumps(InvalidRowError("articles", None, 3, "expected a digit")))
    assert str(error) == 'The row of "articles" is not valid JSON: expected a digit at position 3.'
    assert isinstance(error, ValueError)


def test_rows_that_are_no_text_are_named() -> None:
    wrong: Any = ["{}", {}]
    with pytest.raises(TypeError, match=r'^Row 1 of "x" is dict, not JSON text \(str or bytes\) or None\.$'):
        build_list_response(wrong, "x")
    with pytest.raises(TypeError, match=r'^The rows of "x" are one text, not a list of texts\.$'):
        build_list_response("{}", "x")


@pytest.mark.parametrize(
    ("select", "message"),
    [
        (["a: b", "a: c"], '"a" is selected twice, for different fields; give one of them an alias.'),
        (["a..b"], 'The selection "" names nothing.'),
        ([{"a": []}], 'The selection "a" names nothing.'),
        ([], "The selection is empty; GraphQL has no object without fields."),
    ],
)
def test_a_selection_that_cannot_be(select: Selection, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build_single_response("{}", "x", select=select)


def test_a_selection_of_wrong_types() -> None:
    wrong: list[Any] = ["id", [1]]
    for select in wrong:
        with pytest.raises(TypeError, match=r"^A selection "):
            build_single_response("{}", "x", select=select)


def test_a_bottomless_selection_is_refused() -> None:
    select: list[Any] = []
    select.append({"a": select})
    with pytest.raises(ValueError, match=r"^The selection is nested deeper than 128 levels"):
        build_single_response("{}", "x", select=select)


KEYS = st.from_regex(r"_?[a-c]{1,3}(_[a-z0-9é]{1,3}){0,2}", fullmatch=True)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)


@given(st.lists(VALUES, max_size=5), st.booleans(), st.booleans())
def test_equal_to_a_parser(values: list[Any], spaced: bool, ascii_only: bool) -> None:
    separators = (" , ", " : ") if spaced else None
    rows = [json.dumps(value, ensure_ascii=ascii_only, separators=separators) for value in values]
    answer = build_list_response(rows, "rows")
    assert json.loads(answer) == {"data": {"rows": [camel_keys(value) for value in values]}}
    if not ascii_only:
        assert answer == compact({"data": {"rows": [camel_keys(value) for value in values]}})


def test_threads_share_types() -> None:
    types = TypeRegistry()
    wrong: list[bytes] = []

    def work(number: int) -> None:
        for round in range(200):
            types.register_type(f"T{number}", {"inner": f"I{round}"})
            answer = build_list_response(['{"inner":{}}'] * 5, "x", f"T{number}", registry=types)
            if answer.count(f'{{"__typename":"I{round}"}}'.encode()) != 5:
                wrong.append(answer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert types.names == ["T0", "T1", "T2", "T3"]
