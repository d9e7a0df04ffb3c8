//! The last few things worth a look, as texts in shared memory. One worker writes a ring, everybody reads it.
//!
//! Each text stands behind a count that is odd while it is being written (a sequence lock): a reader that sees another
//! count afterwards than before leaves the text out.

use std::sync::atomic::{Ordering, fence};

use crate::memory::Words;

/// Texts that are kept.
const KEPT: usize = 24;
/// Words of one: its count, its length, its bytes.
const SIZE: usize = 512;
const MOST_BYTES: usize = (SIZE - 2) * size_of::<u64>();
/// Words of a ring: how many were ever written, then the texts.
pub(super) const WORDS: usize = 1 + KEPT * SIZE;

/// A ring.
pub(super) struct Notes<'a> {
    pub(super) words: &'a Words,
    pub(super) first: usize,
}

impl Notes<'_> {
    fn place(&self, number: usize) -> usize {
        self.first + 1 + number % KEPT * SIZE
    }

    /// Writes a text over the oldest one. One that is too long is left out: half a document is none.
    pub(super) fn leave(&self, text: &str) {
        if text.len() > MOST_BYTES {
            return;
        }
        let written = self.words.word(self.first);
        let number = written.load(Ordering::Relaxed);
        let place = self.place(usize::try_from(number).unwrap_or_default());
        let count = self.words.word(place);
        let before = count.load(Ordering::Relaxed);
        count.store(before | 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.words.word(place + 1).store(text.len() as u64, Ordering::Relaxed);
        for (index, piece) in text.as_bytes().chunks(size_of::<u64>()).enumerate() {
            let mut bytes = [0; size_of::<u64>()];
            bytes.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            self.words.word(place + 2 + index).store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        count.store((before | 1).wrapping_add(1), Ordering::Release);
        written.store(number.wrapping_add(1), Ordering::Release);
    }

    /// What is there, oldest first.
    pub(super) fn read(&self) -> Vec<String> {
        let written =
            usize::try_from(self.words.word(self.first).load(Ordering::Acquire)).unwrap_or_default();
        (written.saturating_sub(KEPT)..written).filter_map(|number| self.text(self.place(number))).collect()
    }

    fn text(&self, place: usize) -> Option<String> {
        let count = self.words.word(place);
        let before = count.load(Ordering::Acquire);
        let len = usize::try_from(self.words.word(place + 1).load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if before % 2 == 1 || len > MOST_BYTES {
            return None;
        }
        let words = (0..len.div_ceil(size_of::<u64>())).map(|index| self.words.word(place + 2 + index));
        let mut bytes: Vec<u8> = words.flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
        fence(Ordering::Acquire);
        bytes.truncate(len);
        (count.load(Ordering::Relaxed) == before).then(|| String::from_utf8(bytes).ok()).flatten()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_in_order() {
        let words = Words::private(WORDS).unwrap();
        let notes = Notes { words: &words, first: 0 };
        assert!(notes.read().is_empty());
        (0..KEPT + 3).for_each(|number| notes.leave(&format!("note {number} ü")));
        notes.leave(&"x".repeat(MOST_BYTES + 1));
        let read = notes.read();
        assert_eq!(read.len(), KEPT);
        assert_eq!(read.first().map(String::as_str), Some("note 3 ü"));
        assert_eq!(read.last().map(String::as_str), Some(format!("note {} ü", KEPT + 2).as_str()));
    }

    #[test]
    fn what_is_being_written_is_left_out() {
        let words = Words::private(WORDS).unwrap();
        let notes = Notes { words: &words, first: 0 };
        notes.leave("whole");
        words.word(1).fetch_add(1, Ordering::Relaxed);
        assert!(notes.read().is_empty());
    }
}
