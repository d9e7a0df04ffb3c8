//! Bounds of numbers, compared exactly: `i64` against `i64` on the fast path, decimal text against decimal text for
//! everything past 64 bits.

use crate::error::{Problem, Problems, table::Code};
use plectrum_json::decimal::Literal;
use std::cmp::Ordering;

/// Bounds and divisor of an integer, a float or a decimal.
#[derive(Debug, Default)]
pub struct Limits {
    /// Each must hold.
    pub bounds: Vec<Bound>,
    /// A whole multiple of this.
    pub multiple_of: Option<Divisor>,
}

/// Which side of a bound is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At least.
    Ge,
    /// More than.
    Gt,
    /// At most.
    Le,
    /// Less than.
    Lt,
}

impl Side {
    /// Its name in descriptions and as a message parameter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Le => "le",
            Self::Lt => "lt",
        }
    }

    /// Its keyword in JSON Schema.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::Ge => "minimum",
            Self::Gt => "exclusiveMinimum",
            Self::Le => "maximum",
            Self::Lt => "exclusiveMaximum",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::Ge => Code::GreaterThanEqual,
            Self::Gt => Code::GreaterThan,
            Self::Le => Code::LessThanEqual,
            Self::Lt => Code::LessThan,
        }
    }

    fn allows(self, value_to_bound: Ordering) -> bool {
        match self {
            Self::Ge => value_to_bound.is_ge(),
            Self::Gt => value_to_bound.is_gt(),
            Self::Le => value_to_bound.is_le(),
            Self::Lt => value_to_bound.is_lt(),
        }
    }
}

/// One bound, in every form that a comparison wants.
#[derive(Debug)]
pub struct Bound {
    /// Which side is allowed.
    pub side: Side,
    /// As the user wrote it.
    pub text: String,
    int: Option<i64>,
    float: f64,
}

impl Bound {
    /// A bound from its decimal text; `None` where that is no number.
    pub(crate) fn new(side: Side, text: &str) -> Option<Self> {
        Literal::parse(text).ok()?;
        Some(Self { side, text: text.to_owned(), int: text.parse().ok(), float: text.parse().ok()? })
    }

    fn problem(&self) -> Problem {
        Problem::from(self.side.code()).with(self.side.name(), self.text.as_str())
    }

    #[inline]
    fn allows_int(&self, value: i64) -> bool {
        match self.int {
            Some(limit) => self.side.allows(value.cmp(&limit)),
            None => Literal::parse(itoa::Buffer::new().format(value)).is_ok_and(|value| self.allows(&value)),
        }
    }

    #[inline]
    fn allows_float(&self, value: f64) -> bool {
        self.side.allows(value.partial_cmp(&self.float).unwrap_or(Ordering::Equal))
    }

    fn allows(&self, value: &Literal<'_>) -> bool {
        let order = Literal::parse(&self.text).map_or(Ordering::Equal, |bound| compare(value, &bound));
        self.side.allows(order)
    }
}

impl Limits {
    /// Whether an integer of 64 bits is within.
    #[inline]
    pub(crate) fn check_int(&self, value: i64) -> Result<(), Problems> {
        self.check(|bound| bound.allows_int(value), |divisor| divisor.divides_int(value))
    }

    /// Whether a finite float is within.
    #[inline]
    pub(crate) fn check_float(&self, value: f64) -> Result<(), Problems> {
        self.check(|bound| bound.allows_float(value), |divisor| divisor.divides_float(value))
    }

    /// Whether a decimal literal is within, exactly.
    pub(crate) fn check_literal(&self, text: &str) -> Result<(), Problems> {
        let Ok(value) = Literal::parse(text) else { return Err(Code::DecimalParsing.into()) };
        self.check(|bound| bound.allows(&value), |divisor| divisor.divides(&value))
    }

    #[inline]
    fn check(
        &self,
        allows: impl Fn(&Bound) -> bool,
        divides: impl Fn(&Divisor) -> bool,
    ) -> Result<(), Problems> {
        if self.bounds.iter().all(&allows) && self.multiple_of.as_ref().is_none_or(&divides) {
            return Ok(());
        }
        let bounds = self.bounds.iter().filter(|bound| !allows(bound)).map(Bound::problem);
        let divisors = self.multiple_of.iter().filter(|divisor| !divides(divisor)).map(Divisor::problem);
        Err(Problems::of(bounds.chain(divisors)))
    }
}

/// What a number must be a multiple of: `unit / 10^scale`.
#[derive(Debug)]
pub struct Divisor {
    /// As the user wrote it.
    pub text: String,
    unit: u64,
    scale: u32,
    float: f64,
}

