//! What is kept of a request while its handler runs, for making the answer.

use plectrum_engine::endpoint::Call;
use plectrum_engine::native;
use plectrum_http::{HeaderMap, Method, Uri, header};
use pyo3::prelude::*;

use crate::request::Request;

/// A request, wherever it is, and what its handler was given to be done after it.
pub(crate) struct Asked {
    place: Place,
    /// `plectrum.background.BackgroundTasks`, where the handler asked for them.
    pub(crate) tasks: Option<Py<PyAny>>,
}

enum Place {
    /// Here: the handler did not ask for it.
    Here(Box<Call>),
    /// In the object the handler got.
    Object(Py<Request>),
}

/// The head of a request.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) secure: bool,
}

impl Asked {
    pub(crate) fn here(call: Box<Call>, tasks: Option<Py<PyAny>>) -> Self {
        Self { place: Place::Here(call), tasks }
    }

    pub(crate) fn object(request: Py<Request>, tasks: Option<Py<PyAny>>) -> Self {
        Self { place: Place::Object(request), tasks }
    }

    /// Gives up a body that the handler was to read: it is over.
    pub(crate) fn release_body(&self) {
        if let Place::Object(request) = &self.place {
            request.get().release_body();
        }
    }

    pub(crate) fn head(&self) -> Head<'_> {
        match &self.place {
            Place::Here(call) => Head {
                method: &call.request.method,
                uri: &call.request.uri,
                headers: &call.request.headers,
                secure: call.request.secure,
            },
            Place::Object(request) => request.get().head(),
        }
    }

    /// The request's address, for the links of a page.
    pub(crate) fn url(&self) -> String {
        let head = self.head();
        native::address(head.uri, head.headers.get(header::HOST), head.secure)
    }
}
