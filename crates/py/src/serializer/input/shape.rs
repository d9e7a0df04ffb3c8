//! Where the fields' values stand in a list's records: those of one JSON document have their keys in common, as objects
//! and in order, so that what was found in the first need not be looked up in the others.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyDict, PyString};

/// The place of each field; learned from the first record.
#[derive(Default)]
pub(super) struct Shape<'py>(Option<Vec<Option<Place<'py>>>>);

/// A key of the first record, and where it stood.
pub(super) struct Place<'py> {
    key: Bound<'py, PyAny>,
    position: ffi::Py_ssize_t,
}

impl<'py> Shape<'py> {
    /// The place of each of `names` in a record that is like `first`, which only the first call looks at.
    pub(super) fn of<'a>(
        &mut self,
        first: &Bound<'py, PyDict>,
        names: impl Iterator<Item = &'a Py<PyString>>,
    ) -> PyResult<&[Option<Place<'py>>]> {
        let places = match self.0.take() {
            Some(places) => places,
            None => learn(first, names)?,
        };
        Ok(self.0.insert(places))
    }
}

fn learn<'a, 'py>(
    record: &Bound<'py, PyDict>,
    names: impl Iterator<Item = &'a Py<PyString>>,
) -> PyResult<Vec<Option<Place<'py>>>> {
    let found = PyDict::new(record.py());
    let mut next = Some(0);
    while let Some(position) = next {
        next = entry(record, position)
            .map(|entry| {
                if entry.key.is_exact_instance_of::<PyString>() {
                    found.set_item(&entry.key, (&entry.key, position))?;
                }
                PyResult::Ok(entry.next)
            })
            .transpose()?;
    }
    names
        .map(|name| {
            let place = found.get_item(name)?.map(|place| place.extract()).transpose()?;
            Ok(place.map(|(key, position)| Place { key, position }))
        })
        .collect()
}

impl<'py> Place<'py> {
    /// The value of the key, where `record` has it in the same place.
    #[inline]
    pub(super) fn value_in(&self, record: &Bound<'py, PyDict>) -> Option<Bound<'py, PyAny>> {
        entry(record, self.position).filter(|entry| entry.key.is(&self.key)).map(|entry| entry.value)
    }
}

struct Entry<'py> {
    key: Bound<'py, PyAny>,
    value: Bound<'py, PyAny>,
    /// Where the one after it stands, or none does.
    next: ffi::Py_ssize_t,
}

/// The first entry at `position` or after it.
#[inline]
fn entry<'py>(record: &Bound<'py, PyDict>, position: ffi::Py_ssize_t) -> Option<Entry<'py>> {
    with_critical_section(record, || {
        let (mut next, mut key, mut value) = (position, ptr::null_mut(), ptr::null_mut());
        // SAFETY: the dict is alive and locked where threads run in parallel; `position` is 0 or what `PyDict_Next` once
        // gave, of this dict or another: it is no more than an index, which CPython checks. What is found is borrowed
        // from the dict, which nobody changes before its references are counted.
        unsafe {
            if ffi::PyDict_Next(record.as_ptr(), &mut next, &mut key, &mut value) == 0 {
                return None;
            }
            let py = record.py();
            Some(Entry {
                key: Bound::from_borrowed_ptr(py, key),
                value: Bound::from_borrowed_ptr(py, value),
                next,
            })
        }
    })
}
