//! What the Rust side reports, through Python's `logging`: one place for users to configure.

use std::fmt::{self, Write};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::names;

/// Our own crates; what libraries report is theirs.
const OURS: &str = "plectrum";

/// Passes events on to the Python logger of their target's name.
struct PythonLogging;

/// Installs it for the process; a second call changes nothing.
pub(crate) fn install() {
    // Fails only where a subscriber is installed already: it stays.
    let _ = tracing::subscriber::set_global_default(PythonLogging);
}

impl Subscriber for PythonLogging {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::INFO && metadata.target().starts_with(OURS)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        let logger = metadata.target().replace("::", ".");
        // At interpreter shutdown there is nobody left to tell.
        Python::try_attach(|py| {
            if let Err(error) = log(py, &logger, number(metadata.level()), &text.0) {
                error.write_unraisable(py, None);
            }
        });
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

fn log(py: Python<'_>, logger: &str, level: u8, text: &str) -> PyResult<()> {
    // As an argument: a percent sign in the text is no format.
    names::GET_LOGGER.get(py)?.call1((logger,))?.call_method1("log", (level, "%s", text)).map(drop)
}

/// Python's number of a level.
fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// The message, then the other fields as `name=value`.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
