//! A backend of JSON tables for tests: a statement's SQL names its table, children are filtered by their keys.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};

use serde_json::Value as Json;

use crate::backend::{Backend, Session};
use crate::error::Error;
use crate::key::Key;
use crate::statement::Statement;
use crate::template::Row;
use crate::value::Value;
use crate::writer::RowWriter;

/// A row of JSON values.
pub(crate) struct JsonRow<'a>(pub(crate) &'a [Json]);

impl Row for JsonRow<'_> {
    fn is_null(&self, column: usize) -> bool {
        self.0[column].is_null()
    }

    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(self.0[column].to_string().as_bytes());
        Ok(())
    }

    fn key(&self, column: usize) -> Result<Option<Key>, Error> {
        Ok(match &self.0[column] {
            Json::Null => None,
            Json::String(text) => Some(Key::Text(text.as_str().into())),
            number => number.as_i64().map(Key::Int),
        })
    }
}

/// Tables by name, with the column of each that holds the parent's key.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tables: HashMap<String, Table>,
    /// Names of the tables asked, in order.
    pub(crate) asked: RefCell<Vec<String>>,
    /// Whether answers come in the opposite order of the questions.
    pub(crate) backwards: bool,
    /// Statements under way, when backwards.
    pub(crate) waiting: RefCell<Vec<u64>>,
}

pub(crate) struct Table {
    pub(crate) key: Option<usize>,
    pub(crate) rows: Vec<Vec<Json>>,
}

impl Tables {
    pub(crate) fn insert(&mut self, name: &str, key: Option<usize>, rows: Json) {
        let rows = serde_json::from_value(rows).unwrap();
        self.tables.insert(name.to_owned(), Table { key, rows });
    }
}

impl Backend for Tables {
    type Session<'a> = &'a Self;

    async fn session(&self) -> Result<&Self, Error> {
        Ok(self)
    }
}

impl Session for &Tables {
    async fn fetch(
        &self,
        statement: &Statement,
        values: Cow<'_, [Value]>,
        mut writer: RowWriter,
    ) -> Result<RowWriter, Error> {
        self.asked.borrow_mut().push(statement.sql().to_owned());
        if self.backwards {
            self.waiting.borrow_mut().push(statement.id());
            let mut polled = false;
            std::future::poll_fn(|_| {
                let last = self.waiting.borrow().last() == Some(&statement.id());
                if std::mem::replace(&mut polled, true) && last { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.waiting.borrow_mut().pop();
        }
        let table = &self.tables[statement.sql()];
        let keys =
            values.iter().find_map(|value| if let Value::Array(keys) = value { Some(keys) } else { None });
        for row in &table.rows {
            if let (Some(column), Some(keys)) = (table.key, keys)
                && !keys.iter().any(|key| same(key, &row[column]))
            {
                continue;
            }
            writer.row(|_, _| JsonRow(row))?;
        }
        writer.complete();
        Ok(writer)
    }
}

fn same(key: &Value, cell: &Json) -> bool {
    match key {
        Value::Int(key) => cell.as_i64() == Some(*key),
        Value::Text(key) => match cell {
            Json::String(cell) => cell == key,
            cell => key.parse::<i64>().ok() == cell.as_i64(),
        },
        _ => false,
    }
}

/// Polls a future that needs no reactor to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("the future never ends");
}

/// Numbers that look random and are the same in every run (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
