//! Traces as W3C Trace Context names them.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Who a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace: u128,
    /// This server's span.
    pub(crate) span: u64,
    /// The caller's span.
    pub(crate) parent: Option<u64>,
    pub(crate) sampled: bool,
}

impl TraceContext {
    /// As the header `traceparent` for those this server calls.
    pub(crate) fn header(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// What a caller said: trace, span, and whether it keeps them. Unknown versions are read as far as they are known.
///
/// Source: W3C Trace Context, section 3.2.
pub(crate) fn parse(header: &str) -> Option<(u128, u64, bool)> {
    let mut parts = header.trim().splitn(5, '-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !(known && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
        return None;
    }
    let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    (trace != 0 && span != 0).then(|| (trace, span, u8::from_str_radix(flags, 16).unwrap_or(0) & 1 == 1))
}

/// Makes ids that nobody can guess from others, without a system call for each.
pub(crate) struct Ids {
    random: RandomState,
    count: Cell<u64>,
    /// Draws samples, which may be guessed.
    lot: Cell<u64>,
}

impl Default for Ids {
    fn default() -> Self {
        let random = RandomState::new();
        Self { lot: Cell::new(random.hash_one("samples")), random, count: Cell::default() }
    }
}

impl Ids {
    /// Never 0, which is no id.
    pub(crate) fn span(&self) -> u64 {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        self.random.hash_one(count).max(1)
    }

    pub(crate) fn trace(&self) -> u128 {
        u128::from(self.span()) << 64 | u128::from(self.span())
    }

    /// True for so many of all.
    pub(crate) fn takes(&self, share: f64) -> bool {
        share >= 1.0 || (share > 0.0 && (self.draw() as f64) < share * u64::MAX as f64)
    }

    /// Source: SplitMix64, Steele, Lea and Flood, “Fast splittable pseudorandom number generators”, 2014.
    fn draw(&self) -> u64 {
        let lot = self.lot.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.lot.set(lot);
        let lot = (lot ^ lot >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let lot = (lot ^ lot >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        lot ^ lot >> 31
    }
}

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Server,
    Database,
}

/// Something that took time.
pub(crate) struct Span {
    pub(crate) context: TraceContext,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Since 1970.
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    pub(crate) failed: bool,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
}

/// The value of an attribute.
pub(crate) enum Attribute {
    Text(String),
    Number(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_caller_is_read() {
        let found = parse(GIVEN);
        assert_eq!(found, Some((0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7, true)));
        assert!(parse(&GIVEN.replace("-01", "-02")).is_some_and(|(_, _, sampled)| !sampled));
        assert!(parse(&format!("01{}-more", &GIVEN[2..])).is_some());
    }

    #[test]
    fn nonsense_is_not() {
        let zeros = "0".repeat(32);
        for wrong in [
            "",
            "00",
            &GIVEN[..54],
            &GIVEN.to_uppercase(),
            &GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros),
            &GIVEN.replace("00f067aa0ba902b7", &zeros[..16]),
            &format!("{GIVEN}-more"),
            &format!("ff{}", &GIVEN[2..]),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let ids = Ids::default();
        let context = TraceContext { trace: ids.trace(), span: ids.span(), parent: None, sampled: true };
        assert_eq!(parse(&context.header()), Some((context.trace, context.span, true)));
    }

    #[test]
    fn shares_are_kept() {
        let ids = Ids::default();
        assert!((0..100).all(|_| ids.takes(1.0)) && !(0..100).any(|_| ids.takes(0.0)));
        let taken = (0..10_000).filter(|_| ids.takes(0.1)).count();
        assert!((800..1200).contains(&taken), "{taken}");
    }
}
