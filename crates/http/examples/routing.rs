//! What finding a route costs, beside `matchit` and a plain hash map. Answers are compared before anything is timed.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use plectrum_http::{Match, Method, RouterBuilder};

const ROUNDS: u32 = 200;
const CALLS: u32 = 10_000;

/// A middling API: ten resources with lists, details, a nested list and an action.
fn patterns() -> Vec<String> {
    let names =
        ["users", "articles", "authors", "tags", "comments", "orders", "items", "carts", "images", "teams"];
    let shapes = ["", "/{id}", "/{id}/comments", "/{id}/publish", "/search"];
    let resources = names.iter().flat_map(|name| shapes.map(|shape| format!("/api/v1/{name}{shape}")));
    resources.chain(["/hello".to_owned(), "/health".to_owned()]).collect()
}

/// Prints the best of many rounds, because machines are shared.
fn time(label: &str, path: &str, mut find: impl FnMut(&str) -> Option<usize>) {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(find(black_box(path)));
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    println!("{label:>8} {path:34} {best:6.1} ns");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let patterns = patterns();
    let mut ours = RouterBuilder::new();
    let mut matchit = matchit::Router::new();
    let mut map = HashMap::new();
    for (index, pattern) in patterns.iter().enumerate() {
        ours.route(Method::GET, pattern, index)?;
        matchit.insert(pattern, index)?;
        map.insert(pattern.as_str(), index);
    }
    let ours = ours.build();
    let tree = |path: &str| match ours.find(&Method::GET, path) {
        Match::Found { endpoint, .. } => Some(*endpoint),
        _ => None,
    };
    let radix = |path: &str| matchit.at(path).ok().map(|found| *found.value);
    for path in [
        "/hello",
        "/api/v1/articles",
        "/api/v1/articles/search",
        "/api/v1/teams/12345",
        "/api/v1/teams/12345/comments",
        "/api/v1/nowhere/12345",
    ] {
        if tree(path) != radix(path) {
            return Err(format!("the routers disagree on {path}").into());
        }
        time("plectrum", path, tree);
        time("matchit", path, radix);
        time("map", path, |path| map.get(path).copied());
    }
    Ok(())
}
