//! How a class is written: asked of Python once, remembered per thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use plectrum_json::text;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString};

use crate::names;

/// Classes remembered at most.
const MAX_RULES: usize = 4096;

/// The fields of a record.
pub(super) struct Fields {
    /// What stands for no value.
    pub(super) unset: Py<PyAny>,
    /// Attribute and `"key":` of each.
    pub(super) each: Vec<(Py<PyString>, Box<[u8]>)>,
}

/// A rule and the class it is for: the reference keeps the class's address from being reused.
type Known = (Py<PyAny>, Rc<Rule>);

/// How instances of a class are written.
pub(super) enum Rule {
    Str,
    Bool,
    Int,
    Float,
    Decimal,
    Uuid,
    DateTime,
    Date,
    Time,
    Duration,
    Bytes,
    Dict,
    List,
    /// The member's value.
    Enum,
    /// A record's fields.
    Fields(Fields),
    /// A function to JSON bytes.
    Raw(Py<PyAny>),
    /// A function to a simpler value.
    Convert(Py<PyAny>),
    /// A QuerySet, or a result around one: executed, not encoded.
    Query,
    /// A response of another framework: a function to one of ours.
    Answer(Py<PyAny>),
}

/// What a handler's result asks for.
pub(crate) enum Asks {
    /// To be written as JSON.
    Encoding,
    /// To be executed.
    Execution,
    /// To be sent as what this function makes of it.
    Sending(Py<PyAny>),
}

thread_local! {
    /// By the class's address.
    static RULES: RefCell<HashMap<usize, Known>> = RefCell::default();
}

/// What is to become of a value.
pub(crate) fn asks(value: &Bound<'_, PyAny>) -> PyResult<Asks> {
    if value.is_exact_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>() || value.is_none() {
        return Ok(Asks::Encoding);
    }
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(Asks::Encoding);
    }
    Ok(match &*rule_of(value)? {
        Rule::Query => Asks::Execution,
        Rule::Answer(make) => Asks::Sending(make.clone_ref(value.py())),
        _ => Asks::Encoding,
    })
}

/// The rule of a value's class.
pub(super) fn rule_of(value: &Bound<'_, PyAny>) -> PyResult<Rc<Rule>> {
    let class = value.get_type();
    let address = class.as_ptr() as usize;
    if let Some(rule) = RULES.with_borrow(|rules| rules.get(&address).map(|(_, rule)| Rc::clone(rule))) {
        return Ok(rule);
    }
    let rule = Rc::new(classify(class.as_any())?);
    RULES.with_borrow_mut(|rules| {
        // Classes made while requests are served must not pile up.
        if rules.len() >= MAX_RULES {
            rules.clear();
        }
        rules.insert(address, (class.into_any().unbind(), Rc::clone(&rule)))
    });
    Ok(rule)
}

fn classify(class: &Bound<'_, PyAny>) -> PyResult<Rule> {
    let (kind, detail): (String, Bound<'_, PyAny>) =
        names::CLASSIFY.get(class.py())?.call1((class,))?.extract()?;
    Ok(match kind.as_str() {
        "str" => Rule::Str,
        "bool" => Rule::Bool,
        "int" => Rule::Int,
        "float" => Rule::Float,
        "decimal" => Rule::Decimal,
        "uuid" => Rule::Uuid,
        "datetime" => Rule::DateTime,
        "date" => Rule::Date,
        "time" => Rule::Time,
        "duration" => Rule::Duration,
        "bytes" => Rule::Bytes,
        "dict" => Rule::Dict,
        "list" => Rule::List,
        "enum" => Rule::Enum,
        "fields" => Rule::Fields(fields_of(&detail)?),
        "raw" => Rule::Raw(detail.unbind()),
        "convert" => Rule::Convert(detail.unbind()),
        "query" => Rule::Query,
        "answer" => Rule::Answer(detail.unbind()),
        _ => {
            let name = class.getattr("__qualname__")?;
            return Err(PyTypeError::new_err(format!(
                "{name} has no JSON form. Return a dict, list, dataclass, Schema, msgspec.Struct, pydantic model, Django \
                 model or QuerySet, or convert it first."
            )));
        }
    })
}

fn fields_of(detail: &Bound<'_, PyAny>) -> PyResult<Fields> {
    let (unset, pairs): (Py<PyAny>, Vec<(String, String)>) = detail.extract()?;
    let field = |(attribute, key): (String, String)| {
        (PyString::intern(detail.py(), &attribute).unbind(), text::key(&key))
    };
    Ok(Fields { unset, each: pairs.into_iter().map(field).collect() })
}
