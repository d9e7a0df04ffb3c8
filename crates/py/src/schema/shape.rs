//! How values of a compiled type are written: what the schema says, with everything looked up that can be.

use plectrum_json::text;
use plectrum_schema::Schema;
use plectrum_schema::node::{Access, Node, Struct};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::encode::Guess;
use crate::members::Members;

/// A root shape with the records that recursive references point into.
pub(super) struct Shapes {
    pub(super) root: Shape,
    pub(super) definitions: Box<[Shape]>,
}

/// How one value is written.
pub(super) enum Shape {
    /// As its own class says.
    Plain,
    /// A scalar: as its own class says, which probably is this.
    Scalar(Guess),
    /// `null`, or the inner shape.
    Optional(Box<Shape>),
    /// Each item alike.
    List(Box<Shape>),
    /// Each value alike.
    Dict(Box<Shape>),
    /// Declared fields, from attributes or from a dict's keys.
    Record(Record),
    /// A definition.
    Reference(usize),
}

/// A record.
pub(super) struct Record {
    /// What stands for no value.
    pub(super) unset: Py<PyAny>,
    pub(super) slots: Box<[Slot]>,
    /// Where the values are in an instance of the class, by slot.
    pub(super) members: Option<Members>,
}

/// A field of a record.
pub(super) struct Slot {
    /// Attribute or key in Python.
    pub(super) name: Py<PyString>,
    /// `,"key":`
    pub(super) key: Box<[u8]>,
    pub(super) shape: Shape,
    /// A value may be absent.
    pub(super) optional: bool,
    /// What is written instead of the value: this, called with it.
    pub(super) output: Option<Py<PyAny>>,
}

impl Shapes {
    /// `classes` are entries of `plectrum.nodes`.
    pub(super) fn new(py: Python<'_>, schema: &Schema, classes: &[Bound<'_, PyAny>]) -> PyResult<Self> {
        let maker = Maker { py, classes };
        let definitions = schema.definitions.iter().map(|node| maker.shape(node));
        Ok(Self { definitions: definitions.collect::<PyResult<_>>()?, root: maker.shape(&schema.root)? })
    }
}

struct Maker<'a, 'py> {
    py: Python<'py>,
    classes: &'a [Bound<'py, PyAny>],
}

impl Maker<'_, '_> {
    fn shape(&self, node: &Node) -> PyResult<Shape> {
        let inner = |node: &Node| self.shape(node).map(Box::new);
        Ok(match node {
            Node::Optional { inner: node } => match self.shape(node)? {
                Shape::Plain => Shape::Plain,
                shape => Shape::Optional(Box::new(shape)),
            },
            Node::Checked { inner: node, .. } => self.shape(node)?,
            Node::List(list) => match self.shape(&list.item)? {
                Shape::Plain => Shape::Plain,
                shape => Shape::List(Box::new(shape)),
            },
            Node::Dict { value, .. } => match inner(value)? {
                shape if matches!(*shape, Shape::Plain) => Shape::Plain,
                shape => Shape::Dict(shape),
            },
            Node::Struct(of) => self.record(of)?,
            Node::Reference { index } => Shape::Reference(*index),
            // A union's value says by its class what it is.
            node => Guess::of(node).map_or(Shape::Plain, Shape::Scalar),
        })
    }

    fn record(&self, of: &Struct) -> PyResult<Shape> {
        let entry = self.classes.get(of.class as usize);
        let entry = entry.ok_or_else(|| PyValueError::new_err(format!("{} has no class", of.name)))?;
        let outputs = entry.getattr("outputs")?.cast_into::<PyTuple>()?;
        let mut slots = Vec::with_capacity(of.fields.len());
        for (index, field) in of.fields.iter().enumerate() {
            if field.access == Access::WriteOnly {
                continue;
            }
            slots.push(Slot {
                name: PyString::intern(self.py, &field.name).unbind(),
                key: [b",", &*text::key(&field.key)].concat().into(),
                shape: self.shape(&field.node)?,
                optional: !field.required,
                output: outputs.get_item(index).ok().filter(|output| !output.is_none()).map(Bound::unbind),
            });
        }
        let names: Vec<_> = slots.iter().map(|slot| slot.name.clone_ref(self.py)).collect();
        let members = match entry.getattr("target")?.cast::<PyType>() {
            Ok(class) => Members::of_readable(class, &names)?,
            Err(_) => None,
        };
        Ok(Shape::Record(Record { unset: entry.getattr("unset")?.unbind(), slots: slots.into(), members }))
    }
}
