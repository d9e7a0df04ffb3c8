//! Versions of an API that share its paths: which of them a request means is told by a header.
//!
//! Source: RFC 9110 §12.5.1 (`Accept` and its parameters), §12.5.5 (`Vary`).

use std::collections::BTreeSet;

use plectrum_http::{
    HeaderMap, HeaderName, HeaderValue, Match, Method, Problem, Reply, Response, Router, StatusCode, accept,
    header,
};

use crate::blueprint::Versioning;

/// The routers of an API's versions, each with what only some versions have.
pub(crate) struct Versions<T> {
    header: HeaderName,
    vary: HeaderValue,
    /// The parameter of a media type that names the version; the whole header does where absent.
    parameter: Option<String>,
    default: usize,
    names: Vec<String>,
    routers: Vec<Router<T>>,
}

impl<T> Versions<T> {
    /// `routers` are those of the versions of `spec`, in its order.
    pub(crate) fn new(spec: &Versioning, routers: Vec<Router<T>>) -> Result<Self, String> {
        let header: HeaderName =
            spec.header.parse().map_err(|_| format!("{:?} cannot be a header's name", spec.header))?;
        let default = spec.versions.iter().position(|name| *name == spec.default);
        Ok(Self {
            vary: HeaderValue::from_name(header.clone()),
            header,
            parameter: spec.parameter.clone(),
            default: default.ok_or_else(|| format!("there is no version {:?}", spec.default))?,
            names: spec.versions.clone(),
            routers,
        })
    }

    /// The router of the version that is asked for.
    ///
    /// # Errors
    /// The answer where there is no such version.
    pub(crate) fn router(&self, headers: &HeaderMap) -> Result<Option<&Router<T>>, Box<Response>> {
        let number = match self.named(headers) {
            None => self.default,
            Some(name) => {
                let known = self.names.iter().position(|known| known == name);
                known.ok_or_else(|| Box::new(self.refusal(name)))?
            }
        };
        Ok(self.routers.get(number))
    }

    fn named<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = match &self.parameter {
            Some(parameter) => accept::parameter(headers, parameter)?,
            None => headers.get(&self.header)?.to_str().unwrap_or("?").trim(),
        };
        (!name.is_empty()).then_some(name)
    }

    fn refusal(&self, name: &str) -> Response {
        let status =
            if self.header == header::ACCEPT { StatusCode::NOT_ACCEPTABLE } else { StatusCode::BAD_REQUEST };
        let detail =
            format!("There is no version {name:?} of this API. There are: {}.", self.names.join(", "));
        Problem::new(status).detail(&detail).into_response()
    }

    /// Who answers in any version, the usual one first: a browser that asks beforehand names none.
    pub(crate) fn anywhere<'r, 'p>(&'r self, method: &'r Method, path: &'p str) -> Match<'r, 'p, T> {
        let usual_first = self.routers.get(self.default).into_iter().chain(&self.routers);
        let mut found = usual_first.map(|router| router.find(method, path));
        found
            .find(|found| !matches!(found, Match::NotFound | Match::Redirect { .. }))
            .unwrap_or(Match::NotFound)
    }

    /// The reply, which says that it depends on the version asked for.
    pub(crate) fn marked(&self, reply: Reply) -> Reply {
        let vary = self.vary.clone();
        let mark = move |mut response: Response| {
            response.headers_mut().append(header::VARY, vary);
            response
        };
        match reply {
            Reply::Ready(response) => mark(response).into(),
            Reply::Pending(pending) => Reply::pending(async move { mark(pending.await) }),
        }
    }
}

/// What a version has at a path before what all versions have there; methods are those of both.
pub(crate) fn either<'r, 'p, T>(own: Match<'r, 'p, T>, common: Match<'r, 'p, T>) -> Match<'r, 'p, T> {
    match (own, common) {
        (own @ Match::Found { .. }, _) => own,
        (_, common @ Match::Found { .. }) => common,
        (Match::Options { allow: own }, Match::Options { allow: common }) => {
            Match::Options { allow: together(own, &common) }
        }
        (Match::MethodNotAllowed { allow: own }, Match::MethodNotAllowed { allow: common }) => {
            Match::MethodNotAllowed { allow: together(own, &common) }
        }
        (Match::NotFound, common) => common,
        (own, Match::NotFound) => own,
        (Match::Redirect { .. }, common) => common,
        (own, _) => own,
    }
}

/// The methods of two values of `Allow`, in order.
fn together(own: HeaderValue, common: &HeaderValue) -> HeaderValue {
    let values = [own.to_str().unwrap_or_default(), common.to_str().unwrap_or_default()];
    let methods: BTreeSet<_> = values.iter().flat_map(|value| value.split(", ")).collect();
    let joined = methods.into_iter().collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(joined).unwrap_or(own)
}
