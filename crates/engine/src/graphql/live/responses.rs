//! An operation begun: its responses, one or many.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use futures_util::{StreamExt, stream};
use plectrum_db::buffer;
use plectrum_graphql::{Code, Error, Root, RootField};

use crate::graphql::answer::{Answer, Piece};
use crate::graphql::call;
use crate::graphql::endpoint::Inner;
use crate::graphql::plans::{Kind, Refusal, Source, Viewer};
use crate::graphql::prepare::Prepared;
use crate::graphql::run;

/// Responses as they come; errors end the operation.
pub(super) type Responses = LocalBoxStream<'static, Result<Bytes, Vec<Error>>>;

/// Begins an operation.
///
/// # Errors
/// Why it is not executed.
pub(super) fn begin(
    inner: &Rc<Inner>,
    prepared: Rc<Prepared>,
    viewer: Viewer,
) -> Result<Responses, Vec<Error>> {
    if prepared.kind != Kind::Subscription {
        let inner = Rc::clone(inner);
        return Ok(
            stream::once(async move { Ok(buffer::freeze(inner.run(prepared, viewer).await)) }).boxed_local()
        );
    }
    let Some(field) = field_of(&prepared) else {
        return Err(vec![Error::new(Code::Internal, "Internal server error.")]);
    };
    if let Some(error) = &field.error {
        return Err(vec![prepared.located(field, error.clone())]);
    }
    let source = inner.preparer.planner().subscribe(field, &viewer);
    match source.map_err(|refusal| vec![prepared.located(field, refusal.into())])? {
        Source::Changes(watched) => inner.channels.subscribe(inner, &prepared, field, watched, &viewer),
        Source::Function(events) => {
            let inner = Rc::clone(inner);
            let shown = events.filter_map(move |event| {
                let (inner, prepared, viewer) = (Rc::clone(&inner), Rc::clone(&prepared), viewer.clone());
                async move { show(&inner, &prepared, event, &viewer).await }
            });
            Ok(shown.boxed_local())
        }
    }
}

/// The only root field: validation has seen to that.
fn field_of(prepared: &Prepared) -> Option<&RootField> {
    prepared.lowered.roots.iter().find_map(|root| match root {
        Root::Field(field) => Some(field),
        _ => None,
    })
}

/// The response to an event; none where its row is none of the subscriber's. What goes wrong with one event is that
/// response's, the next one may be right; what the function says no with is the end.
async fn show(
    inner: &Inner,
    prepared: &Prepared,
    event: Result<Answer, Refusal>,
    viewer: &Viewer,
) -> Option<Result<Bytes, Vec<Error>>> {
    let field = field_of(prepared)?;
    let answer = match event {
        Ok(answer) => answer,
        Err(refusal) => return Some(Err(vec![prepared.located(field, refusal.into())])),
    };
    let is_row = matches!(&*answer.0, [Piece::Rows { .. }]);
    let value = call::show(&inner.preparer, prepared, field, answer, viewer).await;
    if is_row && value.is_null() {
        return None;
    }
    Some(Ok(buffer::freeze(run::write_response(prepared, vec![value]))))
}
