//! `strftime` for the directives that are digits everywhere, whatever the platform and the locale.

use pyo3::prelude::*;

use super::step::unknown;

/// Where the digits of `YYYY-MM-DDTHH:MM:SS.ffffff` stand.
const YEAR: (usize, usize) = (0, 4);
const TIME: usize = 11;

/// A format, taken apart. `plectrum.drf.describe` sends those alone that can be.
pub(super) struct Layout(Vec<Piece>);

enum Piece {
    Text(u8),
    /// From and to, in ISO 8601.
    Digits(usize, usize),
    /// Always six digits.
    Fraction,
}

impl Layout {
    /// From a format of `strftime`.
    pub(super) fn new(format: &str) -> PyResult<Self> {
        let (mut pieces, mut rest) = (Vec::new(), format.bytes());
        while let Some(byte) = rest.next() {
            pieces.push(match byte {
                b'%' => rest.next().and_then(directive).ok_or_else(|| unknown(format))?,
                b' '..=b'~' => Piece::Text(byte),
                _ => return Err(unknown(format)),
            });
        }
        Ok(Self(pieces))
    }

    /// Writes what ISO 8601 says of a date, a time or both; `None` where `strftime` might say it otherwise.
    pub(super) fn write(&self, iso: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let has_date = iso.get(4) == Some(&b'-');
        let before = if has_date { 0 } else { TIME };
        for piece in &self.0 {
            match *piece {
                Piece::Text(byte) => out.push(byte),
                Piece::Digits(start, end) => {
                    // Short years are padded here and there.
                    if (start, end) == YEAR && iso.first() == Some(&b'0') {
                        return None;
                    }
                    out.extend_from_slice(iso.get(start.checked_sub(before)?..end - before)?);
                }
                Piece::Fraction => match iso.get(19 - before..)? {
                    [b'.', digits @ ..] => out.extend_from_slice(digits.get(..6)?),
                    _ => out.extend_from_slice(b"000000"),
                },
            }
        }
        Some(())
    }
}

fn directive(letter: u8) -> Option<Piece> {
    Some(match letter {
        b'Y' => Piece::Digits(YEAR.0, YEAR.1),
        b'm' => Piece::Digits(5, 7),
        b'd' => Piece::Digits(8, 10),
        b'H' => Piece::Digits(11, 13),
        b'M' => Piece::Digits(14, 16),
        b'S' => Piece::Digits(17, 19),
        b'f' => Piece::Fraction,
        b'%' => Piece::Text(b'%'),
        _ => return None,
    })
}
