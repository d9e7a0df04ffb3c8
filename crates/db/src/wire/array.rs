//! Arrays of any depth.

use super::cursor::Cursor;
use super::{Reader, Unwritable, resolve};
use crate::plan::Kind;
use crate::zone::Clock;

/// PostgreSQL's own limit.
const MAX_DIMENSIONS: usize = 6;

/// How an array's items are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    /// Kind of the innermost items.
    item: Kind,
    /// Item type the reader is for; an array of a custom type says it only in its header.
    oid: Option<u32>,
    reader: Option<Reader>,
}

impl Array {
    pub(super) fn resolve(kind: &Kind, oid: u32) -> Result<Self, String> {
        let mut item = kind;
        // How deep an array is, its value says.
        while let Kind::Array { item: inner } = item {
            item = inner;
        }
        let item_oid = super::oid::array_item(oid);
        match item_oid {
            Some(item_oid) => {
                let reader = resolve::resolve(item, item_oid)?;
                Ok(Self { item: item.clone(), oid: Some(item_oid), reader: Some(reader) })
            }
            None if oid >= super::oid::FIRST_CUSTOM => {
                Ok(Self { item: item.clone(), oid: None, reader: None })
            }
            None => Err(resolve::mismatch(kind, oid)),
        }
    }

    pub(super) fn write(&self, cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let mut cursor = Cursor(cell);
        let dimensions = usize::try_from(cursor.i32()?).unwrap_or(usize::MAX);
        let _has_nulls = cursor.i32()?;
        let oid = cursor.u32()?;
        if dimensions == 0 {
            out.extend_from_slice(b"[]");
            return Ok(());
        }
        if dimensions > MAX_DIMENSIONS {
            return Err("an array of more than six dimensions".into());
        }
        let mut lengths = [0; MAX_DIMENSIONS];
        for length in &mut lengths[..dimensions] {
            *length = cursor.i32()?;
            // An array without items has no dimensions; and each item takes bytes, so that writing ends.
            if *length < 1 {
                return Err("an array dimension without items".into());
            }
            let _lower_bound = cursor.i32()?;
        }
        let resolved;
        let reader = match &self.reader {
            Some(reader) if self.oid == Some(oid) => reader,
            _ => {
                resolved = resolve::resolve(&self.item, oid)?;
                &resolved
            }
        };
        Items { reader, clock }.write(&lengths[..dimensions], &mut cursor, out)
    }
}

struct Items<'a> {
    reader: &'a Reader,
    clock: &'a Clock,
}

impl Items<'_> {
    fn write(&self, lengths: &[i32], cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let Some((&length, inner)) = lengths.split_first() else {
            return match cursor.value()? {
                Some(item) => self.reader.write(item, self.clock, out),
                None => {
                    plectrum_json::write_null(out);
                    Ok(())
                }
            };
        };
        out.push(b'[');
        for index in 0..length {
            if index > 0 {
                out.push(b',');
            }
            self.write(inner, cursor, out)?;
        }
        out.push(b']');
        Ok(())
    }
}
