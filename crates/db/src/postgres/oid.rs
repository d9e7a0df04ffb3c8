//! Object identifiers of built-in types, fixed for all servers (`pg_type.dat`).

use crate::plan::BindType;

pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT4: u32 = 23;
pub(crate) const OID: u32 = 26;
pub(crate) const TEXT: u32 = 25;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;
pub(crate) const NUMERIC: u32 = 1700;
pub(crate) const BOOL_ARRAY: u32 = 1000;
pub(crate) const INT2_ARRAY: u32 = 1005;
pub(crate) const INT4_ARRAY: u32 = 1007;
pub(crate) const INT8_ARRAY: u32 = 1016;
pub(crate) const FLOAT8_ARRAY: u32 = 1022;

/// What Parse declares for a placeholder; 0 leaves it to the server.
pub(crate) fn declared(kind: BindType) -> u32 {
    match kind {
        BindType::Infer => 0,
        BindType::Bool => BOOL,
        BindType::Int => INT8,
        BindType::Float => FLOAT8,
        BindType::Decimal => NUMERIC,
        BindType::Text => TEXT,
        BindType::Uuid => 2950,
        BindType::Date => 1082,
        BindType::Time => 1083,
        BindType::Datetime => 1114,
        BindType::DatetimeTz => 1184,
        BindType::Duration => 1186,
        BindType::Bytes => BYTEA,
        BindType::Json => 3802,
    }
}
