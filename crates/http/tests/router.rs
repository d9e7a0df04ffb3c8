//! The router against examples, and against a matcher too simple to be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use http::Method;
use plectrum_http::router::{Match, Router, RouterBuilder, TrailingSlash};

fn router(routes: &[(&str, &str)]) -> Router<String> {
    with_policy(routes, TrailingSlash::Strict)
}

fn with_policy(routes: &[(&str, &str)], policy: TrailingSlash) -> Router<String> {
    let mut builder = RouterBuilder::new();
    builder.trailing_slash(policy);
    for (method, pattern) in routes {
        builder.route(method.parse().unwrap(), pattern, format!("{method} {pattern}")).unwrap();
    }
    builder.build()
}

/// One line for one answer: `GET /a/{id} id=1`, `405 GET, HEAD`, `404` …
fn ask(router: &Router<String>, method: &str, path: &str) -> String {
    let method: Method = method.parse().unwrap();
    match router.find(&method, path) {
        Match::Found { endpoint, params, pattern } => {
            assert!(endpoint.ends_with(pattern.as_str()));
            params.iter().fold(endpoint.clone(), |line, (name, value)| format!("{line} {name}={value}"))
        }
        Match::Options { allow } => format!("204 {}", allow.to_str().unwrap()),
        Match::MethodNotAllowed { allow } => format!("405 {}", allow.to_str().unwrap()),
        Match::Redirect { path } => format!("308 {path}"),
        Match::Malformed => "400".into(),
        Match::NotFound => "404".into(),
    }
}

#[test]
fn literal_beats_parameter_beats_path() {
    let router = router(&[("GET", "/a/{p:path}"), ("GET", "/a/{s}"), ("GET", "/a/me"), ("GET", "/a/{s}/x")]);
    assert_eq!(ask(&router, "GET", "/a/me"), "GET /a/me");
    assert_eq!(ask(&router, "GET", "/a/you"), "GET /a/{s} s=you");
    assert_eq!(ask(&router, "GET", "/a/me/x"), "GET /a/{s}/x s=me");
    assert_eq!(ask(&router, "GET", "/a/b/c"), "GET /a/{p:path} p=b/c");
    assert_eq!(ask(&router, "GET", "/a/"), "404");
    assert_eq!(ask(&router, "GET", "/a"), "404");
}

#[test]
fn same_shape_different_types() {
    let router = router(&[
        ("GET", "/x/{name}"),
        ("GET", "/x/{slug:slug}"),
        ("GET", "/x/{id:int}"),
        ("GET", "/y/{id:int}"),
    ]);
    assert_eq!(ask(&router, "GET", "/x/12"), "GET /x/{id:int} id=12");
    assert_eq!(ask(&router, "GET", "/x/ab-1"), "GET /x/{slug:slug} slug=ab-1");
    assert_eq!(ask(&router, "GET", "/x/a.b"), "GET /x/{name} name=a.b");
    assert_eq!(ask(&router, "GET", "/y/abc"), "404");
    assert_eq!(ask(&router, "GET", "/y/-1"), "404");
}

#[test]
fn same_shape_different_names_per_method() {
    let router = router(&[("GET", "/x/{id}"), ("DELETE", "/x/{key}"), ("PUT", "/x/{n:int}")]);
    assert_eq!(ask(&router, "GET", "/x/1"), "GET /x/{id} id=1");
    assert_eq!(ask(&router, "DELETE", "/x/1"), "DELETE /x/{key} key=1");
    assert_eq!(ask(&router, "PUT", "/x/1"), "PUT /x/{n:int} n=1");
    assert_eq!(ask(&router, "PUT", "/x/a"), "405 DELETE, GET, HEAD, OPTIONS");
    assert_eq!(ask(&router, "POST", "/x/1"), "405 DELETE, GET, HEAD, OPTIONS, PUT");
}

#[test]
fn a_refused_type_falls_through_to_other_shapes() {
    let router = router(&[
        ("GET", "/f/{id:int}"),
        ("GET", "/f/{rest:path}"),
        ("GET", "/{a}/{b}/c"),
        ("GET", "/f/{id:int}/c"),
    ]);
    assert_eq!(ask(&router, "GET", "/f/7"), "GET /f/{id:int} id=7");
    assert_eq!(ask(&router, "GET", "/f/seven"), "GET /f/{rest:path} rest=seven");
    assert_eq!(ask(&router, "GET", "/f/7/c"), "GET /f/{id:int}/c id=7");
    assert_eq!(ask(&router, "GET", "/g/x/c"), "GET /{a}/{b}/c a=g b=x");
}

