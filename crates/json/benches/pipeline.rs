//! MB of rows a second: `cargo bench -p plectrum-json --bench pipeline --profile fast`.
#![allow(clippy::unwrap_used)]

use plectrum_json::pipeline::{Of, Rows, Selection, Types, Writer};
use std::hint::black_box;
use std::time::Instant;

/// Many and short, so that some are left alone by whatever else the machine does.
const ROUNDS: usize = 200;

fn row(number: usize, gap: &str) -> String {
    let body = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(6);
    let members = [
        format!("\"id\":{gap}{number}"),
        format!("\"uid\":{gap}\"0b6ae7d2-15b3-4bb9-9d0c-{number:012}\""),
        format!("\"author_id\":{gap}{}", number % 500),
        format!("\"title\":{gap}\"Article number {number}\""),
        format!("\"slug\":{gap}\"article-number-{number}\""),
        format!("\"body\":{gap}\"{body}\""),
        format!("\"status\":{gap}\"published\""),
        format!("\"price\":{gap}{}.50", number % 90),
        format!("\"rating\":{gap}4.25"),
        format!("\"views\":{gap}{}", number * 7),
        format!("\"published\":{gap}true"),
        format!("\"tags\":{gap}[\"rust\",{gap}\"python\"]"),
        format!("\"created_at\":{gap}\"2024-01-01T12:34:56.123456+00:00\""),
        format!("\"updated_at\":{gap}\"2024-01-01T12:34:56.123456+00:00\""),
        format!("\"published_on\":{gap}\"2024-01-01\""),
    ];
    format!("{{{}}}", members.join(&format!(",{gap}")))
}

fn report(name: &str, rows: &[String], select: Option<&[&str]>) {
    let size: usize = rows.iter().map(String::len).sum();
    let types = Types::default();
    let round = |_| {
        let start = Instant::now();
        let selection = select.map(|paths| {
            let mut selection = Selection::default();
            paths.iter().try_for_each(|path| selection.add(path)).unwrap();
            selection
        });
        let mut field = Rows::new(&types, Of::Named("Article".into()), selection, false);
        let mut writer = Writer::with_capacity(size + rows.len() * 32);
        let mut list = writer.list("articles");
        rows.iter().try_for_each(|row| list.row(&mut field, row)).unwrap();
        list.end();
        black_box(writer.finish());
        start.elapsed().as_secs_f64()
    };
    let best = (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
    println!("{name:32} {:6} rows {:8.0} MB/s", rows.len(), size as f64 / best / 1e6);
}

fn main() {
    // What does not fit the caches measures what else the machine does.
    for count in [100, 1000] {
        let compact: Vec<_> = (0..count).map(|number| row(number, "")).collect();
        let spaced: Vec<_> = (0..count).map(|number| row(number, " ")).collect();
        report("every field, row_to_json", &compact, None);
        report("every field, jsonb", &spaced, None);
        report(
            "eight fields",
            &compact,
            Some(&["id", "title", "slug", "status", "price", "views", "authorId", "createdAt"]),
        );
    }
}
