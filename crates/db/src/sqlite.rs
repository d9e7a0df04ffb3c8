//! SQLite on a small pool of blocking threads, each with a connection opened as Django opens its own.
//!
//! * [`Config`]: the file and its session;
//! * `connection`: opening it; `pool`, `worker`: who runs a statement, and how it is interrupted;
//! * `bind`: arguments in the form Django stores; `cell`: stored values as JSON; `moment`: dates and times as text;
//! * `error`: what SQLite's errors mean.

mod bind;
mod cell;
mod config;
mod connection;
mod error;
pub(crate) mod moment;
mod pool;
mod worker;

pub(crate) use cell::{fifteen_digits, parse_uuid};
pub use config::Config;
pub use pool::Sqlite;
