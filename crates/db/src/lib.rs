//! Statements in, JSON bytes out: pool, plans, and rows written straight from the wire. Unaware of HTTP and Python.
//!
//! In the order of a request's journey:
//!
//! * [`plan`]: SQL, binds, columns and children, as Python describes them;
//! * [`Operation`]: the same, checked and compiled ([`PlanError`] says why not): `statement`, `template`, `query`, `response`;
//! * [`execute`]: top statements together, children level by level, over any [`Backend`] and its [`Session`];
//! * [`sink`]: where the PostgreSQL driver delivers rows; [`wire`] reads them;
//! * `writer`, `rows`: rows as JSON, with holes for children; `stitch` fills them; [`zone`] converts instants;
//! * [`mark`]: what cannot be written, noted where it belongs;
//! * `choice`: stored choices and their names;
//! * [`cursor`]: signed places in a list; `page`: links to other pages;
//! * [`buffer`]: response buffers, used again;
//! * [`value`]: what can be bound; [`key`]: what relates parents and children;
//! * [`postgres`], [`pool`]: PostgreSQL over pipelined connections;
//! * [`notifications`]: what `NOTIFY` sends, over a connection of its own;
//! * [`given`]: values of Django's drivers, before Django converts them;
//! * [`sqlite`]: SQLite on a few blocking threads;
//! * [`Cursor`]: a query's rows batch by batch, for exports;
//! * [`error`]: the one table of database errors.

mod backend;
pub mod buffer;
mod choice;
pub mod cursor;
pub mod error;
mod execute;
mod export;
pub mod given;
pub mod key;
pub mod mark;
pub mod notifications;
mod operation;
mod page;
pub mod plan;
mod plan_error;
pub mod pool;
pub mod postgres;
mod query;
mod response;
mod rows;
pub mod sink;
pub mod sqlite;
mod statement;
mod stitch;
mod template;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod testing;
pub mod value;
pub mod wire;
mod writer;
pub mod zone;

pub use backend::{Backend, Session};
pub use choice::write_choice;
pub use execute::{Context, Failures, Outcome, execute};
pub use export::{Cursor, shape as export_shape};
pub use operation::Operation;
pub use plan_error::PlanError;
pub use statement::Statement;
pub use template::Row;
pub use writer::RowWriter;
