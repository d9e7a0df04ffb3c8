use super::*;
use crate::limits::Limits;
use crate::variables;

const SDL: &str = "
type Query { me: Person, people: [Person!]!, maybe: [Person!], loose: [Person] }
type Person { name: String!, nick: String, friend: Person, friends: [Person!]!, data: JSON }
scalar JSON
";

fn settled(query: &str, key: &str, text: &str) -> (Option<String>, Vec<String>) {
    let graph = Graph::parse(SDL, false, false).unwrap_or_else(|error| panic!("{error}"));
    let document =
        Document::compile(&graph, query, &Limits::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let operation = document.operation(None).unwrap_or_else(|error| panic!("{error:?}"));
    let given = variables::given(serde_json::Map::new());
    let variables =
        variables::coerce(&graph, &document, operation, given).unwrap_or_else(|error| panic!("{error:?}"));
    let source = Source { graph: &graph, document: &document, operation, variables: &variables };
    let text = text.replace('!', "\u{1}nnull").replace('?', "\u{1}v\"why\"");
    let refusals = [Error::new(Code::BadUserInput, "refused")];
    let failures = [Error::new(Code::Timeout, "failed")];
    let known = Known { refusals: &refusals, failures: &failures, answers: &Answers::default() };
    let settled = settle(source, key, known, text.as_bytes());
    let path = |error: &Error| {
        let steps: Vec<String> = error
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => index.to_string(),
            })
            .collect();
        steps.join(".")
    };
    let json = settled.json.map(|json| String::from_utf8_lossy(&json).into_owned());
    (json, settled.errors.iter().map(path).collect())
}

#[test]
fn what_may_be_null_is() {
    let (json, errors) = settled("{me {nick name}}", "me", r#"{"nick":?,"name":"a"}"#);
    assert_eq!(json.as_deref(), Some(r#"{"nick":null,"name":"a"}"#));
    assert_eq!(errors, ["me.nick"]);
}

#[test]
fn null_goes_up_to_the_nearest_that_may_be_null() {
    let text = r#"{"friend":{"friends":[{"name":"[]"},{"name":!}],"data":{"a":[1,"}"]}},"data":{"b":"\""},"name":"x"}"#;
    let (json, errors) = settled("{me {friend {friends {name} data} data name}}", "me", text);
    assert_eq!(json.as_deref(), Some(r#"{"friend":null,"data":{"b":"\""},"name":"x"}"#));
    assert_eq!(errors, ["me.friend.friends.1.name"]);
}

#[test]
fn lists_whose_items_may_be_null_keep_the_others() {
    let text = r#"[{"name":"a"},{"name":!},{"name":"c"}]"#;
    let (json, errors) = settled("{loose {name}}", "loose", text);
    assert_eq!(json.as_deref(), Some(r#"[{"name":"a"},null,{"name":"c"}]"#));
    assert_eq!(errors, ["loose.1.name"]);
    assert_eq!(settled("{maybe {name}}", "maybe", text).0.as_deref(), Some("null"));
    assert_eq!(settled("{people {name}}", "people", text), (None, vec!["people.1.name".to_owned()]));
}

#[test]
fn each_failure_has_its_own_error() {
    let text = r#"[{"a":?,"b":?},null,{"a":"x","b":!}]"#;
    let (json, errors) = settled("{loose {a: nick b: nick}}", "loose", text);
    assert_eq!(json.as_deref(), Some(r#"[{"a":null,"b":null},null,{"a":"x","b":null}]"#));
    assert_eq!(errors, ["loose.0.a", "loose.0.b", "loose.2.b"]);
}

#[test]
fn constants_may_have_spaces() {
    let text = r#"{"friend": {"nick": null, "data": {"a": [1, 2]}}, "nick":?}"#;
    let (json, errors) = settled("{me {friend {nick data} nick}}", "me", text);
    assert_eq!(json.as_deref(), Some(r#"{"friend":{"nick":null,"data":{"a": [1, 2]}},"nick":null}"#));
    assert_eq!(errors, ["me.nick"]);
}

#[test]
fn fragments_and_merged_fields_say_where_they_are() {
    let query = "{me {friend {nick} ...F}} fragment F on Person {friend {name}}";
    let (json, errors) = settled(query, "me", r#"{"friend":{"nick":null,"name":!}}"#);
    assert_eq!(json.as_deref(), Some(r#"{"friend":null}"#));
    assert_eq!(errors, ["me.friend.name"]);
}

#[test]
fn a_child_that_failed_is_null_where_it_may_be() {
    let text = "{\"name\":\"a\",\"friend\":{\"friends\":\u{1}f[0]}}";
    let (json, errors) = settled("{me {name friend {friends {name}}}}", "me", text);
    assert_eq!(json.as_deref(), Some(r#"{"name":"a","friend":null}"#));
    assert_eq!(errors, ["me.friend.friends"]);
}
