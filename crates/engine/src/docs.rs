//! The OpenAPI document and the pages that show it, with their assets served from disk: no network is needed.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use plectrum_http::{Body, HeaderValue, Reply, Response, StatusCode, header, problem};

use crate::blueprint::Blueprint;
use crate::endpoint::{Call, Endpoint};
use crate::openapi::{self, Shown};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A fixed answer.
pub(crate) struct Fixed {
    body: Bytes,
    media_type: HeaderValue,
}

impl Endpoint for Fixed {
    fn call(&self, _call: Box<Call>) -> Reply {
        respond(self.body.clone(), self.media_type.clone()).into()
    }
}

/// Files below one directory, by the path's first parameter.
pub(crate) struct Assets {
    root: PathBuf,
}

impl Endpoint for Assets {
    fn call(&self, call: Box<Call>) -> Reply {
        let Some(path) = call.path_value(0).and_then(|name| self.locate(name)) else {
            return problem::of(StatusCode::NOT_FOUND).into();
        };
        Reply::pending(async move {
            // A large file read on the runtime's thread would hold up every other request.
            match tokio::task::spawn_blocking(move || {
                std::fs::read(&path).map(|bytes| (bytes, media_type(&path)))
            })
            .await
            {
                Ok(Ok((bytes, media_type))) => {
                    let mut response = respond(bytes.into(), HeaderValue::from_static(media_type));
                    response
                        .headers_mut()
                        .insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
                    response
                }
                _ => problem::of(StatusCode::NOT_FOUND),
            }
        })
    }
}

impl Assets {
    /// The file of that name, unless the name climbs out of the directory.
    fn locate(&self, name: &str) -> Option<PathBuf> {
        let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let path = self.root.join(name);
        (plain && path.is_file()).then_some(path)
    }
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("html") => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn respond(body: Bytes, media_type: HeaderValue) -> Response {
    let mut response = Response::new(Body::Full(body));
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// Path and endpoint of every document the blueprint asks for.
pub(crate) fn endpoints(blueprint: &Blueprint, shown: Shown<'_>) -> Vec<(String, Box<dyn Endpoint>)> {
    let docs = &blueprint.docs;
    let Some(openapi_path) = &docs.openapi else { return Vec::new() };
    let mut document = Vec::new();
    // A `Value` always serializes.
    let _ = serde_json::to_writer(&mut document, &openapi::document(blueprint, shown));
    let mut found: Vec<(String, Box<dyn Endpoint>)> =
        vec![(openapi_path.clone(), Box::new(Fixed { body: document.into(), media_type: JSON }))];
    let title = &blueprint.info.title;
    for (path, page) in [(&docs.swagger, swagger as fn(&str, &str, &str) -> String), (&docs.redoc, redoc)] {
        if let (Some(path), Some(root)) = (path, &docs.assets) {
            let assets = format!("{}/assets", path.trim_end_matches('/'));
            let body = page(title, openapi_path, &assets).into();
            found.push((path.clone(), Box::new(Fixed { body, media_type: HTML })));
            found.push((format!("{assets}/{{file:path}}"), Box::new(Assets { root: PathBuf::from(root) })));
        }
    }
    found
}

fn swagger(title: &str, document: &str, assets: &str) -> String {
    let (title, document) = (escape(title), script_text(document));
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{assets}/swagger-ui-dist/swagger-ui.css">
<link rel="icon" type="image/png" href="{assets}/swagger-ui-dist/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="{assets}/swagger-ui-dist/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({{url: {document}, dom_id: "#page", deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true}});
</script>
</body>
</html>
"##
    )
}

fn redoc(title: &str, document: &str, assets: &str) -> String {
    let (title, document) = (escape(title), escape(document));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin: 0">
<redoc spec-url="{document}"></redoc>
<script src="{assets}/redoc/bundles/redoc.standalone.js"></script>
</body>
</html>
"#
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A JavaScript string literal that cannot end its script element.
fn script_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('<', "\\u003c")
}
