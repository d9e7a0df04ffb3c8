//! Executions against a real server: values, errors, pipelining, statement caches.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::rc::Rc;

use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::Config;
use plectrum_db::value::Value;
use support::{Rows, config, query, run, sql};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Runs with named statements and with unnamed ones.
fn both(test: impl AsyncFn(Pool)) {
    let Some(config) = config() else { return };
    let unnamed = Config { statement_cache_size: 0, ..config.clone() };
    for config in [config, unnamed] {
        run(async { test(Pool::new(config).unwrap()).await });
    }
}

#[test]
fn values_come_out() {
    both(async |pool| {
        let rows = sql(&pool, "SELECT 1::int8 AS one, 'häßlich', NULL::text, ''::bytea, true").await.unwrap();
        assert_eq!((rows.int8(0, 0), rows.text(0, 1), &rows.cells[0][2]), (1, "häßlich", &None));
        assert_eq!(rows.cells[0][3..], [Some(vec![]), Some(vec![1])]);
        assert_eq!(rows.oids, [20, 25, 25, 17, 16]);
        assert_eq!(rows.names[0], "one");
        assert!(rows.completed);
        let none = sql(&pool, "SELECT 1 WHERE false").await.unwrap();
        assert!(none.cells.is_empty() && none.completed);
        assert!(sql(&pool, "").await.unwrap().completed, "an empty statement has no rows");
    });
}

