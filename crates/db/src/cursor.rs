//! Cursors: a place between two rows of a list, as opaque, signed text.
//!
//! A cursor holds which way it points and the values the list is ordered by of the row it stands at, as JSON. Whoever
//! has the key can tell its own cursors from others', and those of one list from those of another (`scope`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::plan::Kind;
use crate::value::Value;

/// Bytes of a signature that are kept: enough that none can be guessed.
const SIGNATURE: usize = 16;

/// Which rows a cursor asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those after the row it stands at.
    Next,
    /// Those before it.
    Previous,
}

impl Direction {
    /// As it is spelled in descriptions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }

    fn letter(self) -> u8 {
        match self {
            Self::Next => b'n',
            Self::Previous => b'p',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        [Self::Next, Self::Previous].into_iter().find(|direction| direction.letter() == letter)
    }
}

/// Makes and checks cursors.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// A signer with a secret of any length.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        // HMAC takes keys of every length; the purpose keeps one secret's other uses apart.
        let mut keyed =
            Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
        keyed.update(b"plectrum cursor\0");
        Self(keyed)
    }

    /// The cursor that stands at the row with `values` (a JSON array) of the list `scope`.
    #[must_use]
    pub fn sign(&self, scope: &str, direction: Direction, values: &[u8]) -> String {
        let signature = self.keyed(scope, direction, values).finalize().into_bytes();
        let mut bytes: Vec<u8> = signature.into_iter().take(SIGNATURE).collect();
        bytes.push(direction.letter());
        bytes.extend_from_slice(values);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Direction and values of a cursor of the list `scope`; `None` for text that this signer did not make for it.
    #[must_use]
    pub fn read(&self, scope: &str, cursor: &str) -> Option<(Direction, Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (signature, rest) = bytes.split_first_chunk::<SIGNATURE>()?;
        let (letter, values) = rest.split_first()?;
        let direction = Direction::of(*letter)?;
        // Compares in constant time.
        self.keyed(scope, direction, values).verify_truncated_left(signature).ok()?;
        Some((direction, values.to_vec()))
    }

    fn keyed(&self, scope: &str, direction: Direction, values: &[u8]) -> Hmac<Sha256> {
        let mut keyed = self.0.clone();
        keyed.update(&(scope.len() as u64).to_be_bytes());
        keyed.update(scope.as_bytes());
        keyed.update(&[direction.letter()]);
        keyed.update(values);
        keyed
    }
}

/// The values of a cursor as arguments, by the kinds of the columns they were read from.
#[must_use]
pub fn arguments(values: &[u8], kinds: &[&Kind]) -> Option<Vec<Value>> {
    let items: Vec<&RawValue> = serde_json::from_slice(values).ok()?;
    if items.len() != kinds.len() {
        return None;
    }
    items.iter().zip(kinds).map(|(item, kind)| argument(item.get(), kind)).collect()
}

fn argument(json: &str, kind: &Kind) -> Option<Value> {
    if json.starts_with('"') {
        return serde_json::from_str(json).ok().map(Value::Text);
    }
    match (json, kind) {
        ("true", _) => Some(Value::Bool(true)),
        ("false", _) => Some(Value::Bool(false)),
        ("null", _) => None,
        (_, Kind::Float) => json.parse().ok().map(Value::Float),
        (_, Kind::Int) => Some(json.parse().map_or_else(|_| Value::Text(json.to_owned()), Value::Int)),
        _ => Some(Value::Text(json.to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_what_it_was_made_of() {
        let signer = Signer::new(b"secret");
        for direction in [Direction::Next, Direction::Previous] {
            let cursor = signer.sign("list", direction, br#"[1,"a"]"#);
            assert_eq!(signer.read("list", &cursor), Some((direction, br#"[1,"a"]"#.to_vec())));
        }
    }

    #[test]
    fn foreign_text_is_none() {
        let signer = Signer::new(b"secret");
        let cursor = signer.sign("list", Direction::Next, b"[1]");
        assert_eq!(signer.read("other list", &cursor), None);
        assert_eq!(Signer::new(b"other secret").read("list", &cursor), None);
        assert_eq!(signer.read("list", ""), None);
        assert_eq!(signer.read("list", "not base64!"), None);
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(signer.read("list", &URL_SAFE_NO_PAD.encode(changed)), None, "byte {index}");
        }
    }

    #[test]
    fn values_become_arguments_of_their_columns_kinds() {
        let decimal = Kind::Decimal { string: false, places: None };
        let values = br#"[9223372036854775808,-5,1.5,2,true,"2026-01-01T00:00:00Z",12.50]"#;
        let kinds = [
            &Kind::Int,
            &Kind::Int,
            &Kind::Float,
            &Kind::Float,
            &Kind::Bool,
            &Kind::Datetime { aware: true },
            &decimal,
        ];
        assert_eq!(
            arguments(values, &kinds),
            Some(vec![
                Value::Text("9223372036854775808".to_owned()),
                Value::Int(-5),
                Value::Float(1.5),
                Value::Float(2.0),
                Value::Bool(true),
                Value::Text("2026-01-01T00:00:00Z".to_owned()),
                Value::Text("12.50".to_owned()),
            ])
        );
        assert_eq!(arguments(b"[1]", &[]), None);
        assert_eq!(arguments(b"[null]", &[&Kind::Int]), None);
        assert_eq!(arguments(b"{}", &[]), None);
    }
}
