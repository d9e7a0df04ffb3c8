//! The executions of a request: how many statements, how long, and which were slow.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plectrum_db::Operation;
use plectrum_json::{number, text};

use super::board::Gauge;
use super::clock;
use super::span::{Attribute, Kind, Span, TraceContext};
use super::trip::{self, Phase, Trip};

/// Bytes of SQL that are kept in a note.
const MOST_SQL: usize = 3000;

/// An execution under way, observed until this is dropped.
#[must_use]
pub(crate) struct Execution(Option<(Rc<Trip>, Arc<Operation>, Instant)>);

/// Begins to observe an execution for the current request, if that is observed.
pub(crate) fn begin(operation: &Arc<Operation>) -> Execution {
    let trip = trip::current().filter(|trip| trip.observer.watches_executions());
    Execution(trip.map(|trip| (trip, Arc::clone(operation), Instant::now())))
}

impl Drop for Execution {
    fn drop(&mut self) {
        let Some((trip, operation, began)) = self.0.take() else { return };
        let time = began.elapsed();
        trip.add(Phase::Database, time);
        let statements = u32::try_from(operation.statements().count()).unwrap_or(u32::MAX);
        trip.statements.set(trip.statements.get().saturating_add(statements));
        if trip.observer.slow.is_some_and(|limit| time >= limit) {
            report(&trip, &operation, time);
        }
        if let Some(context) = trip.trace.get().filter(|context| context.sampled) {
            trip.spans.borrow_mut().push(span(&trip, &operation, context, time));
        }
    }
}

fn report(trip: &Trip, operation: &Operation, time: Duration) {
    let observer = &trip.observer;
    observer.add(Gauge::Slow, 1);
    let (route, micros) = (trip.route(), time.as_micros() as u64);
    tracing::warn!(
        target: "plectrum.database",
        "slow: {} {route} took {}.{:03} ms for {}",
        observer.label(trip.slot.get()).method,
        micros / 1000,
        micros % 1000,
        operation.statements().collect::<Vec<_>>().join("; "),
    );
    let mut out = b"{\"kind\":\"slow\",\"at\":".to_vec();
    clock::write(&mut out, clock::now());
    out.extend_from_slice(b",\"method\":");
    text::write(&mut out, &observer.label(trip.slot.get()).method);
    out.extend_from_slice(b",\"route\":");
    text::write(&mut out, route);
    out.extend_from_slice(b",\"micros\":");
    number::write_u64(&mut out, micros);
    out.extend_from_slice(b",\"sql\":[");
    let mut room = MOST_SQL;
    for (index, sql) in operation.statements().enumerate().take_while(|(_, sql)| sql.len() <= MOST_SQL) {
        if sql.len() > room {
            break;
        }
        room -= sql.len();
        if index > 0 {
            out.push(b',');
        }
        text::write(&mut out, sql);
    }
    out.extend_from_slice(b"]}");
    observer.note(&String::from_utf8(out).unwrap_or_default());
}

/// Source: OpenTelemetry semantic conventions for database spans 1.27.
fn span(trip: &Trip, operation: &Operation, server: TraceContext, time: Duration) -> Span {
    let sql: Vec<_> = operation.statements().collect();
    let end = clock::now();
    let first = sql.first().and_then(|sql| sql.split_whitespace().next()).unwrap_or("SQL").to_owned();
    let context = TraceContext { span: trip.observer.ids.span(), parent: Some(server.span), ..server };
    Span {
        context,
        kind: Kind::Database,
        name: first,
        start: end.saturating_sub(time),
        end,
        failed: false,
        attributes: vec![
            ("db.query.text", Attribute::Text(sql.join("; "))),
            ("db.operation.batch.size", Attribute::Number(i64::try_from(sql.len()).unwrap_or(i64::MAX))),
        ],
    }
}
