//! What `asyncio.sleep()` ends with: its future is given a result, and whoever awaits that goes on at once.
//!
//! asyncio has the future queue the wake-up of its task, which costs a handle and another turn of the loop. Where nothing
//! waits in the queue the wake-up is next in any case.

use std::cell::RefCell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::handle::Call;
use crate::names;

thread_local! {
    static CATCH: RefCell<Catch> = const { RefCell::new(Catch::Off) };
}

/// What becomes of the next call that is to be queued.
#[derive(Default)]
enum Catch {
    /// It is queued.
    #[default]
    Off,
    /// It is caught.
    Armed,
    Caught(Call),
}

/// Ends a sleep as `asyncio.futures._set_result_unless_cancelled(*arguments)` does. What that would queue is given back where it
/// is to be caught.
pub(super) fn wake(py: Python<'_>, arguments: &Bound<'_, PyTuple>, catch: bool) -> PyResult<Option<Call>> {
    let function = names::SET_RESULT.get(py)?;
    let (Ok(future), Ok(result)) = (arguments.get_item(0), arguments.get_item(1)) else {
        return function.call1(arguments).map(|_| None);
    };
    // Subclasses may do anything with it.
    if !catch || !future.get_type().is(names::FUTURE.get(py)?) {
        return function.call1(arguments).map(|_| None);
    }
    if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
        return Ok(None);
    }
    CATCH.set(Catch::Armed);
    let set = future.call_method1(intern!(py, "set_result"), (result,));
    let caught = CATCH.take();
    set?;
    match caught {
        Catch::Caught(call) => Ok(Some(call)),
        Catch::Off | Catch::Armed => Ok(None),
    }
}

/// Takes a call that is about to be queued, if it is awaited here; else gives it back.
pub(super) fn offer(call: Call) -> Option<Call> {
    CATCH.with_borrow_mut(|catch| {
        if !matches!(catch, Catch::Armed) {
            return Some(call);
        }
        *catch = Catch::Caught(call);
        None
    })
}
