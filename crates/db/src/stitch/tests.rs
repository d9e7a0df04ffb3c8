//! Stitching against a naive implementation that builds JSON values.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use crate::testing::{Dice, Tables, block_on};
use crate::{Context, Operation, Outcome, execute};

/// A random tree of relations: each level's rows are `[id, parent key, other key]`.
struct Tree {
    tables: Tables,
    plan: Json,
    expected: Json,
}

struct Level {
    name: String,
    rows: Vec<Vec<Json>>,
    many: bool,
    children: Vec<Level>,
}

fn key(dice: &mut Dice, text: bool) -> Json {
    match dice.below(8) {
        7 => Json::Null,
        number if text => json!(format!("k\"{number}")),
        number => json!(number),
    }
}

fn level(dice: &mut Dice, name: &str, depth: usize, text: bool) -> Level {
    let rows = (0..dice.below(12)).map(|id| vec![json!(id), key(dice, text), key(dice, text)]).collect();
    let width = if depth == 0 { 0 } else { dice.below(3) };
    let children = (0..width).map(|index| level(dice, &format!("{name}.{index}"), depth - 1, text)).collect();
    Level { name: name.to_owned(), rows, many: dice.below(3) > 0, children }
}

fn plan(level: &Level, top: bool, tables: &mut Tables, text: bool) -> Json {
    tables.insert(&level.name, (!top).then_some(1), json!(level.rows));
    let kind = json!({"kind": if text { "text" } else { "int" }});
    let mut fields = vec![json!(["id", {"column": 0}])];
    let mut children = Vec::new();
    for (index, child) in level.children.iter().enumerate() {
        fields.push(json!([format!("c{index}"), {"child": index}]));
        children.push(json!({"parent_column": 2, "key_column": 1, "many": child.many,
            "plan": plan(child, false, tables, text)}));
    }
    fields.push(json!(["end", {"literal": 0}]));
    let binds = if top { json!([]) } else { json!([{"keys": true}]) };
    json!({"sql": level.name, "binds": binds, "columns": [{"kind": "int"}, kind, kind],
        "row": {"object": {"fields": fields}}, "children": children})
}

fn naive(level: &Level, key: Option<&Json>) -> Vec<Json> {
    let wanted = |row: &&Vec<Json>| key.is_none_or(|key| !key.is_null() && row[1] == *key);
    let object = |row: &Vec<Json>| {
        let mut object = serde_json::Map::new();
        object.insert("id".to_owned(), row[0].clone());
        for (index, child) in level.children.iter().enumerate() {
            let rows = naive(child, Some(&row[2]));
            let value = if child.many { json!(rows) } else { rows.first().cloned().unwrap_or(Json::Null) };
            object.insert(format!("c{index}"), value);
        }
        object.insert("end".to_owned(), json!(0));
        Json::Object(object)
    };
    level.rows.iter().filter(wanted).map(object).collect()
}

fn tree(seed: u64) -> Tree {
    let mut dice = Dice(seed * 2_654_435_761 + 1);
    let text = dice.below(2) == 1;
    let top = level(&mut dice, "top", 3, text);
    let mut tables = Tables::default();
    let plan = plan(&top, true, &mut tables, text);
    Tree { plan, expected: json!(naive(&top, None)), tables }
}

#[test]
fn equals_the_naive_implementation() {
    let mut nested = 0;
    for seed in 1..3000 {
        let tree = tree(seed);
        let operation = Operation::from_json(&tree.plan.to_string()).unwrap();
        let found =
            block_on(execute(&tree.tables, &operation, &[], &Context::default(), Vec::new())).unwrap();
        let Outcome::Found(body) = found else { panic!("rows are always found") };
        assert_eq!(String::from_utf8(body).unwrap(), tree.expected.to_string(), "seed {seed}: {}", tree.plan);
        let statements = tree.tables.asked.borrow().len();
        assert!(statements <= operation.statements().count(), "one statement per level at most");
        nested += usize::from(statements > 2);
    }
    assert!(nested > 300, "the trees are too flat to show anything: {nested}");
}

#[test]
fn keys_of_two_kinds_meet_as_text() {
    let mut tables = Tables::default();
    tables.insert("post", None, json!([[1], [2]]));
    tables.insert("tag", Some(0), json!([["2", "b"], ["1", "a"], ["2", "c"]]));
    let operation = Operation::from_json(
        &json!({"sql": "post", "columns": [{"kind": "int"}], "row": {"child": 0}, "children": [
            {"parent_column": 0, "key_column": 0, "many": true, "plan": {"sql": "tag", "binds": [{"keys": true}],
            "columns": [{"kind": "text"}, {"kind": "text"}], "row": {"column": 1}}}]})
        .to_string(),
    )
    .unwrap();
    let found = block_on(execute(&tables, &operation, &[], &Context::default(), Vec::new())).unwrap();
    assert_eq!(found, Outcome::Found(br#"[["a"],["b","c"]]"#.to_vec()));
}
