//! Each combination of optional parameters and ordering is planned once, and no more are kept than allowed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::rc::Rc;

use plectrum_engine::app::App;
use plectrum_engine::variants::MAX_VARIANTS;
use serde_json::{Value as Json, json};
use support::database::{Fake, Namer, app, native, operation};
use support::{get, parameter, with};

struct Listing {
    app: App,
    fake: Rc<Fake>,
    namer: Rc<Namer>,
}

impl Listing {
    /// `count` optional parameters `p0`, `p1`, … after a required one, then an ordering.
    fn new(count: usize) -> Self {
        let optional = |node: Json| json!({"required": false, "schema": {"root": node, "definitions": []}});
        let mut parameters = vec![parameter("query", "n", json!({"type": "int"}))];
        parameters.extend((0..count).map(|index| {
            with(parameter("query", &format!("p{index}"), json!({"type": "int"})), json!({"required": false}))
        }));
        parameters.push(with(parameter("query", "ordering", json!({})), optional(json!({"type": "str"}))));
        let members = json!({"optional": (1..=count).collect::<Vec<_>>(), "ordering": count + 1});
        let (fake, namer) = (Rc::new(Fake::default()), Rc::new(Namer::default()));
        let routes = [native("/a", parameters.into(), &operation("base", &[], &["int"]), members)];
        Self { app: app(&routes, &fake.database(), &namer), fake, namer }
    }

    /// The SQL that answers a query string.
    fn sql(&self, query: &str) -> String {
        assert_eq!(get(&format!("/a?n=1&{query}")).to(&self.app).status, 200);
        self.fake.asked.borrow_mut().pop().unwrap().0.remove(0)
    }

    fn planned(&self) -> usize {
        self.namer.planned.borrow().len()
    }
}

#[test]
fn each_combination_is_planned_once() {
    let listing = Listing::new(3);
    assert_eq!(listing.sql(""), "base");
    assert_eq!(listing.planned(), 0);
    assert_eq!(listing.sql("p0=5"), "present [1] ordering None");
    assert_eq!(listing.sql("p0=6"), "present [1] ordering None");
    assert_eq!(listing.planned(), 1);
    assert_eq!(listing.sql("p2=1&p0=5"), "present [1, 3] ordering None");
    assert_eq!(listing.sql("p0=5&p2=1"), "present [1, 3] ordering None");
    assert_eq!(listing.sql("ordering=-name"), "present [] ordering Some(\"-name\")");
    assert_eq!(listing.sql("p1=1&ordering=-name"), "present [2] ordering Some(\"-name\")");
    assert_eq!(listing.planned(), 4);
    assert_eq!(listing.sql(""), "base");
}

#[test]
fn no_two_of_many_parameters_share_a_plan() {
    let listing = Listing::new(130);
    for index in [0, 63, 64, 127, 128, 129] {
        assert_eq!(listing.sql(&format!("p{index}=1")), format!("present [{}] ordering None", index + 1));
    }
}

#[test]
fn what_the_planner_refuses_is_answered_and_not_kept() {
    let listing = Listing::new(1);
    for _ in 0..2 {
        assert_eq!(get("/a?n=1&ordering=refuse").to(&listing.app).status, 418);
    }
    assert_eq!(listing.planned(), 2);
}

#[test]
fn no_more_are_kept_than_allowed() {
    let listing = Listing::new(1);
    // With the base, which is known from the start, these fill the cache.
    let orderings: Vec<String> = (1..MAX_VARIANTS).map(|number| format!("ordering=f{number}")).collect();
    for _ in 0..2 {
        orderings.iter().for_each(|ordering| drop(listing.sql(ordering)));
    }
    assert_eq!(listing.planned(), MAX_VARIANTS - 1);
    listing.sql("ordering=one-more");
    assert_eq!(listing.planned(), MAX_VARIANTS);
    // All were forgotten, the base too: it is planned like any other.
    assert_eq!(listing.sql(""), "present [] ordering None");
    assert_eq!(listing.sql("ordering=f1"), "present [] ordering Some(\"f1\")");
    assert_eq!(listing.planned(), MAX_VARIANTS + 2);
}
