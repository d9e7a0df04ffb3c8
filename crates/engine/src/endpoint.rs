//! The seam between routing and whoever answers: native plans, or the binding's callbacks.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use plectrum_db::zone::Zone;
use plectrum_http::form::Form;
use plectrum_http::{Reply, Request, Response};
use smallvec::SmallVec;

use crate::gate::Gate;
use crate::gate::identity::Identity;

/// One request on its way to an endpoint: routed, its body read where the endpoint wants one.
///
/// It is handed on many times and is half a kilobyte: in a box, or moving it would cost more than routing it.
pub struct Call {
    /// Everything but the body.
    pub request: Request,
    /// Values of the path's parameters.
    pub path: PathValues,
    /// The body, where the endpoint [reads](Endpoint::reads) it.
    pub body: Bytes,
    /// Who makes it, where the route has a gate.
    pub identity: Option<Arc<Identity>>,
    /// The body, where it was a form with files.
    pub form: Option<Form>,
    /// What aware datetimes are written in, where something before the endpoint says another zone than usual.
    pub zone: Option<Zone>,
    /// What is still to be passed, where the endpoint lets clients [introduce](Endpoint::introduces) themselves.
    pub gate: Option<Rc<Gate>>,
}

impl Call {
    /// The decoded value of the path's parameter number `index`.
    #[must_use]
    pub fn path_value(&self, index: usize) -> Option<&str> {
        match self.path.0.get(index)? {
            PathValue::Range(from, to) => self.request.path().get(*from..*to),
            PathValue::Decoded(text) => Some(text),
        }
    }
}

/// Values of a path's parameters, in the order of the pattern. Those that needed no decoding stay in the path.
#[derive(Debug, Default)]
pub struct PathValues(SmallVec<[PathValue; 4]>);

#[derive(Debug)]
enum PathValue {
    Range(usize, usize),
    Decoded(Box<str>),
}

impl PathValues {
    /// `values` as the router found them in `path`.
    pub(crate) fn new<'p>(path: &'p str, values: impl IntoIterator<Item = Cow<'p, str>>) -> Self {
        let place = |value: Cow<'p, str>| match value {
            Cow::Borrowed(part) => {
                let from = part.as_ptr() as usize - path.as_ptr() as usize;
                PathValue::Range(from, from + part.len())
            }
            Cow::Owned(text) => PathValue::Decoded(text.into()),
        };
        Self(values.into_iter().map(place).collect())
    }
}

/// What an endpoint wants of a request's body before it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing: it is left unread.
    Nothing,
    /// All of it, in [`Call::body`].
    Bytes,
    /// All of it: in [`Call::form`] where it is `multipart/form-data`, else in [`Call::body`].
    Form,
    /// To read it by itself: it is in [`Call::request`].
    Stream,
}

/// Answers the requests of one route.
pub trait Endpoint {
    /// Answers one request. Called on the worker's own thread; must not block.
    fn call(&self, call: Box<Call>) -> Reply;

    /// Whether the endpoint lets this call pass the route's gate by itself, once the client has said who it is.
    fn introduces(&self, _call: &Call) -> bool {
        false
    }

    /// Whether [`Call::body`] must hold the whole body.
    fn reads_body(&self) -> bool {
        false
    }

    /// What is wanted of the body.
    fn reads(&self) -> Reads {
        if self.reads_body() { Reads::Bytes } else { Reads::Nothing }
    }
}

/// Waits for a reply.
pub(crate) async fn settled(reply: Reply) -> Response {
    match reply {
        Reply::Ready(response) => response,
        Reply::Pending(pending) => pending.await,
    }
}
