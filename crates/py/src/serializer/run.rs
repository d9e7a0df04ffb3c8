//! What stays the same while one call lasts.

use std::cell::OnceCell;
use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::names;

/// The zone datetimes are shown in.
pub(super) enum Zone<T> {
    /// Datetimes are naive.
    Naive,
    Utc,
    Other(T),
}

impl<'py> Zone<Bound<'py, PyAny>> {
    /// From what `plectrum.drf.zones` says of it: `None`, `True` for UTC, or the zone.
    pub(super) fn new(found: Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(if found.is_none() {
            Self::Naive
        } else if let Ok(true) = found.extract::<bool>() {
            Self::Utc
        } else {
            Self::Other(found)
        })
    }
}

impl Zone<Bound<'_, PyAny>> {
    /// To keep.
    pub(super) fn unbind(self) -> Zone<Py<PyAny>> {
        match self {
            Self::Naive => Zone::Naive,
            Self::Utc => Zone::Utc,
            Self::Other(zone) => Zone::Other(zone.unbind()),
        }
    }
}

impl Zone<Py<PyAny>> {
    /// To use.
    pub(super) fn bind<'py>(&self, py: Python<'py>) -> Zone<Bound<'py, PyAny>> {
        match self {
            Self::Naive => Zone::Naive,
            Self::Utc => Zone::Utc,
            Self::Other(zone) => Zone::Other(zone.bind(py).clone()),
        }
    }
}

/// The current time zone and decimal precision, each asked for when it is first needed.
pub(super) struct Run<'py> {
    py: Python<'py>,
    zone: OnceCell<Zone<Bound<'py, PyAny>>>,
    precision: OnceCell<usize>,
}

impl<'py> Run<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
        Self { py, zone: OnceCell::new(), precision: OnceCell::new() }
    }

    /// Django's current time zone.
    pub(super) fn zone(&self) -> PyResult<&Zone<Bound<'py, PyAny>>> {
        if let Some(zone) = self.zone.get() {
            return Ok(zone);
        }
        let zone = Zone::new(names::CURRENT_ZONE.get(self.py)?.call0()?)?;
        Ok(self.zone.get_or_init(|| zone))
    }

    /// Digits of the decimal context.
    pub(super) fn precision(&self) -> PyResult<usize> {
        if let Some(precision) = self.precision.get() {
            return Ok(*precision);
        }
        let precision = names::DECIMAL_CONTEXT.get(self.py)?.call0()?.getattr("prec")?.extract()?;
        Ok(*self.precision.get_or_init(|| precision))
    }

    /// One level of nesting, within Python's recursion limit: a serializer may nest itself.
    pub(super) fn deeper(&self) -> PyResult<Level<'py>> {
        // SAFETY: `py` proves that this thread is attached; the text is static. `Level` leaves the call again.
        if unsafe { ffi::Py_EnterRecursiveCall(c" while serializing".as_ptr()) } != 0 {
            return Err(PyErr::fetch(self.py));
        }
        Ok(Level(PhantomData))
    }
}

/// Left when dropped.
pub(super) struct Level<'py>(PhantomData<Python<'py>>);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        // SAFETY: only `Run::deeper` makes a level, after the call it pairs with, on a thread still attached.
        unsafe { ffi::Py_LeaveRecursiveCall() };
    }
}
