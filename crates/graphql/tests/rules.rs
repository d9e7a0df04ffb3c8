//! What is told of a wrong document, and where: as graphql-js 16 tells it.

use plectrum_graphql::{Code, Document, Graph, Limits};

const SDL: &str = "
scalar Point
enum Size { SMALL LARGE }
interface Named { name: String }
interface Pet implements Named { name: String, age: Int }
type Dog implements Named & Pet { name: String, age: Int, barks: Boolean!, owner(near: Point, size: Size): Person }
type Cat implements Named & Pet { name: String, age: Int, barks: String!, meows: Boolean }
type Person { name: String, pets(where: Where, first: Int! = 10, sizes: [Size!]): [Pet!]!, pet(id: ID!): Pet }
union Owner = Person | Dog
input Where { name: String!, age: Int, size: Size, not: Where }
input One @oneOf { id: ID, name: String }
type Query { me: Person, dog: Dog, pet: Pet, owner: Owner, one(of: One): Int, price(at: Float, in: Boolean): Int }
type Subscription { born: Pet, died: Pet }
directive @note(text: String!) repeatable on QUERY | FIELD
";

fn told(graph: &Graph, text: &str) -> Vec<(String, Vec<(usize, usize)>)> {
    let errors = Document::compile(graph, text, &Limits::default()).err().unwrap_or_default();
    errors.into_iter().map(|error| (error.message, error.locations)).collect()
}

fn graph(introspection: bool) -> Graph {
    Graph::parse(SDL, false, introspection).unwrap_or_else(|error| panic!("{error}"))
}

type Row = (&'static str, &'static [(&'static str, &'static [(usize, usize)])]);

fn check(rows: &[Row]) {
    let graph = graph(true);
    for (text, expected) in rows {
        let expected: Vec<_> =
            expected.iter().map(|(message, places)| ((*message).to_owned(), places.to_vec())).collect();
        assert_eq!(told(&graph, text), expected, "{text}");
    }
}

#[test]
fn definitions() {
    check(&[
        ("type A {a: Int} {me {name}}", &[("The \"A\" definition is not executable.", &[(1, 1)])]),
        (
            "query A {me {name}} query A {me {name}}",
            &[("There can be only one operation named \"A\".", &[(1, 7), (1, 27)])],
        ),
        (
            "{me {name}} query A {me {name}}",
            &[("This anonymous operation must be the only defined operation.", &[(1, 1)])],
        ),
        ("mutation {x}", &[("The mutation operation is not supported by the schema.", &[(1, 1)])]),
        ("{me {name}} fragment A on Dog {name}", &[("Fragment \"A\" is never used.", &[(1, 13)])]),
        (
            "{dog {...A}} fragment A on Dog {name} fragment A on Dog {age}",
            &[("There can be only one fragment named \"A\".", &[(1, 23), (1, 48)])],
        ),
        (
            "{dog {...A}} fragment A on Dog {...B} fragment B on Dog {...A}",
            &[("Cannot spread fragment \"A\" within itself via \"B\".", &[(1, 33), (1, 58)])],
        ),
        (
            "{dog {...A}} fragment A on Dog {...A}",
            &[("Cannot spread fragment \"A\" within itself.", &[(1, 33)])],
        ),
    ]);
}

#[test]
fn selections() {
    check(&[
        (
            "{dog {nmae\n bark}}",
            &[
                ("Cannot query field \"nmae\" on type \"Dog\". Did you mean \"name\"?", &[(1, 7)]),
                ("Cannot query field \"bark\" on type \"Dog\". Did you mean \"barks\"?", &[(2, 2)]),
            ],
        ),
        (
            "{pet {meows} owner {name}}",
            &[
                (
                    "Cannot query field \"meows\" on type \"Pet\". Did you mean to use an inline fragment on \"Cat\"?",
                    &[(1, 7)],
                ),
                (
                    "Cannot query field \"name\" on type \"Owner\". Did you mean to use an inline fragment on \"Named\", \
                     \"Pet\", \"Dog\", or \"Person\"?",
                    &[(1, 21)],
                ),
            ],
        ),
        (
            "{dog me {name # {\n {x}}}",
            &[
                (
                    "Field \"dog\" of type \"Dog\" must have a selection of subfields. Did you mean \"dog { ... }\"?",
                    &[(1, 2)],
                ),
                (
                    "Field \"name\" must not have a selection since type \"String\" has no subfields.",
                    &[(2, 2)],
                ),
            ],
        ),
        (
            "{...A ...on Size {x} ...on Dgo {x} me {...on Dog {name} ...B}} fragment B on Cat {name}",
            &[
                ("Unknown fragment \"A\".", &[(1, 5)]),
                ("Fragment cannot condition on non composite type \"Size\".", &[(1, 13)]),
                ("Unknown type \"Dgo\". Did you mean \"Dog\"?", &[(1, 28)]),
                (
                    "Fragment cannot be spread here as objects of type \"Person\" can never be of type \"Dog\".",
                    &[(1, 40)],
                ),
                (
                    "Fragment \"B\" cannot be spread here as objects of type \"Person\" can never be of type \"Cat\".",
                    &[(1, 57)],
                ),
            ],
        ),
        (
            "{__schema {types {fields {type {fields {type {fields {name}}}}}}}}",
            &[("Maximum introspection depth exceeded", &[(1, 2)])],
        ),
    ]);
}

