//! The binding: registration, bridge and conversions. If a line could be written without `Python<'py>`, it is in the
//! wrong crate.
//!
//! * [`app`]: registration; [`server`] serves an app on sockets, [`client`] in process;
//! * [`worker`]: what one thread has, [`databases`] its connections, [`eventloop`] its asyncio;
//! * [`handler`]: a request through a Python function; [`results`] where that returned a query;
//! * [`responder`]: answers for those who change them, [`chained`] around routes of Rust's own;
//! * [`request`] and [`response`]: what Python sees of both, [`environ`] for Django; [`stream`] and [`background`] go on after a handler returned;
//! * [`websocket`]: a conversation as a coroutine;
//! * [`gate`]: credentials, guards and users that Python decides about;
//! * [`sink`] and [`encode`]: JSON → Python and Python → JSON, [`members`] and [`uuids`] past Python's own accessors;
//!   [`values`] statement arguments;
//! * [`given`]: rows in the hands of Django's drivers;
//! * [`schema`]: types validated and written outside of routes;
//! * [`serializer`]: DRF's serializers, compiled;
//! * [`export`]: querysets of any length as files;
//! * [`graphql`]: graphs of an API, and who plans their shapes;
//! * [`pipeline`]: JSON rows → GraphQL responses;
//! * [`logging`]: what the Rust side reports, told to Python's `logging`;
//! * [`cache`]: told of what changes;
//! * [`observe`]: what is seen of requests, as settings and Python have it;
//! * [`names`]: what is imported from Python, lazily; [`exceptions`]: Python's errors as responses.

mod app;
mod asked;
mod background;
mod cache;
mod chained;
mod channels;
mod client;
mod databases;
mod detached;
mod django;
mod edge;
mod encode;
mod environ;
mod eventloop;
mod exceptions;
mod export;
mod gate;
mod given;
mod graphql;
mod handler;
mod incoming;
mod logging;
mod members;
mod names;
mod observe;
mod operation;
mod pipeline;
mod registered;
mod request;
mod responder;
mod response;
mod results;
mod schema;
mod serializer;
mod server;
mod settings;
mod sink;
mod sse;
mod stream;
mod thread_bound;
mod uploads;
mod uuids;
mod values;
mod websocket;
mod worker;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The compiled core of Plectrum; `plectrum` is its public face.
#[pymodule(gil_used = false)]
mod _core {
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    #[pymodule_export]
    use crate::app::App;
    #[pymodule_export]
    use crate::cache::Invalidator;
    #[pymodule_export]
    use crate::channels::Channels;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::eventloop::testing::_testing;
    #[pymodule_export]
    use crate::export::{ExportCursor, ExportFile};
    #[pymodule_export]
    use crate::given::Libpq;
    #[pymodule_export]
    use crate::incoming::RequestStream;
    #[pymodule_export]
    use crate::observe::{LogLines, note, request_id, snapshot, traceparent};
    #[pymodule_export]
    use crate::operation::Operation;
    #[pymodule_export]
    use crate::pipeline::{RustResponseBytes, TypeRegistry};
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::responder::Responder;
    #[pymodule_export]
    use crate::response::Response;
    #[pymodule_export]
    use crate::serializer::{
        InternalRows, Representation, Validation, dump_json, represent_json, represent_many,
    };
    #[pymodule_export]
    use crate::websocket::{ClientSocket, Messages, WebSocket};

    #[pymodule_export]
    use crate::stream::StreamQueue;

    #[pymodule_export]
    use crate::schema::Validator;

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::logging::install();
        Ok(())
    }

    /// Compiles a type's description; what is wrong with it is the user's to mend.
    #[pyfunction]
    fn check_schema(description: &str) -> PyResult<()> {
        let compiled = plectrum_schema::Schema::from_json(description);
        compiled.map(drop).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Compiles a GraphQL schema; what is wrong with it is an error.
    #[pyfunction]
    fn check_graphql_schema(sdl: &str) -> PyResult<()> {
        crate::graphql::check(sdl)
    }

    /// Errors of a GraphQL document against a schema, as the JSON text `{"errors":[…]}`.
    #[pyfunction]
    fn validate_graphql(sdl: &str, document: &str) -> PyResult<String> {
        crate::graphql::validate(sdl, document)
    }

    /// JSON rows as the bytes of a GraphQL response.
    #[pyfunction]
    fn build_response<'py>(
        py: Python<'py>,
        fields: Vec<crate::pipeline::Field<'py>>,
        registry: &Bound<'py, TypeRegistry>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        crate::pipeline::build(py, &fields, registry.get())
    }

    /// An item of an event stream as it goes over the wire.
    #[pyfunction]
    fn encode_event<'py>(item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        crate::sse::encode(item).map(|bytes| PyBytes::new(item.py(), &bytes))
    }

    /// A snake_case name in camelCase.
    #[pyfunction]
    fn to_camel(name: &str) -> std::borrow::Cow<'_, str> {
        plectrum_json::naming::to_camel(name)
    }

    /// A camelCase name in snake_case.
    #[pyfunction]
    fn to_snake(name: &str) -> std::borrow::Cow<'_, str> {
        plectrum_json::naming::to_snake(name)
    }

    /// Signs claims (a JSON object).
    #[pyfunction]
    #[pyo3(signature = (claims, key, algorithm, key_id=None))]
    fn sign_jwt(claims: &str, key: &str, algorithm: &str, key_id: Option<&str>) -> PyResult<String> {
        plectrum_engine::gate::jwt::sign(claims, key, algorithm, key_id).map_err(PyValueError::new_err)
    }

    /// The claims of a signed token, as JSON; nothing but the signature is judged.
    #[pyfunction]
    fn verify_jwt<'py>(
        py: Python<'py>,
        token: &str,
        key: &str,
        algorithm: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let claims = plectrum_engine::gate::jwt::verify(token, key, algorithm);
        claims.map(|claims| PyBytes::new(py, &claims)).map_err(PyValueError::new_err)
    }

    /// Direction and values of a cursor of the list `scope`.
    #[pyfunction]
    fn read_cursor<'py>(
        py: Python<'py>,
        secret: &[u8],
        scope: &str,
        cursor: &str,
    ) -> Option<(&'static str, Bound<'py, PyBytes>)> {
        let (direction, values) = plectrum_db::cursor::Signer::new(secret).read(scope, cursor)?;
        Some((direction.name(), PyBytes::new(py, &values)))
    }

    /// Closes the descriptor that `plectrum.uploads` was given of an uploaded file.
    #[pyfunction]
    fn close_upload(descriptor: i32) {
        // SAFETY: `plectrum.uploads` calls this once for each descriptor it was given.
        unsafe { crate::uploads::close(descriptor) }
    }

    /// A value as JSON bytes.
    #[pyfunction]
    fn encode<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        crate::response::encoded(value).map(|bytes| PyBytes::new(value.py(), &bytes))
    }
}
