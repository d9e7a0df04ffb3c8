//! Who answers: routes, and the answers that need nobody.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use plectrum_engine::app::BuildError;
use plectrum_http::router::TrailingSlash;
use serde_json::json;
use support::{Answer, Ask, ask, blueprint, build, echo, get, options, parameter, route, with};

fn int(name: &str) -> serde_json::Value {
    parameter("path", name, json!({"type": "int"}))
}

#[test]
fn method_and_path_choose_the_route() {
    let app = echo(&[
        route("GET", "/a/{id}", json!([int("id")])),
        route("PUT", "/a/{id}", json!([])),
        route("GET", "/a/{id}/{name}", json!([parameter("path", "name", json!({"type": "str"})), int("id")])),
    ]);
    assert_eq!(get("/a/7").to(&app).body, "[7]");
    assert_eq!(ask("PUT", "/a/7").to(&app).body, "[]");
    assert_eq!(get("/a/7/x").to(&app).body, r#"["x",7]"#);
    // HEAD is GET; the server takes the body off.
    assert_eq!(ask("HEAD", "/a/7").to(&app).status, 200);
}

#[test]
fn path_values_are_decoded_once() {
    let app = echo(&[route(
        "GET",
        "/{a}/{b}",
        json!([
            parameter("path", "a", json!({"type": "str"})),
            parameter("path", "b", json!({"type": "str"})),
        ]),
    )]);
    assert_eq!(get("/a%2Fb/%C3%A9").to(&app).json(), json!(["a/b", "é"]));
    assert_eq!(get("/a+b/%2541").to(&app).json(), json!(["a+b", "%41"]));
    assert_eq!(get("/plain/mixed%20one").to(&app).json(), json!(["plain", "mixed one"]));
}

fn refused(answer: &Answer, status: u16, title: &str) {
    let document = json!({"type": "about:blank", "title": title, "status": status});
    assert_eq!((answer.status, answer.json()), (status, document));
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[test]
fn what_nobody_answers() {
    let app =
        echo(&[route("GET", "/a/{id:int}", json!([int("id")])), route("DELETE", "/a/{id:int}", json!([]))]);
    refused(&get("/b").to(&app), 404, "Not Found");
    refused(&get("/a/x").to(&app), 404, "Not Found");
    refused(&get("/a/7/").to(&app), 404, "Not Found");
    refused(&get("/a/%ff").to(&app), 400, "Bad Request");
    let answer = ask("POST", "/a/7").to(&app);
    refused(&answer, 405, "Method Not Allowed");
    assert_eq!(answer.header("allow"), "DELETE, GET, HEAD, OPTIONS");
}

#[test]
fn options_tells_the_methods() {
    let app = echo(&[route("POST", "/a", json!([])), route("GET", "/b", json!([]))]);
    let allowed = |target: &str| {
        let answer = ask("OPTIONS", target).to(&app);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        answer.header("allow").to_owned()
    };
    assert_eq!(allowed("/a"), "OPTIONS, POST");
    assert_eq!(allowed("/b"), "GET, HEAD, OPTIONS");
    assert_eq!(allowed("*"), "GET, HEAD, OPTIONS, POST");
    assert_eq!(ask("OPTIONS", "/c").to(&app).status, 404);
}

#[test]
fn the_last_slash_is_a_matter_of_policy() {
    let app = |slash| {
        build(
            &blueprint(&[route("GET", "/a", json!([])), route("GET", "/b/", json!([]))]),
            &support_options(slash),
        )
        .unwrap()
    };
    let strict = app(TrailingSlash::Strict);
    assert_eq!([get("/a/").to(&strict).status, get("/b").to(&strict).status], [404, 404]);
    let ignore = app(TrailingSlash::Ignore);
    assert_eq!([get("/a/").to(&ignore).status, get("/b").to(&ignore).status], [200, 200]);
    let redirect = app(TrailingSlash::Redirect);
    let sent_to = |request: Ask| {
        let answer = request.to(&redirect);
        assert_eq!((answer.status, answer.body.as_str()), (308, ""));
        answer.header("location").to_owned()
    };
    assert_eq!(sent_to(get("/a/?x=1&y=%20")), "/a?x=1&y=%20");
    assert_eq!(sent_to(get("/b")), "/b/");
}

fn support_options(slash: TrailingSlash) -> plectrum_engine::app::Options {
    plectrum_engine::app::Options { slash, ..options() }
}

fn error(routes: &[serde_json::Value]) -> BuildError {
    build(&blueprint(routes), &options()).err().expect("an error")
}

#[test]
fn routes_that_cannot_be() {
    let at = |route, other, reason: &str| BuildError { route, other, reason: reason.to_owned() };
    assert_eq!(
        error(&[
            route("GET", "/a", json!([])),
            route("GET", "/b/{x}", json!([])),
            route("GET", "/b/{y}", json!([]))
        ]),
        at(Some(2), Some(1), "route `GET /b/{y}` can never be reached: `GET /b/{x}` matches the same paths")
    );
    assert_eq!(
        error(&[route("GET", "/a/{id}", json!([int("key")]))]),
        at(Some(0), None, "route `GET /a/{id}`: the path has no parameter {key}")
    );
    assert_eq!(
        error(&[route("GET", "/a", json!([parameter("header", "x y", json!({"type": "str"}))]))]),
        at(Some(0), None, "route `GET /a`: \"x y\" cannot be the name of a header")
    );
    assert_eq!(
        error(&[route("GET IT", "/a", json!([]))]),
        at(Some(0), None, "\"GET IT\" is not an HTTP method")
    );
    assert!(error(&[route("GET", "/a/{", json!([]))]).reason.starts_with("route `/a/{`: "));
}

#[test]
fn what_the_endpoint_says_is_the_error() {
    let blueprint = blueprint(&[route("GET", "/a", json!([])), route("GET", "/b", json!([]))]);
    let built = plectrum_engine::app::App::build(&blueprint, &options(), |index, route, extractor| {
        if index == 1 {
            Err(format!("not {}", route.path))
        } else {
            Ok(std::rc::Rc::new(support::Echo(extractor)))
        }
    });
    assert_eq!(built.err().unwrap(), BuildError { route: Some(1), other: None, reason: "not /b".to_owned() });
}

#[test]
fn bodies_are_read_only_for_those_who_want_them() {
    let body = parameter("body", "it", json!({"type": "any"}));
    let app = echo(&[route("POST", "/with", json!([body])), route("POST", "/without", json!([]))]);
    assert_eq!(ask("POST", "/with").json(&json!({"a": 1})).to(&app).json(), json!([{"\"a\"": 1}]));
    assert_eq!(ask("POST", "/without").body("{").to(&app).body, "[]");
    let large = with(json!({}), json!({"a": "x".repeat(1000)}));
    refused(&ask("POST", "/with").json(&large).to(&app), 413, "Content Too Large");
}
