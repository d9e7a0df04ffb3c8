//! Plans on a real PostgreSQL: every kind, relations, pages. Creates nothing: all rows are made in the statements.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use plectrum_db::error::Error;
use plectrum_db::pool::Pool;
use plectrum_db::value::Value;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, execute};
use serde_json::{Value as Json, json};
use support::config;

async fn run(pool: &Pool, description: &Json, args: &[Value]) -> Result<String, Error> {
    let operation = Operation::from_json(&description.to_string()).unwrap();
    let context = Context {
        zone: Zone::named("Europe/Berlin").unwrap(),
        url: "http://h/".to_owned(),
        ..Context::default()
    };
    Ok(match execute(pool, &operation, args, &context, Vec::new()).await? {
        Outcome::Found(body) => String::from_utf8(body).unwrap(),
        Outcome::NotFound => "not found".to_owned(),
    })
}

/// A plan whose rows are lists of the columns.
fn plan(sql: &str, binds: &Json, kinds: &[Json]) -> Json {
    let items: Vec<_> = (0..kinds.len()).map(|column| json!({"column": column})).collect();
    json!({"sql": sql, "binds": binds, "columns": kinds, "row": {"array": items}})
}

/// What the server's value of `sql` is written as.
async fn write(pool: &Pool, kind: Json, sql: &str) -> Result<String, Error> {
    let rows = run(pool, &plan(&format!("SELECT {sql}"), &json!([]), &[kind]), &[]).await?;
    Ok(rows.strip_prefix("[[").unwrap().strip_suffix("]]").unwrap().to_owned())
}

