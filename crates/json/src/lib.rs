//! Bytes ↔ values: the append-only JSON writer and its number, time, decimal and uuid forms.
//!
//! Knows no I/O, no Tokio and no Python. Everything appends to a `Vec<u8>` the caller owns, so one buffer can serve a
//! whole response.
