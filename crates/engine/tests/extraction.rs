//! Arguments from every source, everything that can be wrong with them, and how it is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use plectrum_engine::app::App;
use serde_json::{Value as Json, json};
use support::{ask, echo, get, parameter, route, with};

fn one(method: &str, parameters: Json) -> App {
    echo(&[route(method, "/{p}", parameters)])
}

fn int() -> Json {
    json!({"type": "int"})
}

fn text() -> Json {
    json!({"type": "str"})
}

fn list(item: Json) -> Json {
    json!({"type": "list", "container": "list", "item": item})
}

fn optional() -> Json {
    json!({"required": false})
}

fn many() -> Json {
    json!({"many": true})
}

#[test]
fn query() {
    let app = one(
        "GET",
        json!([
            parameter("query", "n", int()),
            with(parameter("query", "q", text()), optional()),
            with(with(parameter("query", "tag", list(text())), many()), optional()),
        ]),
    );
    assert_eq!(get("/x?n=7").to(&app).json(), json!([7, "absent", "absent"]));
    assert_eq!(
        get("/x?q=a+b%26&n=7&tag=1&tag=%C3%A9&other=%20").to(&app).json(),
        json!([7, "a b&", ["1", "é"]])
    );
    // The last value of a repeated name counts, as in Django's QueryDict.
    assert_eq!(get("/x?n=7&n=8").to(&app).json(), json!([8, "absent", "absent"]));
    assert_eq!(get("/x?n=7&q=").to(&app).json(), json!([7, "", "absent"]));
    assert_eq!(get("/x").to(&app).errors(), json!([[["query", "n"], "missing"]]));
    assert_eq!(get("/x?n=seven").to(&app).errors(), json!([[["query", "n"], "int_parsing"]]));
    let malformed = get("/x?n=7&q=%ff").to(&app);
    assert_eq!(malformed.status, 400);
    assert_eq!(malformed.json()["detail"], "The query or form is not UTF-8 text.");
}

#[test]
fn lists_name_the_item_at_fault() {
    let app = one("GET", json!([with(parameter("query", "n", list(int())), many())]));
    assert_eq!(get("/x?n=1&n=2").to(&app).json(), json!([[1, 2]]));
    assert_eq!(
        get("/x?n=1&n=b&n=c").to(&app).errors(),
        json!([[["query", "n", 1], "int_parsing"], [["query", "n", 2], "int_parsing"],])
    );
}

#[test]
fn headers() {
    let app = one(
        "GET",
        json!([
            parameter("header", "x-n", int()),
            with(parameter("header", "x-name", text()), optional()),
            with(with(parameter("header", "x-tag", list(text())), many()), optional()),
        ]),
    );
    let asked =
        get("/x").header("x-n", "7").header("x-tag", "a").header("x-tag", "b").header("x-name", "Ada");
    assert_eq!(asked.to(&app).json(), json!([7, "Ada", ["a", "b"]]));
    // Bytes past ASCII are Latin-1.
    assert_eq!(get("/x").header("x-n", "7").header("x-name", b"caf\xe9").to(&app).json()[1], "café");
    assert_eq!(get("/x").to(&app).errors(), json!([[["header", "x-n"], "missing"]]));
    assert_eq!(get("/x").header("x-n", "one").to(&app).errors(), json!([[["header", "x-n"], "int_parsing"]]));
}

#[test]
fn cookies() {
    let app = one(
        "GET",
        json!([parameter("cookie", "sid", text()), with(parameter("cookie", "n", int()), optional()),]),
    );
    assert_eq!(get("/x").header("cookie", "a=b; sid=s1; n=7").to(&app).json(), json!(["s1", 7]));
    assert_eq!(get("/x").header("cookie", "sid=s1").to(&app).json(), json!(["s1", "absent"]));
    assert_eq!(
        get("/x").header("cookie", "sid=s1; n=x").to(&app).errors(),
        json!([[["cookie", "n"], "int_parsing"]])
    );
    assert_eq!(get("/x").to(&app).errors(), json!([[["cookie", "sid"], "missing"]]));
}

