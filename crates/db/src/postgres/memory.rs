//! What the connections of a pool have learnt about statements, so that the next one need not learn it again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::sink::Column;
use crate::statement::Statement;

/// More statements than this are forgotten all at once; they are learnt again when they are prepared again.
const LARGEST: usize = 10_000;

/// Filed under [`Statement::id`].
#[derive(Default)]
pub(crate) struct Memory(RefCell<HashMap<u64, Memo>>);

#[derive(Default)]
struct Memo {
    /// The declared types do not suit the server; it infers all of them.
    inferred: bool,
    /// The result's columns as last described.
    columns: Option<Rc<[Column]>>,
}

impl Memory {
    /// Whether the server shall infer all parameter types.
    pub(crate) fn infers(&self, statement: &Statement) -> bool {
        self.0.borrow().get(&statement.id()).is_some_and(|memo| memo.inferred)
    }

    /// Lets the server infer all parameter types from now on, or takes that back.
    pub(crate) fn infer(&self, statement: &Statement, inferred: bool) {
        self.with(statement.id(), |memo| memo.inferred = inferred);
    }

    /// The same `Rc` as before if the columns are the same as before, so that sinks recognise them on every connection.
    pub(crate) fn share(&self, id: u64, columns: Rc<[Column]>) -> Rc<[Column]> {
        self.with(id, |memo| match &memo.columns {
            Some(known) if **known == *columns => Rc::clone(known),
            _ => Rc::clone(memo.columns.insert(columns)),
        })
    }

    fn with<T>(&self, id: u64, change: impl FnOnce(&mut Memo) -> T) -> T {
        let mut known = self.0.borrow_mut();
        if known.len() >= LARGEST && !known.contains_key(&id) {
            known.clear();
        }
        change(known.entry(id).or_default())
    }
}