#[test]
fn text_around_parameters() {
    let router = router(&[
        ("GET", "/{slug}.json"),
        ("GET", "/{slug}"),
        ("GET", "/v{major:int}"),
        ("GET", "/v{x}.json"),
    ]);
    assert_eq!(ask(&router, "GET", "/a.json"), "GET /{slug}.json slug=a");
    assert_eq!(ask(&router, "GET", "/v1.json"), "GET /v{x}.json x=1");
    assert_eq!(ask(&router, "GET", "/v12"), "GET /v{major:int} major=12");
    assert_eq!(ask(&router, "GET", "/.json"), "GET /{slug} slug=.json");
}

#[test]
fn head_and_options_are_automatic() {
    let plain = router(&[("GET", "/a"), ("POST", "/a"), ("POST", "/b")]);
    assert_eq!(ask(&plain, "HEAD", "/a"), "GET /a");
    assert_eq!(ask(&plain, "HEAD", "/b"), "405 OPTIONS, POST");
    assert_eq!(ask(&plain, "OPTIONS", "/a"), "204 GET, HEAD, OPTIONS, POST");
    assert_eq!(ask(&plain, "OPTIONS", "*"), "204 GET, HEAD, OPTIONS, POST");
    assert_eq!(ask(&plain, "OPTIONS", "/c"), "404");
    assert_eq!(ask(&plain, "PURGE", "/a"), "405 GET, HEAD, OPTIONS, POST");
    let own = router(&[("GET", "/a"), ("HEAD", "/a"), ("OPTIONS", "/a"), ("PURGE", "/a")]);
    assert_eq!(ask(&own, "HEAD", "/a"), "HEAD /a");
    assert_eq!(ask(&own, "OPTIONS", "/a"), "OPTIONS /a");
    assert_eq!(ask(&own, "PURGE", "/a"), "PURGE /a");
}

#[test]
fn decoded_once_and_per_segment() {
    let router = router(&[
        ("GET", "/a/{s}"),
        ("GET", "/p/{p:path}"),
        ("GET", "/n/{n:int}"),
        ("GET", "/café"),
        ("GET", "/100%25"),
    ]);
    assert_eq!(ask(&router, "GET", "/a/x%2Fy"), "GET /a/{s} s=x/y");
    assert_eq!(ask(&router, "GET", "/a/%2525"), "GET /a/{s} s=%25");
    assert_eq!(ask(&router, "GET", "/a/a+b"), "GET /a/{s} s=a+b");
    assert_eq!(ask(&router, "GET", "/%61/x"), "GET /a/{s} s=x");
    assert_eq!(ask(&router, "GET", "/n/%31%32"), "GET /n/{n:int} n=12");
    assert_eq!(ask(&router, "GET", "/caf%C3%A9"), "GET /café");
    assert_eq!(ask(&router, "GET", "/p/a%2Fb/c%20d"), "GET /p/{p:path} p=a/b/c d");
    // Patterns are decoded text, whatever they look like.
    assert_eq!(ask(&router, "GET", "/100%25"), "404");
    assert_eq!(ask(&router, "GET", "/100%2525"), "GET /100%25");
    for bad in ["/a/%", "/a/%zz", "/a/%ff", "/nowhere/%"] {
        assert_eq!(ask(&router, "GET", bad), "400", "{bad}");
    }
}

#[test]
fn trailing_slash_policies() {
    let routes = [("GET", "/a"), ("GET", "/b/"), ("GET", "/c/{id:int}"), ("POST", "/d/")];
    let strict = with_policy(&routes, TrailingSlash::Strict);
    assert_eq!(ask(&strict, "GET", "/a/"), "404");
    let redirect = with_policy(&routes, TrailingSlash::Redirect);
    assert_eq!(ask(&redirect, "GET", "/a/"), "308 /a");
    assert_eq!(ask(&redirect, "HEAD", "/b"), "308 /b/");
    assert_eq!(ask(&redirect, "GET", "/c/%31/"), "308 /c/%31");
    assert_eq!(ask(&redirect, "POST", "/d"), "308 /d/");
    assert_eq!(ask(&redirect, "GET", "/d"), "404");
    assert_eq!(ask(&redirect, "GET", "/a//"), "404");
    let ignore = with_policy(&routes, TrailingSlash::Ignore);
    assert_eq!(ask(&ignore, "GET", "/a/"), "GET /a");
    assert_eq!(ask(&ignore, "GET", "/b"), "GET /b/");
    assert_eq!(ask(&ignore, "GET", "/c/5/"), "GET /c/{id:int} id=5");
    assert_eq!(ask(&ignore, "GET", "/d"), "405 OPTIONS, POST");
    assert_eq!(ask(&ignore, "GET", "/"), "404");
}

