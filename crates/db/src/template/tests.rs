#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::*;
use crate::plan::Template;
use crate::testing::JsonRow;

struct Recorder(Vec<(usize, usize)>);

impl Holes for Recorder {
    fn child(&mut self, child: usize, _: &impl Row, at: usize) -> Result<(), Error> {
        self.0.push((child, at));
        Ok(())
    }
}

fn program(template: Json) -> Program {
    let template: Template = serde_json::from_str(&template.to_string()).unwrap();
    compile(&template, Scope { columns: 4, children: 2 }).unwrap()
}

fn write(template: Json, row: Json) -> (String, Vec<(usize, usize)>) {
    let Json::Array(cells) = row else { panic!("a row is a list") };
    let (mut out, mut holes) = (Vec::new(), Recorder(Vec::new()));
    program(template).write(&JsonRow(&cells), &mut out, &mut holes).unwrap();
    (String::from_utf8(out).unwrap(), holes.0)
}

#[test]
fn an_object_is_one_pass_over_merged_fragments() {
    let template = json!({"object": {"fields": [
        ["id", {"column": 0}],
        ["kind", {"literal": {"a": [1, null]}}],
        ["ti\"tle", {"column": 1}],
    ]}});
    assert_eq!(
        write(template.clone(), json!([7, "x", null, null])).0,
        r#"{"id":7,"kind":{"a":[1,null]},"ti\"tle":"x"}"#
    );
    // Two columns, and what closes the object.
    assert_eq!(program(template).ops.len(), 3);
}

#[test]
fn an_absent_object_is_null_and_what_follows_stays() {
    let inner = json!({"object": {"absent": 1, "fields": [["id", {"column": 1}], ["deep", {"object":
        {"absent": 2, "fields": [["x", {"column": 2}]]}}]]}});
    let template = json!({"object": {"fields": [["a", inner], ["b", {"column": 3}]]}});
    let text = |row| write(template.clone(), row).0;
    assert_eq!(text(json!([0, null, null, 9])), r#"{"a":null,"b":9}"#);
    assert_eq!(text(json!([0, 1, null, 9])), r#"{"a":{"id":1,"deep":null},"b":9}"#);
    assert_eq!(text(json!([0, 1, 2, 9])), r#"{"a":{"id":1,"deep":{"x":2}},"b":9}"#);
}

#[test]
fn a_row_that_is_itself_absent_is_null() {
    let template = json!({"object": {"absent": 0, "fields": []}});
    assert_eq!(write(template.clone(), json!([null, 0, 0, 0])).0, "null");
    assert_eq!(write(template, json!([1, 0, 0, 0])).0, "{}");
}

#[test]
fn arrays_bare_columns_and_literals_are_rows_too() {
    assert_eq!(
        write(json!({"array": [{"column": 0}, {"column": 3}, {"array": []}]}), json!([1, 0, 0, "é"])).0,
        r#"[1,"é",[]]"#
    );
    assert_eq!(write(json!({"column": 2}), json!([0, 0, true, 0])).0, "true");
    assert_eq!(write(json!({"literal": 5}), json!([0, 0, 0, 0])).0, "5");
}

#[test]
fn children_leave_holes_where_their_rows_go() {
    let template = json!({"object": {"fields": [["t", {"child": 1}], ["u", {"child": 0}]]}});
    let (text, holes) = write(template, json!([0, 0, 0, 0]));
    assert_eq!(text, r#"{"t":,"u":}"#);
    assert_eq!(holes, [(1, 5), (0, 10)]);
}

#[test]
fn keys_longer_than_a_block_are_copied_whole() {
    let name = "k".repeat(100);
    let template = json!({"object": {"fields": [[name, {"column": 0}]]}});
    assert_eq!(write(template, json!([1, 0, 0, 0])).0, format!("{{\"{name}\":1}}"));
}

#[test]
fn indices_out_of_range_are_named() {
    let refuse = |template: Json| {
        let template: Template = serde_json::from_str(&template.to_string()).unwrap();
        compile(&template, Scope { columns: 4, children: 2 }).unwrap_err().to_string()
    };
    assert_eq!(
        refuse(json!({"array": [{"column": 4}]})),
        "invalid plan at template: column 4 does not exist: the plan has 4"
    );
    assert_eq!(
        refuse(json!({"child": 2})),
        "invalid plan at template: child 2 does not exist: the plan has 2"
    );
    assert_eq!(
        refuse(json!({"object": {"absent": 9, "fields": []}})),
        "invalid plan at template: column 9 does not exist: the plan has 4"
    );
}
