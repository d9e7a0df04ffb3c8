//! `uuid.UUID` as numbers, past the checks and properties that are written in Python.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

use crate::members::{Members, bare};
use crate::names;

/// The class, and where its instances hold their number and their safety.
struct Class {
    class: Py<PyType>,
    slots: Option<Members>,
    /// As `slots`, where they may be read so.
    readable: Option<Members>,
}

fn class(py: Python<'_>) -> PyResult<&Class> {
    static CLASS: PyOnceLock<Class> = PyOnceLock::new();
    CLASS.get_or_try_init(py, || {
        let class = names::UUID.get(py)?.cast::<PyType>()?;
        let names = ["int", "is_safe"].map(|name| PyString::intern(py, name).unbind());
        let (slots, readable) = (Members::of(class, &names)?, Members::of_readable(class, &names)?);
        Ok(Class { class: class.clone().unbind(), slots, readable })
    })
}

/// Whether `value` is a UUID and of no class made of it.
pub(crate) fn is_exact(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.get_type().is(class(value.py())?.class.bind(value.py())))
}

/// The number of a UUID.
pub(crate) fn number_of(value: &Bound<'_, PyAny>) -> PyResult<u128> {
    let readable = class(value.py())?.readable.as_ref();
    match readable.and_then(|slots| slots.values(value)?.get(0)) {
        Some(number) => number.extract(),
        None => value.getattr(intern!(value.py(), "int"))?.extract(),
    }
}

/// `uuid.UUID(int=number)`.
pub(crate) fn make(py: Python<'_>, number: u128) -> PyResult<Bound<'_, PyAny>> {
    let Class { class, slots, .. } = class(py)?;
    let number = number.into_pyobject(py)?.into_any();
    let safety = names::UNKNOWN_SAFETY.get(py)?;
    let instance = bare(class.bind(py))?;
    match slots {
        Some(slots) => {
            slots.set_new(&instance, 0, number);
            slots.set_new(&instance, 1, safety.clone());
        }
        None => {
            set_refused(&instance, intern!(py, "int"), &number)?;
            set_refused(&instance, intern!(py, "is_safe"), safety)?;
        }
    }
    Ok(instance)
}

/// Sets an attribute of an instance whose class refuses plain assignment, as its own `__init__` does.
fn set_refused(
    instance: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: three live objects.
    let status = unsafe { ffi::PyObject_GenericSetAttr(instance.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if status == 0 { Ok(()) } else { Err(PyErr::fetch(instance.py())) }
}
