//! Python names the binding needs, imported the first time each is used.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// A Python object found by module and attribute, once.
pub(crate) struct Name {
    module: &'static str,
    attribute: &'static str,
    found: PyOnceLock<Py<PyAny>>,
}

impl Name {
    const fn new(module: &'static str, attribute: &'static str) -> Self {
        Self { module, attribute, found: PyOnceLock::new() }
    }

    /// The object, imported where that has not happened yet.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let found = self.found.get_or_try_init(py, || {
            let module = py.import(self.module)?;
            module.getattr(PyString::new(py, self.attribute)).map(Bound::unbind)
        })?;
        Ok(found.bind(py))
    }
}

/// `asyncio.CancelledError`
pub(crate) static CANCELLED_ERROR: Name = Name::new("asyncio", "CancelledError");
/// What `asyncio.sleep()` has called when its time is over.
pub(crate) static SET_RESULT: Name = Name::new("asyncio.futures", "_set_result_unless_cancelled");
/// `asyncio.Future`
pub(crate) static FUTURE: Name = Name::new("asyncio", "Future");
/// The other end of a WebSocket is gone.
pub(crate) static WEBSOCKET_DISCONNECT: Name = Name::new("plectrum.websockets", "WebSocketDisconnect");
/// One event of an event stream.
pub(crate) static EVENT: Name = Name::new("plectrum.events", "Event");
/// `decimal.Decimal`
pub(crate) static DECIMAL: Name = Name::new("decimal", "Decimal");
/// `uuid.UUID`
pub(crate) static UUID: Name = Name::new("uuid", "UUID");
/// `UUID.is_safe` of a UUID made from a number.
pub(crate) static UNKNOWN_SAFETY: Name = Name::new("plectrum.structs", "UNKNOWN_SAFETY");
/// The exception of input that does not fit a schema.
pub(crate) static INVALID: Name = Name::new("plectrum.schema.invalid", "refused");
/// How an unusual class becomes JSON; see `plectrum/encoding.py`.
pub(crate) static CLASSIFY: Name = Name::new("plectrum.encoding", "classify");
/// Turns a query result into an operation and its arguments.
pub(crate) static PLAN_RESULT: Name = Name::new("plectrum.bridge", "plan_result");
/// Makes an `UploadFile` of what was received.
pub(crate) static RECEIVED: Name = Name::new("plectrum.uploads", "received");
/// `plectrum.errors.HTTPException`
pub(crate) static HTTP_EXCEPTION: Name = Name::new("plectrum.errors", "HTTPException");
/// Runs the tasks of a response that was sent.
pub(crate) static RUN_BACKGROUND: Name = Name::new("plectrum.background", "run");
/// What a parameter annotated `BackgroundTasks` is given.
pub(crate) static BACKGROUND_TASKS: Name = Name::new("plectrum.background", "BackgroundTasks");
/// Signs a cookie's value.
pub(crate) static SIGN_COOKIE: Name = Name::new("plectrum.signing", "sign_cookie");
/// Reads a signed cookie's value.
pub(crate) static UNSIGN_COOKIE: Name = Name::new("plectrum.signing", "unsign_cookie");
/// Turns an exception into a response's parts.
pub(crate) static DESCRIBE_EXCEPTION: Name = Name::new("plectrum.bridge", "describe_exception");
/// How an alias is reached.
pub(crate) static DATABASE: Name = Name::new("plectrum.bridge", "database");
/// Runs an operation on Django's connection of this thread, where it must be that one.
pub(crate) static RUN_HERE: Name = Name::new("plectrum.bridge", "run_here");
/// Runs an operation on Django's connection of a pool thread.
pub(crate) static RUN_IN_POOL: Name = Name::new("plectrum.bridge", "run_in_pool");
/// What cursors are signed with.
pub(crate) static CURSOR_SECRET: Name = Name::new("plectrum.cursors", "secret");
/// Calls a sync function on this thread, outside of its event loop.
pub(crate) static CALL_HERE: Name = Name::new("plectrum._here", "call_here");
/// As `CALL_HERE`; gives the context it was called in besides.
pub(crate) static RUN_AND_KEEP: Name = Name::new("plectrum._here", "run_and_keep");
/// The time zone that Django's `timezone.activate()` chose.
pub(crate) static ACTIVE_ZONE: Name = Name::new("plectrum.bridge", "active_zone");
/// The compiled form of a `plectrum.orm.Operation`.
pub(crate) static COMPILED: Name = Name::new("plectrum.bridge", "compiled");
/// `plectrum.errors.ConfigurationError`
pub(crate) static CONFIGURATION_ERROR: Name = Name::new("plectrum.errors", "ConfigurationError");
/// `plectrum.pipeline.InvalidRowError`
pub(crate) static INVALID_ROW: Name = Name::new("plectrum.pipeline", "InvalidRowError");
/// Sends a finished body as an ASGI response.
pub(crate) static SEND_ASGI: Name = Name::new("plectrum.pipeline", "send_asgi");
/// `logging.getLogger`
pub(crate) static GET_LOGGER: Name = Name::new("logging", "getLogger");
/// Has the current context remember a request.
pub(crate) static REMEMBER: Name = Name::new("plectrum.observe", "remember");
/// Aliases of databases, and whether Rust speaks to each itself.
pub(crate) static ALIASES: Name = Name::new("plectrum.readiness", "aliases");
/// What Python looks at before a worker is ready.
pub(crate) static READINESS: Name = Name::new("plectrum.readiness", "problems");
/// Where a function was written.
pub(crate) static LINE_OF: Name = Name::new("plectrum.errors", "line_of");
/// `rest_framework.fields.SkipField`
pub(crate) static SKIP_FIELD: Name = Name::new("rest_framework.fields", "SkipField");
/// `rest_framework.relations.PKOnlyObject`
pub(crate) static PK_ONLY_OBJECT: Name = Name::new("rest_framework.relations", "PKOnlyObject");
/// `decimal.getcontext`
pub(crate) static DECIMAL_CONTEXT: Name = Name::new("decimal", "getcontext");
/// The compiled form of a DRF serializer.
pub(crate) static COMPILED_SERIALIZER: Name = Name::new("plectrum.drf.compile", "compiled");
/// Django's current time zone, as datetimes are shown.
pub(crate) static CURRENT_ZONE: Name = Name::new("plectrum.drf.values", "current_zone");
/// Lets DRF answer for an attribute that cannot be read.
pub(crate) static REPLAY: Name = Name::new("plectrum.drf.values", "replay");
/// What DRF makes of an attribute that is a function.
pub(crate) static CALLED: Name = Name::new("plectrum.drf.values", "called");
/// How a model holds an attribute or a related object's key.
pub(crate) static COLUMN_OF: Name = Name::new("plectrum.drf.values", "column_of");
/// The rows a manager stands for.
pub(crate) static ROWS_OF: Name = Name::new("plectrum.drf.values", "rows_of");
/// How DRF looks attributes up in a value.
pub(crate) static TRAITS_OF: Name = Name::new("plectrum.drf.values", "traits_of");
/// `rest_framework.fields.empty`
pub(crate) static EMPTY: Name = Name::new("rest_framework.fields", "empty");
/// `rest_framework.exceptions.ValidationError`
pub(crate) static VALIDATION_ERROR: Name = Name::new("rest_framework.exceptions", "ValidationError");
/// `django.core.exceptions.ValidationError`
pub(crate) static DJANGO_VALIDATION_ERROR: Name = Name::new("django.core.exceptions", "ValidationError");
/// What DRF makes of a `ValidationError` of Django's.
pub(crate) static GET_ERROR_DETAIL: Name = Name::new("rest_framework.fields", "get_error_detail");
/// Django's current time zone, as datetimes are read.
pub(crate) static INPUT_ZONE: Name = Name::new("plectrum.drf.values", "input_zone");
/// A DRF serializer's own validation, compiled.
pub(crate) static COMPILED_VALIDATION: Name = Name::new("plectrum.drf.validate", "compiled");
/// A serializer's validators and its `validate`.
pub(crate) static FINISH_VALIDATION: Name = Name::new("plectrum.drf.validate", "finish");
/// Validates the fields that are left, as DRF does.
pub(crate) static CONTINUE_VALIDATION: Name = Name::new("plectrum.drf.validate", "go_on");
/// `plectrum.graphql.GraphQLError`
pub(crate) static GRAPHQL_ERROR: Name = Name::new("plectrum.graphql", "GraphQLError");
/// `functools.partial`
pub(crate) static PARTIAL: Name = Name::new("functools", "partial");
/// Validates a list's rows ahead of DRF.
pub(crate) static VALIDATE_ROWS: Name = Name::new("plectrum.drf.validate", "rows");
/// `ListSerializer.to_internal_value` as DRF has it.
pub(crate) static INTERNAL_LIST: Name = Name::new("plectrum.drf.validate", "INTERNAL_LIST");
/// Claims as Python sees them.
pub(crate) static CLAIMS: Name = Name::new("plectrum.auth.users", "claims_of");
/// Loads the user of a request.
pub(crate) static LOAD_USER: Name = Name::new("plectrum.auth.users", "load");
/// Loads the user of a request, awaited.
pub(crate) static ALOAD_USER: Name = Name::new("plectrum.auth.users", "aload");
