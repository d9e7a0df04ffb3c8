//! The binding: registration, bridge and conversions. If a line could be written without `Python<'py>`, it is in the
//! wrong crate.

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The compiled core of Plectrum; `plectrum` is its public face.
#[pymodule(gil_used = false)]
mod _core {}
