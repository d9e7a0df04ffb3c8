//! Query results: what a handler returned is executed by Rust.

use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::Context;
use plectrum_db::cursor::Signer;
use plectrum_db::zone::Zone;
use plectrum_engine::native;
use plectrum_http::Reply;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::asked::Asked;
use crate::encode;
use crate::handler::Inner;
use crate::names;
use crate::operation::Operation;
use crate::values;

/// What `plectrum.bridge.plan_result` gives: operation, arguments, alias, whether Django's connection has to run it, and
/// what has to outlive the execution.
type Planned<'py> = (Bound<'py, Operation>, Bound<'py, PyList>, String, bool, Option<Py<PyAny>>);

/// Whether a value is a QuerySet, or one of the results around one.
pub(crate) fn is_query(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(matches!(encode::asks(value)?, encode::Asks::Execution))
}

/// Whether a value is a dict with a query result in it.
pub(crate) fn holds_query(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(dict) = value.cast::<PyDict>() else { return Ok(false) };
    for inner in dict.values() {
        if is_query(&inner)? || holds_query(&inner)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Plans `value` and executes the plan on the database its queryset names.
pub(crate) fn execute(
    handler: &Rc<Inner>,
    py: Python<'_>,
    value: &Bound<'_, PyAny>,
    asked: &Asked,
) -> PyResult<Reply> {
    let returns = handler.registered.returns.bind(py);
    let planned = names::PLAN_RESULT.get(py)?.call1((value, returns))?;
    let (operation, args, alias, foreign, kept): Planned<'_> = planned.extract()?;
    let operation = Arc::clone(&operation.get().0);
    let args = args.iter().map(|arg| values::from_python(&arg)).collect::<PyResult<Vec<_>>>()?;
    let (database, zones) = handler.worker.databases.get(py, &alias, foreign)?;
    let zone = active_zone(py)?.unwrap_or(zones.current);
    let signer = operation.cursor_page().map(|_| signer(py)).transpose()?;
    let context = Context { zone, session: zones.session, url: asked.url(), signer, failures: None };
    let handler = Rc::clone(handler);
    Ok(Reply::pending(async move {
        let outcome = database.run_within(handler.limit, &operation, args, context).await;
        if let Some(kept) = kept {
            Python::attach(|_| drop(kept));
        }
        native::respond(outcome, handler.status, &handler.name)
    }))
}

/// What signs and reads cursors.
pub(crate) fn signer(py: Python<'_>) -> PyResult<Arc<Signer>> {
    let secret: Vec<u8> = names::CURSOR_SECRET.get(py)?.call0()?.extract()?;
    Ok(Arc::new(Signer::new(&secret)))
}

/// The time zone that was activated (`django.utils.timezone.activate`), where one was.
pub(crate) fn active_zone(py: Python<'_>) -> PyResult<Option<Zone>> {
    #[derive(FromPyObject)]
    enum Active {
        /// Seconds east of UTC.
        Fixed(i32),
        /// An IANA name.
        Named(String),
    }
    match names::ACTIVE_ZONE.get(py)?.call0()?.extract()? {
        None => Ok(None),
        Some(Active::Fixed(seconds)) => Ok(Some(Zone::Fixed(seconds))),
        Some(Active::Named(name)) => Zone::named(&name)
            .map(Some)
            .map_err(|error| PyValueError::new_err(format!("the active time zone {name:?}: {error}"))),
    }
}