#[test]
fn values_go_in_by_declared_type() {
    let cases: Vec<(BindType, Value, &str)> = vec![
        (BindType::Bool, Value::Bool(true), "t"),
        (BindType::Int, Value::Int(i64::MIN), "-9223372036854775808"),
        (BindType::Int, text("99999999999999999999999"), "99999999999999999999999"),
        (BindType::Float, Value::Float(0.1), "0.1"),
        (BindType::Float, Value::Float(f64::NEG_INFINITY), "-Infinity"),
        (BindType::Decimal, text("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (BindType::Decimal, Value::Int(7), "7"),
        (BindType::Decimal, Value::Float(1e-7), "0.0000001"),
        (BindType::Text, text("it's \"\\ 日本"), "it's \"\\ 日本"),
        (BindType::Text, Value::Int(5), "5"),
        (
            BindType::Uuid,
            text("6F9619FF-8B86-D011-B42D-00CF4FC964FF"),
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ),
        (BindType::Date, text("2024-02-29"), "2024-02-29"),
        (BindType::Time, text("23:59:59.999999"), "23:59:59.999999"),
        (BindType::Datetime, text("2024-02-29T01:02:03.5"), "2024-02-29 01:02:03.5"),
        (BindType::Duration, text("3 04:05:06"), "3 days 04:05:06"),
        (BindType::Bytes, Value::Bytes(vec![0, 1, 255]), "\\x0001ff"),
        (BindType::Json, text("{\"a\": [1, null]}"), "{\"a\": [1, null]}"),
    ];
    both(async |pool| {
        for (kind, value, wanted) in &cases {
            let rows = query(&pool, "SELECT $1::text", &[BindType::Text], &[Value::Null]).await.unwrap();
            assert_eq!(rows.cells, [[None]]);
            // A cast would make the server infer the cast's type, so the value goes through format().
            let rows = query(&pool, "SELECT format('%s', $1)", &[*kind], std::slice::from_ref(value)).await;
            assert_eq!(rows.unwrap().text(0, 0), *wanted, "{kind:?} {value:?}");
        }
    });
}

#[test]
fn values_go_in_by_inferred_type() {
    let cases: Vec<(&str, Value, &str)> = vec![
        ("int2", Value::Int(-7), "-7"),
        ("int4", Value::Int(7), "7"),
        ("float4", Value::Float(0.5), "0.5"),
        ("float8", Value::Int(3), "3"),
        ("numeric", Value::Float(1.5), "1.5"),
        ("text", Value::Bool(true), "true"),
        ("bool", Value::Int(1), "true"),
        ("bytea", Value::Bytes(vec![1]), "\\x01"),
        ("int8[]", Value::Array(vec![Value::Int(1), Value::Null]), "{1,NULL}"),
        ("int4[]", Value::Array(vec![Value::Int(1), text("2")]), "{1,2}"),
        (
            "text[]",
            Value::Array(vec![text("a,\"b\\"), text("NULL"), Value::Null]),
            "{\"a,\\\"b\\\\\",\"NULL\",NULL}",
        ),
        ("uuid[]", Value::Array(vec![]), "{}"),
        ("bytea[]", Value::Array(vec![Value::Bytes(vec![1, 2])]), "{\"\\\\x0102\"}"),
        (
            "int4[]",
            Value::Array(vec![Value::Array(vec![Value::Int(1)]), Value::Array(vec![Value::Int(2)])]),
            "{{1},{2}}",
        ),
        ("bool[]", Value::Array(vec![Value::Bool(false)]), "{f}"),
        ("float8[]", Value::Array(vec![Value::Float(0.25), Value::Int(2)]), "{0.25,2}"),
    ];
    both(async |pool| {
        for (kind, value, wanted) in &cases {
            let rows = query(
                &pool,
                &format!("SELECT $1::{kind}::text"),
                &[BindType::Infer],
                std::slice::from_ref(value),
            )
            .await;
            assert_eq!(rows.unwrap().text(0, 0), *wanted, "{kind} {value:?}");
        }
    });
}

#[test]
fn keys_are_bound_as_an_array() {
    both(async |pool| {
        let keys = Value::Array((1..=1000).map(Value::Int).collect());
        let sql = "SELECT count(*) FROM generate_series(1, 2000) n WHERE n::int8 = ANY($1)";
        let rows = query(&pool, sql, &[BindType::Infer], &[keys]).await.unwrap();
        assert_eq!(rows.int8(0, 0), 1000);
    });
}

#[test]
fn refusals_are_reported_and_isolated() {
    both(async |pool| {
        let error = sql(&pool, "SELECT nothing FROM nowhere").await.unwrap_err();
        let Error::Server { code, position, .. } = error else { panic!("{error}") };
        assert_eq!((&*code, position), ("42P01", Some(21)));
        let error = query(&pool, "SELECT 1 / $1", &[BindType::Int], &[Value::Int(0)]).await.unwrap_err();
        assert!(matches!(error, Error::Server { code, .. } if code == "22012"));
        let error = query(&pool, "SELECT $1", &[BindType::Date], &[text("no date")]).await.unwrap_err();
        assert!(matches!(error, Error::Server { code, .. } if code == "22007"));
        let error = query(&pool, "SELECT $1", &[BindType::Text], &[text("a\0b")]).await.unwrap_err();
        assert!(matches!(error, Error::Server { code, .. } if code == "22021"));
        let error = sql(&pool, "SELECT 1 \0").await.unwrap_err();
        assert!(matches!(error, Error::Server { code, .. } if code == "42601"));
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
        assert_eq!(pool.stats().broken, 0);
    });
}

#[test]
fn arguments_are_checked() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(config).unwrap();
        let error =
            query(&pool, "SELECT $1::int4", &[BindType::Infer], &[Value::Int(1 << 40)]).await.unwrap_err();
        assert!(
            matches!(error, Error::Bind(0, why) if why == "1099511627776 is out of range for type integer")
        );
        let error = query(&pool, "SELECT $1", &[BindType::Int], &[]).await.unwrap_err();
        assert!(matches!(error, Error::Bind(0, why) if why == "the statement takes 1 arguments, got 0"));
    });
}

