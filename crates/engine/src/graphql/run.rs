//! Root fields executed together, written as one response.

use std::rc::Rc;

use futures_util::future::join_all;
use plectrum_db::error::Error as DbError;
use plectrum_db::mark::is_marked;
use plectrum_db::value::Value as Bound;
use plectrum_db::{Context, Failures, Outcome, buffer};
use plectrum_graphql::error::write_errors;
use plectrum_graphql::prune;
use plectrum_graphql::{Code, Error, Root, RootField};
use plectrum_json::text;

use super::plans::{Plan, Viewer};
use super::prepare::{Prepared, Preparer};
use super::resolve;
use crate::error;

/// The value of a root field.
#[derive(Default)]
pub(super) struct Value {
    /// Its JSON; none where it failed as a whole.
    json: Option<Vec<u8>>,
    /// What failed, there or within.
    errors: Vec<Error>,
}

impl Value {
    pub(super) fn found(json: Vec<u8>) -> Self {
        Self { json: Some(json), errors: Vec::new() }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { json: None, errors: vec![error] }
    }

    /// Whether there is nothing, and nothing failed.
    pub(super) fn is_null(&self) -> bool {
        self.errors.is_empty() && self.json.as_deref() == Some(b"null")
    }
}

/// Executes an operation; returns the response.
pub(super) async fn run(preparer: &Preparer, prepared: &Prepared, viewer: &Viewer) -> Vec<u8> {
    if let ([Root::Field(field)], [Some(Ok(plan))]) = (&*prepared.lowered.roots, &*prepared.plans) {
        return run_one(preparer, prepared, field, plan, viewer).await;
    }
    let fields = prepared.lowered.roots.iter().zip(&prepared.plans);
    let values = fields.map(|(root, plan)| value(preparer, root, plan.as_ref(), prepared, viewer));
    write_response(prepared, join_all(values).await)
}

/// The common case: rows go straight into the response.
async fn run_one(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    plan: &Plan,
    viewer: &Viewer,
) -> Vec<u8> {
    let mut out = buffer::take();
    out.extend_from_slice(b"{\"data\":{");
    text::write(&mut out, &field.key);
    out.push(b':');
    let begin = out.len();
    let value = match execute(field, plan, viewer, out).await {
        Ok(Rows { text: mut out, .. }) if !is_marked(&out[begin..]) => {
            out.extend_from_slice(b"}}");
            return out;
        }
        Ok(rows) => settled(preparer, prepared, field, (&rows.text[begin..], &rows.failures), viewer).await,
        Err(failure) => recover(preparer, prepared, field, failure, viewer).await,
    };
    write_response(prepared, vec![value])
}

/// The value of one root field, in a buffer of its own.
pub(super) async fn value(
    preparer: &Preparer,
    root: &Root,
    plan: Option<&Result<Rc<Plan>, Error>>,
    prepared: &Prepared,
    viewer: &Viewer,
) -> Value {
    match (root, plan) {
        (Root::Field(field), Some(Ok(plan))) => answer(preparer, prepared, field, plan, viewer).await,
        (Root::Field(field), Some(Err(error))) => Value::failed(prepared.located(field, error.clone())),
        (Root::Typename(_, name), _) => {
            let mut out = Vec::with_capacity(name.len() + 2);
            text::write(&mut out, name);
            Value::found(out)
        }
        (root, _) => {
            let mut out = buffer::take();
            match &prepared.introspected {
                Some(introspected) => introspected.write(root.key(), &mut out),
                None => plectrum_json::write_null(&mut out),
            }
            Value::found(out)
        }
    }
}

/// The value of a root field that a plan answers.
pub(super) async fn answer(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    plan: &Plan,
    viewer: &Viewer,
) -> Value {
    match execute(field, plan, viewer, buffer::take()).await {
        Ok(rows) => complete(preparer, prepared, field, rows, viewer).await,
        Err(failure) => recover(preparer, prepared, field, failure, viewer).await,
    }
}

/// The value of a root field, with or without marks in its text.
pub(super) async fn complete(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    rows: Rows,
    viewer: &Viewer,
) -> Value {
    match is_marked(&rows.text) {
        true => settled(preparer, prepared, field, (&rows.text, &rows.failures), viewer).await,
        false => Value::found(rows.text),
    }
}

/// The value without the fields whose arguments are wrong. Each turn has fewer of them than the one before.
async fn recover(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    mut failure: Failure,
    viewer: &Viewer,
) -> Value {
    let failed = |error: Error| Value::failed(prepared.located(field, error));
    let mut rest: Option<RootField> = None;
    loop {
        let failing = match failure {
            Failure::Field(error) => return failed(error),
            Failure::Values(failing) => failing,
        };
        let pruned = match prune::without(rest.as_ref().unwrap_or(field), failing) {
            Ok(pruned) => pruned,
            Err(error) => return failed(error),
        };
        let plan = match preparer.planned(&pruned) {
            Ok(plan) => plan,
            Err(error) => return failed(error),
        };
        match execute(&pruned, &plan, viewer, buffer::take()).await {
            Ok(rows) => {
                return settled(preparer, prepared, &pruned, (&rows.text, &rows.failures), viewer).await;
            }
            Err(again) => (failure, rest) = (again, Some(pruned)),
        }
    }
}