#[test]
fn every_typed_leaf_of_a_path() {
    let cases = [
        ("int", "/12345678901234567890", json!("12345678901234567890")),
        ("float", "/1.5", json!(1.5)),
        ("bool", "/on", json!(true)),
        ("decimal", "/1.50", json!("1.50")),
        ("uuid", "/6ba7b810-9dad-11d1-80b4-00c04fd430c8", json!("6ba7b8109dad11d180b400c04fd430c8")),
        ("date", "/2024-02-29", json!("2024-2-29")),
        ("time", "/12:30:01", json!("12:30:1")),
        ("datetime", "/2024-02-29T12:30:01Z", json!(["2024-2-29", "12:30:1"])),
        ("duration", "/90", json!("90000000")),
    ];
    for (kind, target, value) in cases {
        let app = one("GET", json!([parameter("path", "p", json!({"type": kind}))]));
        assert_eq!(get(target).to(&app).json(), json!([value]), "{kind}");
        let wrong = get("/no-such-thing").to(&app);
        assert_eq!((wrong.status, &wrong.json()["errors"][0]["loc"]), (422, &json!(["path", "p"])), "{kind}");
    }
}

fn person() -> Json {
    json!({"type": "struct", "name": "Person", "class": 0, "extra": "ignore", "fields": [
        {"name": "name", "node": {"type": "str"}, "required": true},
        {"name": "age", "node": {"type": "int"}, "required": true},
    ]})
}

#[test]
fn one_body() {
    let app = one("POST", json!([parameter("body", "person", person())]));
    let post = || ask("POST", "/x");
    let ada = json!({"name": "Ada", "age": 36});
    assert_eq!(post().json(&ada).to(&app).json(), json!([ada]));
    // Undeclared, or any kind of JSON.
    assert_eq!(post().body(ada.to_string()).to(&app).status, 200);
    let merge =
        post().header("content-type", "application/merge-patch+json; charset=utf-8").body(ada.to_string());
    assert_eq!(merge.to(&app).status, 200);
    assert_eq!(post().to(&app).errors(), json!([[["body"], "missing"]]));
    assert_eq!(
        post().json(&json!({"age": 1.5})).to(&app).errors(),
        json!([[["body", "age"], "int_from_float"], [["body", "name"], "missing"]])
    );
    assert_eq!(post().json(&json!([1])).to(&app).errors(), json!([[["body"], "model_type"]]));
}

#[test]
fn a_body_that_is_not_json_is_400_and_says_where() {
    let app = one("POST", json!([parameter("body", "person", person())]));
    for body in ["{", "{\"name\": }", "nope", "{} {}", "\u{feff}{}", "[1,]", "{\"a\": 01}"] {
        let answer = ask("POST", "/x").header("content-type", "application/json").body(body).to(&app);
        assert_eq!((answer.status, answer.errors()), (400, json!([[["body"], "json_invalid"]])), "{body}");
        assert_eq!(answer.json()["title"], "Bad Request");
    }
    let answer = ask("POST", "/x").body(b"{\"name\": \"\xff\"}").to(&app);
    assert_eq!((answer.status, answer.errors()), (400, json!([[["body"], "json_invalid"]])));
}

#[test]
fn a_body_of_another_type_is_415() {
    let app = one("POST", json!([parameter("body", "person", person())]));
    for media_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", ""] {
        let answer = ask("POST", "/x").header("content-type", media_type).body("{}").to(&app);
        assert_eq!(
            (answer.status, answer.json()["title"].as_str()),
            (415, Some("Unsupported Media Type")),
            "{media_type}"
        );
    }
    // Where there is no body its type is no matter.
    let answer = ask("POST", "/x").header("content-type", "text/plain").to(&app);
    assert_eq!(answer.errors(), json!([[["body"], "missing"]]));
}

#[test]
fn several_bodies_are_keys_of_one_object() {
    let app = one(
        "POST",
        json!([
            parameter("body_field", "person", person()),
            parameter("body_field", "n", int()),
            with(parameter("body_field", "note", text()), optional()),
        ]),
    );
    let post = |body: &Json| ask("POST", "/x").json(body).to(&app);
    let ada = json!({"name": "Ada", "age": 36});
    assert_eq!(post(&json!({"n": 7, "person": ada, "other": []})).json(), json!([ada, 7, "absent"]));
    assert_eq!(
        post(&json!({"n": "x", "person": {"name": 1}, "note": null})).errors(),
        json!([
            [["body", "person", "name"], "string_type"],
            [["body", "person", "age"], "missing"],
            [["body", "n"], "int_type"],
            [["body", "note"], "string_type"],
        ])
    );
    assert_eq!(
        ask("POST", "/x").to(&app).errors(),
        json!([[["body", "person"], "missing"], [["body", "n"], "missing"],])
    );
}

