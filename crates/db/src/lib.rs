//! Statements in, JSON bytes out: pool, plans, and rows written straight from the wire. Unaware of HTTP and Python.
//!
//! * [`plan`]: SQL, binds, columns and children, as compiled at start-up;
//! * [`sink`]: where drivers deliver rows;
//! * [`value`]: what can be bound;
//! * [`error`]: the one table of database errors.

pub mod error;
pub mod plan;
pub mod sink;
pub mod value;
