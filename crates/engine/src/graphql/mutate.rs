//! Fields of `Mutation`, executed one after the other (section 6.2.2 of the specification).

use plectrum_graphql::{Root, RootField};

use super::plans::{Viewer, Written};
use super::prepare::{Prepared, Preparer};
use super::run::{self, Value};

/// Executes an operation; returns the response.
pub(super) async fn run(preparer: &Preparer, prepared: &Prepared, viewer: &Viewer) -> Vec<u8> {
    let mut values = Vec::with_capacity(prepared.plans.len());
    for (root, plan) in prepared.lowered.roots.iter().zip(&prepared.plans) {
        values.push(match (root, plan) {
            (Root::Field(field), None) => write(preparer, prepared, field, viewer).await,
            _ => run::value(preparer, root, plan.as_ref(), prepared, viewer).await,
        });
    }
    run::write_response(prepared, values)
}

/// Writes, then shows what was written.
async fn write(preparer: &Preparer, prepared: &Prepared, field: &RootField, viewer: &Viewer) -> Value {
    let shape = String::from_utf8_lossy(&field.shape);
    match preparer.planner().write(&shape, &field.values, viewer).await {
        Ok(Written::Json(json)) => Value::found(json),
        Ok(Written::Shape(shape, values)) => {
            let shown = RootField {
                key: field.key.clone(),
                name: field.name.clone(),
                nullable: field.nullable,
                spans: field.spans.clone(),
                shape: shape.into_bytes(),
                values,
                error: None,
                refusals: field.refusals.clone(),
            };
            match preparer.planned(&shown) {
                Ok(plan) => run::answer(preparer, prepared, &shown, &plan, viewer).await,
                Err(error) => Value::failed(prepared.located(field, error)),
            }
        }
        Err(refusal) => Value::failed(prepared.located(field, refusal.into())),
    }
}
