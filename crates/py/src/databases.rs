//! A worker's databases, by Django's aliases; connected when first used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_db::error::Error;
use plectrum_db::pool::{Pool, Stats};
use plectrum_db::sqlite::Sqlite;
use plectrum_db::value::Value;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, buffer, execute};
use plectrum_engine::database::{Database, Execution, Foreign};
use plectrum_engine::native::Zones;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Deserialize;

use crate::django::DjangoRows;
use crate::eventloop::SyncPool;
use crate::names;
use crate::values;

/// How long statements may take to finish when a worker stops.
const GRACE: Duration = Duration::from_secs(5);

/// How one alias is reached: `plectrum.bridge.database`.
#[derive(Deserialize)]
struct Description {
    engine: Engine,
    /// For the driver.
    config: Option<Box<serde_json::value::RawValue>>,
    /// IANA names.
    zone: String,
    session: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Engine {
    Postgres,
    Sqlite,
    Django,
}

/// Aliases in use.
pub(crate) struct Databases {
    known: RefCell<HashMap<String, (Database, Zones)>>,
    /// In process, where a test's transaction decides anew on every request which connection serves it.
    in_process: bool,
    pool: Rc<SyncPool>,
}

impl Databases {
    pub(crate) fn new(in_process: bool, pool: Rc<SyncPool>) -> Self {
        Self { known: RefCell::default(), in_process, pool }
    }

    /// The database of an alias. `foreign` asks for Django's own connection whatever the engine.
    pub(crate) fn get(&self, py: Python<'_>, alias: &str, foreign: bool) -> PyResult<(Database, Zones)> {
        let key = if foreign { format!("{alias} by Django") } else { alias.to_owned() };
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let made = self.make(py, alias, foreign)?;
        self.known.borrow_mut().insert(key, made.clone());
        Ok(made)
    }

    fn make(&self, py: Python<'_>, alias: &str, foreign: bool) -> PyResult<(Database, Zones)> {
        let json: String = names::DATABASE.get(py)?.call1((alias,))?.extract()?;
        let wrong =
            |error: &dyn std::fmt::Display| PyValueError::new_err(format!("database {alias:?}: {error}"));
        let description: Description = serde_json::from_str(&json).map_err(|error| wrong(&error))?;
        let zones = Zones {
            current: Zone::named(&description.zone).map_err(|error| wrong(&error))?,
            session: Zone::named(&description.session).map_err(|error| wrong(&error))?,
        };
        let engine = if foreign { Engine::Django } else { description.engine };
        let config = description.config.as_deref().map_or("{}", serde_json::value::RawValue::get);
        let own = match engine {
            Engine::Postgres => {
                let config = serde_json::from_str(config).map_err(|error| wrong(&error))?;
                Some(Database::Postgres(Pool::new(config).map_err(|error| wrong(&error))?))
            }
            Engine::Sqlite => {
                let config = serde_json::from_str(config).map_err(|error| wrong(&error))?;
                Some(Database::Sqlite(Rc::new(Sqlite::new(config).map_err(|error| wrong(&error))?)))
            }
            Engine::Django => None,
        };
        Ok((self.guarded(alias, own), zones))
    }

    fn guarded(&self, alias: &str, own: Option<Database>) -> Database {
        match own {
            Some(own) if !self.in_process => own,
            own => Database::Foreign(Rc::new(Django {
                alias: alias.to_owned(),
                own,
                in_process: self.in_process,
                pool: Rc::clone(&self.pool),
            })),
        }
    }

    /// The numbers of all pools together.
    pub(crate) fn stats(&self) -> Stats {
        let mut sum = Stats::default();
        for (database, _) in self.known.borrow().values() {
            let own = if let Database::Foreign(foreign) = database { foreign.own() } else { Some(database) };
            if let Some(Database::Postgres(pool)) = own {
                sum += pool.stats();
            }
        }
        sum
    }

