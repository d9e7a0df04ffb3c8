//! What stays the same while a call lasts, until Python code has run: that may change anything.

use std::cell::{Cell, RefCell};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::collector::Rest;
use crate::names;

/// The zone of a `DateTimeField`.
#[derive(Clone)]
pub(super) struct Zone<'py> {
    /// `None` where datetimes are naive.
    pub(super) zone: Bound<'py, PyAny>,
    pub(super) is_utc: bool,
}

impl<'py> Zone<'py> {
    /// From `(zone, is_utc)`, as `plectrum.drf.values.input_zone` gives it.
    pub(super) fn new(found: &Bound<'py, PyAny>) -> PyResult<Self> {
        let found = found.cast::<PyTuple>()?;
        Ok(Self { zone: found.get_item(0)?, is_utc: found.get_item(1)?.is_truthy()? })
    }
}

/// A call's state.
pub(super) struct Session<'py> {
    serializer: Bound<'py, PyAny>,
    partial: Cell<Option<bool>>,
    zone: RefCell<Option<Zone<'py>>>,
    precision: Cell<Option<usize>>,
    /// How often Python code has run.
    turns: Cell<u64>,
    rest: RefCell<Option<Rest<'py>>>,
}

impl<'py> Session<'py> {
    pub(super) fn new(serializer: &Py<PyAny>, py: Python<'py>) -> Self {
        Self {
            serializer: serializer.bind(py).clone(),
            partial: Cell::new(None),
            zone: RefCell::new(None),
            precision: Cell::new(None),
            turns: Cell::new(0),
            rest: RefCell::new(None),
        }
    }

    /// For many records: without garbage collection until Python code runs.
    pub(super) fn at_rest(serializer: &Py<PyAny>, py: Python<'py>) -> Self {
        let session = Self::new(serializer, py);
        *session.rest.borrow_mut() = Rest::begin(py);
        session
    }

    /// To be called when Python code has run or is about to.
    pub(super) fn python_runs(&self) {
        self.turns.set(self.turns.get() + 1);
        self.partial.set(None);
        self.precision.set(None);
        *self.zone.borrow_mut() = None;
        *self.rest.borrow_mut() = None;
    }

    /// As [`Self::at_rest`], again.
    pub(super) fn rest_again(&self, py: Python<'py>) {
        let mut rest = self.rest.borrow_mut();
        if rest.is_none() {
            *rest = Rest::begin(py);
        }
    }

    pub(super) fn turns(&self) -> u64 {
        self.turns.get()
    }

    /// `getattr(self.root, "partial", False)`.
    pub(super) fn is_partial(&self) -> PyResult<bool> {
        if let Some(partial) = self.partial.get() {
            return Ok(partial);
        }
        let py = self.serializer.py();
        let root = self.serializer.getattr(intern!(py, "root"))?;
        let partial = match root.getattr_opt(intern!(py, "partial"))? {
            Some(partial) => partial.is_truthy()?,
            None => false,
        };
        self.partial.set(Some(partial));
        Ok(partial)
    }

    /// Digits of the decimal context.
    pub(super) fn precision(&self) -> PyResult<usize> {
        if let Some(precision) = self.precision.get() {
            return Ok(precision);
        }
        let context = names::DECIMAL_CONTEXT.get(self.serializer.py())?.call0()?;
        let precision = context.getattr(intern!(self.serializer.py(), "prec"))?.extract()?;
        self.precision.set(Some(precision));
        Ok(precision)
    }

    /// Django's current time zone.
    pub(super) fn zone(&self) -> PyResult<Zone<'py>> {
        if let Some(zone) = &*self.zone.borrow() {
            return Ok(zone.clone());
        }
        let zone = Zone::new(&names::INPUT_ZONE.get(self.serializer.py())?.call0()?)?;
        *self.zone.borrow_mut() = Some(zone.clone());
        Ok(zone)
    }
}
