//! Documents made to hurt: each is refused, quickly, and nothing panics.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use plectrum_graphql::{Code, Document, Error, Graph, Limits, lower, variables};

const SDL: &str = "
type Query { me: Person, people(limit: Int = 10, filter: Filter): [Person!]! }
type Person { name(upper: Boolean): String, friends(limit: Int): [Person!]! }
input Filter { and: [Filter!], name: String }
";

/// Unoptimized code on a shared machine is allowed ten times as much as a release build takes at most.
const LONGEST: Duration =
    if cfg!(debug_assertions) { Duration::from_millis(250) } else { Duration::from_millis(5) };

fn graph() -> Graph {
    Graph::parse(SDL, false, true).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> Vec<Error> {
    let graph = graph();
    let start = Instant::now();
    let errors = Document::compile(&graph, text, &Limits::default()).err().unwrap_or_default();
    let took = start.elapsed();
    assert!(!errors.is_empty(), "{} bytes were let pass", text.len());
    assert!(took < LONGEST, "{} bytes took {took:?}", text.len());
    errors
}

fn nested(depth: usize) -> String {
    format!("{{me{}{{name}}{}}}", "{friends".repeat(depth), "}".repeat(depth))
}

#[test]
fn deep_documents() {
    assert_eq!(refused(&nested(20))[0].code, Code::LimitExceeded);
    refused(&nested(190));
    refused(&nested(10_000));
    refused(&"{me".repeat(10_000));
    refused(&format!("{{people(filter: {}{})}}", "{and: [".repeat(10_000), "]}".repeat(10_000)));
    refused(&format!("{{me{{{}name{}}}}}", "... on Person {".repeat(5_000), "}".repeat(5_000)));
    refused(&format!("query ($a: {}Int{}) {{me {{name}}}}", "[".repeat(10_000), "]".repeat(10_000)));
}

#[test]
fn floods() {
    let aliases: String = (0..5_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, "a{n}:name ");
        text
    });
    assert_eq!(refused(&format!("{{me{{{aliases}}}}}"))[0].code, Code::LimitExceeded);
    assert_eq!(refused(&format!("{{me{{{}}}}}", &aliases[..1000]))[0].code, Code::LimitExceeded);
    assert_eq!(
        refused(&format!("{{me{{name {}}}}}", "@skip(if: false) ".repeat(200)))[0].code,
        Code::LimitExceeded
    );
    refused(&format!("{{me{{name {}}}}}", "@a".repeat(5_000)));
    refused(&format!("{{me{{{}}}}}", "name ".repeat(1_500)));
    refused(&format!("{{me{{name}}}} # {}", "x".repeat(100_000)));
    refused(&"\u{feff}{".repeat(10_000));
    refused(&"\"".repeat(60_000));
    refused(&"query A {me {name}} ".repeat(1_000));
    refused(&"{".repeat(10_000));
    refused(&"{me(a".repeat(1_500));
    refused(&",".repeat(60_000));
    let many = (0..300).fold(String::new(), |mut text, n| {
        let _ = write!(text, "people(limit: {n}) {{name}} ");
        text
    });
    refused(&format!("{{{many}}}"));
}

#[test]
fn fragments_that_multiply_or_go_round() {
    let mut bomb = "{me{...F0}}".to_owned();
    for n in 0..40 {
        let next = n + 1;
        let _ = write!(bomb, " fragment F{n} on Person {{friends {{...F{next}}} friends {{...F{next}}}}}");
    }
    bomb.push_str(" fragment F40 on Person {name}");
    assert_eq!(refused(&bomb)[0].code, Code::LimitExceeded);
    let wide = "{me{...A}} fragment A on Person {...B ...B} fragment B on Person {...A name}";
    assert_eq!(refused(wide)[0].code, Code::ValidationFailed);
    assert_eq!(refused("{me{...A}} fragment A on Person {...A}")[0].code, Code::ValidationFailed);
    let mut chain = "{me{...F0}}".to_owned();
    for n in 0..1_000 {
        let _ = write!(chain, " fragment F{n} on Person {{...F{}}}", n + 1);
    }
    refused(&format!("{chain} fragment F1000 on Person {{name}}"));
}

#[test]
fn lists_of_lists_of_lists() {
    let graph = graph();
    let text = "query ($n: Int) {people(limit: 1000) {friends(limit: $n) {friends(limit: 1000) {name}}}}";
    let limits = Limits::default();
    let document = Document::compile(&graph, text, &limits).unwrap_or_else(|errors| panic!("{errors:?}"));
    let operation = document.operation(None).unwrap_or_else(|error| panic!("{error:?}"));
    for (n, allowed) in [(0, true), (1_000, false), (i32::MAX, false)] {
        let given = variables::given([("n".to_owned(), n.into())].into_iter().collect());
        let given = variables::coerce(&graph, &document, operation, given)
            .unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(lower(&graph, &document, operation, &given, &limits).is_ok(), allowed, "{n}");
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn random_documents_do_no_harm() {
    const PIECES: [&str; 38] = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "@",
        "...",
        "|",
        "=",
        "&",
        " ",
        "\n",
        "\"",
        "\"\"\"",
        "#",
        ",",
        "query",
        "mutation",
        "fragment",
        "on",
        "Person",
        "Query",
        "me",
        "people",
        "name",
        "friends",
        "limit",
        "1",
        "-0.5e3",
        "true",
        "null",
        "@skip(if: true)",
        "\u{0}",
        "é",
    ];
    let (graph, limits, mut dice) = (graph(), Limits::default(), Dice(88172645463325252));
    let count = if cfg!(debug_assertions) { 5_000 } else { 100_000 };
    for _ in 0..count {
        let length = dice.below(60);
        let text: String = (0..length).map(|_| PIECES[dice.below(PIECES.len())]).collect();
        let start = Instant::now();
        let _ = Document::compile(&graph, &text, &limits);
        assert!(start.elapsed() < LONGEST, "{text:?} took {:?}", start.elapsed());
    }
}
