//! Native routes: arguments → statement → JSON, on a fake database and on real ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::rc::Rc;
use std::time::Duration;

use plectrum_db::Outcome;
use plectrum_db::error::Error;
use plectrum_db::value::Value;
use plectrum_engine::database::Database;
use serde_json::{Value as Json, json};
use support::database::{Fake, File, Namer, app, native, operation, postgres};
use support::{Answer, ask, get, parameter, run, with};

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn arguments_are_bound_in_the_order_of_the_signature() {
    let fake = Rc::new(Fake::default());
    let leaf = |name: &str, kind: &str| parameter("query", name, json!({"type": kind}));
    let parameters = json!([
        leaf("i", "int"),
        leaf("f", "float"),
        leaf("b", "bool"),
        leaf("s", "str"),
        leaf("d", "decimal"),
        leaf("u", "uuid"),
        leaf("day", "date"),
        leaf("at", "datetime"),
        leaf("t", "time"),
        leaf("for", "duration"),
        parameter("query", "e", json!({"type": "enum", "class": 0, "values": ["r", 2, null]})),
        with(
            parameter("query", "l", json!({"type": "list", "container": "list", "item": {"type": "int"}})),
            json!({"many": true})
        ),
    ]);
    let app = app(
        &[native("/a", parameters, &operation("SELECT 1", &[], &["int"]), json!({}))],
        &fake.database(),
        &Rc::default(),
    );
    let target = "/a?i=-7&f=1.5&b=no&s=%C3%A9&d=1.50&u=6BA7B810-9DAD-11D1-80B4-00C04FD430C8&day=2024-02-29\
                  &at=2024-02-29T12:30:01.5-03:30&t=23:59:59&for=90&e=2&l=1&l=2";
    assert_eq!(get(target).to(&app).status, 200);
    let (_, args, url) = fake.asked.borrow_mut().pop().unwrap();
    assert_eq!(url, "", "no links, no address");
    assert_eq!(
        args,
        [
            Value::Int(-7),
            Value::Float(1.5),
            Value::Bool(false),
            text("é"),
            text("1.50"),
            text("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            text("2024-02-29"),
            text("2024-02-29 12:30:01.500000-03:30:00"),
            text("23:59:59.000000"),
            text("90000000 microseconds"),
            Value::Int(2),
            Value::Array(vec![Value::Int(1), Value::Int(2)]),
        ]
    );
}

#[test]
fn defaults_are_bound_as_their_types_say() {
    let fake = Rc::new(Fake::default());
    let with_default = |name: &str, kind: Json, default: Json| {
        with(parameter("query", name, kind), json!({"required": false, "default": default}))
    };
    let parameters = json!([
        with_default("n", json!({"type": "int"}), json!(20)),
        with_default("d", json!({"type": "decimal"}), json!("1.50")),
        with_default("day", json!({"type": "date"}), json!("2024-02-29")),
        with_default(
            "l",
            json!({"type": "list", "container": "list", "item": {"type": "int"}}),
            json!([1, 2])
        ),
        with_default("e", json!({"type": "enum", "class": 0, "values": ["r", "b"]}), json!("b")),
        with_default("none", json!({"type": "optional", "inner": {"type": "int"}}), json!(null)),
        // Against its own rule: a mark of the user's, taken as it is.
        with_default("odd", json!({"type": "int", "ge": 0}), json!(-1)),
    ]);
    let app = app(
        &[native("/a", parameters, &operation("SELECT 1", &[], &["int"]), json!({}))],
        &fake.database(),
        &Rc::default(),
    );
    assert_eq!(get("/a").to(&app).status, 200);
    assert_eq!(
        fake.asked.borrow()[0].1,
        [
            Value::Int(20),
            text("1.50"),
            text("2024-02-29"),
            Value::Array(vec![Value::Int(1), Value::Int(2)]),
            text("b"),
            Value::Null,
            Value::Int(-1),
        ]
    );
}

#[test]
fn refused_arguments_never_reach_the_database() {
    let fake = Rc::new(Fake::default());
    let parameters = json!([parameter("path", "n", json!({"type": "int"}))]);
    let app = app(
        &[native("/{n}", parameters, &operation("SELECT 1", &[], &["int"]), json!({}))],
        &fake.database(),
        &Rc::default(),
    );
    assert_eq!(get("/x").to(&app).errors(), json!([[["path", "n"], "int_parsing"]]));
    assert_eq!(ask("POST", "/1").to(&app).status, 405);
    assert!(fake.asked.borrow().is_empty());
}

#[test]
fn the_address_is_for_links_only() {
    let fake = Rc::new(Fake::default());
    let routes = [native("/a", json!([]), &operation("SELECT 1", &[], &["int"]), json!({"links": true}))];
    let app = app(&routes, &fake.database(), &Rc::default());
    get("/a?page=2&x=%20").header("host", "example.com:8000").to(&app);
    get("/a").to(&app);
    let urls: Vec<String> = fake.asked.borrow().iter().map(|(.., url)| url.clone()).collect();
    assert_eq!(urls, ["http://example.com:8000/a?page=2&x=%20", "/a"]);
}

/// What a client is told of an execution's end.
fn told(outcome: Result<Outcome, Error>) -> Answer {
    let fake = Fake::answering(outcome);
    let routes = [native("/a", json!([]), &operation("SELECT 1", &[], &["int"]), json!({}))];
    get("/a").to(&app(&routes, &fake.database(), &Rc::default()))
}

#[test]
fn outcomes() {
    let found = told(Ok(Outcome::Found(b"{\"a\":1}".to_vec())));
    assert_eq!((found.status, found.body.as_str()), (200, "{\"a\":1}"));
    assert_eq!(found.header("content-type"), "application/json");
    let missing = told(Ok(Outcome::NotFound));
    assert_eq!((missing.status, missing.json()["title"].as_str()), (404, Some("Not Found")));
}

#[test]
fn every_database_error_has_its_status() {
    let server = |code: &str| Error::Server {
        code: code.to_owned(),
        message: "secret".to_owned(),
        detail: Some("secret".to_owned()),
        position: None,
    };
    let cases = [
        (Error::Unavailable("secret".to_owned()), 503),
        (Error::Exhausted(Duration::from_secs(1)), 503),
        (Error::Broken("secret".to_owned()), 503),
        (Error::Timeout, 504),
        (Error::Cancelled, 500),
        (server("42P01"), 500),
        (server("40001"), 500),
        (Error::Column(0, "secret".to_owned()), 500),
        (Error::MultipleObjects, 500),
        (Error::Unsupported("secret".to_owned()), 500),
    ];
    for (error, status) in cases {
        let name = format!("{error:?}");
        let answer = told(Err(error));
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" }, "{name}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.body.contains("secret"), "{name}: {}", answer.body);
    }
}