#[test]
fn directives_and_arguments() {
    check(&[
        (
            "query @skip(if: true) {dog @nothing {name @include(if: true) @include(if: true) @note(text: \"\") \
             @note(text: \"\")}}",
            &[
                ("Directive \"@skip\" may not be used on QUERY.", &[(1, 7)]),
                ("Unknown directive \"@nothing\".", &[(1, 28)]),
                ("The directive \"@include\" can only be used once at this location.", &[(1, 43), (1, 62)]),
            ],
        ),
        (
            "{me @skip(unless: true) {pet(idd: 1) {name} pets(first: 1, first: 2) {name}}}",
            &[
                (
                    "Directive \"@skip\" argument \"if\" of type \"Boolean!\" is required, but it was not provided.",
                    &[(1, 5)],
                ),
                ("Unknown argument \"unless\" on directive \"@skip\".", &[(1, 11)]),
                (
                    "Field \"pet\" argument \"id\" of type \"ID!\" is required, but it was not provided.",
                    &[(1, 26)],
                ),
                ("Unknown argument \"idd\" on field \"Person.pet\". Did you mean \"id\"?", &[(1, 30)]),
                ("There can be only one argument named \"first\".", &[(1, 50), (1, 60)]),
            ],
        ),
    ]);
}

#[test]
fn values() {
    check(&[
        (
            "{me {pets(first: 2147483648, sizes: [SMAL, \"LARGE\"], where: {age: 1.0, nmae: 1}) {name} pet(id: 1.5) {age}}}",
            &[
                ("Int cannot represent non 32-bit signed integer value: 2147483648", &[(1, 18)]),
                (
                    "Value \"SMAL\" does not exist in \"Size\" enum. Did you mean the enum value \"SMALL\"?",
                    &[(1, 38)],
                ),
                (
                    "Enum \"Size\" cannot represent non-enum value: \"LARGE\". Did you mean the enum value \"LARGE\"?",
                    &[(1, 44)],
                ),
                ("Field \"Where.name\" of required type \"String!\" was not provided.", &[(1, 61)]),
                ("Int cannot represent non-integer value: 1.0", &[(1, 67)]),
                ("Field \"nmae\" is not defined by type \"Where\". Did you mean \"name\"?", &[(1, 72)]),
                ("ID cannot represent a non-string and non-integer value: 1.5", &[(1, 97)]),
            ],
        ),
        (
            "{price(at: \"1\", in: 1) me {pets(first: null, where: 1) {name} x: pets(where: {name: 1}) {name}}}",
            &[
                ("Float cannot represent non numeric value: \"1\"", &[(1, 12)]),
                ("Boolean cannot represent a non boolean value: 1", &[(1, 21)]),
                ("Expected value of type \"Int!\", found null.", &[(1, 40)]),
                ("Expected value of type \"Where\", found 1.", &[(1, 53)]),
                ("String cannot represent a non string value: 1", &[(1, 85)]),
            ],
        ),
        (
            "{me {pets(where: {name: \"a\", name: \"b\"}) {name}} dog {owner(near: {x: 1, x: 2}) {name}}}",
            &[
                ("There can be only one input field named \"name\".", &[(1, 19), (1, 30)]),
                ("There can be only one input field named \"x\".", &[(1, 68), (1, 74)]),
            ],
        ),
        (
            "{one(of: {id: 1, name: \"x\"})}",
            &[(
                "Within OneOf Input Object type \"One\", exactly one field must be specified, and the value for that \
                 field must be non-null.",
                &[(1, 10)],
            )],
        ),
    ]);
}

