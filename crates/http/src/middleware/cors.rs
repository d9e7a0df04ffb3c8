//! Cross-origin requests, as the Fetch standard (§3.2) has browsers make them.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use crate::{Body, Request, Response};

/// Whose pages may read answers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Cors {
    /// Origins (`https://shop.example`), `https://*.shop.example` for all below, or `*`.
    pub origins: Vec<String>,
    /// Whether cookies and `Authorization` may come along.
    pub credentials: bool,
    /// Methods besides the ones a browser always may use; all of the route's where empty.
    pub methods: Vec<String>,
    /// Request headers; whatever is asked for where empty.
    pub headers: Vec<String>,
    /// Answer headers that scripts may read.
    pub expose: Vec<String>,
    /// Seconds a browser may remember a preflight's answer.
    pub max_age: u32,
}

/// A compiled [`Cors`].
#[derive(Debug)]
pub struct Policy {
    any: bool,
    origins: Vec<String>,
    /// Scheme with `://`, and the end with its dot.
    below: Vec<(String, String)>,
    credentials: bool,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    expose: Option<HeaderValue>,
    max_age: HeaderValue,
}

impl Policy {
    /// Compiles it.
    ///
    /// # Errors
    /// A sentence for the user: an origin that no browser sends, or credentials for everybody.
    pub fn new(cors: &Cors) -> Result<Self, String> {
        let any = cors.origins.iter().any(|origin| origin == "*");
        if any && cors.credentials {
            return Err("CORS for every origin (\"*\") with credentials would let any site act in its visitors' names: \
                        list the origins"
                .to_owned());
        }
        let (mut origins, mut below) = (Vec::new(), Vec::new());
        for origin in cors.origins.iter().filter(|origin| *origin != "*") {
            check_origin(origin)?;
            match origin.split_once("://*") {
                Some((scheme, end)) => below.push((format!("{scheme}://"), end.to_owned())),
                None => origins.push(origin.clone()),
            }
        }
        let (methods, headers, expose) =
            (listed(&cors.methods)?, listed(&cors.headers)?, listed(&cors.expose)?);
        let (credentials, max_age) = (cors.credentials, HeaderValue::from(cors.max_age));
        Ok(Self { any, origins, below, credentials, methods, headers, expose, max_age })
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let is_below = |(scheme, end): &(String, String)| {
            let label = origin.strip_prefix(scheme.as_str()).and_then(|rest| rest.strip_suffix(end.as_str()));
            label.is_some_and(|label| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
            })
        };
        self.any || self.origins.iter().any(|known| known == origin) || self.below.iter().any(is_below)
    }

    /// The answer to a preflight: `allow` are the methods of the address.
    #[must_use]
    pub fn preflight(&self, request: &Request, allow: Option<HeaderValue>) -> Response {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        for name in [ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
            headers.append(VARY, name.into());
        }
        let Some(origin) = request.headers.get(ORIGIN).filter(|origin| self.allows(origin)) else {
            return response;
        };
        self.admit(origin, headers);
        if let Some(methods) = self.methods.clone().or(allow) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        let asked = || request.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        if let Some(names) = self.headers.clone().or_else(asked) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        response
    }

    /// Adds what lets the page of `origin` read the answer.
    pub fn finish(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        let headers = response.headers_mut();
        // Without it, a cache could give one origin's answer to another one's page.
        if !self.any {
            headers.append(VARY, ORIGIN.into());
        }
        if let Some(origin) = origin.filter(|origin| self.allows(origin)) {
            self.admit(origin, headers);
            if let Some(names) = &self.expose {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
            }
        }
    }

    fn admit(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        let value = if self.any { HeaderValue::from_static("*") } else { origin.clone() };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// The method a preflight asks for, if the request is one (Fetch §3.2.2).
#[must_use]
pub fn preflight_for(request: &Request) -> Option<Method> {
    if request.method != Method::OPTIONS || !request.headers.contains_key(ORIGIN) {
        return None;
    }
    Method::from_bytes(request.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

/// An origin as browsers send it: scheme, host, port where it is not the usual one, nothing after.
fn check_origin(origin: &str) -> Result<(), String> {
    let wrong = || {
        format!("{origin:?} is no origin as browsers send it: write \"https://shop.example\", without a path")
    };
    let (scheme, rest) = origin.split_once("://").ok_or_else(wrong)?;
    let rest = rest.strip_prefix("*.").unwrap_or(rest);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    let good = !scheme.is_empty() && !rest.is_empty() && rest.bytes().all(plain);
    let usual = (scheme == "https" && rest.ends_with(":443")) || (scheme == "http" && rest.ends_with(":80"));
    if good && !usual { Ok(()) } else { Err(wrong()) }
}

fn listed(names: &[String]) -> Result<Option<HeaderValue>, String> {
    for name in names {
        let _: HeaderName =
            name.parse().map_err(|_| format!("{name:?} cannot be the name of a header or method"))?;
    }
    let value = HeaderValue::try_from(names.join(", ")).map_err(|error| error.to_string())?;
    Ok((!names.is_empty()).then_some(value))
}
