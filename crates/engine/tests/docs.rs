//! The OpenAPI document, its pages, and their assets: which never come from anywhere else on the disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};

use plectrum_engine::app::{App, Options};
use plectrum_engine::openapi::{self, Shown};
use serde_json::{Value as Json, json};
use support::{build, described, get, options, parameter, route, run, with};

fn document(routes: &[Json]) -> Json {
    openapi::document(&described(json!({"routes": routes})), Shown::default())
}

#[test]
fn parameters_bodies_and_answers() {
    let parameters = json!([
        parameter("path", "id", json!({"type": "int"})),
        with(parameter("query", "q", json!({"type": "str"})), json!({"required": false, "default": "x", "description": "What"})),
        parameter("header", "x-token", json!({"type": "str"})),
        parameter("body", "it", json!({"type": "dict", "key": {"type": "str"}, "value": {"type": "int"}})),
        {"name": "request", "wire": "request", "source": "request", "required": true, "description": null},
    ]);
    let put = with(
        route("PUT", "/a/{id:int}", parameters),
        json!({
            "status": 201, "tags": ["things"], "summary": "Put it", "description": "More.", "deprecated": true,
            "response": {"root": {"type": "list", "container": "list", "item": {"type": "int"}}, "definitions": []},
        }),
    );
    let document = document(&[put, route("DELETE", "/a/{id}", json!([]))]);
    assert_eq!(document["openapi"], "3.1.1");
    assert_eq!(document["info"], json!({"title": "Test", "version": "1"}));
    let item = &document["paths"]["/a/{id}"];
    assert_eq!(item.as_object().unwrap().len(), 2, "typed and untyped spellings are one path");
    let operation = &item["put"];
    assert_eq!(
        operation["parameters"],
        json!([
            {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "q", "in": "query", "required": false, "schema": {"type": "string", "default": "x"}, "description": "What"},
            {"name": "x-token", "in": "header", "required": true, "schema": {"type": "string"}},
        ])
    );
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema, &json!({"type": "object", "additionalProperties": {"type": "integer"}}));
    assert_eq!(operation["responses"]["201"]["content"]["application/json"]["schema"]["type"], "array");
    assert_eq!(operation["responses"]["422"], json!({"$ref": "#/components/responses/Invalid"}));
    assert_eq!(
        document["components"]["responses"]["Invalid"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/ValidationProblem"
    );
    assert_eq!(
        (&operation["tags"], &operation["summary"], &operation["description"], &operation["deprecated"]),
        (&json!(["things"]), &json!("Put it"), &json!("More."), &json!(true))
    );
}

#[test]
fn refusals_are_told_where_they_can_happen() {
    let guarded = |schemes: Json, guard: Json, limits: Json| json!({"schemes": schemes, "guard": guard, "limits": limits});
    let limit = json!({"name": "a", "quota": 1, "period": 1.0, "burst": 1, "per": "all", "scope": "a"});
    let routes = [
        with(route("GET", "/open", json!([])), json!({"strict_query": false})),
        with(route("GET", "/strict", json!([])), json!({"strict_query": true})),
        with(
            route("GET", "/token", json!([])),
            json!({"gate": guarded(json!([0]), json!("authenticated"), json!(null))}),
        ),
        with(
            route("POST", "/session", json!([])),
            json!({"gate": guarded(json!([1]), json!("authenticated"), json!(null))}),
        ),
        with(
            route("GET", "/limited", json!([])),
            json!({"gate": guarded(json!([]), json!(null), json!([limit]))}),
        ),
        with(
            route("GET", "/said", json!([])),
            json!({"responses": [
                {"status": 404, "description": "There is no such order."},
                {"status": 202, "description": "Accepted", "schema": {"root": {"type": "int"}, "definitions": []}},
            ]}),
        ),
    ];
    let security = json!({"schemes": [
        {"name": "bearer", "type": "bearer", "callback": 0, "realm": "api"},
        {"name": "session", "type": "session", "callback": 1, "cookie": "sessionid", "csrf_header": "x-csrftoken"},
    ]});
    let document =
        openapi::document(&described(json!({"routes": routes, "security": security})), Shown::default());
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        responses.keys().filter(|status| *status != "default").cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(statuses("/open", "get"), "200");
    assert_eq!(statuses("/strict", "get"), "200 422");
    assert_eq!(statuses("/token", "get"), "200 401");
    assert_eq!(statuses("/session", "post"), "200 401 403", "CSRF");
    assert_eq!(statuses("/limited", "get"), "200 429");
    assert_eq!(statuses("/said", "get"), "200 202 404");
    let said = &document["paths"]["/said"]["get"]["responses"];
    assert_eq!(said["404"]["description"], "There is no such order.");
    assert_eq!(said["202"]["content"]["application/json"]["schema"], json!({"type": "integer"}));
    let shared = document["components"]["responses"].as_object().unwrap();
    let names = shared.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names, ["Unauthorized", "Forbidden", "Invalid", "TooManyRequests", "Problem"]);
    assert!(shared["TooManyRequests"]["headers"]["Retry-After"].is_object());
}

