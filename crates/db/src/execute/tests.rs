#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::*;
use crate::testing::{Tables, block_on};

fn plan(table: &str) -> Json {
    json!({"sql": table, "columns": [{"kind": "int"}], "row": {"column": 0}})
}

fn operation(queries: &[Json], response: &Json) -> Operation {
    Operation::from_json(&json!({"queries": queries, "response": response}).to_string()).unwrap()
}

fn tables() -> Tables {
    let mut tables = Tables::default();
    tables.insert("none", None, json!([]));
    tables.insert("one", None, json!([[45]]));
    tables.insert("many", None, json!([[1], [2], [3]]));
    tables.insert("children", Some(0), json!([[3], [1], [3]]));
    tables
}

fn with_children() -> Json {
    json!({"sql": "many", "columns": [{"kind": "int"}], "row": {"child": 0}, "children": [{"parent_column": 0,
        "key_column": 0, "many": true, "plan": {"sql": "children", "binds": [{"keys": true}],
        "columns": [{"kind": "int"}], "row": {"column": 0}}}]})
}

fn run_on(tables: &Tables, operation: &Operation, args: &[Value]) -> Result<Option<String>, Error> {
    let context = Context { url: "http://h/?page=2".to_owned(), ..Context::default() };
    let outcome = block_on(execute(tables, operation, args, &context, b"prefix ".to_vec()))?;
    Ok(match outcome {
        Outcome::Found(body) => {
            Some(String::from_utf8(body).unwrap().strip_prefix("prefix ").unwrap().to_owned())
        }
        Outcome::NotFound => None,
    })
}

fn run(queries: &[Json], response: &Json) -> Option<String> {
    let operation = operation(queries, response);
    let forwards = run_on(&tables(), &operation, &[]).unwrap();
    let backwards = run_on(&Tables { backwards: true, ..tables() }, &operation, &[]).unwrap();
    assert_eq!(forwards, backwards, "the answer depends on the order of the answers");
    forwards
}

#[test]
fn rows_are_an_array() {
    assert_eq!(run(&[plan("many")], &json!({"rows": 0})).unwrap(), "[1,2,3]");
    assert_eq!(run(&[plan("none")], &json!({"rows": 0})).unwrap(), "[]");
}

#[test]
fn a_single_object_is_there_once_or_not_found() {
    assert_eq!(run(&[plan("one")], &json!({"one": 0})).unwrap(), "45");
    assert_eq!(run(&[plan("none")], &json!({"one": 0})), None);
    let many = operation(&[plan("many")], &json!({"one": 0}));
    assert!(matches!(run_on(&tables(), &many, &[]), Err(Error::MultipleObjects)));
    assert_eq!(
        run(&[plan("one"), plan("none")], &json!({"object": [["a", {"one": 0}], ["b", {"one": 1}]]})),
        None
    );
}

#[test]
fn a_scalar_is_the_first_row_or_null() {
    assert_eq!(run(&[plan("many")], &json!({"scalar": 0})).unwrap(), "1");
    assert_eq!(run(&[plan("none")], &json!({"scalar": 0})).unwrap(), "null");
}

#[test]
fn objects_hold_several_queries_in_any_order() {
    let response = json!({"object": [["b", {"rows": 1}], ["x", {"literal": [0]}], ["c", {"object": []}],
        ["a", {"scalar": 0}], ["d", {"rows": 2}]]});
    assert_eq!(
        run(&[plan("one"), plan("many"), with_children()], &response).unwrap(),
        r#"{"b":[1,2,3],"x":[0],"c":{},"a":45,"d":[[1],[],[3,3]]}"#
    );
}

#[test]
fn statements_go_out_in_the_order_of_the_response() {
    let tables = tables();
    let response = json!({"object": [["b", {"rows": 1}], ["a", {"rows": 0}]]});
    let operation = operation(&[plan("one"), plan("many")], &response);
    run_on(&tables, &operation, &[]).unwrap();
    assert_eq!(*tables.asked.borrow(), ["many", "one"]);
}

fn page(results: Json) -> (Vec<Json>, Json) {
    let response = json!({"page": {"count": 0, "results": 1, "number": 0, "size": {"const": 20}, "style": "page_number"}});
    (vec![plan("one"), results], response)
}

#[test]
fn a_page_has_its_count_and_links() {
    for results in [plan("many"), with_children()] {
        let rows = if results["children"].is_array() { "[[1],[],[3,3]]" } else { "[1,2,3]" };
        let (queries, response) = page(results);
        let operation = operation(&queries, &response);
        for backwards in [false, true] {
            let tables = Tables { backwards, ..tables() };
            assert_eq!(
                run_on(&tables, &operation, &[Value::Int(2)]).unwrap().unwrap(),
                format!(
                    r#"{{"count":45,"next":"http://h/?page=3","previous":"http://h/","results":{rows}}}"#
                )
            );
            assert_eq!(
                run_on(&tables, &operation, &[Value::Int(4)]).unwrap(),
                None,
                "45 rows make three pages"
            );
        }
    }
}

#[test]
fn a_missing_argument_is_named() {
    let mut top = plan("one");
    top["binds"] = json!([{"arg": 1, "type": "int"}]);
    let error = run_on(&tables(), &operation(&[top], &json!({"rows": 0})), &[Value::Int(1)]).unwrap_err();
    assert_eq!(error.to_string(), "argument 1 cannot be bound: the execution has no such argument");
}

#[test]
fn children_of_no_rows_are_not_asked_for() {
    let mut tables = tables();
    tables.insert("many", None, json!([[null]]));
    let operation = operation(&[with_children()], &json!({"rows": 0}));
    assert_eq!(run_on(&tables, &operation, &[]).unwrap().unwrap(), "[[]]");
    assert_eq!(*tables.asked.borrow(), ["many"]);
}
