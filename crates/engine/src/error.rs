//! One table: what went wrong → status and body. Nothing internal is ever shown to the client.

use std::io::ErrorKind;
use std::time::Instant;

use plectrum_db::error::Error as DbError;
use plectrum_http::form::FormError;
use plectrum_http::header::{HeaderValue, RETRY_AFTER};
use plectrum_http::{BodyError, Problem, Response, StatusCode, problem};
use plectrum_schema::error::Error as SchemaError;
use plectrum_schema::write_errors;

use crate::extract::Refusal;
use crate::seldom::Seldom;

/// The answer to a request whose arguments were refused.
#[must_use]
pub fn of_refusal(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Invalid(errors) => of_validation(errors),
        Refusal::Unclaimed(name) => Problem::new(StatusCode::FORBIDDEN)
            .detail(&format!("The credentials have no claim {name:?} of the kind this needs."))
            .into_response(),
        Refusal::MediaType => problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Refusal::Malformed(detail) => Problem::new(StatusCode::BAD_REQUEST).detail(detail).into_response(),
    }
}

/// 422 with everything that is wrong, or 400 where the body is not JSON at all.
fn of_validation(errors: &[SchemaError]) -> Response {
    let syntax = errors.iter().any(|error| error.code == "json_invalid");
    let status = if syntax { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut list = Vec::with_capacity(errors.len() * 96);
    write_errors(&mut list, errors, &[]);
    Problem::new(status).raw("errors", &list).into_response()
}

/// The answer to a request whose body could not be read.
#[must_use]
pub fn of_body(error: BodyError) -> Response {
    problem::of(match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Timeout => StatusCode::REQUEST_TIMEOUT,
        BodyError::Malformed | BodyError::Disconnected => StatusCode::BAD_REQUEST,
    })
}

/// The answer to a request whose form could not be read. Faults of ours are logged with the request's path.
#[must_use]
pub fn of_form(error: FormError, path: &str) -> Response {
    let status = match &error {
        FormError::Body(error) => return of_body(*error),
        FormError::Malformed(_) | FormError::NotUtf8 => StatusCode::BAD_REQUEST,
        FormError::TooMuch(..) => StatusCode::PAYLOAD_TOO_LARGE,
        FormError::Storage(cause) => {
            tracing::error!(target: "plectrum.uploads", "{path}: {error}");
            let full = matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
            return problem::of(if full {
                StatusCode::INSUFFICIENT_STORAGE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            });
        }
    };
    Problem::new(status).detail(&format!("The form cannot be read: {error}.")).into_response()
}

/// The answer to a request whose statement failed. Faults of ours are logged with the route's name.
#[must_use]
pub fn of_database(error: &DbError, route: &str) -> Response {
    match error {
        DbError::Unavailable(_) | DbError::Exhausted(_) | DbError::Broken(_) => {
            report_outage(error, route);
            unavailable()
        }
        DbError::Timeout => problem::of(StatusCode::GATEWAY_TIMEOUT),
        DbError::Cancelled => problem::of(StatusCode::INTERNAL_SERVER_ERROR),
        DbError::Bind(_, why) => unprocessable(why),
        DbError::Server { code, message, .. } => {
            of_sqlstate(code, message).map_or_else(|| internal(error, route), unprocessable)
        }
        DbError::Column(..) | DbError::MultipleObjects | DbError::Unsupported(_) => internal(error, route),
    }
}

/// Every request of an outage fails alike, as fast as clients can ask: the log shall not drown in it.
fn report_outage(error: &DbError, route: &str) {
    thread_local! {
        static OUTAGES: Seldom = const { Seldom::new() };
    }
    match OUTAGES.with(|outages| outages.turn(Instant::now())) {
        Some(0) => tracing::error!(target: "plectrum.database", "{route}: {error}"),
        Some(more) => {
            tracing::error!(target: "plectrum.database", "{route}: {error} ({more} more since the last report)")
        }
        None => {}
    }
}

/// 503 that says when to come back.
#[must_use]
pub fn unavailable() -> Response {
    let mut response = problem::of(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// What a client can mend about a failed statement; `None` where it can mend nothing.
pub(crate) fn client_fault(error: &DbError) -> Option<&str> {
    match error {
        DbError::Bind(_, why) => Some(why),
        DbError::Server { code, message, .. } => of_sqlstate(code, message),
        _ => None,
    }
}

/// Logs a failed statement.
pub(crate) fn report(error: &DbError, route: &str) {
    match error {
        DbError::Unavailable(_) | DbError::Exhausted(_) | DbError::Broken(_) => report_outage(error, route),
        DbError::Timeout | DbError::Cancelled => {}
        _ => tracing::error!(target: "plectrum.database", "{route}: {error}"),
    }
}

/// Statements refused for the values in them: the client's to mend (PostgreSQL, appendix A).
fn of_sqlstate<'a>(code: &str, message: &'a str) -> Option<&'a str> {
    match code {
        // Negative LIMIT and OFFSET.
        "2201W" | "2201X" => Some("A page or slice cannot start before the first row."),
        // Numeric or datetime out of range, text that is no value of the type, bad regular expression, NUL in text.
        "22003" | "22008" | "22007" | "22P02" | "2201B" | "22021" => Some(message),
        _ => None,
    }
}

fn unprocessable(detail: &str) -> Response {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail).into_response()
}

/// 500, with the reason in the log only.
fn internal(error: &DbError, route: &str) -> Response {
    tracing::error!(target: "plectrum.database", "{route}: {error}");
    problem::of(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let status = |kind: ErrorKind| of_form(FormError::Storage(kind.into()), "/upload").status().as_u16();
        assert_eq!(
            [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::Other].map(status),
            [507, 507, 500]
        );
    }
}
