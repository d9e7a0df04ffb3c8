//! `hstore`: a count, then keys and values with their lengths.

use plectrum_json::text;

use super::Unwritable;
use super::cursor::Cursor;

pub(super) fn write(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let mut cursor = Cursor(cell);
    let count = cursor.i32()?;
    out.push(b'{');
    for index in 0..count {
        if index > 0 {
            out.push(b',');
        }
        text::write_utf8(out, cursor.value()?.ok_or("an hstore key is NULL")?)?;
        out.push(b':');
        match cursor.value()? {
            Some(value) => text::write_utf8(out, value)?,
            None => plectrum_json::write_null(out),
        }
    }
    out.push(b'}');
    Ok(())
}