#[test]
fn errors_of_the_values_are_the_clients() {
    let server = |code: &str| {
        let message = "value out of range".to_owned();
        told(Err(Error::Server { code: code.to_owned(), message, detail: None, position: None }))
    };
    for code in ["22003", "22007", "22008", "22P02", "2201B", "22021"] {
        let answer = server(code);
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (422, Some("value out of range")),
            "{code}"
        );
    }
    for code in ["2201W", "2201X"] {
        assert_eq!(server(code).json()["detail"], "A page or slice cannot start before the first row.");
    }
    let bind = told(Err(Error::Bind(0, "The size must not be negative.".to_owned())));
    assert_eq!((bind.status, bind.json()["detail"].as_str()), (422, Some("The size must not be negative.")));
}

/// One statement with an argument, rows in order, text and NULL, on whichever engine.
async fn rows_of(database: &Database, placeholder: &str) {
    let sql = format!(
        "SELECT id, name FROM (SELECT 1 AS id, 'Ada' AS name UNION ALL SELECT 2, NULL UNION ALL SELECT 3, 'é\"') rows \
         WHERE id >= {placeholder} ORDER BY id"
    );
    let operation = operation(&sql, &[json!({"arg": 0, "type": "int"})], &["int", "text"]);
    let parameters = json!([parameter("path", "n", json!({"type": "int"}))]);
    let app = app(&[native("/{n}", parameters, &operation, json!({}))], database, &Rc::default());
    let answer = get("/2").send(&app).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"[[2,null],[3,"é\""]]"#));
    assert_eq!(get("/4").send(&app).await.body, "[]");
    database.close(Duration::from_secs(1)).await;
}

#[test]
fn rows_from_postgres() {
    run(async {
        if let Some(database) = postgres() {
            rows_of(&database, "$1").await;
        }
    });
}

#[test]
fn rows_from_sqlite() {
    let file = File::new("rows", "");
    run(async { rows_of(&file.database(), "?1").await });
}

#[test]
fn a_page_with_its_count_and_links_from_sqlite() {
    let file =
        File::new("page", "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2), (3), (4), (5);");
    let query = |sql: &str, binds: Json| json!({"sql": sql, "binds": binds, "columns": [{"kind": "int"}], "row": {"column": 0}});
    let operation = json!({
        "queries": [
            query("SELECT count(*) FROM t", json!([])),
            query("SELECT id FROM t ORDER BY id LIMIT 2 OFFSET (?1 - 1) * 2", json!([{"arg": 0, "type": "int"}])),
        ],
        "response": {"page": {"count": 0, "results": 1, "number": 0, "size": {"const": 2}, "style": "page_number"}},
    });
    let page =
        with(parameter("query", "page", json!({"type": "int"})), json!({"required": false, "default": 1}));
    run(async {
        let database = file.database();
        let app = app(
            &[native("/t", json!([page]), &operation, json!({"links": true}))],
            &database,
            &Rc::default(),
        );
        let answer = get("/t?page=2").header("host", "h").send(&app).await;
        assert_eq!(
            answer.json(),
            json!({
                "count": 5, "next": "http://h/t?page=3", "previous": "http://h/t", "results": [3, 4],
            })
        );
        assert_eq!(get("/t").send(&app).await.json()["results"], json!([1, 2]));
        assert_eq!(get("/t?page=4").send(&app).await.status, 404);
    });
}

#[test]
fn a_statement_the_database_refuses_is_a_bare_500() {
    let file = File::new("refused", "");
    run(async {
        let operation = operation("SELECT nothing FROM nowhere", &[], &["int"]);
        let app =
            app(&[native("/a", json!([]), &operation, json!({}))], &file.database(), &Rc::<Namer>::default());
        let answer = get("/a").send(&app).await;
        assert_eq!(
            answer.json(),
            json!({"type": "about:blank", "title": "Internal Server Error", "status": 500})
        );
    });
}
