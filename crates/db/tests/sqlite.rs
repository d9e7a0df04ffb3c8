//! Plans on real SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plectrum_db::error::Error;
use plectrum_db::sqlite::{Config, Sqlite};
use plectrum_db::value::Value;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, execute};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

/// A database file of its own, gone with the test.
struct Database(PathBuf);

impl Database {
    fn new(script: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("plectrum-{}-{number}.sqlite3", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Connection::open(&path).unwrap().execute_batch(script).unwrap();
        Self(path)
    }

    fn config(&self) -> Config {
        Config::new(self.0.to_str().unwrap())
    }

    fn run(&self, description: &Json, args: &[Value]) -> Result<String, Error> {
        run(&Sqlite::new(self.config()).unwrap(), description, args)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn run(sqlite: &Sqlite, description: &Json, args: &[Value]) -> Result<String, Error> {
    let operation = Operation::from_json(&description.to_string()).unwrap();
    let context = Context { zone: Zone::named("Europe/Berlin").unwrap(), ..Context::default() };
    match block_on(execute(sqlite, &operation, args, &context, Vec::new()))? {
        Outcome::Found(body) => Ok(String::from_utf8(body).unwrap()),
        Outcome::NotFound => Ok("not found".to_owned()),
    }
}

/// A plan whose rows are lists of the columns.
fn plan(sql: &str, binds: Json, kinds: &[Json]) -> Json {
    let items: Vec<_> = (0..kinds.len()).map(|column| json!({"column": column})).collect();
    json!({"sql": sql, "binds": binds, "columns": kinds, "row": {"array": items}})
}

fn int() -> Json {
    json!({"kind": "int"})
}

fn text() -> Json {
    json!({"kind": "text"})
}

const SHOP: &str = "
    CREATE TABLE author (id char(32) PRIMARY KEY, name varchar(100));
    CREATE TABLE article (id integer PRIMARY KEY, author_id char(32) REFERENCES author, price decimal, at datetime);
    CREATE TABLE tag (article_id integer, name varchar(20));
    INSERT INTO author VALUES ('550e8400e29b41d4a716446655440000', 'Ann'), ('650e8400e29b41d4a716446655440000', 'Bob');
    INSERT INTO article VALUES (1, '550e8400e29b41d4a716446655440000', '9.90', '2024-07-01 12:00:00'),
        (2, '650e8400e29b41d4a716446655440000', '10', '2024-01-01 12:00:00'), (3, NULL, NULL, NULL);
    INSERT INTO tag VALUES (1, 'b'), (2, 'x'), (1, 'a');
";

#[test]
fn relations_are_stitched_by_integer_and_by_uuid() {
    let database = Database::new(SHOP);
    let authors = json!({"parent_column": 1, "key_column": 0, "many": false, "plan": {
        "sql": "SELECT id, name FROM author WHERE id IN (SELECT value FROM json_each(?1))",
        "binds": [{"keys": true}], "columns": [{"kind": "uuid"}, text()], "row": {"column": 1}}});
    let tags = json!({"parent_column": 0, "key_column": 0, "many": true, "plan": {
        "sql": "SELECT article_id, name FROM tag WHERE article_id IN (SELECT value FROM json_each(?1)) ORDER BY name",
        "binds": [{"keys": true, "type": "int"}], "columns": [int(), text()], "row": {"column": 1}}});
    let description = json!({
        "sql": "SELECT id, author_id, price, at FROM article ORDER BY id",
        "columns": [int(), {"kind": "uuid"}, {"kind": "decimal", "places": 2}, {"kind": "datetime", "aware": true}],
        "row": {"object": {"fields": [["id", {"column": 0}], ["price", {"column": 2}], ["at", {"column": 3}],
            ["author", {"child": 0}], ["tags", {"child": 1}]]}},
        "children": [authors, tags],
    });
    assert_eq!(
        database.run(&description, &[]).unwrap(),
        concat!(
            r#"[{"id":1,"price":"9.90","at":"2024-07-01T14:00:00+02:00","author":"Ann","tags":["a","b"]},"#,
            r#"{"id":2,"price":"10.00","at":"2024-01-01T13:00:00+01:00","author":"Bob","tags":["x"]},"#,
            r#"{"id":3,"price":null,"at":null,"author":null,"tags":[]}]"#
        )
    );
}

#[test]
fn arguments_take_their_stored_form() {
    let database = Database::new(SHOP);
    let find = |condition: &str, kind: &str, argument: &str| {
        let binds = json!([{"arg": 0, "type": kind}]);
        let description =
            plan(&format!("SELECT id FROM article WHERE {condition} ORDER BY id"), binds, &[int()]);
        database.run(&description, &[Value::Text(argument.to_owned())]).unwrap()
    };
    assert_eq!(find("author_id = ?1", "uuid", "550e8400-e29b-41d4-a716-446655440000"), "[[1]]");
    assert_eq!(find("at = ?1", "datetime_tz", "2024-01-01T13:00:00+01:00"), "[[2]]");
    assert_eq!(find("price > ?1", "decimal", "9.95"), "[[2]]");
    assert_eq!(find("id < ?1", "int", "99999999999999999999"), "[[1],[2],[3]]");
}

#[test]
fn count_and_page_make_one_response() {
    let database = Database::new(SHOP);
    let description = json!({
        "queries": [
            plan(
                "SELECT id FROM article ORDER BY id LIMIT ?2 OFFSET (?1 - 1) * ?2",
                json!([{"arg": 0}, {"arg": 1}]),
                &[int()]
            ),
            {"sql": "SELECT count(*) FROM article", "columns": [int()], "row": {"column": 0}},
        ],
        "response": {"page": {"count": 1, "results": 0, "number": 0, "size": {"arg": 1}, "style": "page_number"}},
    });
    for _ in 0..50 {
        assert_eq!(
            database.run(&description, &[Value::Int(2), Value::Int(2)]).unwrap(),
            r#"{"count":3,"next":null,"previous":"","results":[[3]]}"#
        );
    }
    assert_eq!(database.run(&description, &[Value::Int(3), Value::Int(2)]).unwrap(), "not found");
}

#[test]
fn sessions_are_djangos() {
    let database = Database::new(SHOP);
    let config = Config { init: vec!["PRAGMA cache_size = -1234".to_owned()], ..database.config() };
    let sqlite = Sqlite::new(config).unwrap();
    let pragma =
        |name: &str| run(&sqlite, &plan(&format!("PRAGMA {name}"), json!([]), &[int()]), &[]).unwrap();
    assert_eq!(pragma("foreign_keys"), "[[1]]");
    assert_eq!(pragma("cache_size"), "[[-1234]]");
    assert_eq!(pragma("busy_timeout"), "[[5000]]");
}

#[test]
fn functions_only_django_has_are_told_apart() {
    let database = Database::new(SHOP);
    for sql in
        ["SELECT django_date_trunc('year', at, NULL, NULL) FROM article", "SELECT 1 WHERE 'a' REGEXP 'a'"]
    {
        let error = database.run(&plan(sql, json!([]), &[text()]), &[]).unwrap_err();
        assert!(
            matches!(&error, Error::Unsupported(what) if what.starts_with("no such function")),
            "{error:?}"
        );
    }
    let error = database.run(&plan("SELECT 1 FROM nowhere", json!([]), &[int()]), &[]).unwrap_err();
    assert!(
        matches!(&error, Error::Server { message, .. } if message == "no such table: nowhere"),
        "{error:?}"
    );
    let error = database.run(&plan("SELECT id, FROM article", json!([]), &[int()]), &[]).unwrap_err();
    assert!(matches!(&error, Error::Server { position: Some(12), .. }), "{error:?}");
}

#[test]
fn plans_that_do_not_fit_are_refused() {
    let database = Database::new(SHOP);
    let error = database.run(&plan("SELECT 1, 2", json!([]), &[int()]), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column 1 cannot be written: the plan has 1 columns, the statement returns 2"
    );
    let error = database.run(&plan("SELECT 1", json!([]), &[json!({"kind": "hstore"})]), &[]).unwrap_err();
    assert_eq!(error.to_string(), "column 0 cannot be written: SQLite has no type for Hstore");
    let error =
        database.run(&plan("SELECT ?1 + ?2", json!([{"arg": 0}]), &[int()]), &[Value::Int(1)]).unwrap_err();
    assert_eq!(error.to_string(), "argument 1 cannot be bound: the statement has 2 placeholders, the plan 1");
}

#[test]
fn a_locked_database_is_busy_and_a_missing_one_unavailable() {
    let database = Database::new(SHOP);
    let writer = Connection::open(&database.0).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let sqlite = Sqlite::new(Config { timeout: 0.05, ..database.config() }).unwrap();
    let count = plan("SELECT count(*) FROM article", json!([]), &[int()]);
    assert!(matches!(run(&sqlite, &count, &[]), Err(Error::Exhausted(_))));
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(run(&sqlite, &count, &[]).unwrap(), "[[3]]");
    let missing = Sqlite::new(Config::new("/nowhere/at/all.sqlite3")).unwrap();
    assert!(matches!(run(&missing, &count, &[]), Err(Error::Unavailable(_))));
    assert!(Sqlite::new(Config::new(":memory:")).is_err());
}

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[test]
fn a_statement_nobody_waits_for_is_interrupted() {
    let database = Database::new(SHOP);
    let sqlite = Sqlite::new(Config { threads: 1, ..database.config() }).unwrap();
    let endless = Operation::from_json(&plan(ENDLESS, json!([]), &[int()]).to_string()).unwrap();
    let start = Instant::now();
    block_on(async {
        for _ in 0..5 {
            let context = Context::default();
            let running = execute(&sqlite, &endless, &[], &context, Vec::new());
            assert!(tokio::time::timeout(Duration::from_millis(30), running).await.is_err());
        }
    });
    // The only thread is free again.
    assert_eq!(run(&sqlite, &plan("SELECT 7", json!([]), &[int()]), &[]).unwrap(), "[[7]]");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn many_executions_share_the_threads() {
    let database = Database::new(SHOP);
    let sqlite = Sqlite::new(Config { threads: 2, ..database.config() }).unwrap();
    let operation = Operation::from_json(
        &plan("SELECT ?1 * 2", json!([{"arg": 0, "type": "int"}]), &[int()]).to_string(),
    )
    .unwrap();
    block_on(async {
        let context = Context::default();
        let (sqlite, operation, context) = (&sqlite, &operation, &context);
        let all = (0..200).map(|number| async move {
            let args = [Value::Int(number)];
            let found = execute(sqlite, operation, &args, context, Vec::new()).await.unwrap();
            assert_eq!(found, Outcome::Found(format!("[[{}]]", number * 2).into_bytes()));
        });
        futures_util::future::join_all(all).await;
    });
}
