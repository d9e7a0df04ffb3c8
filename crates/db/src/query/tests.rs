#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::*;
use crate::Operation;

fn refuse(plan: &Json) -> String {
    Operation::from_json(&plan.to_string()).unwrap_err().to_string()
}

fn parent(child: &Json) -> Json {
    json!({"sql": "p", "columns": [{"kind": "int"}], "row": {"child": 0}, "children": [child]})
}

fn child(key_column: usize, binds: &Json) -> Json {
    json!({"parent_column": 0, "key_column": key_column, "many": true,
        "plan": {"sql": "c", "binds": binds, "columns": [{"kind": "int"}], "row": {"column": 0}}})
}

#[test]
fn nodes_come_level_by_level() {
    let leaf =
        json!({"sql": "leaf", "binds": [{"keys": true}], "columns": [{"kind": "int"}], "row": {"column": 0}});
    let relate = |plan: &Json| json!({"parent_column": 0, "key_column": 0, "many": true, "plan": plan});
    let mut middle = leaf.clone();
    middle["sql"] = json!("middle");
    middle["row"] = json!({"child": 0});
    middle["children"] = json!([relate(&leaf)]);
    let mut top = parent(&relate(&middle));
    top["row"] = json!({"array": [{"child": 0}, {"child": 1}]});
    top["children"] = json!([relate(&middle), relate(&leaf)]);
    let query = Query::compile(&serde_json::from_str(&top.to_string()).unwrap()).unwrap();
    let order: Vec<_> = query.nodes.iter().map(|node| (node.statement.sql(), node.level)).collect();
    assert_eq!(order, [("p", 0), ("middle", 1), ("leaf", 1), ("leaf", 2)]);
    assert_eq!(query.levels(), 3);
    let links: Vec<_> =
        query.nodes.iter().filter_map(|node| node.relation).map(|link| (link.parent, link.number)).collect();
    assert_eq!(links, [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn children_bind_their_keys_once_at_most() {
    assert_eq!(
        refuse(&parent(&child(0, &json!([{"keys": true}, {"keys": true}])))),
        "invalid plan at queries[0].children[0].binds: a child binds `keys` once, this one 2 times"
    );
    let mut top = parent(&child(0, &json!([{"keys": true}])));
    top["binds"] = json!([{"keys": true, "type": "int"}]);
    assert_eq!(
        refuse(&top),
        "invalid plan at queries[0].binds: `keys` binds the parent's keys, and this plan has no parent"
    );
}

#[test]
fn relations_name_columns_that_exist() {
    assert_eq!(
        refuse(&parent(&child(1, &json!([{"keys": true}])))),
        "invalid plan at queries[0].children[0].key_column: column 1 does not exist: the child has 1"
    );
    let mut far = child(0, &json!([{"keys": true}]));
    far["parent_column"] = json!(3);
    assert_eq!(
        refuse(&parent(&far)),
        "invalid plan at queries[0].children[0].parent_column: column 3 does not exist: the parent has 1"
    );
}

#[test]
fn a_child_without_a_place_is_an_error() {
    let mut top = parent(&child(0, &json!([{"keys": true}])));
    top["row"] = json!({"column": 0});
    assert_eq!(refuse(&top), "invalid plan at queries[0].row: child 0 has no place in the row");
}

#[test]
fn malformed_descriptions_say_where() {
    let error = refuse(&json!({"sql": "x", "columns": [{"kind": "integer"}], "row": {"column": 0}}));
    assert!(error.starts_with("invalid plan at description: unknown variant `integer`"), "{error}");
    assert!(Operation::from_json("{").is_err());
}

#[test]
fn arguments_are_counted_over_all_statements() {
    let mut top = parent(&child(0, &json!([{"keys": true}, {"arg": 4, "type": "text"}])));
    top["binds"] = json!([{"arg": 0}]);
    assert_eq!(Operation::from_json(&top.to_string()).unwrap().arity(), 5);
}
