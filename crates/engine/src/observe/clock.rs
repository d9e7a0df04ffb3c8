//! What time it is, as logs, traces and metrics say it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plectrum_json::time::{Offset, write_datetime};

/// Since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whole seconds since 1970.
pub(crate) fn seconds() -> u64 {
    now().as_secs()
}

/// Appends a moment as a JSON string of RFC 3339, in UTC.
pub(crate) fn write(out: &mut Vec<u8>, since: Duration) {
    let micros = i64::try_from(since.as_micros()).unwrap_or_default();
    // Only a year past 9999 cannot be written.
    if write_datetime(out, micros, Offset::Utc).is_err() {
        out.extend_from_slice(b"null");
    }
}