#[test]
fn declared_types_that_do_not_fit_are_inferred() {
    both(async |pool| {
        // No operator `interval = text`: declared text fails, inferred works, and is remembered.
        let statement = Statement::new("SELECT '1 day'::interval = $1", &[BindType::Text]);
        for _ in 0..3 {
            let rows = pool.fetch(&statement, &[text("24:00")], Rows::default()).await.unwrap();
            assert_eq!(rows.cells, [[Some(vec![1])]]);
        }
        // Not the types' fault: the first refusal is reported.
        let error = query(&pool, "SELECT no_such_function($1)", &[BindType::Int], &[Value::Int(1)])
            .await
            .unwrap_err();
        let Error::Server { code, message, .. } = error else { panic!("{error}") };
        assert_eq!((&*code, &*message), ("42883", "function no_such_function(bigint) does not exist"));
    });
}

#[test]
fn a_sink_may_refuse_a_row() {
    both(async |pool| {
        let statement = Statement::new("SELECT * FROM generate_series(1, 100000)", &[]);
        let sink = Rows { refuse: Some(3), ..Rows::default() };
        let error = pool.fetch(&statement, &[], sink).await.unwrap_err();
        assert!(matches!(error, Error::Column(0, _)));
        let rows = pool.fetch(&statement, &[], Rows::default()).await.unwrap();
        assert_eq!((rows.cells.len(), rows.int4(99_999, 0)), (100_000, 100_000));
    });
}

#[test]
fn wide_and_large_rows_arrive_whole() {
    both(async |pool| {
        let columns: Vec<String> = (0..1000).map(|n| format!("{n}::int4")).collect();
        let rows = sql(&pool, &format!("SELECT {}", columns.join(","))).await.unwrap();
        assert_eq!((rows.cells[0].len(), rows.int4(0, 999)), (1000, 999));
        let rows = sql(&pool, "SELECT repeat('x', n * 1000000) FROM generate_series(0, 5) n").await.unwrap();
        let sizes: Vec<usize> = (0..6).map(|row| rows.text(row, 0).len()).collect();
        assert_eq!(sizes, [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000]);
        let large =
            query(&pool, "SELECT length($1)", &[BindType::Text], &[text(&"y".repeat(3_000_000))]).await;
        assert_eq!(large.unwrap().int4(0, 0), 3_000_000);
    });
}

#[test]
fn a_thousand_requests_share_two_connections() {
    let Some(config) = config() else { return };
    let config = Config { max_connections: 2, max_pipeline: 100, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        let statement =
            Rc::new(Statement::new("SELECT $1 * 2, pg_backend_pid(), pg_sleep(0.0005)", &[BindType::Int]));
        let tasks: Vec<_> = (0..1000)
            .map(|n| {
                let (pool, statement) = (pool.clone(), Rc::clone(&statement));
                tokio::task::spawn_local(async move {
                    let rows = pool.fetch(&statement, &[Value::Int(n)], Rows::default()).await.unwrap();
                    assert_eq!(rows.int8(0, 0), n * 2);
                    rows.int4(0, 1)
                })
            })
            .collect();
        let mut servers = Vec::new();
        for task in tasks {
            servers.push(task.await.unwrap());
        }
        servers.sort_unstable();
        servers.dedup();
        assert_eq!(servers.len(), 2, "both connections are used");
        let stats = pool.stats();
        assert_eq!((stats.open, stats.opened, stats.in_flight, stats.waiting), (2, 2, 0, 0));
    });
}

#[test]
fn a_lease_sends_at_once_and_answers_in_any_order() {
    both(async |pool| {
        let statement = Statement::new("SELECT $1, pg_backend_pid()", &[BindType::Int]);
        let lease = pool.lease().await.unwrap();
        lease.send(&statement, &[Value::Int(0)], Rows::default()).await.unwrap();
        let (one, two) = ([Value::Int(1)], [Value::Int(2)]);
        let first = lease.send(&statement, &one, Rows::default());
        let second = lease.send(&statement, &two, Rows::default());
        assert_eq!(pool.stats().in_flight, 2);
        let second = second.await.unwrap();
        let first = first.await.unwrap();
        assert_eq!((first.int8(0, 0), second.int8(0, 0)), (1, 2));
        assert_eq!(first.int4(0, 1), second.int4(0, 1));
        assert!(
            Rc::ptr_eq(&first.columns.unwrap(), &second.columns.unwrap()),
            "columns are recognised by pointer"
        );
    });
}

