//! How a gate says no.

use plectrum_http::{HeaderValue, Problem, Response, StatusCode, header, problem};

use super::scheme::Scheme;

/// 401 with a challenge of every scheme that has one (RFC 9110 §15.5.2), 403 where none has.
pub(super) fn unauthenticated<'s>(
    schemes: impl Iterator<Item = &'s Scheme>,
    reason: Option<&str>,
) -> Response {
    let challenges: Vec<_> = schemes
        .filter_map(|scheme| scheme.challenge(reason))
        .filter_map(|challenge| HeaderValue::try_from(challenge).ok())
        .collect();
    if challenges.is_empty() {
        return forbidden(reason);
    }
    let mut response = said(StatusCode::UNAUTHORIZED, reason);
    for challenge in challenges {
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// 403, in words where there are some.
pub(super) fn forbidden(reason: Option<&str>) -> Response {
    said(StatusCode::FORBIDDEN, reason)
}

fn said(status: StatusCode, reason: Option<&str>) -> Response {
    match reason {
        Some(reason) => Problem::new(status).detail(&sentence(reason)).into_response(),
        None => problem::of(status),
    }
}

/// `the token has expired` → `The token has expired.`
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if reason.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