#[test]
fn examples_and_types_of_files() {
    let upload = json!({"type": "upload", "media_types": ["image/png", "image/gif"]});
    let field = json!({"name": "title", "node": {"type": "str"}, "examples": ["Plain text"]});
    let body = json!({"type": "struct", "name": "Article", "class": 0, "fields": [field]});
    let document = document(&[
        route("POST", "/file", json!([parameter("form", "image", upload)])),
        route("POST", "/article", json!([parameter("body", "it", body)])),
        route(
            "GET",
            "/search",
            json!([with(parameter("query", "q", json!({"type": "str"})), json!({"examples": ["a", "b"]}))]),
        ),
    ]);
    assert_eq!(
        document["paths"]["/file"]["post"]["requestBody"]["content"]["multipart/form-data"]["encoding"],
        json!({"image": {"contentType": "image/png, image/gif"}})
    );
    assert_eq!(
        document["components"]["schemas"]["Article"]["properties"]["title"]["examples"],
        json!(["Plain text"])
    );
    assert_eq!(document["paths"]["/search"]["get"]["parameters"][0]["schema"]["examples"], json!(["a", "b"]));
}

#[test]
fn bodies_in_parts() {
    let fields = |source: &str| {
        json!([
            parameter(source, "a", json!({"type": "int"})),
            with(parameter(source, "b", json!({"type": "str"})), json!({"required": false}))
        ])
    };
    let document =
        document(&[route("POST", "/keys", fields("body_field")), route("POST", "/form", fields("form"))]);
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]});
    let form = "application/x-www-form-urlencoded";
    for (path, media_types) in
        [("/keys", vec!["application/json"]), ("/form", vec![form, "multipart/form-data"])]
    {
        let content: Json =
            media_types.into_iter().map(|name| (name.to_owned(), json!({"schema": schema}))).collect();
        assert_eq!(
            document["paths"][path]["post"]["requestBody"],
            json!({"required": true, "content": content})
        );
    }
}

#[test]
fn what_is_hidden_or_has_no_place_is_left_out() {
    let hidden = with(route("GET", "/hidden", json!([])), json!({"include_in_schema": false}));
    let document = document(&[
        hidden,
        route("PROPFIND", "/a", json!([])),
        with(route("GET", "/empty", json!([])), json!({"status": 204})),
    ]);
    assert_eq!(document["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/empty"]);
    assert_eq!(document["paths"]["/empty"]["get"]["responses"]["204"], json!({"description": "Success"}));
    assert_eq!(document["paths"]["/empty"]["get"]["responses"].get("422"), None);
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document(&[
        route("GET", "/a", json!([])),
        route("POST", "/a", json!([])),
        route("GET", "/a/{id}", json!([])),
        route("GET", "/a/id/b", json!([])),
    ]);
    let mut ids: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["route_a_get", "route_a_id_b_get", "route_a_id_get", "route_a_post"]);
}

/// A directory of assets beside a file that must stay secret.
struct Site {
    root: PathBuf,
}

impl Site {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("plectrum-docs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("assets/sub dir")).unwrap();
        for (file, text) in [
            ("secret.txt", "secret"),
            ("assets/a.js", "js"),
            ("assets/sub dir/b.css", "css"),
            ("assets/plain", "?"),
        ] {
            std::fs::write(root.join(file), text).unwrap();
        }
        Self { root }
    }