/// A value in which failures, and what functions give, are marked.
async fn settled(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    (text, failures): (&[u8], &[Error]),
    viewer: &Viewer,
) -> Value {
    let answers = resolve::answers(preparer.planner(), text, viewer).await;
    let settled = preparer.settle(prepared, field, failures, &answers, text);
    for fault in settled.faults {
        tracing::error!(target: "plectrum.graphql", "{fault}");
    }
    Value { json: settled.json, errors: settled.errors }
}

/// The text of a root field's value, and what failed below its top statement.
pub(super) struct Rows {
    pub(super) text: Vec<u8>,
    pub(super) failures: Vec<Error>,
}

impl From<Vec<u8>> for Rows {
    fn from(text: Vec<u8>) -> Self {
        Self { text, failures: Vec::new() }
    }
}

/// Why there are no rows.
pub(super) enum Failure {
    /// Numbers of values that are wrong, and what is wrong with each.
    Values(Vec<(usize, Error)>),
    /// The field as a whole failed.
    Field(Error),
}

/// Runs a plan; its rows are appended to `out`. What fails below its top statement is marked in them.
pub(super) async fn execute(
    field: &RootField,
    plan: &Plan,
    viewer: &Viewer,
    out: Vec<u8>,
) -> Result<Rows, Failure> {
    let args = plan.bind(&field.values, viewer).map_err(Failure::Values)?;
    let failures = plan.operation.has_children().then(Failures::default);
    let text = run_plan(field, plan, args, failures.clone(), out).await?;
    let failures = failures.map(|failures| failures.take()).unwrap_or_default();
    let failures = failures.iter().map(|failure| of_database(failure, &field.name)).collect();
    Ok(Rows { text, failures })
}

/// Runs a plan with its arguments bound; one failure is the failure of all.
pub(super) async fn fetch(
    field: &RootField,
    plan: &Plan,
    args: Vec<Bound>,
    out: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    run_plan(field, plan, args, None, out).await
}

async fn run_plan(
    field: &RootField,
    plan: &Plan,
    args: Vec<Bound>,
    failures: Option<Failures>,
    out: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let (zone, session) = (plan.zones.current.clone(), plan.zones.session.clone());
    let context = Context { zone, session, url: String::new(), signer: None, failures };
    match plan.database.run_into(&plan.operation, args, context, out).await {
        Ok(Outcome::Found(out)) => Ok(out),
        Ok(Outcome::NotFound) => Err(Failure::Field(lost())),
        Err(DbError::Bind(index, why)) => {
            Err(Failure::Values(vec![(index, Error::new(Code::BadUserInput, why))]))
        }
        Err(failure) => Err(Failure::Field(of_database(&failure, &field.name))),
    }
}

impl Failure {
    /// The error where nothing can be left out.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Field(error) => error,
            Self::Values(failing) => failing.into_iter().next().map_or_else(lost, |(_, error)| error),
        }
    }
}

/// Plans of root fields end in rows or null; a response without either is a mistake of ours.
#[cold]
fn lost() -> Error {
    Error::new(Code::Internal, "Internal server error.")
}

/// The error of a statement; what is ours is logged, not shown.
fn of_database(failure: &DbError, field: &str) -> Error {
    if let Some(why) = error::client_fault(failure) {
        return Error::new(Code::BadUserInput, why);
    }
    error::report(failure, field);
    match failure {
        DbError::Unavailable(_) | DbError::Exhausted(_) | DbError::Broken(_) => {
            Error::new(Code::Unavailable, "The database is not available at the moment.")
        }
        DbError::Timeout => Error::new(Code::Timeout, "The query took too long."),
        _ => Error::new(Code::Internal, "Internal server error."),
    }
}

/// `{"errors":[…],"data":{…}}`; null where a field that must not be null failed.
pub(super) fn write_response(prepared: &Prepared, values: Vec<Value>) -> Vec<u8> {
    let mut out = buffer::take();
    let roots = &prepared.lowered.roots;
    let is_lost = |(root, value): (&Root, &Value)| value.json.is_none() && !root.is_nullable();
    let lost = roots.iter().zip(&values).position(is_lost);
    // Behind a field that takes the whole response with it nothing is executed, as far as the client can tell.
    let told = values.iter().take(lost.map_or(values.len(), |at| at + 1));
    let errors: Vec<Error> = told.flat_map(|value| value.errors.iter().cloned()).collect();
    out.push(b'{');
    if !errors.is_empty() {
        write_errors(&mut out, &errors);
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    if lost.is_some() {
        out.extend_from_slice(b"null}");
        return out;
    }
    out.push(b'{');
    for (index, (root, value)) in roots.iter().zip(values).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        text::write(&mut out, root.key());
        out.push(b':');
        match value.json {
            Some(json) => {
                out.extend_from_slice(&json);
                buffer::give(json);
            }
            None => plectrum_json::write_null(&mut out),
        }
    }
    out.extend_from_slice(b"}}");
    out
}
