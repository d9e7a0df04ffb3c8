//! The time zone an execution writes aware datetimes in.

use std::cell::Cell;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone};
use plectrum_json::time::{OutOfRange, write_datetime};

pub use plectrum_json::time::Offset;

const SECOND: i64 = 1_000_000;

/// A time zone.
#[derive(Debug, Clone, Default)]
pub enum Zone {
    /// Coordinated universal time: nothing to look up.
    #[default]
    Utc,
    /// Seconds east of UTC, always.
    Fixed(i32),
    /// A zone of the IANA database.
    Named(TimeZone),
}

impl Zone {
    /// The zone of an IANA name (`Europe/Berlin`), `UTC` included.
    ///
    /// # Errors
    /// When neither the system nor the bundled database knows the name.
    pub fn named(name: &str) -> Result<Self, jiff::Error> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::Utc);
        }
        Ok(Self::Named(TimeZone::get(name)?))
    }
}

/// A stretch of time with one offset, in seconds since 1970: `from` included, `to` not.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: i64,
    to: i64,
    offset: i32,
}

/// Converts instants of one execution. Remembers the last stretch between two transitions: rows of one answer mostly
/// lie within the same summer.
#[derive(Debug)]
pub struct Clock {
    zone: Zone,
    session: Zone,
    last: Cell<Interval>,
}

impl Clock {
    /// A clock that writes in `zone`; `session` is the zone the connection stores and truncates in.
    #[must_use]
    pub fn new(zone: Zone, session: Zone) -> Self {
        Self { zone, session, last: Cell::new(Interval { from: 0, to: 0, offset: 0 }) }
    }

    /// Appends an instant, `micros` since 1970-01-01T00:00Z, as a datetime of the zone.
    ///
    /// # Errors
    /// [`OutOfRange`] outside the years 1 to 9999 of the zone.
    #[inline]
    pub fn write_instant(&self, out: &mut Vec<u8>, micros: i64) -> Result<(), OutOfRange> {
        let offset = match &self.zone {
            Zone::Utc => Offset::Utc,
            Zone::Fixed(seconds) => Offset::Seconds(*seconds),
            Zone::Named(zone) => Offset::Seconds(self.offset_in(zone, micros)),
        };
        write_datetime(out, micros, offset)
    }

    /// Appends what the zone's wall clock showed (`micros` as if it were UTC) with its offset. In a gap and in a fold
    /// the earlier offset holds, as Python's `fold=0` has it.
    ///
    /// # Errors
    /// [`OutOfRange`] outside the years 1 to 9999.
    pub fn write_wall(&self, out: &mut Vec<u8>, micros: i64) -> Result<(), OutOfRange> {
        let seconds = offset_of_wall(&self.zone, micros);
        let instant = micros.checked_sub(i64::from(seconds) * SECOND).ok_or(OutOfRange)?;
        write_datetime(out, instant, Offset::Seconds(seconds))
    }

    /// The instant at which the session's wall clock showed `micros`.
    #[must_use]
    pub fn session_instant(&self, micros: i64) -> i64 {
        micros.saturating_sub(i64::from(offset_of_wall(&self.session, micros)) * SECOND)
    }

    /// What the session's wall clock showed at an instant, in microseconds as if it were UTC.
    #[must_use]
    pub fn session_wall(&self, micros: i64) -> i64 {
        let offset = match &self.session {
            Zone::Utc => 0,
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(zone) => lookup(zone, micros.div_euclid(SECOND)).offset,
        };
        micros.saturating_add(i64::from(offset) * SECOND)
    }

    #[inline]
    fn offset_in(&self, zone: &TimeZone, micros: i64) -> i32 {
        let second = micros.div_euclid(SECOND);
        let last = self.last.get();
        if (last.from..last.to).contains(&second) {
            return last.offset;
        }
        let found = lookup(zone, second);
        self.last.set(found);
        found.offset
    }
}

/// The stretch of `zone` that holds `second`.
#[cold]
fn lookup(zone: &TimeZone, second: i64) -> Interval {
    let clamped = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let at = Timestamp::from_second(clamped).unwrap_or_default();
    // `preceding` is exclusive, and a transition's own second belongs to the stretch it begins.
    let just_after = Timestamp::new(clamped, 1).unwrap_or(at);
    let from = zone.preceding(just_after).next().map_or(i64::MIN, |t| t.timestamp().as_second());
    let to = zone.following(at).next().map_or(i64::MAX, |t| t.timestamp().as_second());
    Interval { from, to, offset: zone.to_offset(at).seconds() }
}

fn offset_of_wall(zone: &Zone, micros: i64) -> i32 {
    let zone = match zone {
        Zone::Utc => return 0,
        Zone::Fixed(seconds) => return *seconds,
        Zone::Named(zone) => zone,
    };
    let Ok(wall) = Timestamp::from_microsecond(micros) else { return 0 };
    match zone.to_ambiguous_timestamp(jiff::tz::Offset::UTC.to_datetime(wall)).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before.seconds(),
    }
}

#[cfg(test)]
mod tests;
