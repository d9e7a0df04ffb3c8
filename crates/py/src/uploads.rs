//! Uploaded files as Python sees them.

use std::os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd};

use plectrum_http::form::{Content, Upload};
use plectrum_http::header::CONTENT_TYPE;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::names;
use crate::response::pairs_of;

/// A `plectrum.UploadFile`: its bytes, or a descriptor of its own.
pub(crate) fn received<'py>(py: Python<'py>, upload: &Upload) -> PyResult<Bound<'py, PyAny>> {
    let received = names::RECEIVED.get(py)?;
    let media_type = upload.headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let (data, descriptor) = match &upload.content {
        Content::Memory(pieces) => (Some(joined(py, pieces)?), None),
        Content::Disk(file) => (None, Some(file.try_clone()?.into_raw_fd())),
    };
    received.call1((&upload.filename, media_type, upload.size, pairs_of(&upload.headers), data, descriptor))
}

/// Closes the descriptor of an uploaded file, which frees its blocks: many milliseconds where it is large, and so not on
/// the runtime's thread.
///
/// # Safety
/// `descriptor` is open, and the caller's alone.
pub(crate) unsafe fn close(descriptor: i32) {
    // SAFETY: as the caller promises.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        drop(runtime.spawn_blocking(move || drop(descriptor)));
    }
}

fn joined<'py>(py: Python<'py>, pieces: &[plectrum_http::Bytes]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, pieces.iter().map(|piece| piece.len()).sum(), |mut room| {
        for piece in pieces {
            let (now, rest) = room.split_at_mut(piece.len());
            now.copy_from_slice(piece);
            room = rest;
        }
        Ok(())
    })
}