#[test]
fn a_redirect_never_leaves_the_site() {
    let router = with_policy(&[("GET", "/{a}/{b}/"), ("GET", "/{p:path}")], TrailingSlash::Redirect);
    assert_eq!(ask(&router, "GET", "/x/y"), "GET /{p:path} p=x/y");
    let router = with_policy(&[("GET", "//{host}/"), ("GET", "/{a}/")], TrailingSlash::Redirect);
    assert_eq!(ask(&router, "GET", "//evil.example"), "404");
    assert_eq!(ask(&router, "GET", "/\\evil.example"), "404");
    assert_eq!(ask(&router, "GET", "/fine"), "308 /fine/");
}

#[test]
fn unreachable_routes_are_refused_by_name() {
    let mut builder = RouterBuilder::new();
    builder.route(Method::GET, "/x/{id:int}", ()).unwrap();
    let error = builder.route(Method::GET, "/x/{key:int}", ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "route `GET /x/{key:int}` can never be reached: `GET /x/{id:int}` matches the same paths"
    );
    let error = builder.route(Method::GET, "/x/{id:number}", ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "route `/x/{id:number}`: parameter type `number` is unknown: use one of int, uuid, date, decimal, float, slug, str, path"
    );
}

mod naive {
    //! Every pattern tried on every path; the best match is chosen by comparing ranks segment by segment.
    use super::*;
    use plectrum_http::router::Converter;
    use proptest::prelude::*;

    const SEGMENTS: [&str; 9] =
        ["a", "b", "", "{i:int}", "{s:slug}", "{t}", "v{n:int}", "{j}.js", "{d:decimal}"];

    fn rank(segment: &str) -> (u8, usize, usize) {
        let Some((before, rest)) = segment.split_once('{') else { return (0, 0, 0) };
        let (inside, after) = rest.split_once('}').unwrap();
        let kind = inside.split_once(':').map_or("str", |(_, kind)| kind);
        let place = Converter::ALL.iter().position(|c| c.name() == kind).unwrap();
        if kind == "path" { (2, 0, 0) } else { (1, 1000 - before.len() - after.len(), place) }
    }

    fn segment_matches(pattern: &str, text: &str) -> bool {
        let Some((before, rest)) = pattern.split_once('{') else { return pattern == text };
        let (inside, after) = rest.split_once('}').unwrap();
        let kind = inside.split_once(':').map_or("str", |(_, kind)| kind);
        let value = text.strip_prefix(before).and_then(|text| text.strip_suffix(after));
        value.is_some_and(|value| Converter::from_name(kind).unwrap().accepts(value))
    }

    fn matches(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["{p:path}"], rest) => !rest.join("/").is_empty(),
            ([first, pattern @ ..], [text, path @ ..]) => {
                segment_matches(first, text) && matches(pattern, path)
            }
            _ => false,
        }
    }

    fn expected(routes: &[(&str, String)], method: &str, path: &str) -> Option<String> {
        let text: Vec<&str> = path[1..].split('/').collect();
        let hit = |pattern: &str| matches(&pattern[1..].split('/').collect::<Vec<_>>(), &text);
        let mut hits: Vec<_> = routes.iter().filter(|(m, pattern)| *m == method && hit(pattern)).collect();
        hits.sort_by_key(|(_, pattern)| pattern[1..].split('/').map(rank).collect::<Vec<_>>());
        hits.first().map(|(method, pattern)| format!("{method} {pattern}"))
    }

    fn pattern() -> impl Strategy<Value = String> {
        (proptest::collection::vec(0..SEGMENTS.len(), 1..4), any::<bool>()).prop_map(|(picks, catch_all)| {
            let mut text = String::new();
            for (at, pick) in picks.iter().enumerate() {
                // Names must differ within a pattern.
                text += &format!("/{}", SEGMENTS[*pick]).replace('{', &format!("{{_{at}"));
            }
            if catch_all { text + "/{p:path}" } else { text }
        })
    }

    fn path() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof![
                Just("a"),
                Just("b"),
                Just(""),
                Just("7"),
                Just("v1"),
                Just("x.js"),
                Just("1.5"),
                Just("é")
            ],
            1..5,
        )
        .prop_map(|segments| format!("/{}", segments.join("/")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn agrees(
            routes in proptest::collection::vec((prop_oneof![Just("GET"), Just("POST")], pattern()), 1..12),
            paths in proptest::collection::vec(path(), 1..8),
        ) {
            let mut builder = RouterBuilder::new();
            let mut kept = Vec::new();
            for (method, pattern) in routes {
                if builder.route(method.parse().unwrap(), &pattern, format!("{method} {pattern}")).is_ok() {
                    kept.push((method, pattern));
                }
            }
            let router = builder.build();
            for path in paths {
                for method in ["GET", "POST"] {
                    let found = match router.find(&method.parse().unwrap(), &path) {
                        Match::Found { endpoint, .. } => Some(endpoint.clone()),
                        _ => None,
                    };
                    prop_assert_eq!(found, expected(&kept, method, &path), "{} {}", method, path);
                }
            }
        }
    }
}
