//! OIDs of PostgreSQL's built-in types (`pg_type.dat`). Types of extensions and enums have numbers of their own
//! database, from [`FIRST_CUSTOM`] on.

#![allow(missing_docs)]

pub const BOOL: u32 = 16;
pub const BYTEA: u32 = 17;
pub const CHAR: u32 = 18;
pub const NAME: u32 = 19;
pub const INT8: u32 = 20;
pub const INT2: u32 = 21;
pub const INT4: u32 = 23;
pub const TEXT: u32 = 25;
pub const OID: u32 = 26;
pub const JSON: u32 = 114;
pub const XML: u32 = 142;
pub const CIDR: u32 = 650;
pub const FLOAT4: u32 = 700;
pub const FLOAT8: u32 = 701;
pub const UNKNOWN: u32 = 705;
pub const INET: u32 = 869;
pub const BPCHAR: u32 = 1042;
pub const VARCHAR: u32 = 1043;
pub const DATE: u32 = 1082;
pub const TIME: u32 = 1083;
pub const TIMESTAMP: u32 = 1114;
pub const TIMESTAMPTZ: u32 = 1184;
pub const INTERVAL: u32 = 1186;
pub const TIMETZ: u32 = 1266;
pub const NUMERIC: u32 = 1700;
pub const UUID: u32 = 2950;
pub const JSONB: u32 = 3802;

/// The first OID a database gives to types made in it: enums, domains' arrays, `citext`, `hstore`.
pub const FIRST_CUSTOM: u32 = 16_384;

/// The type of a built-in array's items.
#[must_use]
pub const fn array_item(oid: u32) -> Option<u32> {
    Some(match oid {
        1000 => BOOL,
        1001 => BYTEA,
        1002 => CHAR,
        1003 => NAME,
        1016 => INT8,
        1005 => INT2,
        1007 => INT4,
        1009 => TEXT,
        1028 => OID,
        199 => JSON,
        651 => CIDR,
        1021 => FLOAT4,
        1022 => FLOAT8,
        1041 => INET,
        1014 => BPCHAR,
        1015 => VARCHAR,
        1182 => DATE,
        1183 => TIME,
        1115 => TIMESTAMP,
        1185 => TIMESTAMPTZ,
        1187 => INTERVAL,
        1270 => TIMETZ,
        1231 => NUMERIC,
        2951 => UUID,
        3807 => JSONB,
        3905 => 3904,
        3907 => 3906,
        3909 => 3908,
        3911 => 3910,
        3913 => 3912,
        3927 => 3926,
        _ => return None,
    })
}

/// The type of a built-in range's bounds.
#[must_use]
pub const fn range_item(oid: u32) -> Option<u32> {
    Some(match oid {
        3904 => INT4,
        3906 => NUMERIC,
        3908 => TIMESTAMP,
        3910 => TIMESTAMPTZ,
        3912 => DATE,
        3926 => INT8,
        _ => return None,
    })
}

/// Whether values of the type are sent as text bytes.
#[must_use]
pub const fn is_text(oid: u32) -> bool {
    matches!(oid, TEXT | VARCHAR | BPCHAR | NAME | CHAR | UNKNOWN | XML) || oid >= FIRST_CUSTOM
}
