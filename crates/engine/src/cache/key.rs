//! What must be the same for an answer to be the same.

use plectrum_http::{HeaderName, Request, header};
use sha2::{Digest, Sha256};

use crate::endpoint::Call;
use crate::gate::identity::Identity;

/// A digest: nobody can make two requests with one key.
pub(crate) type Key = [u8; 32];

/// Collects what counts, each part with its length: no two lists of parts look alike.
pub(super) struct Parts(Sha256);

impl Parts {
    pub(super) fn new(purpose: &str) -> Self {
        let mut parts = Self(Sha256::new());
        parts.add(purpose.as_bytes());
        parts
    }

    pub(super) fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Every value of a header, and that there is none.
    pub(super) fn header(&mut self, request: &Request, name: &HeaderName) {
        let values: Vec<_> = request.headers.get_all(name).iter().collect();
        self.add(&(values.len() as u64).to_le_bytes());
        values.iter().for_each(|value| self.add(value.as_bytes()));
    }

    /// The address, with the host and the scheme that links in the answer are made of.
    pub(super) fn address(&mut self, request: &Request) {
        self.add(request.uri.path_and_query().map_or("", |target| target.as_str()).as_bytes());
        self.header(request, &header::HOST);
        self.add(&[u8::from(request.secure)]);
    }

    /// Who asks: what the gate found, or the credentials nobody has looked at.
    pub(super) fn asker(&mut self, call: &Call) {
        match vouched(call) {
            Some(identity) => {
                self.add(&(identity.scheme.unwrap_or_default() as u64).to_le_bytes());
                self.add(identity.subject().unwrap_or_default().as_bytes());
                // The same user may come with other scopes.
                self.add(identity.claims_json());
            }
            None => {
                self.header(&call.request, &header::AUTHORIZATION);
                self.header(&call.request, &header::COOKIE);
            }
        }
    }

    pub(super) fn finish(self) -> Key {
        self.0.finalize().into()
    }
}

/// Who the gate found, where that is somebody with a name or with claims.
fn vouched(call: &Call) -> Option<&Identity> {
    let found = call.identity.as_deref().filter(|identity| identity.is_authenticated())?;
    (found.subject().is_some() || !found.claims_json().is_empty()).then_some(found)
}

/// Whether anything in the request tells who asks that the gate has not looked at.
pub(super) fn has_unknown_credentials(call: &Call) -> bool {
    let headers = &call.request.headers;
    let shown = headers.contains_key(header::AUTHORIZATION) || headers.contains_key(header::COOKIE);
    let known = call.identity.as_deref().is_some_and(Identity::is_authenticated);
    if known { vouched(call).is_none() } else { shown }
}
