//! Slots of a class (`__slots__`), reached where they are instead of by name.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// Where the attributes of a class stand in its instances.
pub(crate) struct Members {
    class: Py<PyType>,
    offsets: Box<[usize]>,
}

impl Members {
    /// The places of `names`, where every one of them is a plain slot of `class`; `None` otherwise.
    pub(crate) fn of(class: &Bound<'_, PyType>, names: &[Py<PyString>]) -> PyResult<Option<Self>> {
        let mut offsets = Vec::with_capacity(names.len());
        for name in names {
            let Some(member) = class.getattr_opt(name.bind(class.py()))? else { return Ok(None) };
            let Some(offset) = offset_of(&member, class) else { return Ok(None) };
            offsets.push(offset);
        }
        Ok(Some(Self { class: class.clone().unbind(), offsets: offsets.into() }))
    }

    /// Sets slot number `index` of a new instance of the class, on which it has not been set yet.
    pub(crate) fn set_new(&self, instance: &Bound<'_, PyAny>, index: usize, value: Bound<'_, PyAny>) {
        debug_assert!(instance.get_type().is(self.class.bind(instance.py())));
        let Some(&offset) = self.offsets.get(index) else { return };
        // SAFETY: the caller made `instance` of exactly `class`, whose member descriptors gave the offset of an object
        // pointer within it. The instance is new: the slot is null and nobody else knows it. The reference of `value`
        // becomes the slot's.
        unsafe { instance.as_ptr().byte_add(offset).cast::<*mut ffi::PyObject>().write(value.into_ptr()) };
    }

    /// The slots of `instance`; `None` where that is of another class.
    #[inline]
    pub(crate) fn values<'a, 'py>(&'a self, instance: &'a Bound<'py, PyAny>) -> Option<Values<'a, 'py>> {
        let fits = instance.get_type_ptr().cast::<ffi::PyObject>() == self.class.as_ptr();
        fits.then_some(Values { instance, offsets: &self.offsets })
    }

    /// As [`Self::of`], for reading: nowhere in a free-threaded interpreter, where another thread may write meanwhile.
    pub(crate) fn of_readable(class: &Bound<'_, PyType>, names: &[Py<PyString>]) -> PyResult<Option<Self>> {
        let free = class.py().import("sysconfig")?.call_method1("get_config_var", ("Py_GIL_DISABLED",))?;
        if free.is_truthy()? { Ok(None) } else { Self::of(class, names) }
    }
}

/// The slots of one instance, which has just those.
pub(crate) struct Values<'a, 'py> {
    instance: &'a Bound<'py, PyAny>,
    offsets: &'a [usize],
}

impl<'py> Values<'_, 'py> {
    /// Slot number `index`; `None` where it is empty.
    pub(crate) fn get(&self, index: usize) -> Option<Bound<'py, PyAny>> {
        self.each().nth(index).flatten()
    }

    /// Each slot in turn; `None` where it is empty.
    #[inline]
    pub(crate) fn each(&self) -> impl Iterator<Item = Option<Bound<'py, PyAny>>> {
        self.offsets.iter().map(|&offset| self.at(offset))
    }

    #[inline]
    fn at(&self, offset: usize) -> Option<Bound<'py, PyAny>> {
        // SAFETY: the instance is of exactly the class whose member descriptors gave the offset of an object pointer
        // within it (Python lets its class change only to one with the same slots). The GIL is held (see
        // `Members::of_readable`), so nobody changes the slot before its reference is counted.
        unsafe {
            let value = self.instance.as_ptr().byte_add(offset).cast::<*mut ffi::PyObject>().read();
            Bound::from_borrowed_ptr_or_opt(self.instance.py(), value)
        }
    }
}

/// `object.__new__(class)`, for a class made in Python whose `__new__` is `object`'s.
pub(crate) fn bare<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the whole work of `object.__new__` is `tp_alloc`, and `PyType_GenericAlloc` is the `tp_alloc` of every
    // class made in Python. The result is a new reference or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(class.py(), ffi::PyType_GenericAlloc(class.as_type_ptr(), 0)) }
}

/// The offset that a writable slot's descriptor holds, if it is one of `class` or of its bases.
fn offset_of(member: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> Option<usize> {
    // SAFETY: reading the address of a static type object.
    let descriptor = &raw mut ffi::PyMemberDescr_Type;
    if member.get_type_ptr() != descriptor {
        return None;
    }
    // SAFETY: an object of exactly that type has this layout; its definition lives as long as its class, and `class`
    // keeps its bases alive.
    let (kind, offset, flags, owner) = unsafe {
        let member = member.as_ptr().cast::<ffi::PyMemberDescrObject>();
        let definition = (*member).d_member;
        ((*definition).type_code, (*definition).offset, (*definition).flags, (*member).d_common.d_type)
    };
    // SAFETY: both are type objects that are alive.
    let fits = unsafe { ffi::PyType_IsSubtype(class.as_type_ptr(), owner) } != 0;
    (fits && kind == ffi::Py_T_OBJECT_EX && flags == 0).then(|| usize::try_from(offset).ok()).flatten()
}
