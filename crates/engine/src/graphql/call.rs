//! Root fields that the binding's functions answer: those of `Mutation`, and declared ones.

use std::rc::Rc;

use futures_util::future::join_all;
use plectrum_db::buffer;
use plectrum_graphql::{Error, Root, RootField};

use super::answer::{Answer, Piece};
use super::plans::{Plan, Viewer};
use super::prepare::{Prepared, Preparer};
use super::run::{self, Value};

/// Executes root fields one after the other (section 6.2.2 of the specification); returns the response.
pub(super) async fn serially(preparer: &Preparer, prepared: &Prepared, viewer: &Viewer) -> Vec<u8> {
    let mut values = Vec::with_capacity(prepared.plans.len());
    for (root, plan) in prepared.lowered.roots.iter().zip(&prepared.plans) {
        values.push(value(preparer, prepared, (root, plan.as_ref()), viewer).await);
    }
    run::write_response(prepared, values)
}

/// Executes root fields together; returns the response.
pub(super) async fn together(preparer: &Preparer, prepared: &Prepared, viewer: &Viewer) -> Vec<u8> {
    let fields = prepared.lowered.roots.iter().zip(&prepared.plans);
    let values = fields.map(|(root, plan)| value(preparer, prepared, (root, plan.as_ref()), viewer));
    run::write_response(prepared, join_all(values).await)
}

async fn value(
    preparer: &Preparer,
    prepared: &Prepared,
    (root, plan): (&Root, Option<&Result<Rc<Plan>, Error>>),
    viewer: &Viewer,
) -> Value {
    let (Root::Field(field), None) = (root, plan) else {
        return run::value(preparer, root, plan, prepared, viewer).await;
    };
    match preparer.planner().call(prepared.kind, field, viewer).await {
        Ok(answer) => show(preparer, prepared, field, answer, viewer).await,
        Err(refusal) => Value::failed(prepared.located(field, refusal.into())),
    }
}

/// The value of an answer, rows as their plans show them.
pub(super) async fn show(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    answer: Answer,
    viewer: &Viewer,
) -> Value {
    match written(preparer, prepared, field, answer, viewer).await {
        Ok(value) => value,
        Err(error) => Value::failed(prepared.located(field, error)),
    }
}

async fn written(
    preparer: &Preparer,
    prepared: &Prepared,
    field: &RootField,
    answer: Answer,
    viewer: &Viewer,
) -> Result<Value, Error> {
    let Answer(mut pieces) = answer;
    if let [Piece::Rows { shape, values }] = &mut *pieces {
        let rows = of_shape(field, std::mem::take(shape), std::mem::take(values));
        let plan = preparer.planned(&rows)?;
        return Ok(run::answer(preparer, prepared, &rows, &plan, viewer).await);
    }
    let mut out = buffer::take();
    for piece in pieces {
        match piece {
            Piece::Json(json) => out.extend_from_slice(json.as_bytes()),
            Piece::Rows { shape, values } => {
                let rows = of_shape(field, shape, values);
                let plan = preparer.planned(&rows)?;
                let args = plan.bind(&rows.values, viewer).map_err(run::Failure::Values);
                let args = args.map_err(run::Failure::into_error)?;
                out = run::fetch(&rows, &plan, args, out).await.map_err(run::Failure::into_error)?;
            }
        }
    }
    Ok(run::complete(preparer, prepared, field, out.into(), viewer).await)
}

/// A field that a plan answers in the place of another one.
pub(super) fn of_shape(field: &RootField, shape: String, values: Vec<Box<[u8]>>) -> RootField {
    RootField {
        key: field.key.clone(),
        name: field.name.clone(),
        nullable: field.nullable,
        spans: field.spans.clone(),
        shape: shape.into_bytes(),
        values,
        error: None,
        refusals: field.refusals.clone(),
    }
}
