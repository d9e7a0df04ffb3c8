//! Routes of Rust's own with Django's middleware around them: Python is entered first, and asks for their answer.

use std::rc::Rc;

use plectrum_engine::endpoint::{Call, Endpoint, Reads};
use plectrum_engine::gate::authority::Head;
use plectrum_http::Reply;
use pyo3::prelude::*;

use crate::asked::Asked;
use crate::gate::Access;
use crate::handler::{Handler, Inner};
use crate::request::Request;
use crate::responder::Responder;

/// An endpoint behind a chain of Python's.
pub(crate) struct Chained {
    /// Calls the chain.
    chain: Rc<Inner>,
    endpoint: Rc<dyn Endpoint>,
}

impl Chained {
    pub(crate) fn new(chain: Handler, endpoint: Rc<dyn Endpoint>) -> Self {
        Self { chain: chain.into_inner(), endpoint }
    }

    fn begin<'py>(&self, py: Python<'py>, call: Box<Call>) -> PyResult<([Bound<'py, PyAny>; 2], Asked)> {
        let access = Access::new(py, call.identity.clone(), &self.chain.registered.loaders);
        let request = Request::of_head(Head::of(&call.request), access).with_body(call.body.clone());
        let request = Bound::new(py, request)?;
        let responder = Responder::of_endpoint(&self.endpoint, call, &self.chain.worker.event_loop);
        let responder = Bound::new(py, responder)?;
        let arguments = [request.clone().into_any(), responder.into_any()];
        Ok((arguments, Asked::object(request.unbind(), None)))
    }
}

impl Endpoint for Chained {
    fn call(&self, call: Box<Call>) -> Reply {
        Python::attach(|py| match self.begin(py, call) {
            Ok((arguments, asked)) => self.chain.run(py, &arguments, asked),
            Err(error) => self.chain.failed(py, &error).into(),
        })
    }

    fn reads(&self) -> Reads {
        match self.endpoint.reads() {
            Reads::Nothing => Reads::Bytes,
            reads => reads,
        }
    }
}
