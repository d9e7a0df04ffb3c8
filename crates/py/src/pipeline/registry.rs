//! `TypeRegistry`: the types of nested fields, shared by all threads.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use plectrum_json::pipeline::{Of, Types};
use pyo3::prelude::*;

/// Object types by name, and what their fields hold.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct TypeRegistry(RwLock<Arc<Types>>);

impl TypeRegistry {
    /// The types as they are now.
    pub(crate) fn types(&self) -> Arc<Types> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl TypeRegistry {
    #[new]
    fn new() -> Self {
        Self(RwLock::default())
    }

    /// Adds a type, or replaces it.
    #[pyo3(signature = (name, fields=None))]
    fn register_type(&self, name: &str, fields: Option<HashMap<String, String>>) {
        let fields = fields.unwrap_or_default();
        let mut types = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let fields = fields.iter().map(|(field, notation)| (field.as_str(), Of::parse(notation)));
        Arc::make_mut(&mut types).register(name, fields);
    }

    /// The registered names, sorted.
    #[getter]
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.types().names().map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    fn __repr__(&self) -> String {
        format!("<TypeRegistry of {}>", self.names().join(", "))
    }
}
