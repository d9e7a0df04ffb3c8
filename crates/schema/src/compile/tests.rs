#![allow(clippy::unwrap_used)]
use super::*;
use crate::limits::Side;
use serde_json::json;

fn compile(description: &Value) -> Result<Schema> {
    Schema::from_json(&description.to_string())
}

/// The error of a description whose root is `node`.
fn refused(node: Value) -> String {
    compile(&json!({ "root": node })).unwrap_err().to_string()
}

/// The error of field `price` of `Article`.
fn field(node: Value) -> String {
    let fields = json!([{"name": "price", "node": node}]);
    refused(json!({"type": "struct", "name": "Article", "class": 0, "fields": fields}))
}

#[test]
fn an_error_names_the_field_and_the_fix() {
    for (node, expected) in [
        (
            json!({"type": "int", "min_length": 1}),
            "`min_length` does not apply to int; it takes ge, gt, le, lt, multiple_of",
        ),
        (
            json!({"type": "str", "ge": 1}),
            "`ge` does not apply to str; it takes min_length, max_length, pattern, format, strip, blank, no_nul",
        ),
        (json!({"type": "uuid", "ge": 1}), "`ge` does not apply to uuid; it takes no constraints"),
        (json!({"type": "int", "ge": 5, "le": 4}), "no value meets both ge=5 and le=4"),
        (json!({"type": "float", "gt": 0.5, "le": 0.50}), "no value meets both gt=0.5 and le=0.5"),
        (json!({"type": "int", "ge": "x"}), "`ge` must be a finite number, found x"),
        (json!({"type": "int", "ge": []}), "`ge` must be a number, found []"),
        (
            json!({"type": "int", "multiple_of": 0}),
            "`multiple_of` must be above zero and of at most 18 digits, found 0",
        ),
        (
            json!({"type": "int", "multiple_of": -2}),
            "`multiple_of` must be above zero and of at most 18 digits, found -2",
        ),
        (
            json!({"type": "str", "min_length": 3, "max_length": 2}),
            "no value meets both min_length=3 and max_length=2",
        ),
        (json!({"type": "str", "min_length": -1}), "`min_length` must be a whole number from 0, found -1"),
        (
            json!({"type": "decimal", "max_digits": 2, "decimal_places": 3}),
            "`decimal_places` (3) must not exceed `max_digits` (2)",
        ),
        (json!({"type": "decimal", "max_digits": 0}), "`max_digits` must be at least 1"),
        (json!({"type": "literal", "values": []}), "at least one value is needed"),
        (
            json!({"type": "literal", "values": [[1]]}),
            "values must be text, numbers, booleans or null, found [1]",
        ),
        (json!({"type": "enum", "values": [1]}), "`class` is missing"),
        (json!({"type": "list"}), "`item` is missing"),
        (json!({"type": "list", "item": {"type": "any"}, "container": "bag"}), "unknown container `bag`"),
        (json!({"type": "integer"}), "unknown type `integer`"),
        (json!({"type": "union", "options": []}), "a union needs at least one option"),
        (json!({"type": "reference", "index": 0}), "a reference needs the index of a definition, below 0"),
        (json!("int"), "an object describes a type, found \"int\""),
        (
            json!({"type": "dict", "key": {"type": "list", "item": {"type": "int"}}, "value": {"type": "any"}}),
            "a list cannot be the key of a dict; JSON keys are text: use str, int, uuid, an enum or another scalar",
        ),
    ] {
        assert_eq!(field(node), format!("Article.price: {expected}"));
    }
}

#[test]
fn paths_lead_through_containers() {
    let inner = json!({"type": "int", "strip": true});
    let node = json!({"type": "dict", "key": {"type": "str"}, "value": {"type": "list", "item": inner}});
    assert!(field(node).starts_with("Article.price[value][item]: `strip` does not apply to int"));
    let node = json!({"type": "union", "options": [{"type": "int"}, {"type": "text"}]});
    assert_eq!(field(node), "Article.price[1]: unknown type `text`");
    let nested = json!({"type": "struct", "name": "Money", "class": 1, "fields": [{"name": "cents", "node": {"type": "x"}}]});
    assert_eq!(field(json!({"type": "optional", "inner": nested})), "Money.cents: unknown type `x`");
}

#[test]
fn a_bad_regular_expression_tells_why() {
    let message = field(json!({"type": "str", "pattern": "(?=x)"}));
    assert!(message.starts_with("Article.price: `pattern` does not compile: "), "{message}");
    assert!(message.ends_with(
        "look-around and back-references are not supported, since they make matching time unbounded"
    ));
}

