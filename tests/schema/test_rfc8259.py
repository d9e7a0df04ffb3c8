"""JSON input held to RFC 8259: the shapes of a public parsing suite (nst/JSONTestSuite), as a table of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from plectrum import API, Body
from plectrum.graphql import GraphQL
from plectrum.schema import CompiledValidator, Field, InvalidError, Schema
from plectrum.testing import TestClient
from tests.zoo.models import Author

ANY: CompiledValidator[Any] = Schema.from_type(Any)  # type: ignore[arg-type]

VALID: list[tuple[bytes, object]] = [
    (b"[]", []),
    (b"{}", {}),
    (b'[[]   , [""]]', [[], [""]]),
    (b"[false,true,null]", [False, True, None]),
    (b" [1] ", [1]),
    (b"\t\n\r [1]\t\n\r ", [1]),
    (b'["a",/**/1]'.replace(b"/**/", b""), ["a", 1]),
    (b"[1\n]", [1]),
    (b"[ 4]", [4]),
    (b"[1,null,null,null,2]", [1, None, None, None, 2]),
    (b"[2] ", [2]),
    (b"[123e65]", [123e65]),
    (b"[0e+1]", [0.0]),
    (b"[0e1]", [0.0]),
    (b"[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]", [-1e-78]),
    (b"[20e1]", [200.0]),
    (b"[-0]", [0]),
    (b"[-123]", [-123]),
    (b"[-1]", [-1]),
    (b"[1E22]", [1e22]),
    (b"[1E-2]", [0.01]),
    (b"[1E+2]", [100.0]),
    (b"[123e45]", [123e45]),
    (b"[123.456e78]", [123.456e78]),
    (b"[1e-2]", [0.01]),
    (b"[1e+2]", [100.0]),
    (b"[123]", [123]),
    (b"[123.456789]", [123.456789]),
    (b'{"asd":"sdf", "dfg":"fgh"}', {"asd": "sdf", "dfg": "fgh"}),
    (b'{"asd":"sdf"}', {"asd": "sdf"}),
    (b'{"a":"b","a":"c"}', {"a": "c"}),
    (b'{"a":"b","a":"b"}', {"a": "b"}),
    (b'{"":0}', {"": 0}),
    (b'{"foo\\u0000bar": 42}', {"foo\0bar": 42}),
    (b'{ "min": -1.0e+28, "max": 1.0e+28 }', {"min": -1e28, "max": 1e28}),
    (b'{"title":"\\u041f\\u043e\\u043b" }', {"title": "Пол"}),
    (b'{\n"a": "b"\n}', {"a": "b"}),
    (b'["\\u0060\\u012a\\u12AB"]', ["`Īካ"]),
    (b'["\\uD801\\udc37"]', ["𐐷"]),
    (b'["\\ud83d\\ude39\\ud83d\\udc8d"]', ["😹💍"]),
    (b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]', ['"\\/\b\f\n\r\t']),
    (b'["\\\\u0000"]', ["\\u0000"]),
    (b'["\\""]', ['"']),
    (b'["a/*b*/c/*d//e"]', ["a/*b*/c/*d//e"]),
    (b'["\\\\a"]', ["\\a"]),
    (b'["\\\\n"]', ["\\n"]),
    (b'["\\u0012"]', ["\x12"]),
    (b'["\\uFFFF"]', ["\uffff"]),
    (b'["\\uDBFF\\uDFFF"]', ["\U0010ffff"]),
    (b'["new\\u00A0line"]', ["new\xa0line"]),
    ('["\U0010ffff"]'.encode(), ["\U0010ffff"]),
    ('["\uffff"]'.encode(), ["\uffff"]),
    (b'["\\u0000"]', ["\0"]),
    (b'["\\u002c"]', [","]),
    ('["π"]'.encode(), ["π"]),
    ('["\U0001bfff"]'.encode(), ["\U0001bfff"]),
    (b'["asd "]', ["asd "]),
    (b'" "', " "),
    ('["\u2028\u2029"]'.encode(), ["\u2028\u2029"]),
    (b'["\\u0821"]', ["ࠡ"]),
    (b'["\\u0123"]', ["ģ"]),
    (b'["\\u0061\\u30af\\u30EA\\u30b9"]', ["aクリス"]),
    (b'["\\uA66D"]', ["ꙭ"]),
    (b'["\\u0022"]', ['"']),
    ('["€𝄞"]'.encode(), ["€𝄞"]),
    (b'["\x7f"]', ["\x7f"]),
    (b'["aa\x7fa"]', ["aa\x7fa"]),
    (b"false", False),
    (b"42", 42),
    (b"-0.1", -0.1),
    (b"null", None),
    (b'"asd"', "asd"),
    (b"true", True),
    (b'""', ""),
    (b'["a"]\n', ["a"]),
    (b'[""]', [""]),
    (b"[true]", [True]),
    (b" [] ", []),
    (b'[null, 1, "1", {}]', [None, 1, "1", {}]),
    (b'{"a":[]}', {"a": []}),
    (b'{"x":[{"id": "' + b"x" * 40 + b'"}]}', {"x": [{"id": "x" * 40}]}),
    (b'[ "asd"]', ["asd"]),
    (b'["\\u005C\\u200B\\u2064"]', ["\\\u200b\u2064"]),
    (b'["new\\u000Aline"]', ["new\nline"]),
    (b'["\\uDBFF\\uDFFE"]', ["\U0010fffe"]),
    ('["\u2342\u3234\u2342"]'.encode(), ["\u2342\u3234\u2342"]),
    # The first and the last code point of each length in UTF-8, and those around the surrogates.
    (
        '["\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000"]'.encode(),
        ["\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000"],
    ),
    (b'["\\uD7FF\\uE000\\uD800\\uDC00"]', ["\ud7ff\ue000\U00010000"]),
    (b'"' + b"x" * 1_000_000 + b'"', "x" * 1_000_000),
    (b'"' + b"\\u0041" * 100_000 + b'"', "A" * 100_000),
    (b"[" + b"1," * 99_999 + b"1]", [1] * 100_000),
    (b" " * 100_000 + b"1" + b"\n" * 100_000, 1),
    (b'{"a":1,"\\u0061":2}', {"a": 2}),
    (b'{"a":{"b":1},"a":{"c":2}}', {"a": {"c": 2}}),
    (b"[0.1e1, 1.5e0, 9007199254740993, 9007199254740993.0]", [1.0, 1.5, 9007199254740993, 9007199254740992.0]),
    (
        b"[2.2250738585072011e-308, 4.9e-324, 1.7976931348623157e308]",
        [2.2250738585072011e-308, 5e-324, 1.7976931348623157e308],
    ),
    (b"[0e99999999999999999999, -0.0e-99999999999999999999]", [0.0, -0.0]),
    (b"[1" + b"0" * 300 + b".0]", [1e300]),
    (b"[0." + b"1" * 10_000 + b"]", [1 / 9]),
    # Left open by the RFC; what we do.
    (b"[123123123123123123123123123123]", [123123123123123123123123123123]),
    (b"[-237462374673276894279832749832423479823246327846]", [-237462374673276894279832749832423479823246327846]),
    (b"[1e-400]", [0.0]),
    (b'["\\uFDD0"]', ["\ufdd0"]),
    (b'["\\uFFFE"]', ["\ufffe"]),
    (b'["\\uD83F\\uDFFE"]', ["\U0001fffe"]),
    (b"[" * 128 + b"]" * 128, json.loads(b"[" * 128 + b"]" * 128)),
]

INVALID: list[bytes] = [
    b"",
    b" ",
    b"[1 true]",
    b"[a\xe5]",
    b'["": 1]',
    b'[""],',
    b"[,1]",
    b"[1,,2]",
    b'["x",,]',
    b'["x"]]',
    b'["",]',
    b'["x"',
    b"[x",
    b"[3[4]]",
    b"[\xff]",
    b"[1:2]",
    b"[,]",
    b"[-]",
    b'[   , ""]',
    b'["a",\n4\n,1,',
    b"[1,]",
    b"[1,,]",
    b'["\x0ba"\\f]',
    b"[*]",
    b'[""',
    b"[1,",
    b"[1,\n1\n,1",
    b"[{}",
    b"[fals]",
    b"[nul]",
    b"[tru]",
    b"123\x00",
    b"[++1234]",
    b"[+1]",
    b"[+Inf]",
    b"[-01]",
    b"[-1.0.]",
    b"[-2.]",
    b"[-NaN]",
    b"[.-1]",
    b"[.2e-3]",
    b"[0.1.2]",
    b"[0.3e+]",
    b"[0.3e]",
    b"[0.e1]",
    b"[0E+]",
    b"[0E]",
    b"[0e+]",
    b"[0e]",
    b"[1.0e+]",
    b"[1.0e-]",
    b"[1.0e]",
    b"[1 000.0]",
    b"[1eE2]",
    b"[2.e+3]",
    b"[2.e-3]",
    b"[2.e3]",
    b"[9.e+]",
    b"[Inf]",
    b"[NaN]",
    "[\uff11]".encode(),
    b"[1+2]",
    b"[0x1]",
    b"[0x42]",
    b"[Infinity]",
    b"[0e+-1]",
    b"[-123.123foo]",
    b"[123\xe5]",
    b"[1e1\xe5]",
    b"[0\xe5]\n",
    b"[-Infinity]",
    b"[-foo]",
    b"[- 1]",
    b"[-012]",
    b"[-.123]",
    b"[-1x]",
    b"[1ea]",
    b"[1e\xe5]",
    b"[1.]",
    b"[.123]",
    b"[1.2a-3]",
    b"[1.8011670033376514H-308]",
    b"[012]",
    b'["x", truth]',
    b'{[: "x"}\n',
    b'{"x", null}',
    b'{"x"::"b"}',
    b"{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}",
    b'{"a":"a" 123}',
    b"{key: 'value'}",
    b'{"\xb9":"0",}',
    b'{"a" b}',
    b'{:"b"}',
    b'{"a" "b"}',
    b'{"a":',
    b'{"a"',
    b"{1:1}",
    b"{9999E9999:1}",
    b"{null:null,null:null}",
    b'{"id":0,,,,,}',
    b"{'a':0}",
    b'{"id":0,}',
    b'{"a":"b"}/**/',
    b'{"a":"b"}/**//',
    b'{"a":"b"}//',
    b'{"a":"b"}/',
    b'{"a":"b",,"c":"d"}',
    b'{a: "b"}',
    b'{"a":"a',
    b'{ "foo" : "bar", "a" }',
    b'{"a":"b"}#',
    b'["\\uD800\\"]',
    b'["\\uD800\\u"]',
    b'["\\uD800\\u1"]',
    b'["\\uD800\\u1x"]',
    "[é]".encode(),
    b'["\\\x00"]',
    b'["\\\\\\"]',
    b'["\\\t"]',
    '["\\\U0001f300"]'.encode(),
    b'["\\"]',
    b'["\\u00A"]',
    b'["\\uD834\\Dd"]',
    b'["\\uD800\\uD800\\x"]',
    b'["\\a"]',
    b'["\\uqqqq"]',
    b'["\\\xe5"]',
    b'[\\u0020"asd"]',
    b"[\\n]",
    b'"',
    b"['single quote']",
    b"abc",
    b'["\\',
    b'["a\x00a"]',
    b'["new\nline"]',
    b'["\t"]',
    b'"\\UA66D"',
    b'""x',
    b"<.>",
    b"[<null>]",
    b"[1]x",
    b"[1]]",
    b'["asd]',
    b"a\xc3\xa5",
    b"[True]",
    b"1]",
    b'{"x": true,',
    b"[][]",
    b"]",
    b"\xef\xbb{}",
    b"\xe5",
    b"[",
    b'{"a": true} "x"',
    b'["a',
    b"{",
    b"{]",
    b"{,",
    b"{[",
    b'{"a',
    b"{'a'",
    b'[{"":[{"":' * 1000,
    b"[" * 100_000,
    b"*",
    b'[\\u000A""]',
    b"2@",
    b"{}}",
    b'{"":',
    b'{"a":/*comment*/"b"}',
    b'{"a": true} "x"',
    b"[\x0c]",
    "[\u2060]".encode(),
    b"[\xc2\xa0]",
    b"[-00.0]",
    b"[-00e0]",
    b"[00.0]",
    b"[00e0]",
    b"[-0.]",
    b"[--1]",
    b"[1_000]",
    b"[1e1.5]",
    b'["\\012"]',
    b'["\\x41"]',
    b'["\\U0041"]',
    b'["\\u\xe5"]',
    b'["\\uD834\\uDd"]',
    b"[\x00]",
    b"\x00",
    b"[1,2",
    b"[[",
    b"{{",
    b'{"a":1 "b":2}',
    b'{"a":[}',
    b'[{"a"]}',
    b"nulll",
    b"truefalse",
    b'"a" "b"',
    b"['",
    b"[,",
    b"[{",
    b"[1",
    b"[ false, nul",
    b"[ true, fals",
    b'{"asd":"asd"',
    b'{"a":"b"}#{}',
    "\u00e5".encode(),
    b"\xe9",
    b'["\\{["\\{["\\{["\\{',
    b'["mismatch"}',
    b'{"mismatch"]',
    b'{"double quote" : "a"b"}',
    b'["line\\\nbreak"]',
    b'["tab\\\tcharacter"]',
    b'{"numbers cannot have leading zeroes": 013}',
    b"[1]\x00",
    b"\x00[1]",
    b'{"a\x00b":1}',
    b'{"a":1}{"b":2}',
    b"1 2",
    b"-",
    b"- 0",
    b"0x",
    b"1e",
    b".",
    b"1,",
    b"+0",
    b"NaN",
    b"nan",
    b"-Infinity",
    b"undefined",
    b"None",
    b"[1;2]",
    b"{1}",
    b'{"a":1;"b":2}',
    b"// one\n1",
    b"1 // one",
    b"# one\n1",
    b"`a`",
    b'"\x1f"',
    b'"\\u 041"',
    b'"\\u+041"',
    b'"\\u00g0"',
    b'"\\ud83d\\n\\ude39"',
    b"\xa0[1]",
    "\u3000[1]".encode(),
    "\u2028[1]".encode(),
    b"\x85[1]",
    b'{"a":1' * 100_000,
    b'[[{"a":' * 50_000,
    # UTF-8 that is none: overlong, of surrogates, past the last code point, five and six bytes, cut short.
    *(
        b'["' + bad + b'"]'
        for bad in (
            b"\xc0\x80",
            b"\xc1\xbf",
            b"\xe0\x80\x80",
            b"\xe0\x9f\xbf",
            b"\xf0\x80\x80\x80",
            b"\xf0\x8f\xbf\xbf",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xa0\x81\xed\xb0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xfc\x84\x80\x80\x80\x80",
            b"\xfe",
            b"\x80",
            b"\xbf",
            b"\xc3",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"\xc3(",
            b"\xe2(\xa1",
            b"\xf0(\x8c\xbc",
            b"\xc3\xc3\xa9",
        )
    ),
    b'["\xf0\x9f\x98',
    b'{"\xc0\x80":1}',
    # Left open by the RFC; what we do.
    *('["a"]'.encode(encoding) for encoding in ("utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le", "utf-32")),
    b"\xff\xfe[\x00]\x00",
    b'[1,"\xef\xbb\xbf",\xef\xbb\xbf2]',
    b'"\\ud800"',
    b'"\\udfff\\ud800"',
    b'"\\ud83d\\u0041"',
    b"\xef\xbb\xbf",
    b"\xef\xbb\xbf{}",
    '{"é"}'.encode("utf-16-le"),
    b'["\\uD800"]',
    b'["\\uD800\\uD800"]',
    b'["\\uD800abc"]',
    b'{"\\uDFAA":0}',
    b'["\xff"]',
    b'["\xc0\xaf"]',
    b'["\xed\xa0\x80"]',
    b'["\xe0\xff"]',
    b'["\xf4\xbf\xbf\xbf"]',
    b'["\xfc\x83\xbf\xbf\xbf\xbf"]',
    b'["\x81"]',
    '["é"]'.encode("utf-16"),
    b'["\\uDADA"]',
    b'["\\uD888\\u1234"]',
    b'["\\uD800\\n"]',
    b'["\\udc00"]',
    b'["\\uDd1e\\uD834"]',
    b"[" * 129 + b"]" * 129,
]


#: Well-formed numbers that no value of Python can be, or none of a bearable size.
TOO_LARGE = [
    b"[1e9999]",
    b"[-1e9999]",
    b"[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006]",
    b"[" + b"9" * 5000 + b"]",
    b"[1e99999999999999999999]",
    b"[-1E+309]",
    b"[1.7976931348623159e308]",
    b"[" + b"9" * 400 + b".5]",
    b"[" + b"9" * 1_000_000 + b"]",
]


@pytest.mark.parametrize(("text", "value"), VALID, ids=lambda case: repr(case)[:40])
def test_valid(text: bytes, value: object) -> None:
    assert ANY.validate_json(text) == value == json.loads(text)
    assert repr(ANY.validate_json(text)) == repr(json.loads(text))  # types and signs of zero too
    assert ANY.validate_json(bytearray(text)) == value
    assert ANY.validate_json(memoryview(text)) == value
    assert ANY.load(text) == value


@pytest.mark.parametrize("text", INVALID, ids=lambda text: repr(text)[:40])
def test_invalid(text: bytes) -> None:
    with pytest.raises(InvalidError) as raised:
        ANY.validate_json(text)
    assert [error["type"] for error in raised.value.errors] == ["json_invalid"]
    # What a schema skips is held to the same.
    with pytest.raises(InvalidError):
        Schema({"a": Field(int, required=False)}).validate_json(b'{"other":' + text + b"}")


@pytest.mark.parametrize("text", TOO_LARGE, ids=lambda text: repr(text)[:40])
def test_numbers_without_a_value(text: bytes) -> None:
    with pytest.raises(InvalidError) as raised:
        ANY.validate_json(text)
    assert raised.value.errors[0]["type"] in ("finite_number", "int_parsing_size", "json_invalid")


#: Documents around a value, and the routes that read them: as a body, beside another argument, unread, and as variables
#: of GraphQL.
PLACES: dict[str, bytes] = {
    "/body": b"%s",
    "/arguments": b'{"a":%s,"b":1}',
    "/unread": b'{"a":1,"b":1,"c":%s}',
    "/graphql": b'{"query":"{__typename}","variables":{"a":%s}}',
}
#: Read as another document there, a level deeper, or larger than GraphQL takes.
OTHERWISE = {text for text in (*(text for text, _ in VALID), *INVALID) if len(text) > 250_000 or not text.strip()}
OTHERWISE.add(b"[" * 128 + b"]" * 128)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    api = API(openapi_url=None)

    @api.post("/body")
    async def body(value: Annotated[Any, Body()]) -> Any:
        return value

    @api.post("/arguments")
    async def arguments(a: Annotated[Any, Body()], b: Annotated[int, Body()]) -> Any:
        return a

    @api.post("/unread")
    async def unread(a: Annotated[int, Body()], b: Annotated[int, Body()]) -> Any:
        return a

    api.graphql("/graphql", GraphQL([Author]))
    with TestClient(api) as made:
        yield made


@pytest.mark.parametrize("place", PLACES)
def test_the_same_verdict_everywhere(client: TestClient, place: str) -> None:
    json_headers = {"content-type": "application/json"}

    def answer(text: bytes) -> Any:
        return client.post(place, content=PLACES[place].replace(b"%s", text), headers=json_headers)

    for text, value in VALID:
        if text not in OTHERWISE:
            response = answer(text)
            assert response.status_code == 200, text[:40]
            assert place in ("/unread", "/graphql") or response.json() == value
    for text in INVALID:
        if text not in OTHERWISE:
            assert answer(text).status_code in (400, 422), text[:40]
