//! Ranges, as DRF's `ModelField` has them of Django's `value_to_string()`: text that holds a JSON object whose bounds are
//! text too, `"{\"bounds\": \"[)\", \"lower\": \"1\", \"upper\": \"5\"}"`.

use super::cursor::Cursor;
use super::{Reader, Unwritable};
use crate::zone::Clock;

// Flags of the first byte (`rangetypes.h`).
const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

pub(super) fn write(item: &Reader, cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let (&flags, rest) = cell.split_first().ok_or("a range without its flags")?;
    if flags & EMPTY != 0 {
        out.extend_from_slice(br#""{\"empty\": true}""#);
        return Ok(());
    }
    let mut cursor = Cursor(rest);
    out.extend_from_slice(br#""{\"bounds\": \""#);
    out.push(if flags & LOWER_INCLUSIVE != 0 { b'[' } else { b'(' });
    out.push(if flags & UPPER_INCLUSIVE != 0 { b']' } else { b')' });
    out.extend_from_slice(br#"\", \"lower\": "#);
    bound(item, flags & LOWER_INFINITE != 0, &mut cursor, clock, out)?;
    out.extend_from_slice(br#", \"upper\": "#);
    bound(item, flags & UPPER_INFINITE != 0, &mut cursor, clock, out)?;
    out.extend_from_slice(b"}\"");
    Ok(())
}

fn bound(
    item: &Reader,
    infinite: bool,
    cursor: &mut Cursor<'_>,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    if infinite {
        plectrum_json::write_null(out);
        return Ok(());
    }
    out.extend_from_slice(b"\\\"");
    item.write_str(cursor.value()?.ok_or("a range bound is NULL")?, clock, out)?;
    out.extend_from_slice(b"\\\"");
    Ok(())
}
