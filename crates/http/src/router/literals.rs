//! The literal segments that can come next, found without comparing text that cannot be equal.

/// A small ordered map from segment text to `T`.
///
/// Beside each text lies its length and its first eight bytes as one number: most look-ups compare numbers only,
/// and a text of at most eight bytes is never read at all.
#[derive(Debug)]
pub(super) struct Literals<T> {
    keys: Vec<Key>,
    entries: Vec<(Box<str>, T)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    head: u64,
    length: usize,
}

/// As many keys are scanned faster than searched.
const SCANNED: usize = 16;

impl Key {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let head = match bytes.first_chunk::<8>() {
            Some(head) => u64::from_be_bytes(*head),
            None => bytes.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)),
        };
        Self { head, length: bytes.len() }
    }
}

impl<T> Default for Literals<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), entries: Vec::new() }
    }
}

impl<T: Default> Literals<T> {
    /// What is stored under `text`, made when missing.
    pub(super) fn get_or_insert(&mut self, text: &str) -> &mut T {
        let key = Key::of(text);
        // Ordered by key, then by text, for texts that share their key.
        let before = |at: &usize| (self.keys[*at], &*self.entries[*at].0) < (key, text);
        let at = (0..self.keys.len()).take_while(before).count();
        if self.entries.get(at).is_none_or(|(known, _)| **known != *text) {
            self.keys.insert(at, key);
            self.entries.insert(at, (text.into(), T::default()));
        }
        &mut self.entries[at].1
    }
}

impl<T> Literals<T> {
    /// What is stored under `text`.
    pub(super) fn get(&self, text: &str) -> Option<&T> {
        let key = Key::of(text);
        let first = if self.keys.len() <= SCANNED {
            self.keys.iter().position(|known| *known == key)?
        } else {
            self.keys.partition_point(|known| *known < key)
        };
        let candidates = self.keys[first..].iter().zip(&self.entries[first..]);
        candidates
            .take_while(|(known, _)| **known == key)
            .find(|(_, (known, _))| text.len() <= 8 || **known == *text)
            .map(|(_, (_, value))| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_among_few_and_among_many() {
        let texts =
            ["", "a", "b", "ab", "\0a", "12345678", "123456789", "12345678-x", "12345678-y", "é", "articles"];
        for padding in [0, 50] {
            let mut literals = Literals::<String>::default();
            let padded: Vec<_> = (0..padding).map(|n| format!("padding-{n}")).collect();
            for text in texts.into_iter().chain(padded.iter().map(String::as_str)) {
                text.clone_into(literals.get_or_insert(text));
                text.clone_into(literals.get_or_insert(text));
            }
            assert_eq!(literals.entries.len(), texts.len() + padding);
            for text in texts {
                assert_eq!(literals.get(text).map(String::as_str), Some(text));
            }
            for text in ["c", "A", "\0", "12345678-z", "1234567", "articles2", "padding-x"] {
                assert_eq!(literals.get(text), None, "{text:?}");
            }
        }
    }
}
