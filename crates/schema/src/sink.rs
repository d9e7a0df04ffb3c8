//! What validation builds. The binding implements [`Sink`] over Python objects, the engine over database values.

use crate::error::Error;
use crate::node::{Container, Struct};

/// Receives validated values, leaves first. Methods are called only with values that passed every rule of their node.
pub trait Sink {
    /// A built value.
    type Value;

    /// JSON `null`.
    fn null(&mut self) -> Self::Value;
    /// A boolean.
    fn bool(&mut self, value: bool) -> Self::Value;
    /// An integer that fits.
    fn int(&mut self, value: i64) -> Self::Value;
    /// An integer past 64 bits, as canonical decimal digits with an optional sign.
    fn big_int(&mut self, digits: &str) -> Self::Value;
    /// A finite float.
    fn float(&mut self, value: f64) -> Self::Value;
    /// Text.
    fn str(&mut self, value: &str) -> Self::Value;
    /// Bytes, decoded.
    fn bytes(&mut self, value: &[u8]) -> Self::Value;
    /// A decimal, as a plain or scientific literal `Decimal()` accepts.
    fn decimal(&mut self, literal: &str) -> Self::Value;
    /// A UUID, big-endian.
    fn uuid(&mut self, value: [u8; 16]) -> Self::Value;
    /// A date.
    fn date(&mut self, value: Date) -> Self::Value;
    /// A time of day.
    fn time(&mut self, value: Time) -> Self::Value;
    /// A date and time.
    fn datetime(&mut self, date: Date, time: Time) -> Self::Value;
    /// A duration in microseconds.
    fn duration(&mut self, microseconds: i128) -> Self::Value;
    /// Member number `index` of enum `class`.
    fn enum_member(&mut self, class: u32, index: usize) -> Self::Value;
    /// A sequence.
    fn list(
        &mut self,
        container: Container,
        items: impl ExactSizeIterator<Item = Self::Value>,
    ) -> Self::Value;
    /// An object with free keys, in order of appearance; a repeated key keeps its last value.
    fn dict(&mut self, entries: Vec<(Self::Value, Self::Value)>) -> Self::Value;
    /// An object with declared fields: one slot per field, `None` where absent, to be taken from. May refuse (a Python
    /// `__post_init__`).
    ///
    /// # Errors
    /// What the class's own checks reported, `loc` relative to this value, outermost first.
    fn structure(
        &mut self,
        of: &Struct,
        slots: &mut [Option<Self::Value>],
    ) -> Result<Self::Value, Vec<Error>>;
    /// The user's own checks of a value that passed every rule: the value, as it is or changed.
    ///
    /// # Errors
    /// What the checks reported, `loc` relative to this value, outermost first.
    fn check(&mut self, class: u32, value: Self::Value) -> Result<Self::Value, Vec<Error>> {
        let _ = class;
        Ok(value)
    }
    /// Uploaded file number `index` of the form. Sinks that are never given forms with files need not care.
    fn upload(&mut self, index: usize) -> Self::Value {
        let _ = index;
        self.null()
    }
    /// Raw JSON for a class that validates by itself.
    ///
    /// # Errors
    /// What that class reported, `loc` relative to this value, outermost first.
    fn foreign(&mut self, class: u32, raw: &[u8]) -> Result<Self::Value, Vec<Error>>;
}

/// A calendar date, already checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// 1 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A time of day, already checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
    /// Offset from UTC in seconds, where given.
    pub offset: Option<i32>,
}