#[test]
fn keys_of_what_is_no_object() {
    let app = one(
        "POST",
        json!([
            parameter("query", "q", int()),
            parameter("body_field", "a", int()),
            parameter("body_field", "b", json!({"type": "any"})),
        ]),
    );
    let post = |body: &'static str| ask("POST", "/x?q=x").body(body).to(&app);
    for body in ["5", "[1]", "null", "\"a\""] {
        let expected = json!([[["query", "q"], "int_parsing"], [["body"], "dict_type"]]);
        assert_eq!((post(body).status, post(body).errors()), (422, expected), "{body}");
    }
    for body in ["{", "{\"a\": 1, \"b\": }", "{\"a\": 1, \"b\": 2} x"] {
        let expected = json!([[["query", "q"], "int_parsing"], [["body"], "json_invalid"]]);
        assert_eq!((post(body).status, post(body).errors()), (400, expected), "{body}");
    }
}

#[test]
fn form() {
    let app = one(
        "POST",
        json!([
            parameter("form", "n", int()),
            with(with(parameter("form", "tag", list(text())), many()), optional()),
        ]),
    );
    let post = |body: &str| ask("POST", "/x").form(body).to(&app);
    assert_eq!(post("n=7&tag=a+b&tag=%C3%A9").json(), json!([7, ["a b", "é"]]));
    assert_eq!(post("n=").errors(), json!([[["body", "n"], "int_parsing"]]));
    assert_eq!(post("tag=a").errors(), json!([[["body", "n"], "missing"]]));
    assert_eq!(post("n=%ff").status, 400);
    assert_eq!(ask("POST", "/x").to(&app).errors(), json!([[["body", "n"], "missing"]]));
    assert_eq!(ask("POST", "/x").body("n=7").to(&app).status, 415);
    assert_eq!(ask("POST", "/x").json(&json!({"n": 7})).to(&app).status, 415);
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_signature() {
    let app = one(
        "POST",
        json!([
            parameter("path", "p", int()),
            parameter("query", "q", json!({"type": "int", "ge": 1})),
            parameter("header", "x-h", json!({"type": "date"})),
            parameter("cookie", "c", json!({"type": "uuid"})),
            parameter("body", "person", person()),
        ]),
    );
    let answer = ask("POST", "/x?q=0")
        .header("x-h", "no")
        .header("cookie", "c=1")
        .json(&json!({"name": "A"}))
        .to(&app);
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["title"], "Unprocessable Content");
    assert_eq!(
        answer.errors(),
        json!([
            [["path", "p"], "int_parsing"],
            [["query", "q"], "greater_than_equal"],
            [["header", "x-h"], "date_from_datetime_parsing"],
            [["cookie", "c"], "uuid_parsing"],
            [["body", "age"], "missing"],
        ])
    );
    assert_eq!(answer.json()["errors"][1]["msg"], "Input should be greater than or equal to 1");
}

#[test]
fn the_request_itself_is_a_slot_for_the_binding() {
    let request = json!({"name": "request", "wire": "request", "source": "request", "required": true, "description": null});
    let app = one("GET", json!([request, parameter("path", "p", text())]));
    assert_eq!(get("/x").to(&app).json(), json!(["absent", "x"]));
}

#[test]
fn enums_and_literals() {
    let app = one(
        "GET",
        json!([
            parameter("query", "color", json!({"type": "enum", "class": 3, "values": ["red", "blue"]})),
            parameter("query", "n", json!({"type": "literal", "values": [1, 2]})),
        ]),
    );
    assert_eq!(get("/x?color=blue&n=2").to(&app).json(), json!([{"enum": 3, "member": 1}, 2]));
    let answer = get("/x?color=green&n=3").to(&app);
    assert_eq!(answer.errors(), json!([[["query", "color"], "enum"], [["query", "n"], "literal_error"]]));
    assert_eq!(answer.json()["errors"][0]["msg"], "Input should be 'red' or 'blue'");
}