    fn app(&self) -> App {
        let docs = json!({"openapi": "/openapi.json", "swagger": "/docs/", "redoc": "/redoc", "assets": self.root.join("assets")});
        let blueprint =
            described(json!({"docs": docs, "info": {"title": "<T>", "version": "1", "description": "D"}}));
        build(&blueprint, &Options { docs: true, ..options() }).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn documents_and_pages() {
    let site = Site::new("pages");
    let app = site.app();
    let answer = get("/openapi.json").to(&app);
    assert_eq!(
        (answer.header("content-type"), &answer.json()["info"]["description"]),
        ("application/json", &json!("D"))
    );
    let swagger = get("/docs/").to(&app);
    assert_eq!(swagger.header("content-type"), "text/html; charset=utf-8");
    for part in [
        "<title>&lt;T&gt;</title>",
        "SwaggerUIBundle({url: \"/openapi.json\"",
        "src=\"/docs/assets/swagger-ui-dist/",
    ] {
        assert!(swagger.body.contains(part), "{part}: {}", swagger.body);
    }
    let redoc = get("/redoc").to(&app);
    assert!(
        redoc.body.contains("spec-url=\"/openapi.json\"")
            && redoc.body.contains("src=\"/redoc/assets/redoc/"),
        "{}",
        redoc.body
    );
    assert!(!swagger.body.contains("//cdn") && !redoc.body.contains("http"), "no network is needed");
}

#[test]
fn assets_come_with_their_types() {
    let site = Site::new("types");
    let app = site.app();
    let asset = |path: &str| run(get(&format!("/docs/assets/{path}")).send(&app));
    let js = asset("a.js");
    assert_eq!(
        (js.status, js.body.as_str(), js.header("content-type")),
        (200, "js", "text/javascript; charset=utf-8")
    );
    assert_eq!(js.header("cache-control"), "max-age=86400");
    assert_eq!(asset("sub%20dir/b.css").header("content-type"), "text/css; charset=utf-8");
    assert_eq!(asset("plain").header("content-type"), "application/octet-stream");
    assert_eq!([asset("none.js").status, asset("sub%20dir").status, asset("").status], [404, 404, 404]);
}

#[test]
fn nothing_outside_of_the_assets_is_served() {
    let site = Site::new("traversal");
    let app = site.app();
    let absolute = site.root.join("secret.txt");
    assert!(Path::new(&absolute).is_file());
    let encoded = absolute.to_str().unwrap().replace('/', "%2F");
    let attempts = [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "sub%20dir/../../secret.txt",
        "sub%20dir/..%2f..%2fsecret.txt",
        "./../secret.txt",
        "..%5csecret.txt",
        "..%00/secret.txt",
        "a.js%00",
        "....//secret.txt",
        "%252e%252e/secret.txt",
        "//etc/passwd",
        "%2Fetc%2Fpasswd",
        &encoded,
    ];
    for attempt in attempts {
        let answer = run(get(&format!("/docs/assets/{attempt}")).send(&app));
        assert!([400, 404].contains(&answer.status), "{attempt}: {answer:?}");
        assert!(!answer.body.contains("secret") && !answer.body.contains("root:"), "{attempt}: {answer:?}");
    }
}

#[test]
fn documents_can_be_switched_off_and_do_not_hide_routes() {
    let docs = json!({"openapi": "/openapi.json", "swagger": null, "redoc": null, "assets": null});
    let blueprint = described(json!({"docs": docs}));
    assert_eq!(get("/openapi.json").to(&build(&blueprint, &options()).unwrap()).status, 404);
    let taken = described(json!({"docs": docs, "routes": [route("GET", "/openapi.json", json!([]))]}));
    let error = build(&taken, &Options { docs: true, ..options() }).err().unwrap();
    assert_eq!(
        (error.route, error.reason.as_str()),
        (
            Some(0),
            "a document is served at `/openapi.json` already: give the route another path, or the document (openapi_url=, docs_url=, redoc_url=)"
        )
    );
}
