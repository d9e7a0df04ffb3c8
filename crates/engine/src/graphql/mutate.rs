//! Fields of `Mutation`, executed one after the other (section 6.2.2 of the specification).

use plectrum_db::buffer;
use plectrum_graphql::{Error, Root, RootField};

use super::plans::{Viewer, Written};
use super::prepare::{Prepared, Preparer};
use super::run;

/// Executes an operation; returns the response.
pub(super) async fn run(preparer: &Preparer, prepared: &Prepared, viewer: &Viewer) -> Vec<u8> {
    let mut values = Vec::with_capacity(prepared.plans.len());
    for (root, plan) in prepared.lowered.roots.iter().zip(&prepared.plans) {
        values.push(match (root, plan) {
            (Root::Field(field), None) => write(preparer, field, viewer).await,
            _ => run::value(root, plan.as_ref(), prepared, viewer).await,
        });
    }
    run::write_response(prepared, values)
}

/// Writes, then shows what was written.
async fn write(preparer: &Preparer, field: &RootField, viewer: &Viewer) -> Result<Vec<u8>, Error> {
    let shape = String::from_utf8_lossy(&field.shape);
    let written = preparer.planner().write(&shape, &field.values, viewer).await;
    match written.map_err(|refusal| Error::from(refusal).at(&field.key, field.place))? {
        Written::Json(json) => Ok(json),
        Written::Shape(shape, values) => {
            let shown = RootField {
                key: field.key.clone(),
                name: field.name.clone(),
                nullable: field.nullable,
                place: field.place,
                shape: shape.into_bytes(),
                values,
                error: None,
            };
            let plan = preparer.planned(&shown)?;
            run::execute(&shown, &plan, viewer, buffer::take()).await
        }
    }
}
