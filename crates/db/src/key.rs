//! The values that relate parent rows and child rows, and the distinct ones among them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::value::Value;

/// A relation's key. Both sides of a relation give the same variant for the same value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// An integer of any width.
    Int(i64),
    /// A UUID, big-endian.
    Uuid([u8; 16]),
    /// Anything else, in the text form the database compares.
    Text(Box<str>),
}

impl Key {
    /// The key as an argument of the child's statement.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Int(value) => Value::Int(*value),
            Self::Uuid(value) => {
                Value::Text(String::from_utf8_lossy(&plectrum_json::uuid::format(value)).into_owned())
            }
            Self::Text(value) => Value::Text(value.as_ref().to_owned()),
        }
    }
}

/// Distinct keys, numbered in order of first appearance. Seeded hashing: keys may be users' text.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    slots: HashMap<Key, u32, RandomState>,
}

impl KeySet {
    /// The number of `key`; a new one where it has not been seen.
    #[inline]
    pub(crate) fn intern(&mut self, key: Key) -> u32 {
        // A statement of four billion distinct keys does not fit PostgreSQL's message, let alone this process.
        let next = self.slots.len() as u32;
        *self.slots.entry(key).or_insert(next)
    }

    /// The number of `key`, where it is known.
    #[inline]
    pub(crate) fn slot(&self, key: &Key) -> Option<u32> {
        self.slots.get(key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The keys in order of their numbers, as an argument.
    pub(crate) fn to_value(&self) -> Value {
        let mut values = vec![Value::Null; self.len()];
        for (key, &slot) in &self.slots {
            values[slot as usize] = key.to_value();
        }
        Value::Array(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keys_in_order_of_first_appearance() {
        let mut keys = KeySet::default();
        let numbers: Vec<u32> = [7, 3, 7, 9, 3].map(|key| keys.intern(Key::Int(key))).to_vec();
        assert_eq!(numbers, [0, 1, 0, 2, 1]);
        assert_eq!(keys.to_value(), Value::Array(vec![Value::Int(7), Value::Int(3), Value::Int(9)]));
        assert_eq!(keys.slot(&Key::Int(9)), Some(2));
        assert_eq!(keys.slot(&Key::Text("9".into())), None);
    }

    #[test]
    fn uuids_are_bound_hyphenated() {
        let key = Key::Uuid([0x11; 16]);
        assert_eq!(key.to_value(), Value::Text("11111111-1111-1111-1111-111111111111".to_owned()));
    }
}
