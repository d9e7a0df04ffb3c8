//! A query's rows batch by batch, in memory that does not grow with them: a cursor of the server, in a transaction of
//! its own, so that rows and their relations are of one moment.

use std::rc::Rc;

use plectrum_json::export::Shape;

use crate::error::Error;
use crate::execute::{Context, Outcome, execute};
use crate::operation::Operation;
use crate::plan::{self, Response, Template};
use crate::plan_error::PlanError;
use crate::pool::Pool;
use crate::sink::{Column, RowSink};
use crate::statement::Statement;
use crate::value::Value;

/// All rows will be read: the planner shall not prefer a plan that finds the first ones early.
const BEGIN: [&str; 2] =
    ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL cursor_tuple_fraction = 1"];

/// A compiled export of one query.
#[derive(Debug)]
pub struct Cursor {
    open: Statement,
    fetch: Operation,
}

impl Cursor {
    /// Compiles an operation whose response is the rows of its one query.
    ///
    /// # Errors
    /// [`PlanError`] where it is another one, or malformed.
    pub fn compile(json: &str, batch: u32) -> Result<Self, PlanError> {
        let mut operation = described(json)?;
        let plan = &mut operation.queries[0];
        let (sql, binds) = (std::mem::take(&mut plan.sql), std::mem::take(&mut plan.binds));
        let open = format!("DECLARE plectrum_export NO SCROLL CURSOR FOR {sql}");
        let open = Statement::compile(&open, &binds, plan::BindType::Infer)?;
        plan.sql = format!("FETCH FORWARD {batch} FROM plectrum_export");
        Ok(Self { open, fetch: Operation::compile(&operation)? })
    }

    /// Opens the cursor on the pool's connection, of which there must be no second one.
    ///
    /// # Errors
    /// Of the database; a wrong argument.
    pub async fn open(&self, pool: &Pool, args: &[Value]) -> Result<(), Error> {
        self.fetch.check(args)?;
        let values = self.open.bind(args, None)?;
        for attempt in 0.. {
            for sql in BEGIN {
                pool.fetch(&Statement::new(sql, &[]), &[], Nothing).await?;
            }
            let Err(error) = pool.fetch(&self.open, &values, Nothing).await else { break };
            pool.fetch(&Statement::new("ROLLBACK", &[]), &[], Nothing).await?;
            // Declared types that do not fit are inferred from then on, but not within the transaction they broke.
            if attempt > 0 || !matches!(error, Error::Server { .. }) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The next rows as a JSON array, empty after the last one.
    ///
    /// # Errors
    /// Of the database; a value that has no JSON form.
    pub async fn next(
        &self,
        pool: &Pool,
        args: &[Value],
        context: &Context,
        out: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        match execute(pool, &self.fetch, args, context, out).await? {
            Outcome::Found(rows) => Ok(rows),
            Outcome::NotFound => Err(Error::Broken("the cursor is gone".to_owned())),
        }
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// Of the database.
    pub async fn close(&self, pool: &Pool) -> Result<(), Error> {
        pool.fetch(&Statement::new("COMMIT", &[]), &[], Nothing).await.map(|_| ())
    }
}

fn described(json: &str) -> Result<plan::Operation, PlanError> {
    let operation: plan::Operation =
        serde_json::from_str(json).map_err(|error| PlanError::new("description", error.to_string()))?;
    match (operation.queries.len(), &operation.response) {
        (1, Response::Rows(0)) => Ok(operation),
        _ => Err(PlanError::new("response", "an export is the rows of one query")),
    }
}

/// The columns of an operation's rows.
///
/// # Errors
/// As [`Cursor::compile`].
pub fn shape(json: &str) -> Result<Shape, PlanError> {
    Ok(shape_of(&described(json)?.queries[0].row))
}

fn shape_of(template: &Template) -> Shape {
    match template {
        Template::Object(object) => {
            Shape::Record(object.fields.iter().map(|(key, value)| (key.clone(), shape_of(value))).collect())
        }
        Template::Array(_)
        | Template::Column(_)
        | Template::Child(_)
        | Template::Literal(_)
        | Template::Leaf(_)
        | Template::Mark(_) => Shape::Cell,
    }
}

/// For statements that have no rows.
struct Nothing;

impl RowSink for Nothing {
    fn columns(&mut self, _columns: &Rc<[Column]>) -> Result<(), Error> {
        Ok(())
    }

    fn row(&mut self, _cells: &[Option<&[u8]>]) -> Result<(), Error> {
        Ok(())
    }
}
