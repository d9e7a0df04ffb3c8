//! UTF-8 that arrives in pieces cut anywhere: an error is seen with the first byte that cannot be right.

/// What is left of the pieces so far: the beginning of a character.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Utf8 {
    pending: [u8; 4],
    len: u8,
}

/// Bytes that no continuation can make UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// Checks the next piece.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((next, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            if let Some(slot) = self.pending.get_mut(usize::from(self.len)) {
                *slot = *next;
            }
            self.len += 1;
            let begun = self.pending.get(..usize::from(self.len)).ok_or(NotUtf8)?;
            match std::str::from_utf8(begun) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        for byte in bytes.iter().skip(error.valid_up_to()) {
            if let Some(slot) = self.pending.get_mut(usize::from(self.len)) {
                *slot = *byte;
                self.len += 1;
            }
        }
        Ok(())
    }

    /// Whether the text may end here.
    pub(super) fn is_complete(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pieces: &[&[u8]]) -> bool {
        let mut utf8 = Utf8::default();
        pieces.iter().all(|piece| utf8.feed(piece).is_ok()) && utf8.is_complete()
    }

    #[test]
    fn an_error_is_seen_at_its_first_byte() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.feed(b"\xce\xba\xe1\xbd\xb9\xcf\x83\xf4"), Ok(()));
        assert_eq!(utf8.feed(b"\x90"), Err(NotUtf8));
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(bytes: Vec<u8>, cuts in prop::collection::vec(0usize..64, 0..5)) {
            let mut pieces = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(check(&pieces), std::str::from_utf8(&bytes).is_ok());
        }

        #[test]
        fn text_cut_anywhere_is_text(text: String, cut in 0usize..64) {
            let (first, second) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert!(check(&[first, second]));
        }
    }
}
