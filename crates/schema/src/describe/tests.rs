#![allow(clippy::unwrap_used)]
use super::*;

fn compiled(description: &Value) -> Schema {
    Schema::from_json(&description.to_string()).unwrap()
}

fn described(node: Value) -> Value {
    describe(&compiled(&json!({ "root": node })), DEFS).into_document()
}

#[test]
fn scalars_have_types_formats_and_bounds() {
    for (node, expected) in [
        (json!({"type": "any"}), json!({})),
        (json!({"type": "null"}), json!({"type": "null"})),
        (json!({"type": "bool"}), json!({"type": "boolean"})),
        (
            json!({"type": "int", "ge": 1, "lt": 10, "multiple_of": 3}),
            json!({"type": "integer", "minimum": 1, "exclusiveMaximum": 10, "multipleOf": 3}),
        ),
        (
            json!({"type": "float", "gt": 0.5, "le": 1.5}),
            json!({"type": "number", "exclusiveMinimum": 0.5, "maximum": 1.5}),
        ),
        (
            json!({"type": "decimal", "ge": 0}),
            json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "format": "decimal", "pattern": DECIMAL}]}),
        ),
        (
            json!({"type": "str", "min_length": 1, "max_length": 9, "pattern": "^a"}),
            json!({"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a"}),
        ),
        (json!({"type": "bytes"}), json!({"type": "string", "contentEncoding": "base64"})),
        (json!({"type": "uuid"}), json!({"type": "string", "format": "uuid"})),
        (json!({"type": "date"}), json!({"type": "string", "format": "date"})),
        (json!({"type": "time"}), json!({"type": "string", "format": "time-local", "pattern": TIME})),
        (json!({"type": "datetime"}), json!({"type": "string", "format": "date-time"})),
        (json!({"type": "duration"}), json!({"type": "string", "pattern": DURATION})),
        (json!({"type": "literal", "values": ["a", "b"]}), json!({"enum": ["a", "b"], "type": "string"})),
        (json!({"type": "enum", "class": 0, "values": [1, 2]}), json!({"enum": [1, 2], "type": "integer"})),
        (json!({"type": "literal", "values": ["a", 1, null]}), json!({"enum": ["a", 1, null]})),
        (json!({"type": "foreign", "class": 0, "describe": {"title": "X"}}), json!({"title": "X"})),
        (json!({"type": "foreign", "class": 0}), json!({})),
    ] {
        assert_eq!(described(node), expected);
    }
}

#[test]
fn containers_nest() {
    let int = json!({"type": "int"});
    for (node, expected) in [
        (
            json!({"type": "list", "item": int, "container": "set", "min_length": 1}),
            json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true, "minItems": 1}),
        ),
        (
            json!({"type": "tuple", "items": [int, {"type": "bool"}]}),
            json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": false,
                "minItems": 2, "maxItems": 2}),
        ),
        (
            json!({"type": "dict", "key": {"type": "uuid"}, "value": int, "max_length": 4}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 4,
                "propertyNames": {"type": "string", "format": "uuid"}}),
        ),
        (
            json!({"type": "dict", "key": int, "value": {"type": "any"}}),
            json!({"type": "object", "additionalProperties": {}}),
        ),
        (
            json!({"type": "optional", "inner": int}),
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ),
        (
            json!({"type": "union", "options": [int, {"type": "str"}]}),
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ),
    ] {
        assert_eq!(described(node), expected);
    }
}

#[test]
fn structs_are_definitions() {
    let schema = compiled(&json!({
        "definitions": [{"type": "struct", "name": "Tree", "class": 1, "extra": "forbid", "fields": [
            {"name": "label", "alias": "Label", "node": {"type": "str"}, "description": "What it is."},
            {"name": "kids", "node": {"type": "list", "item": {"type": "reference", "index": 0}}, "required": false,
                "default": []},
        ]}],
        "root": {"type": "reference", "index": 0},
    }));
    let Described { schema: root, definitions } = describe(&schema, "#/components/schemas/");
    assert_eq!(root, json!({"$ref": "#/components/schemas/Tree"}));
    let tree = json!({
        "title": "Tree",
        "type": "object",
        "properties": {
            "Label": {"type": "string", "description": "What it is."},
            "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "default": []},
        },
        "required": ["Label"],
        "additionalProperties": false,
    });
    assert_eq!(Value::Object(definitions), json!({ "Tree": tree }));
    let document = describe(&schema, DEFS).into_document();
    assert_eq!(
        (&document["$ref"], document["$defs"].as_object().map(Map::len)),
        (&json!("#/$defs/Tree"), Some(1))
    );
}

#[test]
fn classes_of_one_name_are_told_apart_across_schemas() {
    let named = |class: u32| {
        compiled(&json!({"root": {"type": "struct", "name": "Item", "class": class, "fields": []}}))
    };
    let mut describer = Describer::new("#/");
    assert_eq!(describer.describe(&named(1)), json!({"$ref": "#/Item"}));
    assert_eq!(describer.describe(&named(2)), json!({"$ref": "#/Item2"}));
    assert_eq!(describer.describe(&named(1)), json!({"$ref": "#/Item"}));
    assert_eq!(describer.into_definitions().keys().collect::<Vec<_>>(), ["Item", "Item2"]);
}

#[test]
fn tagged_unions_map_their_tags() {
    let option = |name: &str, class: u32, tag: Value| {
        let kind = json!({"name": "kind", "node": {"type": "literal", "values": [tag]}});
        json!({"type": "struct", "name": name, "class": class, "fields": [kind]})
    };
    let options = json!([option("Cat", 0, json!("cat")), option("Dog", 1, json!(2))]);
    let document = described(json!({"type": "union", "discriminator": "kind", "options": options}));
    assert_eq!(document["oneOf"], json!([{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]));
    let mapping = json!({"cat": "#/$defs/Cat", "2": "#/$defs/Dog"});
    assert_eq!(document["discriminator"], json!({"propertyName": "kind", "mapping": mapping}));
}
