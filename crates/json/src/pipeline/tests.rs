#![allow(clippy::unwrap_used)]

use super::*;
use crate::naming::to_camel;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn shop() -> Types {
    let mut types = Types::default();
    let article = [("author", "Author"), ("comments", "[Comment!]!"), ("meta_data", "JSON")];
    types.register("Article", article.map(|(field, of)| (field, Of::parse(of))));
    types.register("Comment", [("written_by", Of::parse("Author!"))]);
    types.register("Author", []);
    types
}

fn select(paths: &[&str]) -> Selection {
    let mut selection = Selection::default();
    paths.iter().try_for_each(|path| selection.add(path)).unwrap();
    selection
}

fn article() -> Of {
    Of::Named("Article".into())
}

fn written(rows: &mut Rows<'_>, row: &str) -> Result<String, Fault> {
    let mut out = Vec::new();
    rows.write(&mut out, row).map(|()| String::from_utf8(out).unwrap())
}

fn whole(of: Of, row: &str) -> Result<String, Fault> {
    written(&mut Rows::new(&shop(), of, None, false), row)
}

fn projected(paths: &[&str], row: &str) -> String {
    written(&mut Rows::new(&shop(), article(), Some(select(paths)), false), row).unwrap()
}

#[test]
fn keys_are_converted_and_values_copied() {
    let row = r#" { "line_one" : [ { "a_b":1.50e+10 } , [] , {} ] , "big_int":123456789012345678901234567890,"_x":"\u00e9_b\"\/😀", "é_x": -0.0 } "#;
    let expected = r#"{"lineOne":[{"aB":1.50e+10},[],{}],"bigInt":123456789012345678901234567890,"_x":"\u00e9_b\"\/😀","éX":-0.0}"#;
    assert_eq!(whole(Of::Any, row).unwrap(), expected);
}