#[test]
fn every_kind_as_the_server_sends_it() {
    let Some(config) = config() else { return };
    let kind = |name: &str| json!({"kind": name});
    let list = |item: &str| json!({"kind": "array", "item": {"kind": item}});
    let range = |item: Json| json!({"kind": "range", "item": item});
    let aware = json!({"kind": "datetime", "aware": true});
    let cases = [
        (kind("bool"), "true", "true"),
        (kind("int"), "(-32768)::int2", "-32768"),
        (kind("int"), "2147483647::int4", "2147483647"),
        (kind("int"), "9223372036854775807::int8", "9223372036854775807"),
        (kind("int"), "sum(x::int8) FROM (VALUES (9223372036854775807), (1)) v(x)", "9223372036854775808"),
        (kind("int"), "4294967295::oid", "4294967295"),
        (kind("float"), "avg(x::int4) FROM (VALUES (1), (2)) v(x)", "1.5"),
        (kind("float"), "0.1::float4", "0.1"),
        (kind("float"), "1e300::float8", "1e+300"),
        (kind("decimal"), "12345678901234567890.0123456789::numeric", r#""12345678901234567890.0123456789""#),
        (kind("decimal"), "sum(5::int4)", r#""5""#),
        (json!({"kind": "decimal", "places": 2}), "2.345::numeric", r#""2.34""#),
        (kind("decimal"), "'NaN'::numeric", r#""NaN""#),
        (kind("text"), "'häß\"lich'::varchar", r#""häß\"lich""#),
        (kind("text"), "'ab'::char(4)", r#""ab  ""#),
        (kind("text"), "'name'::name", r#""name""#),
        (
            kind("uuid"),
            "'550e8400-e29b-41d4-a716-446655440000'::uuid",
            r#""550e8400-e29b-41d4-a716-446655440000""#,
        ),
        (kind("date"), "'0001-01-01'::date", r#""0001-01-01""#),
        (kind("date"), "date_trunc('year', '2024-07-01'::timestamp)", r#""2024-01-01""#),
        (kind("time"), "'23:59:59.999999'::time", r#""23:59:59.999999""#),
        (kind("time"), "'10:00:00+05:30'::timetz", r#""10:00:00+05:30""#),
        (aware.clone(), "'2024-07-01 12:00:00+00'::timestamptz", r#""2024-07-01T14:00:00+02:00""#),
        (aware.clone(), "'2024-07-01 12:00:00'::timestamp", r#""2024-07-01T12:00:00+02:00""#),
        (kind("datetime"), "'9999-12-31 23:59:59.5'::timestamp", r#""9999-12-31T23:59:59.500000""#),
        (kind("duration"), "'1 year 2 mons 3 days 04:05:06.7'::interval", r#""428 04:05:06.700000""#),
        (kind("bytes"), r"'\xff0001'::bytea", r#""/wAB""#),
        (kind("json"), r#"'{"b": 1, "a": 1.10}'::json"#, r#"{"b": 1, "a": 1.10}"#),
        (kind("json"), r#"'[12345678901234567890123, 1.10]'::jsonb"#, "[12345678901234567890123, 1.10]"),
        (kind("ip"), "'10.0.0.1'::inet", r#""10.0.0.1""#),
        (kind("ip"), "'2001:db8::/32'::cidr", r#""2001:db8::/32""#),
        (json!({"kind": "file", "base": "/media/"}), "'a b.png'::varchar", r#""/media/a%20b.png""#),
        (list("int"), "'{{1,2},{3,NULL}}'::int4[]", "[[1,2],[3,null]]"),
        (list("text"), "ARRAY['a', NULL]::varchar[]", r#"["a",null]"#),
        (list("date"), "'{}'::date[]", "[]"),
        (
            range(kind("int")),
            "int4range(1, 5)",
            r#""{\"bounds\": \"[)\", \"lower\": \"1\", \"upper\": \"5\"}""#,
        ),
        (
            range(kind("decimal")),
            "numrange(1.5, NULL, '(]')",
            r#""{\"bounds\": \"()\", \"lower\": \"1.5\", \"upper\": null}""#,
        ),
        (range(kind("date")), "'empty'::daterange", r#""{\"empty\": true}""#),
        (
            range(aware.clone()),
            "tstzrange('2024-01-01 00:00Z', '2024-07-01 00:00Z')",
            r#""{\"bounds\": \"[)\", \"lower\": \"2024-01-01T00:00:00+00:00\", \"upper\": \"2024-07-01T00:00:00+00:00\"}""#,
        ),
        (kind("int"), "NULL::int8", "null"),
    ];
    support::run(async {
        let pool = Pool::new(config).unwrap();
        for (kind, sql, expected) in cases {
            assert_eq!(write(&pool, kind.clone(), sql).await.unwrap(), expected, "{kind} of {sql}");
        }
    });
}

#[test]
fn values_without_a_json_form_are_errors_and_the_connection_lives_on() {
    let Some(config) = config() else { return };
    support::run(async {
        let pool = Pool::new(config).unwrap();
        for (name, sql, reason) in [
            ("float", "'NaN'::float8", "NaN and infinities"),
            ("date", "'infinity'::date", "an infinite date"),
            ("datetime", "'-infinity'::timestamp", "an infinite timestamp"),
            ("date", "'0044-03-15 BC'::date", "years 1 to 9999"),
            (
                "text",
                "1::int4 AS answer",
                "\"answer\": the plan reads Text, but the server sends type OID 23",
            ),
            ("hstore", "'x'::text", "the plan reads Hstore"),
        ] {
            let error = write(&pool, json!({"kind": name}), sql).await.unwrap_err();
            assert!(matches!(&error, Error::Column(0, why) if why.contains(reason)), "{sql}: {error}");
        }
        let two = plan("SELECT 1, 2", &json!([]), &[json!({"kind": "int"})]);
        let error = run(&pool, &two, &[]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "column 1 cannot be written: the plan has 1 columns, the statement returns 2"
        );
        assert_eq!(write(&pool, json!({"kind": "int"}), "7").await.unwrap(), "7");
    });
}

/// The server's own text form of generated values, next to ours of the binary ones.
#[test]
fn equals_the_servers_own_text() {
    let Some(config) = config() else { return };
    let source = "FROM generate_series(1, 2000) i, LATERAL (SELECT setseed(i / 2000.0), \
                  random() a, random() b, (random() * 40)::int c) r";
    let inet =
        "CASE WHEN masklen(v) = CASE family(v) WHEN 4 THEN 32 ELSE 128 END THEN host(v) ELSE v::text END";
    let cases = [
        ("decimal", "((a - 0.5) * (10::numeric ^ (c - 20)))::numeric", "v::text"),
        ("decimal", "round((a * 10::numeric ^ c)::numeric, c % 12)", "v::text"),
        ("uuid", "md5(a::text)::uuid", "v::text"),
        ("date", "'0001-01-01'::date + (a * 3652058)::int", "v::text"),
        ("time", "'00:00'::time + a * '23:59:59.999999'::interval", "to_char(v, 'HH24:MI:SS.US')"),
        ("ip", "('0.0.0.0'::inet + (a * 4294967295)::int8)", inet),
        ("ip", "set_masklen('::'::inet + (a * 9e18)::int8 * (b > 0.3)::int, 128 - c % 3)", inet),
        ("ip", "set_masklen('fe80::'::cidr, 10 + c)", "v::text"),
    ];
    support::run(async {
        let pool = Pool::new(config).unwrap();
        for (name, value, text) in cases {
            let sql = format!("SELECT v, {text} FROM (SELECT {value} AS v {source}) t");
            let kinds = [json!({"kind": name}), json!({"kind": "text"})];
            let rows = run(&pool, &plan(&sql, &json!([]), &kinds), &[]).await.unwrap();
            let rows: Vec<(String, String)> = serde_json::from_str(&rows).unwrap();
            assert_eq!(rows.len(), 2000);
            for (ours, theirs) in rows {
                assert_eq!(ours, theirs, "{name}: {sql}");
            }
        }
    });
}

#[test]
fn relations_pages_and_objects_travel_together() {
    let Some(config) = config() else { return };
    let int = || json!({"kind": "int"});
    let children = json!({"parent_column": 0, "key_column": 0, "many": true, "plan": {
        "sql": "SELECT k, v FROM (VALUES (2::int8, 'b'), (1, 'a'), (2, 'c')) t(k, v) WHERE k = ANY($1) ORDER BY v DESC",
        "binds": [{"keys": true, "type": "int"}], "columns": [int(), {"kind": "text"}], "row": {"column": 1}}});
    let parents = json!({"sql": "SELECT i FROM generate_series(1, $1::int4) i", "binds": [{"arg": 0}],
        "columns": [int()], "row": {"object": {"fields": [["id", {"column": 0}], ["tags", {"child": 0}]]}},
        "children": [children]});
    let count = json!({"sql": "SELECT 45::int8", "columns": [int()], "row": {"column": 0}});
    let flat = plan("SELECT i FROM generate_series(1, 3) i", &json!([]), &[int()]);
    support::run(async {
        let pool = Pool::new(config).unwrap();
        assert_eq!(
            run(&pool, &parents, &[Value::Int(3)]).await.unwrap(),
            r#"[{"id":1,"tags":["a"]},{"id":2,"tags":["c","b"]},{"id":3,"tags":[]}]"#
        );
        let page = |results: &Json| {
            json!({"queries": [count, results], "response": {"page": {"count": 0, "results": 1, "number": 1,
                "size": {"const": 20}, "style": "page_number"}}})
        };
        let args = [Value::Int(1), Value::Int(3)];
        let head = r#"{"count":45,"next":null,"previous":"http://h/?page=2","results":"#;
        assert_eq!(run(&pool, &page(&flat), &args).await.unwrap(), format!("{head}[[1],[2],[3]]}}"));
        assert_eq!(
            run(&pool, &page(&parents), &args).await.unwrap(),
            format!(r#"{head}[{{"id":1,"tags":["a"]}}]}}"#)
        );
        let one = |sql: &str| json!({"queries": [plan(sql, &json!([]), &[int()])], "response": {"one": 0}});
        assert_eq!(run(&pool, &one("SELECT 1"), &[]).await.unwrap(), "[1]");
        assert_eq!(run(&pool, &one("SELECT 1 WHERE false"), &[]).await.unwrap(), "not found");
        let error = run(&pool, &one("SELECT generate_series(1, 2)"), &[]).await.unwrap_err();
        assert!(matches!(error, Error::MultipleObjects));
    });
}

/// Types whose OIDs are the database's own.
#[test]
fn types_of_extensions() {
    let Some(config) = config() else { return };
    let list = |item: &str| json!({"kind": "array", "item": {"kind": item}});
    support::run(async {
        let pool = Pool::new(config).unwrap();
        let known = "to_regtype('hstore') IS NOT NULL AND to_regtype('citext') IS NOT NULL";
        if write(&pool, json!({"kind": "bool"}), known).await.unwrap() == "false" {
            eprintln!("SKIPPED: the database of PLECTRUM_TEST_PG lacks the extensions hstore and citext");
            return;
        }
        for (kind, sql, expected) in [
            (json!({"kind": "hstore"}), r#"'a=>1, "b \""=>NULL'::hstore"#, r#"{"a":"1","b \"":null}"#),
            (json!({"kind": "text"}), "'Ab'::citext", r#""Ab""#),
            (list("text"), "ARRAY['X', NULL]::citext[]", r#"["X",null]"#),
            (list("hstore"), "ARRAY['k=>v'::hstore]", r#"[{"k":"v"}]"#),
        ] {
            assert_eq!(write(&pool, kind, sql).await.unwrap(), expected, "{sql}");
        }
    });
}
