//! Which reader a kind and a wire type make; the pairs that do not work are errors before the first row.

use super::array::Array;
use super::number::{Decimal, Form};
use super::time::Stamp;
use super::{Reader, oid};
use crate::plan::Kind;

/// The reader of a column.
pub(crate) fn resolve(kind: &Kind, oid: u32) -> Result<Reader, String> {
    let reader = match kind {
        Kind::Int | Kind::Float | Kind::Decimal { .. } => number(kind, oid),
        Kind::Date | Kind::Time | Kind::Datetime { .. } | Kind::Duration => time(kind, oid),
        Kind::Bool => (oid == oid::BOOL).then_some(Reader::Bool),
        Kind::Text => oid::is_text(oid).then_some(Reader::Text),
        Kind::Uuid => (oid == oid::UUID).then_some(Reader::Uuid),
        Kind::Bytes => (oid == oid::BYTEA).then_some(Reader::Bytes),
        Kind::Json => json(oid),
        Kind::Digits => {
            Form::of(oid).map(|form| Reader::Decimal(form, Decimal { string: true, places: None }))
        }
        Kind::Enum { values } => choice(oid).map(|stored| Reader::Enum(Box::new((stored, values.clone())))),
        Kind::Ip => match oid {
            oid::INET | oid::CIDR => Some(Reader::Ip),
            _ => oid::is_text(oid).then_some(Reader::Text),
        },
        Kind::File { base } => oid::is_text(oid).then(|| Reader::File(base.as_str().into())),
        Kind::Hstore => (oid >= oid::FIRST_CUSTOM).then_some(Reader::Hstore),
        Kind::Array { item } => return Ok(Reader::Array(Box::new(Array::resolve(item, oid)?))),
        Kind::Range { item } => match oid::range_item(oid) {
            Some(item_oid) => Some(Reader::Range(Box::new(resolve(item, item_oid)?))),
            None => None,
        },
    };
    reader.ok_or_else(|| mismatch(kind, oid))
}

/// What to say of a pair that does not work.
pub(super) fn mismatch(kind: &Kind, oid: u32) -> String {
    format!("the plan reads {kind:?}, but the server sends type OID {oid}")
}

fn number(kind: &Kind, oid: u32) -> Option<Reader> {
    let form = Form::of(oid)?;
    Some(match (kind, form) {
        (Kind::Int, Form::Int4) => Reader::Int4,
        (Kind::Int, Form::Int8) => Reader::Int8,
        (Kind::Int, _) => Reader::Int(form),
        (Kind::Float, Form::Float8) => Reader::Float8,
        (Kind::Float, _) => Reader::Float(form),
        (Kind::Decimal { string, places }, _) => {
            Reader::Decimal(form, Decimal { string: *string, places: *places })
        }
        _ => return None,
    })
}

fn time(kind: &Kind, oid: u32) -> Option<Reader> {
    Some(match (kind, oid) {
        (Kind::Date, oid::DATE) => Reader::Date,
        (Kind::Date, oid::TIMESTAMP) => Reader::Timestamp(Stamp::WallDate),
        (Kind::Date, oid::TIMESTAMPTZ) => Reader::Timestamp(Stamp::InstantDate),
        (Kind::Time, oid::TIME) => Reader::Time,
        (Kind::Time, oid::TIMETZ) => Reader::TimeTz,
        (Kind::Datetime { aware: true }, oid::TIMESTAMPTZ) => Reader::Timestamp(Stamp::InstantAware),
        (Kind::Datetime { aware: true }, oid::TIMESTAMP) => Reader::Timestamp(Stamp::WallAware),
        (Kind::Datetime { aware: false }, oid::TIMESTAMPTZ) => Reader::Timestamp(Stamp::InstantNaive),
        (Kind::Datetime { aware: false }, oid::TIMESTAMP) => Reader::Timestamp(Stamp::WallNaive),
        (Kind::Duration, oid::INTERVAL) => Reader::Interval,
        _ => return None,
    })
}

/// What choices are stored as.
fn choice(oid: u32) -> Option<Reader> {
    if oid::is_text(oid) {
        return Some(Reader::Text);
    }
    match Form::of(oid)? {
        Form::Int4 => Some(Reader::Int4),
        Form::Int8 => Some(Reader::Int8),
        form => Some(Reader::Int(form)),
    }
}

fn json(oid: u32) -> Option<Reader> {
    match oid {
        oid::JSONB => Some(Reader::Jsonb),
        oid::JSON => Some(Reader::Json),
        _ => oid::is_text(oid).then_some(Reader::JsonText),
    }
}
