//! Numbers, and the conversions Django's own value types make: `int()` and `float()` of what the driver gave.

use plectrum_json::decimal::{DecimalError, write_pg_numeric, write_quantized};
use plectrum_json::number::{write_f32, write_f64, write_i64};

use super::cursor::fixed;
use super::{Unwritable, oid};

/// A number's wire form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
}

impl Form {
    pub(super) fn of(oid: u32) -> Option<Self> {
        Some(match oid {
            oid::BOOL => Self::Bool,
            oid::INT2 => Self::Int2,
            oid::INT4 => Self::Int4,
            oid::INT8 => Self::Int8,
            oid::OID => Self::Oid,
            oid::FLOAT4 => Self::Float4,
            oid::FLOAT8 => Self::Float8,
            oid::NUMERIC => Self::Numeric,
            _ => return None,
        })
    }

    /// The integer, where the form is one.
    #[inline]
    pub(super) fn integer(self, cell: &[u8]) -> Result<Option<i64>, Unwritable> {
        Ok(Some(match self {
            Self::Bool => i64::from(fixed::<1>(cell)?[0] != 0),
            Self::Int2 => i16::from_be_bytes(fixed(cell)?).into(),
            Self::Int4 => i32::from_be_bytes(fixed(cell)?).into(),
            Self::Int8 => i64::from_be_bytes(fixed(cell)?),
            Self::Oid => u32::from_be_bytes(fixed(cell)?).into(),
            Self::Float4 | Self::Float8 | Self::Numeric => return Ok(None),
        }))
    }
}

/// `int(value)`: towards zero.
pub(super) fn write_int(form: Form, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if let Some(integer) = form.integer(cell)? {
        write_i64(out, integer);
        return Ok(());
    }
    if form == Form::Numeric {
        let start = out.len();
        write_pg_numeric(out, cell)?;
        truncate_to_integer(out, start);
        return Ok(());
    }
    let float = float(form, cell)?;
    if !float.is_finite() {
        return Err(plectrum_json::number::NonFinite.into());
    }
    write_f64_as_int(float, out);
    Ok(())
}

/// The digits of a finite float's integer part; exact, however large.
pub(crate) fn write_f64_as_int(float: f64, out: &mut Vec<u8>) {
    // Adding zero makes the negative zero positive.
    out.extend_from_slice(format!("{:.0}", float.trunc() + 0.0).as_bytes());
}

/// Cuts the plain decimal that begins at `start` down to its integer part.
fn truncate_to_integer(out: &mut Vec<u8>, start: usize) {
    if let Some(point) = out[start..].iter().position(|&byte| byte == b'.') {
        out.truncate(start + point);
    }
    if &out[start..] == b"-0" {
        out.remove(start);
    }
}

/// `float(value)`.
pub(super) fn write_float(form: Form, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match form {
        Form::Float8 => write_f64(out, f64::from_be_bytes(fixed(cell)?))?,
        // The shortest text that reads back as the 4-byte float: what the driver reads in text format.
        Form::Float4 => write_f32(out, f32::from_be_bytes(fixed(cell)?))?,
        _ => write_f64(out, float(form, cell)?)?,
    }
    Ok(())
}

fn float(form: Form, cell: &[u8]) -> Result<f64, Unwritable> {
    Ok(match form {
        Form::Float4 => f32::from_be_bytes(fixed(cell)?).into(),
        Form::Float8 => f64::from_be_bytes(fixed(cell)?),
        Form::Numeric => numeric_text(cell)?.parse().map_err(|_| DecimalError::Malformed)?,
        _ => form.integer(cell)?.unwrap_or_default() as f64,
    })
}

fn numeric_text(cell: &[u8]) -> Result<String, Unwritable> {
    let mut text = Vec::with_capacity(32);
    write_pg_numeric(&mut text, cell)?;
    String::from_utf8(text).map_err(|error| error.utf8_error().into())
}

/// How decimals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) string: bool,
    pub(crate) places: Option<u32>,
}

impl Decimal {
    /// `Decimal(value)`, quantized as DRF's `DecimalField` does.
    #[inline]
    pub(super) fn write(self, form: Form, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let start = out.len();
        if self.string {
            out.push(b'"');
        }
        match self.write_digits(form, cell, out) {
            Ok(()) => {}
            // `f"{Decimal('NaN'):f}"`: as a string it has a JSON form, and DRF uses it.
            Err(DecimalError::NotANumber) if self.string => out.extend_from_slice(b"NaN"),
            Err(error) => {
                out.truncate(start);
                return Err(error.into());
            }
        }
        if self.string {
            out.push(b'"');
        }
        Ok(())
    }

    #[inline]
    fn write_digits(self, form: Form, cell: &[u8], out: &mut Vec<u8>) -> Result<(), DecimalError> {
        if form == Form::Numeric && self.places.is_none_or(|places| scale(cell) == Some(places)) {
            return write_pg_numeric(out, cell);
        }
        let mut text = Vec::with_capacity(32);
        let malformed = |_| DecimalError::Malformed;
        match form {
            Form::Numeric => write_pg_numeric(&mut text, cell)?,
            Form::Float4 | Form::Float8 => {
                write_exact(float(form, cell).map_err(|_| DecimalError::Malformed)?, &mut text)?
            }
            _ => write_i64(&mut text, form.integer(cell).ok().flatten().ok_or(DecimalError::Malformed)?),
        }
        match self.places {
            None => out.extend_from_slice(&text),
            Some(places) => write_quantized(out, std::str::from_utf8(&text).map_err(malformed)?, places)?,
        }
        Ok(())
    }
}

/// `str(Decimal)`: scientific where more than six digits after the point come before the first that counts.
pub(super) fn write_str(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let plain = numeric_text(cell)?;
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let Some(fraction) = digits.strip_prefix("0.") else {
        out.extend_from_slice(plain.as_bytes());
        return Ok(());
    };
    let zeros = fraction.bytes().take_while(|&digit| digit == b'0').count();
    // Of zero itself the last digit counts.
    let leading = zeros.min(fraction.len() - 1);
    if leading < 6 {
        out.extend_from_slice(plain.as_bytes());
        return Ok(());
    }
    let (first, rest) = fraction[leading..].split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    out.extend_from_slice(format!("{sign}{first}{point}{rest}E-{}", leading + 1).as_bytes());
    Ok(())
}

/// Digits after the point that a `numeric` declares.
#[inline]
fn scale(cell: &[u8]) -> Option<u32> {
    Some(u16::from_be_bytes([*cell.get(6)?, *cell.get(7)?]).into())
}

/// Every digit of a float's exact value: `Decimal(float)`.
fn write_exact(float: f64, out: &mut Vec<u8>) -> Result<(), DecimalError> {
    if float.is_nan() {
        return Err(DecimalError::NotANumber);
    }
    if float.is_infinite() {
        return Err(DecimalError::Infinite);
    }
    // The smallest float has 1074 digits after the point.
    let text = format!("{float:.1074}");
    out.extend_from_slice(text.trim_end_matches('0').trim_end_matches('.').as_bytes());
    Ok(())
}
