//! Which media type is answered (GraphQL over HTTP, section 6.1).

use plectrum_http::{HeaderMap, HeaderValue, header};

/// What the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`: a response that is well-formed has status 200.
    Json,
    /// `application/graphql-response+json`: a request error has status 400.
    Response,
    /// `text/event-stream`: responses one by one.
    Events,
    /// `text/html`: a browser.
    Html,
}

impl Media {
    /// The best of what the client accepts; `None` where we have nothing of it.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u32, Self)> = None;
        let mut asked = false;
        for accept in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for range in accept.split(',').map(str::trim).filter(|range| !range.is_empty()) {
                asked = true;
                let Some((quality, media)) = read(range) else { continue };
                if quality > 0 && best.is_none_or(|(before, _)| quality > before) {
                    best = Some((quality, media));
                }
            }
        }
        if asked { best.map(|(_, media)| media) } else { Some(Self::Json) }
    }

    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Events => "text/event-stream; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        })
    }
}

/// A range's quality in thousandths and what we answer to it.
fn read(range: &str) -> Option<(u32, Media)> {
    let mut parts = range.split(';').map(str::trim);
    let media = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => Media::Response,
        "application/json" | "application/*" | "*/*" => Media::Json,
        "text/event-stream" => Media::Events,
        "text/html" => Media::Html,
        _ => return None,
    };
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.map_or(Some(1.0), |text| text.trim().parse::<f64>().ok())?;
    Some(((quality.clamp(0.0, 1.0) * 1000.0) as u32, media))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        Media::of(&headers)
    }

    #[test]
    fn the_best_of_what_is_accepted() {
        assert_eq!(Media::of(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(of("*/*"), Some(Media::Json));
        assert_eq!(of("application/graphql-response+json, application/json;q=0.9"), Some(Media::Response));
        assert_eq!(of("application/graphql-response+json;q=0.1, application/json"), Some(Media::Json));
        assert_eq!(of("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Media::Html));
        assert_eq!(of("image/png"), None);
        assert_eq!(of("application/json;q=0"), None);
    }
}
