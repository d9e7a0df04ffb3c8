//! Binary rows of an article with fifteen columns → JSON: nanoseconds per row.
//!
//! `cargo bench --profile fast -p plectrum-db --bench rows`. The answer is checked before it is timed; the best of
//! many rounds is printed, because the machine is shared.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Instant;

use plectrum_db::sink::{Column, RowSink};
use plectrum_db::value::Value;
use plectrum_db::wire::WireSink;
use plectrum_db::zone::Zone;
use plectrum_db::{Backend, Context, Operation, Outcome, RowWriter, Session, Statement, buffer, execute};

const NAMES: [&str; 15] = [
    "id",
    "uid",
    "author_id",
    "title",
    "slug",
    "body",
    "status",
    "price",
    "rating",
    "views",
    "published",
    "tags",
    "created_at",
    "updated_at",
    "published_on",
];
const KINDS: [&str; 15] = [
    r#"{"kind":"int"}"#,
    r#"{"kind":"uuid"}"#,
    r#"{"kind":"int"}"#,
    r#"{"kind":"text"}"#,
    r#"{"kind":"text"}"#,
    r#"{"kind":"text"}"#,
    r#"{"kind":"text"}"#,
    r#"{"kind":"decimal","places":2}"#,
    r#"{"kind":"float"}"#,
    r#"{"kind":"int"}"#,
    r#"{"kind":"bool"}"#,
    r#"{"kind":"json"}"#,
    r#"{"kind":"datetime","aware":true}"#,
    r#"{"kind":"datetime","aware":true}"#,
    r#"{"kind":"date"}"#,
];
const OIDS: [u32; 15] = [20, 2950, 20, 1043, 1043, 25, 1043, 1700, 701, 23, 16, 3802, 1184, 1184, 1082];
const ROUNDS: usize = 400;

fn main() {
    let rows: Vec<Vec<Option<Vec<u8>>>> = (0..1000).map(row).collect();
    let operation = operation();
    for zone in ["UTC", "Europe/Berlin"] {
        let context = Context { zone: Zone::named(zone).unwrap(), ..Context::default() };
        let backend = Recorded::new(&rows);
        check(&backend, &operation, &context);
        let mut best = f64::INFINITY;
        let mut size = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let body = run(&backend, &operation, &context);
            best = best.min(start.elapsed().as_nanos() as f64 / rows.len() as f64);
            size = body.len();
            buffer::give(body);
        }
        println!("{zone}: {best:.0} ns per row ({} bytes of JSON each)", size / rows.len());
    }
}

fn operation() -> Operation {
    let fields: Vec<String> =
        NAMES.iter().enumerate().map(|(i, name)| format!(r#"["{name}",{{"column":{i}}}]"#)).collect();
    let plan = format!(
        r#"{{"sql":"","columns":[{}],"row":{{"object":{{"fields":[{}]}}}}}}"#,
        KINDS.join(","),
        fields.join(",")
    );
    Operation::from_json(&plan).unwrap()
}

/// A row as the benchmark's database has them.
fn row(index: i64) -> Vec<Option<Vec<u8>>> {
    let words = ["lorem", "ipsum", "naïve", "“quoted”", "consectetur\nadipiscing", "日本", "sed", "tempor"];
    let text = |count: i64| {
        let word = |at| words[((index * 31 + at * 7 + at * at) % 8) as usize];
        (0..count).map(word).collect::<Vec<_>>().join(" ").into_bytes()
    };
    let stamp = 820_454_400_000_000_i64 + index * 1_000_037;
    let cents = index * 7919 % 100_000;
    let numeric =
        [2, 0, 0, 2, cents / 100, cents % 100 * 100].map(|part| (part as i16).to_be_bytes()).concat();
    let mut tags = vec![1];
    tags.extend_from_slice("[\"lorem\", \"日本\", \"sed\"]".as_bytes());
    vec![
        Some((index + 1).to_be_bytes().to_vec()),
        Some((0..16).map(|byte| (index * 37 + byte * 11) as u8).collect()),
        Some((index % 200 + 1).to_be_bytes().to_vec()),
        Some(text(6)),
        Some(format!("s-{index}").into_bytes()),
        Some(text(40)),
        Some(if index % 2 == 0 { b"draft".to_vec() } else { b"live".to_vec() }),
        Some(numeric),
        (index % 2 == 0).then(|| (index as f64 * 0.137_931_034).to_be_bytes().to_vec()),
        Some((index as i32 * 997 % 1_000_000).to_be_bytes().to_vec()),
        Some(vec![u8::from(index % 3 != 0)]),
        Some(tags),
        Some(stamp.to_be_bytes().to_vec()),
        Some((stamp + 86_400_000_000).to_be_bytes().to_vec()),
        (index % 2 == 1).then(|| 9530_i32.to_be_bytes().to_vec()),
    ]
}

/// Gives the same rows again and again.
struct Recorded<'a> {
    columns: Rc<[Column]>,
    rows: Vec<Vec<Option<&'a [u8]>>>,
}

impl<'a> Recorded<'a> {
    fn new(rows: &'a [Vec<Option<Vec<u8>>>]) -> Self {
        let columns =
            NAMES.iter().zip(OIDS).map(|(name, oid)| Column { name: (*name).to_owned(), oid }).collect();
        Self {
            columns,
            rows: rows.iter().map(|row| row.iter().map(|cell| cell.as_deref()).collect()).collect(),
        }
    }
}

impl Backend for Recorded<'_> {
    type Session<'a>
        = &'a Self
    where
        Self: 'a;

    async fn session(&self) -> Result<&Self, plectrum_db::error::Error> {
        Ok(self)
    }
}

impl Session for &Recorded<'_> {
    async fn fetch(
        &self,
        _: &Statement,
        _: Cow<'_, [Value]>,
        writer: RowWriter,
    ) -> Result<RowWriter, plectrum_db::error::Error> {
        let mut sink = WireSink::new(writer);
        sink.columns(&self.columns)?;
        for row in &self.rows {
            sink.row(row)?;
        }
        sink.complete();
        Ok(sink.into_writer())
    }
}

fn run(backend: &Recorded<'_>, operation: &Operation, context: &Context) -> Vec<u8> {
    let future = pin!(execute(backend, operation, &[], context, buffer::take()));
    match future.poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Outcome::Found(body))) => body,
        other => panic!("no answer: {other:?}"),
    }
}

fn check(backend: &Recorded<'_>, operation: &Operation, context: &Context) {
    let body = run(backend, operation, context);
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!((rows.len(), rows[3].as_object().unwrap().len()), (1000, 15));
    assert_eq!(rows[3]["price"], "237.57");
    assert_eq!(rows[3]["published_on"], "2026-02-03");
    assert_eq!(rows[3]["rating"], serde_json::Value::Null);
}