#[test]
fn variables() {
    check(&[
        (
            "query A($a: Dog, $b: Nothing, $c: Int, $c: Int) {dog {owner(near: [$a, {x: $d}]) {pet(id: $c) {name}}}}",
            &[
                ("Variable \"$a\" cannot be non-input type \"Dog\".", &[(1, 13)]),
                ("Variable \"$b\" is never used in operation \"A\".", &[(1, 18)]),
                ("Unknown type \"Nothing\". Did you mean \"String\"?", &[(1, 22)]),
                ("There can be only one variable named \"$c\".", &[(1, 32), (1, 41)]),
                (
                    "Variable \"$c\" of type \"Int\" used in position expecting type \"ID!\".",
                    &[(1, 40), (1, 91)],
                ),
                ("Variable \"$d\" is not defined by operation \"A\".", &[(1, 76), (1, 1)]),
            ],
        ),
        ("query ($a: Int! = 1, $b: [Size!]) {me {pets(first: $a, sizes: $b) {name}}}", &[]),
        (
            "query ($a: Int = 1, $b: String!) {me {...A}} fragment A on Person {pets(first: $a, where: {name: $b}) {age}}",
            &[],
        ),
        ("query ($a: Int = null) {me {pets(first: $a) {name}}}", &[]),
        (
            "query ($a: ID) {one(of: {id: $a})}",
            &[(
                "Variable \"$a\" is of type \"ID\" but must be non-nullable to be used for OneOf Input Object \"One\" (field \
                 \"id\").",
                &[(1, 8), (1, 30)],
            )],
        ),
    ]);
}

#[test]
fn fields_of_one_key() {
    check(&[
        (
            "{dog {name: age\n name}}",
            &[(
                "Fields \"name\" conflict because \"age\" and \"name\" are different fields. Use different aliases on the \
                 fields to fetch both if this was intentional.",
                &[(1, 7), (2, 2)],
            )],
        ),
        (
            "{me {pets(sizes: [SMALL]) {name}} me {pets(sizes: [SMALL, LARGE]) {name}}}",
            &[(
                "Fields \"me\" conflict because subfields \"pets\" conflict because they have differing arguments. Use \
                 different aliases on the fields to fetch both if this was intentional.",
                &[(1, 2), (1, 6), (1, 35), (1, 39)],
            )],
        ),
        (
            "{pet {...on Dog {barks} ...on Cat {barks}}}",
            &[(
                "Fields \"barks\" conflict because they return conflicting types \"Boolean!\" and \"String!\". Use different \
                 aliases on the fields to fetch both if this was intentional.",
                &[(1, 18), (1, 36)],
            )],
        ),
        ("{pet {...on Dog {x: name} ...on Cat {x: name}}}", &[]),
        (
            "{me {pets(where: {name: \"a\", age: 1}) {name}} me {pets(where: {age: 1, name: \"a\"}) {age}}}",
            &[],
        ),
    ]);
}

#[test]
fn subscriptions() {
    check(&[
        ("subscription {born {name} born {age}}", &[]),
        (
            "subscription A {born {name} died {name}}",
            &[("Subscription \"A\" must select only one top level field.", &[(1, 29)])],
        ),
        (
            "subscription {__typename}",
            &[("Anonymous Subscription must not select an introspection top level field.", &[(1, 15)])],
        ),
        (
            "subscription {born @skip(if: true) {name}}",
            &[(
                "Anonymous Subscription must not use `@skip` or `@include` directives in the top level selection.",
                &[(1, 20)],
            )],
        ),
    ]);
}

#[test]
fn what_is_not_shown_is_not_suggested() {
    let graph = graph(false);
    let messages: Vec<_> =
        told(&graph, "{dog {nmae} pet {meows}}").into_iter().map(|(message, _)| message).collect();
    assert_eq!(
        messages,
        ["Cannot query field \"nmae\" on type \"Dog\".", "Cannot query field \"meows\" on type \"Pet\"."]
    );
}

#[test]
fn constants_have_no_variables() {
    let graph = graph(true);
    let documents = ["query ($a: Int = $b) {one(of: $a)}", "query ($a: Int @skip(if: $b)) {one(of: $a)}"];
    for text in documents {
        let errors = Document::compile(&graph, text, &Limits::default()).err().unwrap_or_default();
        assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [Code::ParseFailed], "{text}");
    }
}
