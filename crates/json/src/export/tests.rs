#![allow(clippy::unwrap_used)]

use super::*;

fn written(format: Format, batches: &[&str]) -> String {
    let (mut export, mut out) = (Export::new(format), Vec::new());
    export.begin(&mut out);
    for batch in batches {
        export.batch(batch.as_bytes(), &mut out).unwrap();
    }
    export.end(&mut out);
    String::from_utf8(out).unwrap()
}

fn csv(keys: &[&str], guard: bool, batches: &[&str]) -> String {
    let shape = Shape::Record(keys.iter().map(|key| ((*key).to_owned(), Shape::Cell)).collect());
    written(Format::Csv { shape, guard }, batches)
}

#[test]
fn batches_make_one_array() {
    let rows = [r#"[{"a":1},{"a":2}]"#, "[]", r#"[{"a":"],["}]"#];
    assert_eq!(written(Format::Json, &rows), r#"[{"a":1},{"a":2},{"a":"],["}]"#);
    assert_eq!(written(Format::Json, &[]), "[]");
}

#[test]
fn a_line_is_a_row_whatever_is_stored_in_it() {
    let rows = ["[{\"a\":{\"b\":\n1,\r\n\"c\":\"\\n\"}},2]"];
    assert_eq!(written(Format::Ndjson, &rows), "{\"a\":{\"b\": 1,  \"c\":\"\\n\"}}\n2\n");
}

#[test]
fn cells_are_quoted_as_rfc_4180_says() {
    let rows = [
        r#"[{"a":"plain","b":"co,mma"},{"a":"qu\"ote","b":"line\r\nbreak"},{"a":null,"b":""},{"a":1.50,"b":true}]"#,
    ];
    let expected = "a,b\r\nplain,\"co,mma\"\r\n\"qu\"\"ote\",\"line\r\nbreak\"\r\n,\"\"\r\n1.50,true\r\n";
    assert_eq!(csv(&["a", "b"], false, &rows), expected);
}

#[test]
fn escapes_become_characters_and_containers_stay_json() {
    let rows = [r#"[{"a":"\u00e9\ud83d\ude00\ud800x\\","b":[1,"x"]}]"#];
    assert_eq!(csv(&["a", "b"], false, &rows), "a,b\r\né😀\u{FFFD}x\\,\"[1,\"\"x\"\"]\"\r\n");
}

#[test]
fn nested_objects_are_columns_absent_or_not() {
    let inner = Shape::Record(vec![("id".to_owned(), Shape::Cell), ("name".to_owned(), Shape::Cell)]);
    let shape = Shape::Record(vec![("author".to_owned(), inner), ("n".to_owned(), Shape::Cell)]);
    let rows = [r#"[{"author":{"id":1,"name":"A"},"n":2},{"author":null,"n":3}]"#];
    let expected = "author.id,author.name,n\r\n1,A,2\r\n,,3\r\n";
    assert_eq!(written(Format::Csv { shape, guard: false }, &rows), expected);
}

#[test]
fn formulas_are_guarded_where_asked_for_and_numbers_never() {
    let rows = [r#"[{"a":"=1+1","b":-5},{"a":"@x,y","b":"+4"}]"#];
    assert_eq!(csv(&["a", "b"], true, &rows), "a,b\r\n'=1+1,-5\r\n\"'@x,y\",'+4\r\n");
    assert_eq!(csv(&["a", "b"], false, &rows), "a,b\r\n=1+1,-5\r\n\"@x,y\",+4\r\n");
}

#[test]
fn rows_of_another_shape_are_refused() {
    let shape = Shape::Record(vec![("a".to_owned(), Shape::Cell)]);
    let mut export = Export::new(Format::Csv { shape, guard: false });
    for batch in ["{}", "[1]", r#"[{"a":1,"b":2}]"#, "[{]", r#"[{"a":1}"#, "[{}]"] {
        assert!(export.batch(batch.as_bytes(), &mut Vec::new()).is_err(), "{batch}");
    }
}

#[test]
fn what_breaks_off_is_not_readable() {
    let mut out = Vec::new();
    Export::new(Format::Ndjson).broken(&mut out);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).is_err());
    out.clear();
    Export::new(Format::Csv { shape: Shape::Cell, guard: false }).broken(&mut out);
    assert_eq!(out.iter().filter(|byte| **byte == b'"').count() % 2, 1);
}
