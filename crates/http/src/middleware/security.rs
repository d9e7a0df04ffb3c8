//! Headers that tell browsers to be careful, and the way to HTTPS.
//!
//! Source: `django.middleware.security.SecurityMiddleware`, `django.middleware.clickjacking.XFrameOptionsMiddleware`.

use http::header::{
    HOST, LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::{Body, Request, Response};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Headers of every answer, and one of encrypted ones.
pub(super) struct Security {
    always: Vec<(HeaderName, HeaderValue)>,
    transport: Option<HeaderValue>,
}

/// What is sent; each where it is given.
#[derive(Debug, Clone, Default)]
pub struct SecurityHeaders {
    /// `X-Content-Type-Options: nosniff`.
    pub nosniff: bool,
    /// `Referrer-Policy`.
    pub referrer_policy: Option<String>,
    /// `Cross-Origin-Opener-Policy`.
    pub opener_policy: Option<String>,
    /// `X-Frame-Options`.
    pub frame_options: Option<String>,
    /// `Strict-Transport-Security`, over HTTPS only.
    pub transport: Option<String>,
}

impl Security {
    pub(super) fn new(headers: &SecurityHeaders) -> Result<Option<Self>, String> {
        let nosniff = headers.nosniff.then(|| "nosniff".to_owned());
        let mut always = Vec::new();
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, &nosniff),
            (REFERRER_POLICY, &headers.referrer_policy),
            (OPENER_POLICY, &headers.opener_policy),
            (X_FRAME_OPTIONS, &headers.frame_options),
        ] {
            if let Some(text) = value {
                always.push((name, value_of(text)?));
            }
        }
        let transport = headers.transport.as_deref().map(value_of).transpose()?;
        let is_empty = always.is_empty() && transport.is_none();
        Ok((!is_empty).then_some(Self { always, transport }))
    }

    /// Adds what the answer does not say itself.
    pub(super) fn finish(&self, secure: bool, response: &mut Response) {
        let headers = response.headers_mut();
        for (name, value) in &self.always {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if let (true, Some(value)) = (secure, &self.transport) {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert_with(|| value.clone());
        }
    }
}

fn value_of(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("{text:?} cannot be the value of a header"))
}

/// To the same address over HTTPS (301, as Django); none where the request names no host.
pub(super) fn to_https(request: &Request, host: Option<&str>) -> Option<Response> {
    let host = host.or_else(|| request.header(&HOST))?;
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    let location = HeaderValue::try_from(format!("https://{host}{target}")).ok()?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}
