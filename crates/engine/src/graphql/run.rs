//! Root fields executed together, written as one response.

use std::rc::Rc;

use futures_util::future::join_all;
use plectrum_db::error::Error as DbError;
use plectrum_db::{Context, Outcome, buffer};
use plectrum_graphql::error::write_errors;
use plectrum_graphql::{Code, Error, Root, RootField};
use plectrum_json::text;

use super::plans::{Plan, Viewer};
use super::prepare::Prepared;
use crate::error;

/// Executes an operation; returns the response.
pub(super) async fn run(prepared: Rc<Prepared>, viewer: Viewer) -> Vec<u8> {
    if let ([Root::Field(field)], [Some(Ok(plan))]) = (&*prepared.lowered.roots, &*prepared.plans) {
        // The common case: rows go straight into the response.
        let mut out = buffer::take();
        out.extend_from_slice(b"{\"data\":{");
        text::write(&mut out, &field.key);
        out.push(b':');
        return match execute(field, plan, &viewer, out).await {
            Ok(mut out) => {
                out.extend_from_slice(b"}}");
                out
            }
            Err(error) => write_response(&prepared, vec![Err(error)]),
        };
    }
    let fields = prepared.lowered.roots.iter().zip(&prepared.plans);
    let values = join_all(fields.map(|(root, plan)| value(root, plan.as_ref(), &prepared, &viewer))).await;
    write_response(&prepared, values)
}

/// The value of one root field, in a buffer of its own.
pub(super) async fn value(
    root: &Root,
    plan: Option<&Result<Rc<Plan>, Error>>,
    prepared: &Prepared,
    viewer: &Viewer,
) -> Result<Vec<u8>, Error> {
    match (root, plan) {
        (Root::Field(field), Some(Ok(plan))) => execute(field, plan, viewer, buffer::take()).await,
        (_, Some(Err(error))) => Err(error.clone()),
        (Root::Typename(_, name), _) => {
            let mut out = Vec::with_capacity(name.len() + 2);
            text::write(&mut out, name);
            Ok(out)
        }
        (root, _) => {
            let mut out = buffer::take();
            match &prepared.introspected {
                Some(introspected) => introspected.write(root.key(), &mut out),
                None => plectrum_json::write_null(&mut out),
            }
            Ok(out)
        }
    }
}

/// Runs a plan; its rows are appended to `out`.
pub(super) async fn execute(
    field: &RootField,
    plan: &Plan,
    viewer: &Viewer,
    out: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let args = plan.bind(&field.values, viewer).map_err(|error| error.at(&field.key, field.place))?;
    let (current, session) = (plan.zones.current.clone(), plan.zones.session.clone());
    let context = Context { zone: current, session, url: String::new(), signer: None };
    match plan.database.run_into(&plan.operation, args, context, out).await {
        Ok(Outcome::Found(out)) => Ok(out),
        Ok(Outcome::NotFound) => Err(lost(field)),
        Err(failure) => Err(of_database(&failure, &field.name).at(&field.key, field.place)),
    }
}

/// Plans of root fields end in rows or null; a response without either is a mistake of ours.
#[cold]
fn lost(field: &RootField) -> Error {
    Error::new(Code::Internal, "Internal server error.").at(&field.key, field.place)
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
pub(super) fn write_response(prepared: &Prepared, values: Vec<Result<Vec<u8>, Error>>) -> Vec<u8> {
    let mut out = buffer::take();
    let roots = &prepared.lowered.roots;
    let errors: Vec<Error> = values.iter().filter_map(|value| value.as_ref().err()).cloned().collect();
    out.push(b'{');
    if !errors.is_empty() {
        write_errors(&mut out, &errors);
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    if roots.iter().zip(&values).any(|(root, value)| value.is_err() && !root.is_nullable()) {
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
        match value {
            Ok(value) => {
                out.extend_from_slice(&value);
                buffer::give(value);
            }
            Err(_) => plectrum_json::write_null(&mut out),
        }
    }
    out.extend_from_slice(b"}}");
    out
}
