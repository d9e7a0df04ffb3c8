//! What DRF's `get_attribute` asks of a value's class, asked once and remembered per thread.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString};

use crate::names;

/// Classes remembered at most.
const MAX_CLASSES: usize = 4096;

/// Properties of a class.
#[derive(Clone, Copy)]
pub(super) struct Traits(u8);

impl Traits {
    /// Looked up by key, not by attribute.
    pub(super) const MAPPING: Self = Self(1);
    /// A function, method or partial: DRF may call it.
    pub(super) const FUNCTION: Self = Self(2);
    /// A Django model instance with Python's own attribute look-up.
    pub(super) const MODEL: Self = Self(4);

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

thread_local! {
    /// By the class's address; the reference keeps that from being reused.
    static KNOWN: RefCell<HashMap<usize, (Py<PyAny>, Traits)>> = RefCell::default();
}

/// The traits of a value.
pub(super) fn of(value: &Bound<'_, PyAny>) -> PyResult<Traits> {
    if value.is_exact_instance_of::<PyDict>() {
        return Ok(Traits::MAPPING);
    }
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(Traits(0));
    }
    let class = value.get_type();
    let address = class.as_ptr() as usize;
    if let Some(traits) = KNOWN.with_borrow(|known| known.get(&address).map(|(_, traits)| *traits)) {
        return Ok(traits);
    }
    let traits = Traits(names::TRAITS_OF.get(value.py())?.call1((value,))?.extract()?);
    // A proxy answers for what it stands for, which differs from one to the next.
    if value.getattr(intern!(value.py(), "__class__"))?.is(&class) {
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= MAX_CLASSES {
                known.clear();
            }
            known.insert(address, (class.into_any().unbind(), traits))
        });
    }
    Ok(traits)
}
