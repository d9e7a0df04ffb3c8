//! What can be bound to a statement.

/// An argument of an execution. Parsed and checked already; the wire form is the driver's business.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// Any value in PostgreSQL's text input form: text, big integers, decimals, uuids, dates, json, …
    Text(String),
    /// Raw bytes (`bytea`, `BLOB`).
    Bytes(Vec<u8>),
    /// For `= ANY($n)`.
    Array(Vec<Value>),
}