    /// Closes every connection, after what is running on it.
    pub(crate) async fn close(&self) {
        let known: Vec<_> = self.known.borrow_mut().drain().collect();
        for (_, (database, _)) in known {
            database.close(GRACE).await;
        }
    }
}

/// Django's own connection of one alias, or, in process and outside of a transaction, Rust's.
struct Django {
    alias: String,
    own: Option<Database>,
    in_process: bool,
    pool: Rc<SyncPool>,
}

impl Foreign for Django {
    fn own(&self) -> Option<&Database> {
        self.own.as_ref()
    }

    fn execute(&self, operation: Arc<Operation>, args: Vec<Value>, context: Context) -> Execution {
        if self.in_process {
            return self.execute_here(operation, args, context);
        }
        self.execute_in_pool(operation, args, context)
    }
}

impl Django {
    /// On the calling thread, where a test's transaction is.
    fn execute_here(&self, operation: Arc<Operation>, args: Vec<Value>, context: Context) -> Execution {
        let rows = Python::attach(|py| {
            let run = names::RUN_HERE.get(py)?;
            let result =
                run.call1((&self.alias, self.own.is_some(), number(&operation), python_args(py, &args)?))?;
            Ok(if result.is_none() { None } else { Some(result.cast_into::<PyList>()?.unbind()) })
        });
        let own = self.own.clone();
        Box::pin(async move {
            match (rows, own) {
                (Ok(None), Some(own)) => own.run_unobserved(&operation, args, context).await,
                (Ok(Some(rows)), _) => write(rows, &operation, &args, &context).await,
                (Ok(None), None) => Err(Error::Unavailable("no connection".to_owned())),
                (Err(error), _) => Err(failed(&error)),
            }
        })
    }

    /// On a thread of the pool: Django's connections block.
    fn execute_in_pool(&self, operation: Arc<Operation>, args: Vec<Value>, context: Context) -> Execution {
        let submitted = Python::attach(|py| {
            let arguments = (&self.alias, number(&operation), python_args(py, &args)?).into_pyobject(py)?;
            self.pool.call(names::RUN_IN_POOL.get(py)?, &arguments, None)
        });
        Box::pin(async move {
            let call = submitted.map_err(|error| failed(&error))?;
            let call = call.map_err(|busy| Error::Unavailable(busy.to_string()))?;
            let rows = call.await.and_then(|rows| {
                Python::attach(|py| Ok(rows.into_bound(py).cast_into::<PyList>()?.unbind()))
            });
            write(rows.map_err(|error| failed(&error))?, &operation, &args, &context).await
        })
    }
}

/// What Python knows the operation by.
fn number(operation: &Arc<Operation>) -> usize {
    Arc::as_ptr(operation) as usize
}

fn python_args<'py>(py: Python<'py>, args: &[Value]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, args.iter().map(|arg| values::to_python(py, arg)).collect::<PyResult<Vec<_>>>()?)
}

/// Rows of every statement, in order, as JSON.
async fn write(
    rows: Py<PyList>,
    operation: &Operation,
    args: &[Value],
    context: &Context,
) -> Result<Outcome, Error> {
    let rows = DjangoRows::new(operation, rows)?;
    execute(&rows, operation, args, context, buffer::take()).await
}

/// Django's exceptions in the terms of our table; `plectrum.bridge` has put the SQLSTATE on those of a database.
fn failed(error: &PyErr) -> Error {
    Python::attach(|py| {
        let value = error.value(py);
        let text = value.to_string();
        match value.getattr("plectrum_sqlstate").and_then(|code| code.extract::<String>()) {
            Ok(code) if code == "57014" => Error::Timeout,
            Ok(code) if code.is_empty() || code.starts_with("08") => Error::Unavailable(text),
            Ok(code) => Error::Server { code, message: text, detail: None, position: None },
            Err(_) => {
                error.print(py);
                Error::Column(0, text)
            }
        }
    })
}