#[test]
fn the_statement_cache_is_bounded() {
    let Some(config) = config() else { return };
    let config = Config { statement_cache_size: 3, max_connections: 1, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        let statements: Vec<_> = (0..10).map(|n| Statement::new(format!("SELECT {n}"), &[])).collect();
        for _ in 0..3 {
            for (n, statement) in statements.iter().enumerate() {
                let rows = pool.fetch(statement, &[], Rows::default()).await.unwrap();
                assert_eq!(rows.int4(0, 0), n as i32);
            }
        }
        let rows = sql(&pool, "SELECT count(*) FROM pg_prepared_statements").await.unwrap();
        assert!(rows.int8(0, 0) <= 3, "the server holds {}", rows.int8(0, 0));
    });
}

#[test]
fn unnamed_statements_leave_nothing_behind() {
    let Some(config) = config() else { return };
    let config = Config { statement_cache_size: 0, max_connections: 1, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        let statement = Statement::new("SELECT $1", &[BindType::Int]);
        let first = pool.fetch(&statement, &[Value::Int(1)], Rows::default()).await.unwrap();
        let second = pool.fetch(&statement, &[Value::Int(1)], Rows::default()).await.unwrap();
        assert!(Rc::ptr_eq(&first.columns.unwrap(), &second.columns.unwrap()));
        let rows = sql(&pool, "SELECT count(*) FROM pg_prepared_statements").await.unwrap();
        assert_eq!(rows.int8(0, 0), 0);
    });
}

#[test]
fn a_statement_survives_changed_tables_and_deallocation() {
    let Some(config) = config() else { return };
    let config = Config { max_connections: 1, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        sql(&pool, "CREATE TEMPORARY TABLE changing (a int4)").await.unwrap();
        sql(&pool, "INSERT INTO changing VALUES (1)").await.unwrap();
        let statement = Statement::new("SELECT * FROM changing", &[]);
        assert_eq!(pool.fetch(&statement, &[], Rows::default()).await.unwrap().cells[0].len(), 1);
        sql(&pool, "ALTER TABLE changing ADD b int4").await.unwrap();
        assert_eq!(pool.fetch(&statement, &[], Rows::default()).await.unwrap().cells[0].len(), 2);
        sql(&pool, "DEALLOCATE ALL").await.unwrap();
        assert_eq!(pool.fetch(&statement, &[], Rows::default()).await.unwrap().cells[0].len(), 2);
        assert_eq!(pool.stats().broken, 0);
    });
}

#[test]
fn the_session_is_set_up() {
    let Some(config) = config() else { return };
    let json = r#"{"user": "nobody", "parameters": {"TimeZone": "Asia/Kathmandu"}, "options": "-c geqo=off",
        "init": ["SET search_path TO pg_catalog"], "statement_timeout_ms": 1234, "application_name": "test"}"#;
    let mut other = Config::from_json(json).unwrap();
    (other.hosts, other.user, other.password, other.dbname) =
        (config.hosts, config.user, config.password, config.dbname);
    other.assume_role = Some("pg_monitor".to_owned());
    run(async {
        let pool = Pool::new(other).unwrap();
        for (name, wanted) in [
            ("TimeZone", "Asia/Kathmandu"),
            ("geqo", "off"),
            ("search_path", "pg_catalog"),
            ("statement_timeout", "1234ms"),
            ("application_name", "test"),
            ("client_encoding", "UTF8"),
            ("role", "pg_monitor"),
        ] {
            let rows = sql(&pool, &format!("SELECT current_setting('{name}')")).await.unwrap();
            assert_eq!(rows.text(0, 0), wanted, "{name}");
        }
        assert_eq!(pool.parameter("TimeZone").as_deref(), Some("Asia/Kathmandu"));
    });
}
