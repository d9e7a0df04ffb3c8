//! How a statement's parameter types are declared, which depends on its arguments in one case: integers past 64 bits.

use super::oid;
use crate::plan::BindType;
use crate::statement::Statement;
use crate::value::Value;

/// Parameters (by bit) that are declared `numeric` because their integer does not fit 64 bits. Each combination is
/// prepared as a statement of its own.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Variant(pub(crate) u64);

impl Variant {
    /// The variant that these arguments need. Beyond the 64th parameter the server refuses big integers itself.
    #[inline]
    pub(crate) fn of(statement: &Statement, args: &[Value]) -> Self {
        let is_big = |(kind, value): (&BindType, &Value)| {
            *kind == BindType::Int && matches!(value, Value::Text(text) if is_big(text))
        };
        let declared = statement.types().iter().zip(args).take(64);
        Self(declared.enumerate().fold(0, |bits, (index, pair)| bits | u64::from(is_big(pair)) << index))
    }

    /// The types that Parse declares; 0 where the server infers.
    pub(crate) fn oids(self, statement: &Statement, inferred: bool) -> impl Iterator<Item = u32> {
        statement.types().iter().enumerate().map(move |(index, kind)| match kind {
            _ if index < 64 && self.0 & (1 << index) != 0 => oid::NUMERIC,
            _ if inferred => 0,
            kind => oid::declared(*kind),
        })
    }
}

/// Digits past 64 bits.
fn is_big(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_past_64_bits_are_numeric() {
        let statement = Statement::new("", &[BindType::Int, BindType::Text, BindType::Int, BindType::Infer]);
        let text = |text: &str| Value::Text(text.to_owned());
        let variant = Variant::of(
            &statement,
            &[
                text("9223372036854775807"),
                text("99999999999999999999"),
                text("-9223372036854775809"),
                Value::Int(1),
            ],
        );
        assert_eq!(variant, Variant(0b100));
        assert_eq!(variant.oids(&statement, false).collect::<Vec<_>>(), [20, 25, 1700, 0]);
        assert_eq!(variant.oids(&statement, true).collect::<Vec<_>>(), [0, 0, 1700, 0]);
        assert_eq!(Variant::of(&statement, &[text("12x"), Value::Null, text("-")]), Variant(0));
    }
}