#[test]
fn keys_with_escapes_are_the_names_they_spell() {
    let row = r#"{"a\"b_c":1,"a\u005fb_c":2,"\u00e9_x":3,"\u00e9":4,"\ud800_x":5}"#;
    assert_eq!(whole(Of::Any, row).unwrap(), r#"{"a\"bC":1,"aBC":2,"éX":3,"\u00e9":4,"\ud800_x":5}"#);
    assert_eq!(projected(&["aBC"], row), r#"{"aBC":2}"#);
}

#[test]
fn types_stand_first_in_nested_objects_and_lists_too() {
    let row = r#"{"id":1,"author":{"full_name":"A"},"comments":[{"written_by":{}},{"written_by":null},null],"other":{"a_b":{}}}"#;
    let expected = r#"{"__typename":"Article","id":1,"author":{"__typename":"Author","fullName":"A"},"comments":[{"__typename":"Comment","writtenBy":{"__typename":"Author"}},{"__typename":"Comment","writtenBy":null},null],"other":{"aB":{}}}"#;
    assert_eq!(whole(article(), row).unwrap(), expected);
    assert_eq!(whole(article(), "[{}, null]").unwrap(), r#"[{"__typename":"Article"},null]"#);
}

#[test]
fn a_type_that_is_only_named_has_its_name() {
    assert_eq!(whole(Of::Named("A\"".into()), "{}").unwrap(), r#"{"__typename":"A\""}"#);
}

#[test]
fn the_rows_own_typename_gives_way_to_the_types() {
    for row in [r#"{"__typename":"X","id":1}"#, r#"{"id":1,"__typename":"X"}"#] {
        assert_eq!(whole(article(), row).unwrap(), r#"{"__typename":"Article","id":1}"#);
    }
    assert_eq!(whole(article(), r#"{"__typename":"X"}"#).unwrap(), r#"{"__typename":"Article"}"#);
    assert_eq!(whole(Of::Any, r#"{"__typename":"X","a_b":1}"#).unwrap(), r#"{"__typename":"X","aB":1}"#);
}

#[test]
fn json_of_the_users_own_is_copied_with_its_keys_and_spaces() {
    let row = r#"{"meta_data":{"a_b": [1, {"c_d":2}]},"x":1}"#;
    let expected = r#"{"__typename":"Article","metaData":{"a_b": [1, {"c_d":2}]},"x":1}"#;
    assert_eq!(whole(article(), row).unwrap(), expected);
    assert!(whole(article(), r#"{"meta_data":[{"a_b":01}]}"#).is_err());
    assert_eq!(
        whole(article(), r#"{"meta_data":[ {"a_b":1}]}"#).unwrap(),
        r#"{"__typename":"Article","metaData":[ {"a_b":1}]}"#
    );
}

#[test]
fn rows_of_other_shapes_are_not_mistaken_for_learned_ones() {
    let types = shop();
    let mut rows = Rows::new(&types, Of::Any, None, false);
    let cases = [
        (r#"{"a_a":1,"b_b":2}"#, r#"{"aA":1,"bB":2}"#),
        (r#"{"b_b":2,"a_a":1}"#, r#"{"bB":2,"aA":1}"#),
        (r#"{"b_b":2}"#, r#"{"bB":2}"#),
        (r#"{}"#, r#"{}"#),
        (r#"{"a_a": {"a_a":1,"a_a":[]} , "b_b":"{"}"#, r#"{"aA":{"aA":1,"aA":[]},"bB":"{"}"#),
        (r#"{"a_a":{"b_b":1}}"#, r#"{"aA":{"bB":1}}"#),
    ];
    for (row, expected) in cases.iter().chain(&cases) {
        assert_eq!(written(&mut rows, row).unwrap(), *expected);
    }
    for row in [
        r#"{"a_a":1{"b_b":2}"#,
        r#"{"a_a":1"b_b":2}"#,
        r#"{"a_a":1,,"b_b":2}"#,
        r#"{,"b_b":2}"#,
        r#"{"a_a":1,}"#,
    ] {
        assert!(written(&mut rows, row).is_err(), "{row}");
    }
}

#[test]
fn endless_keys_are_converted_and_cost_no_memory() {
    let types = shop();
    let mut rows = Rows::new(&types, Of::Any, None, false);
    for round in 0..40 {
        let member = |number: usize| format!(r#""key_{number}x_y":{{"in_{number}x":1}}"#);
        let row: Vec<String> = (0..100).map(|number| member(round * 100 + number)).collect();
        let row = format!("{{{}}}", row.join(","));
        let answer: Value = serde_json::from_str(&written(&mut rows, &row).unwrap()).unwrap();
        assert_eq!(answer, expected(&serde_json::from_str(&row).unwrap()));
    }
    assert!(rows.learned.size() < 20_000, "{}", rows.learned.size());
}

#[test]
fn what_is_no_json_is_refused_where_it_goes_wrong() {
    let cases = [
        ("", 0, "expected a value"),
        ("nul", 0, "expected a value"),
        ("nulll", 4, "more after the value"),
        ("{} {}", 3, "more after the value"),
        ("{", 1, "expected a key in quotes"),
        ("{1:2}", 1, "expected a key in quotes"),
        (r#"{"a" 1}"#, 5, "expected a colon"),
        (r#"{"a":}"#, 5, "expected a value"),
        (r#"{"a":1 "b""#, 7, "expected a comma or }"),
        ("[1 2]", 3, "expected a comma or ]"),
        ("[1,]", 3, "expected a value"),
        ("[1", 2, "expected a comma or ]"),
        ("\"a\nb\"", 2, "control character in a string"),
        (r#""a"#, 2, "unterminated string"),
        (r#""\x""#, 1, "invalid escape"),
        (r#""\u12G4""#, 1, "invalid escape"),
        ("01", 1, "more after the value"),
        ("-", 1, "expected a digit"),
        ("1.", 2, "expected a digit"),
        ("1e+", 3, "expected a digit"),
        ("NaN", 0, "expected a value"),
        ("+1", 0, "expected a value"),
    ];
    for (row, at, what) in cases {
        assert_eq!(whole(article(), row), Err(Fault { at, what }), "{row}");
    }
}

#[test]
fn a_refused_row_leaves_the_buffer_as_it_was() {
    let types = shop();
    let mut out = b"before".to_vec();
    Rows::new(&types, article(), None, false).write(&mut out, r#"{"a":1,"#).unwrap_err();
    assert_eq!(out, b"before");
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_go_wrong() {
    assert_eq!(Rows::text("é".as_bytes()), Ok("é"));
    assert_eq!(Rows::text(b"\"ab\xFF\""), Err(Fault { at: 3, what: "invalid UTF-8" }));
}

#[test]
fn bombs_of_depth_are_refused() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"{"meta_data":["#, "]}"), (r#"{"author":"#, "}")]
    {
        let levels = |count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
        let per = open.matches(['[', '{']).count();
        let of = || if open.contains("author") { article() } else { Of::Any };
        whole(of(), &levels(MAX_DEPTH / per)).unwrap();
        assert_eq!(whole(of(), &levels(MAX_DEPTH / per + 1)).unwrap_err().what, "nested too deeply");
        assert_eq!(whole(article(), &open.repeat(1_000_000)).unwrap_err().what, "nested too deeply");
    }
}

#[test]
fn a_selection_gives_the_order_the_names_and_nothing_more() {
    let row = r#"{"id":1,"title":"T","author":{"id":2,"full_name":"N","x":{}},"price":1.10}"#;
    assert_eq!(projected(&["price", "id"], row), r#"{"price":1.10,"id":1}"#);
    assert_eq!(projected(&["id", "title"], row), r#"{"id":1,"title":"T"}"#);
    assert_eq!(projected(&["headline: title", "id"], row), r#"{"headline":"T","id":1}"#);
    assert_eq!(
        projected(&["author.fullName", "id", "author.id"], row),
        r#"{"author":{"fullName":"N","id":2},"id":1}"#
    );
    assert_eq!(projected(&["author.full_name"], row), r#"{"author":{"fullName":"N"}}"#);
    assert_eq!(projected(&["missing", "id"], row), r#"{"missing":null,"id":1}"#);
    assert_eq!(projected(&["author"], row), r#"{"author":{"id":2,"fullName":"N","x":{}}}"#);
    assert_eq!(
        projected(&["a: author.id", "b: author.label: fullName", "id", "again: id"], row),
        r#"{"a":{"id":2},"b":{"label":"N"},"id":1,"again":1}"#
    );
}

#[test]
fn a_selected_typename_stands_where_it_is_selected() {
    let row = r#"{"id":1,"author":{"id":2},"comments":[{"id":3},{}]}"#;
    assert_eq!(projected(&["id", "kind: __typename"], row), r#"{"id":1,"kind":"Article"}"#);
    assert_eq!(
        projected(&["__typename", "author.__typename", "comments.id", "comments.__typename"], row),
        r#"{"__typename":"Article","author":{"__typename":"Author"},"comments":[{"id":3,"__typename":"Comment"},{"id":null,"__typename":"Comment"}]}"#
    );
    let types = shop();
    let mut always = Rows::new(&types, article(), Some(select(&["id", "author.id"])), true);
    assert_eq!(
        written(&mut always, row).unwrap(),
        r#"{"__typename":"Article","id":1,"author":{"__typename":"Author","id":2}}"#
    );
    let mut untyped = Rows::new(&types, Of::Any, Some(select(&["__typename", "id"])), false);
    assert_eq!(
        written(&mut untyped, r#"{"id":1,"__typename":"Dog"}"#).unwrap(),
        r#"{"__typename":"Dog","id":1}"#
    );
}

#[test]
fn what_a_selection_leaves_out_is_checked_too() {
    let types = shop();
    for row in [
        r#"{"x":01,"id":1}"#,
        r#"{"id":1,"x":[1,}"#,
        r#"{"id":1,"x":{"y":tru}}"#,
        r#"{"title":{"a":}, "id":1}"#,
    ] {
        let mut rows = Rows::new(&types, article(), Some(select(&["id", "title"])), false);
        assert!(written(&mut rows, row).is_err(), "{row}");
    }
}

#[test]
fn a_selection_that_contradicts_itself_is_refused() {
    let mut selection = Selection::default();
    selection.add("x: id").unwrap();
    assert_eq!(selection.add("x: title"), Err(SelectionError::Conflict("x".into())));
    for empty in ["", "a.", ".a", "a..b", ": a", "a:"] {
        assert!(matches!(selection.add(empty), Err(SelectionError::Empty(_))), "{empty}");
    }
    assert_eq!(selection.add(&"a.".repeat(1000)), Err(SelectionError::Deep));
    assert_eq!(selection.add_inside("y", Selection::default()), Err(SelectionError::Empty("y".into())));
}

#[test]
fn a_flood_of_aliases_is_taken_in_its_stride() {
    let mut selection = Selection::default();
    (0..200_000).try_for_each(|number| selection.add(&format!("a{number}: id"))).unwrap();
    let types = Types::default();
    let answer = written(&mut Rows::new(&types, Of::Any, Some(selection), false), r#"{"id":1}"#).unwrap();
    assert_eq!(answer.matches(":1").count(), 200_000);
}

#[test]
fn a_response_holds_its_fields_in_order() {
    let types = shop();
    let mut rows = Rows::new(&types, Of::Any, None, false);
    let mut writer = Writer::with_capacity(0);
    let mut list = writer.list("a\"b");
    list.row(&mut rows, r#"{"x_y":1}"#).unwrap();
    list.null();
    list.end();
    writer.single("one_row", &mut rows, "5").unwrap();
    writer.null("none");
    writer.list("empty").end();
    let expected = r#"{"data":{"a\"b":[{"xY":1},null],"one_row":5,"none":null,"empty":[]}}"#;
    assert_eq!(String::from_utf8(writer.finish()).unwrap(), expected);
}

/// The same with values in between.
fn expected(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (to_camel(key).into_owned(), expected(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(expected).collect()),
        other => other.clone(),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
        "[\\PC\u{0}-\u{1f}\u{2028}\"\\\\]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("(_?[a-c]{1,3}){1,3}_?", inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn rows_equal_what_a_parser_makes_of_them(values in prop::collection::vec(any_json(), 1..6), pretty in any::<bool>()) {
        let types = shop();
        let mut rows = Rows::new(&types, Of::Any, None, false);
        for value in &values {
            let row = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap();
            // Equal as text: nothing but white space and keys changes.
            prop_assert_eq!(written(&mut rows, &row).unwrap(), serde_json::to_string(&expected(value)).unwrap());
        }
    }

    #[test]
    fn what_is_accepted_is_what_a_parser_accepts(value in any_json(), at in any::<prop::sample::Index>(), byte in "[\\[\\]{}\",:0-9eE.+\\- \n\\\\a-f\u{1}]?") {
        let mut row = serde_json::to_string(&value).unwrap();
        let mut cut = at.index(row.len());
        while !row.is_char_boundary(cut) { cut -= 1; }
        row.replace_range(cut..cut + row[cut..].chars().next().map_or(0, char::len_utf8), &byte);
        let peer: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&row);
        let ours = whole(Of::Any, &row);
        prop_assert_eq!(ours.is_ok(), peer.is_ok(), "{}: {:?} {:?}", row, ours, peer);
        let chosen = written(&mut Rows::new(&shop(), Of::Any, Some(select(&["a", "b.c", "aB"])), false), &row);
        prop_assert_eq!(chosen.is_ok(), ours.is_ok());
    }

    #[test]
    fn projections_equal_what_a_parser_makes_of_them(value in any_json(), names in prop::collection::vec("(_?[a-c]{1,2}){1,2}", 1..5)) {
        let mut wanted: Vec<&str> = Vec::new();
        for name in &names {
            if !wanted.iter().any(|other| to_camel(other) == to_camel(name)) { wanted.push(name); }
        }
        // Two keys that meet in one name: the first of them counts, which a map does not tell.
        prop_assume!(unambiguous(&value));
        let row = serde_json::to_string(&value).unwrap();
        let answer = written(&mut Rows::new(&shop(), Of::Any, Some(select(&wanted)), false), &row).unwrap();
        prop_assert_eq!(answer, serde_json::to_string(&chosen(&value, &wanted)).unwrap());
    }
}

fn unambiguous(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().map(|key| to_camel(key)).collect();
            names.sort();
            names.windows(2).all(|pair| pair[0] != pair[1]) && members.values().all(unambiguous)
        }
        Value::Array(items) => items.iter().all(unambiguous),
        _ => true,
    }
}

fn chosen(value: &Value, wanted: &[&str]) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| chosen(item, wanted)).collect()),
        Value::Object(_) => {
            let Value::Object(members) = expected(value) else { return Value::Null };
            let member = |name: &&str| {
                let name = to_camel(name).into_owned();
                let value = members.get(&name).cloned().unwrap_or_default();
                (name, value)
            };
            Value::Object(wanted.iter().map(member).collect())
        }
        other => other.clone(),
    }
}
