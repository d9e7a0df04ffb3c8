//! Nanoseconds per value, beside `serde_json` where it writes the same: `cargo bench -p plectrum-json --profile fast`.
#![allow(clippy::unwrap_used)]

use plectrum_json::{decimal, number, text, time, uuid};
use std::hint::black_box;
use std::time::Instant;

/// Many and short, so that some are left alone by whatever else the machine does.
const ROUNDS: u32 = 400;
const CALLS: u32 = 4_000;

/// Best of several rounds, in nanoseconds per call.
fn best(mut write: impl FnMut(&mut Vec<u8>)) -> f64 {
    let mut out = Vec::with_capacity(1 << 20);
    let round = |_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            // As in a response: values append, and the buffer is reused.
            if out.len() > (1 << 20) - 4096 {
                out.clear();
            }
            write(black_box(&mut out));
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn report(name: &str, ours: f64, peer: Option<f64>) {
    let peer = peer.map_or(String::new(), |peer| format!("   serde_json {peer:7.1}   {:.2}×", ours / peer));
    println!("{name:24} {ours:7.1} ns{peer}");
}

fn texts() {
    let prose = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(8);
    let cases = [
        ("text 5", "draft".to_owned()),
        ("text 12", "a-short-slug".to_owned()),
        ("text 24", prose[..24].to_owned()),
        ("text 60", prose[..60].to_owned()),
        ("text 400", prose[..400].to_owned()),
        ("text 400 cyrillic", "Съешь же ещё этих мягких булок. ".repeat(7)),
        ("text 400 curly quotes", "“So” — he said… ‘what’? ".repeat(12)),
        ("text 400 newlines", prose[..400].replace("dog", "\"\n\"")),
    ];
    for (name, case) in &cases {
        let ours = best(|out| text::write(out, black_box(case)));
        let peer = best(|out| serde_json::to_writer(out, black_box(case)).unwrap());
        report(name, ours, Some(peer));
    }
}

fn numbers() {
    for (name, value) in [("int 1 digit", 7_i64), ("int 5 digits", 48_213), ("int 19 digits", i64::MAX)] {
        let ours = best(|out| number::write_i64(out, black_box(value)));
        report(name, ours, Some(best(|out| serde_json::to_writer(out, &black_box(value)).unwrap())));
    }
    for (name, value) in [("float 4.5", 4.5_f64), ("float pi", std::f64::consts::PI)] {
        let ours = best(|out| number::write_f64(out, black_box(value)).unwrap());
        report(name, ours, Some(best(|out| serde_json::to_writer(out, &black_box(value)).unwrap())));
    }
    // 1234.50 as PostgreSQL sends it.
    let wire = [0, 2, 0, 0, 0, 0, 0, 2, 0x04, 0xD2, 0x13, 0x88];
    report("numeric(8,2)", best(|out| decimal::write_pg_numeric(out, black_box(&wire)).unwrap()), None);
}

fn main() {
    texts();
    numbers();
    let micros = 1_704_112_496_123_456_i64;
    let utc = time::Offset::Utc;
    report("datetime", best(|out| time::write_datetime(out, black_box(micros), utc).unwrap()), None);
    report("date", best(|out| time::write_date(out, black_box(19_723)).unwrap()), None);
    report("uuid", best(|out| uuid::write(out, black_box(b"0123456789abcdef"))), None);
}
