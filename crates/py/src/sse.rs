//! Items of an event stream → bytes.

use plectrum_http::sse::Event;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::encode::encode as encode_json;
use crate::names;

/// `plectrum.events.Event` as it says, text as the data of an event, any other value as JSON.
pub(crate) fn encode(item: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(96);
    if !item.get_type().is(names::EVENT.get(item.py())?) {
        let mut json = Vec::new();
        write(&Event { data: Some(data_of(item, &mut json)?), ..Event::default() }, &mut out)?;
        return Ok(out);
    }
    let py = item.py();
    let given = |name| PyResult::Ok(Some(item.getattr(name)?).filter(|value| !value.is_none()));
    let (data, comment) = (given(intern!(py, "data"))?, given(intern!(py, "comment"))?);
    let (event, id) = (given(intern!(py, "event"))?, given(intern!(py, "id"))?);
    let (id, retry) = (id.map(|id| id.str()).transpose()?, given(intern!(py, "retry"))?);
    let mut json = Vec::new();
    let event = Event {
        data: data.as_ref().map(|data| data_of(data, &mut json)).transpose()?,
        event: event.as_ref().map(|event| event.extract()).transpose()?,
        id: id.as_ref().map(|id| id.to_str()).transpose()?,
        retry: retry.map(|retry| retry.extract()).transpose()?,
        comment: comment.as_ref().map(|comment| comment.extract()).transpose()?,
    };
    write(&event, &mut out)?;
    Ok(out)
}

fn data_of<'a>(data: &'a Bound<'_, PyAny>, json: &'a mut Vec<u8>) -> PyResult<&'a str> {
    if let Ok(text) = data.cast::<PyString>() {
        return text.to_str();
    }
    encode_json(data, json)?;
    std::str::from_utf8(json).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn write(event: &Event<'_>, out: &mut Vec<u8>) -> PyResult<()> {
    event
        .write(out)
        .map_err(|bad| PyValueError::new_err(format!("{} of an event may have no line break.", bad.0)))
}
