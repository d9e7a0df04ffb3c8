//! Documents known by their SHA-256: those clients register as they go (automatic persisted queries), and those that are
//! allowed at all.

use std::cell::RefCell;
use std::collections::HashMap;

use plectrum_graphql::{Cache, Code, Error};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::request::Parameters;

/// Bytes of hashes kept: some ten thousand documents.
const KEPT: usize = 1 << 20;

/// The known documents of one graph.
pub(super) struct Persisted {
    /// Whether clients may register documents.
    automatic: bool,
    /// The only documents that are executed, by hash.
    allowed: Option<HashMap<String, String>>,
    registered: RefCell<Cache<String>>,
}

impl Persisted {
    pub(super) fn new(automatic: bool, allowed: Option<&[String]>, kept: usize) -> Self {
        let allowed = allowed.map(|texts| texts.iter().map(|text| (hash(text), text.clone())).collect());
        Self { automatic, allowed, registered: RefCell::new(Cache::new(kept, KEPT)) }
    }

    /// Fills in the document that a request names by its hash, and refuses those that are not allowed.
    ///
    /// # Errors
    /// The document is not known, or not allowed, or not the one that was named.
    pub(super) fn resolve(&self, parameters: &mut Parameters) -> Result<(), Error> {
        let named = named(parameters);
        if let Some(allowed) = &self.allowed {
            let key = named.unwrap_or_else(|| hash(parameters.query.as_deref().unwrap_or_default()));
            let text = allowed.get(&key).ok_or_else(|| {
                Error::new(
                    Code::PersistedQueryRequired,
                    "Only documents that are registered here are executed.",
                )
            })?;
            parameters.query = Some(text.clone());
            return Ok(());
        }
        let Some(key) = named else { return Ok(()) };
        if !self.automatic {
            return Err(Error::new(Code::PersistedQueryNotFound, "PersistedQueryNotSupported"));
        }
        match &parameters.query {
            Some(text) if hash(text) == key => {
                self.registered.borrow_mut().insert(key.as_bytes(), text.clone());
                Ok(())
            }
            Some(_) => {
                Err(Error::new(Code::BadUserInput, "The document's SHA-256 is not the one that was given."))
            }
            None => {
                let known = self.registered.borrow_mut().get(key.as_bytes());
                let text = known
                    .ok_or_else(|| Error::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound"))?;
                parameters.query = Some((*text).clone());
                Ok(())
            }
        }
    }
}

/// `extensions.persistedQuery.sha256Hash`.
fn named(parameters: &Parameters) -> Option<String> {
    match parameters.extensions.get("persistedQuery")?.get("sha256Hash")? {
        Value::String(hash) => Some(hash.to_ascii_lowercase()),
        _ => None,
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        hex
    })
}
