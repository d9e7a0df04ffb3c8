//! What only the binding can decide: users, permissions, sessions, guards in the user's own code.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use plectrum_http::{Bytes, HeaderMap, Method, Peer, Request, Response, Uri};

use super::identity::Identity;

/// Decides; implemented by the binding.
pub trait Authority {
    /// Asks function number `callback`.
    fn ask(&self, callback: usize, question: Question) -> Asking;
}

/// An answer now, or later.
pub enum Asking {
    /// Known at once.
    Told(Told),
    /// Being found out.
    Later(Pin<Box<dyn Future<Output = Told>>>),
}

impl Asking {
    /// Waits for the answer.
    pub async fn wait(self) -> Told {
        match self {
            Self::Told(told) => told,
            Self::Later(later) => later.await,
        }
    }
}

/// What a function is asked about.
pub struct Question {
    /// The request without its body.
    pub head: Head,
    /// Who makes it, as far as is known.
    pub identity: Arc<Identity>,
    /// What it shows.
    pub credential: Credential,
}

/// A request without its body.
#[derive(Clone)]
pub struct Head {
    /// Method.
    pub method: Method,
    /// Target.
    pub uri: Uri,
    /// Header fields.
    pub headers: HeaderMap,
    /// The nearest hop that is not a trusted proxy.
    pub peer: Peer,
    /// Whether the client's connection is encrypted.
    pub secure: bool,
}

impl Head {
    /// Of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            peer: request.peer,
            secure: request.secure,
        }
    }
}

/// What a request shows to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: a guard is asked.
    None,
    /// A key or opaque token.
    Token(String),
    /// User and password (RFC 7617).
    Basic(String, String),
    /// A session cookie is among the headers; the body where the CSRF token must be in it.
    Session(Bytes),
}

/// What a function says.
pub enum Told {
    /// Let in, or permitted.
    Yes(Principal),
    /// Not known, or not permitted; in words where there are some.
    No(Option<String>),
    /// It could not tell.
    Failed(Box<Response>),
}

/// Who has been let in.
#[derive(Default)]
pub struct Principal {
    /// The user's key.
    pub subject: Option<String>,
    /// A JSON object; empty where there are none.
    pub claims: Bytes,
    /// What the binding keeps with the identity.
    pub attached: Option<Arc<dyn Any + Send + Sync>>,
}