impl Divisor {
    /// A divisor from its decimal text; `None` where it is not above zero or has more than 18 digits.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let literal = Literal::parse(text).ok()?;
        let digits: Vec<u8> = literal.digits().collect();
        let scale = digits.len() as i64 - literal.point();
        // Digits as an integer, times ten for each place the point stands behind them.
        let shift = u32::try_from((-scale).max(0)).ok()?;
        let unit = std::str::from_utf8(&digits).ok()?.parse::<u64>().ok()?;
        let unit = unit.checked_mul(10_u64.checked_pow(shift)?)?;
        let scale = u32::try_from(scale.max(0)).ok().filter(|&scale| scale <= 18)?;
        let positive = unit > 0 && unit < 10_u64.pow(18) && !literal.is_negative();
        positive.then(|| Some(Self { text: text.to_owned(), unit, scale, float: text.parse().ok()? }))?
    }

    fn problem(&self) -> Problem {
        Problem::from(Code::MultipleOf).with("multiple_of", self.text.as_str())
    }

    fn divides_int(&self, value: i64) -> bool {
        // Below 2^63 × 10^18 < 2^127.
        (i128::from(value) * 10_i128.pow(self.scale)) % i128::from(self.unit) == 0
    }

    /// Binary floats are rarely exact multiples; a relative error of a billionth is forgiven, as pydantic does.
    fn divides_float(&self, value: f64) -> bool {
        let rest = (value % self.float).abs();
        let forgiven = value.abs() / 1e9;
        rest <= forgiven || (rest - self.float).abs() <= forgiven
    }

    /// Exact, by long division: the number's digits pass through a remainder of 128 bits.
    fn divides(&self, value: &Literal<'_>) -> bool {
        if is_zero(value) {
            return true;
        }
        let unit = u128::from(self.unit);
        let whole = value.point() + i64::from(self.scale);
        let mut rest = 0;
        let mut seen = 0;
        for digit in value.digits() {
            if seen < whole {
                rest = (rest * 10 + u128::from(digit - b'0')) % unit;
            } else if digit != b'0' {
                return false;
            }
            seen += 1;
        }
        (rest * power_of_ten(whole - seen, unit)).is_multiple_of(unit)
    }
}

/// `10^exponent` modulo `unit`, which is below 2^64.
fn power_of_ten(exponent: i64, unit: u128) -> u128 {
    let (mut exponent, mut base, mut power) = (exponent.max(0), 10 % unit, 1 % unit);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * base % unit;
        }
        base = base * base % unit;
        exponent >>= 1;
    }
    power
}

/// Bounds and digits of a decimal.
#[derive(Debug, Default)]
pub struct DecimalLimits {
    /// Bounds; compared exactly.
    pub limits: Limits,
    /// Significant digits at most.
    pub max_digits: Option<u32>,
    /// Digits after the point at most.
    pub decimal_places: Option<u32>,
    /// Trailing zeros behind the point are digits too, as Django counts them.
    pub count_zeros: bool,
}

impl DecimalLimits {
    /// Whether a decimal literal is within. Trailing zeros after the point are no digits, unless they are to count. A
    /// number of too many digits is told as that alone, as DRF does.
    pub(crate) fn check(&self, text: &str) -> Result<(), Problems> {
        if self.max_digits.is_some() || self.decimal_places.is_some() {
            let Ok(value) = Literal::parse(text) else { return Err(Code::DecimalParsing.into()) };
            self.check_digits(&value)?;
        }
        if self.limits.bounds.is_empty() && self.limits.multiple_of.is_none() {
            return Ok(());
        }
        self.limits.check_literal(text)
    }

    fn check_digits(&self, value: &Literal<'_>) -> Result<(), Problem> {
        let (whole, places) = if self.count_zeros { written_widths(value) } else { widths(value) };
        let (whole, places) = (whole.max(0) as u64, places.max(0) as u64);
        // As pydantic counts: 0.001 has three digits.
        let total = (whole + places).max(1);
        if let Some(max) = self.max_digits.filter(|&max| total > u64::from(max)) {
            return Err(Problem::from(Code::DecimalMaxDigits).with("max_digits", max));
        }
        if let Some(max) = self.decimal_places.filter(|&max| places > u64::from(max)) {
            return Err(Problem::from(Code::DecimalMaxPlaces).with("decimal_places", max));
        }
        match (self.max_digits, self.decimal_places) {
            (Some(digits), Some(places)) if whole > u64::from(digits.saturating_sub(places)) => {
                let max = digits.saturating_sub(places);
                Err(Problem::from(Code::DecimalWholeDigits).with("whole_digits", max))
            }
            _ => Ok(()),
        }
    }
}

/// Digits before the point without leading zeros, and after it without trailing zeros. Negative where the number
/// begins behind the point, or ends before it.
fn widths(value: &Literal<'_>) -> (i64, i64) {
    let (leading, last) = significant(value);
    let Some(last) = last else { return (0, 0) };
    (value.point() - leading, last + 1 - value.point())
}

/// The same with every digit behind the point that is written: what `Decimal.as_tuple` has.
fn written_widths(value: &Literal<'_>) -> (i64, i64) {
    (widths(value).0, value.places())
}

/// Number of leading zeros, and the index of the last digit that is not zero.
fn significant(value: &Literal<'_>) -> (i64, Option<i64>) {
    let (mut leading, mut last) = (0, None);
    for (index, digit) in value.digits().enumerate() {
        if digit != b'0' {
            last = Some(index as i64);
        } else if last.is_none() {
            leading += 1;
        }
    }
    (leading, last)
}

fn is_zero(value: &Literal<'_>) -> bool {
    value.digits().all(|digit| digit == b'0')
}

/// Exact order of two decimals of any size.
pub(crate) fn compare(a: &Literal<'_>, b: &Literal<'_>) -> Ordering {
    let sign = |value: &Literal<'_>| match (is_zero(value), value.is_negative()) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    match (sign(a), sign(b)) {
        (1, 1) => compare_magnitudes(a, b),
        (-1, -1) => compare_magnitudes(b, a),
        (a, b) => a.cmp(&b),
    }
}

/// Order of two decimals above zero, their signs left aside.
fn compare_magnitudes(a: &Literal<'_>, b: &Literal<'_>) -> Ordering {
    let ((whole_a, _), (whole_b, _)) = (widths(a), widths(b));
    whole_a.cmp(&whole_b).then_with(|| {
        let digits = |value: &Literal<'_>| significant(value).0;
        let mut a = a.digits().skip(digits(a) as usize);
        let mut b = b.digits().skip(digits(b) as usize);
        loop {
            match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                    Ordering::Equal => {}
                    other => return other,
                },
            }
        }
    })
}

#[cfg(test)]
mod tests;
