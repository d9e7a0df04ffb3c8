//! Negotiation of permessage-deflate (RFC 7692 §7.1).

use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_EXTENSIONS};

use super::Compression;
use super::deflate::Deflate;

/// One `permessage-deflate` of a client, as it stands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
}

/// The first of the client's offers that can be met, and the answer to it.
pub(super) fn negotiate(headers: &HeaderMap, compression: Compression) -> Option<(Deflate, HeaderValue)> {
    if compression == Compression::Off {
        return None;
    }
    let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|line| line.to_str().ok());
    // Quoted values of this extension's parameters are numbers: a comma in one makes it no offer of ours either way.
    let offer = lines.flat_map(|line| line.split(',')).find_map(Offer::parse)?;
    let bits = offer.server_max_window_bits.unwrap_or(15);
    let dedicated = compression == Compression::Dedicated;
    let (server, client) =
        (dedicated && !offer.server_no_context_takeover, dedicated && !offer.client_no_context_takeover);
    let deflate = if dedicated { Deflate::dedicated(bits, server, client) } else { Deflate::shared(bits) };
    let mut answer = String::from("permessage-deflate");
    if !server {
        answer.push_str("; server_no_context_takeover");
    }
    if !client {
        answer.push_str("; client_no_context_takeover");
    }
    if offer.server_max_window_bits.is_some() {
        answer.push_str(&format!("; server_max_window_bits={bits}"));
    }
    Some((deflate, HeaderValue::try_from(answer).ok()?))
}

impl Offer {
    /// `None` for another extension, a parameter that does not exist, comes twice or has a wrong value, and for a
    /// window of eight bits, which no compressor makes.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let mut offer = Self::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start())?)),
                None => (part, None),
            };
            let fresh = match name {
                "server_no_context_takeover" if value.is_none() => {
                    !std::mem::replace(&mut offer.server_no_context_takeover, true)
                }
                "client_no_context_takeover" if value.is_none() => {
                    !std::mem::replace(&mut offer.client_no_context_takeover, true)
                }
                "server_max_window_bits" => {
                    let bits = bits(value?)?;
                    bits > 8 && offer.server_max_window_bits.replace(bits).is_none()
                }
                "client_max_window_bits" => {
                    let bits = value.map(bits).map_or(Some(None), |bits| bits.map(Some))?;
                    offer.client_max_window_bits.replace(bits).is_none()
                }
                _ => false,
            };
            if !fresh {
                return None;
            }
        }
        Some(offer)
    }
}

fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

/// 8 to 15, without leading zeros.
fn bits(text: &str) -> Option<u8> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|bits| plain && (8..=15).contains(bits))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(offers: &str, compression: Compression) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(SEC_WEBSOCKET_EXTENSIONS, offers.parse().unwrap());
        negotiate(&headers, compression).map(|(_, answer)| answer.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_answered_to_an_offer() {
        let alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for (offer, more) in [
            ("permessage-deflate", ""),
            ("permessage-deflate; client_max_window_bits", ""),
            ("permessage-deflate; client_max_window_bits=8", ""),
            ("x-webkit-deflate-frame, permessage-deflate", ""),
            ("permessage-deflate; server_max_window_bits=10", "; server_max_window_bits=10"),
            ("permessage-deflate; server_max_window_bits=\"9\"", "; server_max_window_bits=9"),
            ("permessage-deflate; server_max_window_bits=8, permessage-deflate", ""),
        ] {
            assert_eq!(answer(offer, Compression::Shared), Some(format!("{alone}{more}")), "{offer}");
        }
    }

    #[test]
    fn what_is_declined() {
        for offer in [
            "permessage-bzip2",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=\"15",
            "permessage-deflate;",
        ] {
            assert_eq!(answer(offer, Compression::Shared), None, "{offer}");
        }
        assert_eq!(answer("permessage-deflate", Compression::Off), None);
    }

    #[test]
    fn dedicated_codecs_keep_what_the_client_allows() {
        let answers = |offer| answer(offer, Compression::Dedicated).unwrap();
        assert_eq!(answers("permessage-deflate"), "permessage-deflate");
        assert_eq!(
            answers("permessage-deflate; client_no_context_takeover"),
            "permessage-deflate; client_no_context_takeover"
        );
    }
}