#[test]
fn structs_have_one_field_per_key() {
    let fields =
        json!([{"name": "a", "node": {"type": "any"}}, {"name": "b", "alias": "a", "node": {"type": "any"}}]);
    let message = refused(json!({"type": "struct", "name": "S", "class": 0, "fields": fields}));
    assert_eq!(message, "S: two fields have the key `a`; give one of them another alias");
    let unknown = json!({"type": "struct", "name": "S", "class": 0, "fields": [], "extra": "allow"});
    assert_eq!(refused(unknown), "S: unknown `extra` `allow`; use ignore or forbid");
    let field = json!([{"name": "a", "node": {"type": "any"}, "optional": true}]);
    let message = refused(json!({"type": "struct", "name": "S", "class": 0, "fields": field}));
    assert_eq!(message, "S.a: `optional` does not apply to a field; it takes no constraints");
}

#[test]
fn discriminators_must_tell_options_apart() {
    let option = |name: &str, values: Value| {
        let kind = json!({"name": "kind", "node": {"type": "literal", "values": values}});
        json!({"type": "struct", "name": name, "class": 0, "fields": [kind]})
    };
    let union =
        |options: Value| refused(json!({"type": "union", "discriminator": "kind", "options": options}));
    let twice = union(json!([option("A", json!(["x"])), option("B", json!(["x"]))]));
    assert_eq!(twice, "two options have the tag 'x' in `kind`");
    let fix = "every option must be a struct with it as a Literal or an enum";
    let without = json!({"type": "struct", "name": "C", "class": 0, "fields": [{"name": "kind", "node": {"type": "str"}}]});
    assert_eq!(union(json!([without])), format!("C has no discriminator `kind`; {fix}"));
    assert_eq!(union(json!([{"type": "int"}])), format!("an option has no discriminator `kind`; {fix}"));
}

#[test]
fn references_must_lead_somewhere() {
    let reference = |index: usize| json!({"type": "reference", "index": index});
    let message = "refers to itself without an object or a list between; make it a struct";
    for definitions in [
        json!([reference(0)]),
        json!([{"type": "optional", "inner": reference(0)}]),
        json!([reference(1), {"type": "union", "options": [{"type": "int"}, reference(0)]}]),
    ] {
        let error = compile(&json!({"root": reference(0), "definitions": definitions})).unwrap_err();
        assert_eq!((error.path.as_str(), error.message.as_str()), ("definitions[0]", message));
    }
    let list = json!([{"type": "list", "item": reference(0)}]);
    assert!(compile(&json!({"root": reference(0), "definitions": list})).is_ok());
    let error = compile(&json!({"root": {"type": "any"}, "definitions": [reference(7)]})).unwrap_err();
    assert_eq!(error.to_string(), "definitions[0]: a reference needs the index of a definition, below 1");
}

#[test]
fn a_description_is_json_with_a_root() {
    assert!(Schema::from_json("{").unwrap_err().message.starts_with("the description is not JSON: "));
    assert_eq!(Schema::from_json("{}").unwrap_err().message, "`root` is missing");
    let message = Schema::from_json(r#"{"root":{"type":"any"},"defs":[]}"#).unwrap_err().message;
    assert_eq!(message, "`defs` does not apply to a schema; it takes no constraints");
}

#[test]
fn null_members_are_absent() {
    let node = json!({"type": "int", "ge": 1, "gt": null, "multiple_of": null});
    let Node::Int(limits) = compile(&json!({ "root": node })).unwrap().root else { panic!("not an int") };
    assert_eq!(limits.bounds.iter().map(|bound| bound.side).collect::<Vec<_>>(), [Side::Ge]);
    assert!(limits.multiple_of.is_none());
}

#[test]
fn fields_keep_what_describes_them() {
    let fields = json!([{"name": "a", "node": {"type": "any"}, "required": false, "default": null, "description": "A."}]);
    let schema =
        compile(&json!({"root": {"type": "struct", "name": "S", "class": 4, "fields": fields}})).unwrap();
    let Node::Struct(of) = &schema.root else { panic!("not a struct") };
    let field = &of.fields[0];
    assert_eq!((field.name.as_str(), field.key.as_str(), field.required), ("a", "a", false));
    assert_eq!((field.default.as_ref(), field.description.as_deref()), (Some(&Value::Null), Some("A.")));
}
