//! Who the client is, behind proxies that are trusted by their addresses.
//!
//! Read from right to left: each hop adds to the right what it saw, so what stands right of the first stranger was
//! written by trusted hops, and what stands left of it may be made up.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Peer, Request};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which header fields the proxies write; only those are read, as others come from clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Trusted hops.
pub(super) struct Proxies {
    networks: Vec<Network>,
    unix: bool,
    by: ForwardedBy,
    host: bool,
}

/// A network in CIDR notation, or one address.
#[derive(Debug, Clone, Copy)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Proxies {
    /// `trusted` are addresses, networks, or `unix`; `host` believes them about the host too.
    pub(super) fn new(trusted: &[String], by: ForwardedBy, host: bool) -> Result<Self, String> {
        let (unix, others): (Vec<_>, Vec<_>) = trusted.iter().partition(|name| *name == "unix");
        let networks = others.into_iter().map(|text| Network::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { networks, unix: !unix.is_empty(), by, host })
    }

    /// Puts what trusted hops say in place of what the nearest one is; forgets what strangers say. Whether the nearest one is
    /// trusted.
    pub(super) fn apply(&self, request: &mut Request) -> bool {
        let trusted = match request.peer {
            Peer::Tcp(address) => self.trust(address.ip()),
            Peer::Unix => self.unix,
        };
        if trusted {
            let said = match self.by {
                ForwardedBy::XForwarded => self.x_forwarded(&request.headers),
                ForwardedBy::Forwarded => self.forwarded(&request.headers),
            };
            said.apply(request, self.host);
        }
        for name in [FOR, PROTO, X_HOST, FORWARDED] {
            if !trusted || (name == FORWARDED) != (self.by == ForwardedBy::Forwarded) {
                request.headers.remove(name);
            }
        }
        trusted
    }

    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Position of the client in a list of hops: the last that is not trusted, else the first.
    fn client(&self, hops: &[Option<IpAddr>]) -> usize {
        let stranger = |hop: &Option<IpAddr>| hop.is_none_or(|address| !self.trust(address));
        hops.iter().rposition(stranger).unwrap_or(0)
    }

    fn x_forwarded(&self, headers: &HeaderMap) -> Said {
        let hops: Vec<_> = elements(headers, &FOR).iter().map(|text| address(text)).collect();
        let client = self.client(&hops);
        let nearest = |name| {
            let found = elements(headers, name);
            // One for each hop, or one that a hop set for all.
            found
                .get(client)
                .filter(|_| found.len() == hops.len())
                .or(found.last())
                .map(|text| (*text).to_owned())
        };
        Said {
            address: hops.get(client).copied().flatten(),
            https: nearest(&PROTO).map(|text| text.eq_ignore_ascii_case("https")),
            host: nearest(&X_HOST),
        }
    }

    fn forwarded(&self, headers: &HeaderMap) -> Said {
        let list = elements(headers, &FORWARDED);
        let hops: Vec<_> =
            list.iter().map(|element| parameter(element, "for").and_then(|a| address(&a))).collect();
        let client = self.client(&hops);
        let of = |name| list.get(client).and_then(|element| parameter(element, name));
        Said {
            address: hops.get(client).copied().flatten(),
            https: of("proto").map(|text| text.eq_ignore_ascii_case("https")),
            host: of("host"),
        }
    }
}

/// What trusted hops say of the client.
struct Said {
    address: Option<IpAddr>,
    https: Option<bool>,
    host: Option<String>,
}

impl Said {
    fn apply(self, request: &mut Request, host: bool) {
        if let Some(address) = self.address {
            request.peer = Peer::Tcp(SocketAddr::new(address, 0));
        }
        if let Some(https) = self.https {
            request.secure = https;
        }
        if let Some(value) = self.host.filter(|_| host).and_then(|host| HeaderValue::try_from(host).ok()) {
            request.headers.insert(HOST, value);
        }
    }
}

/// Elements of a list over all its lines; a comma in a quoted string is none.
fn elements<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h str> {
    let mut found = Vec::new();
    for line in headers.get_all(name).iter().filter_map(|line| line.to_str().ok()) {
        let mut quoted = false;
        found.extend(
            line.split(|letter: char| {
                quoted ^= letter == '"';
                letter == ',' && !quoted
            })
            .map(str::trim),
        );
    }
    found
}

/// A parameter of an element of `Forwarded`, unquoted.
fn parameter(element: &str, name: &str) -> Option<String> {
    element.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; others (`unknown`, `_hidden`) are strangers.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is neither an address, nor a network such as \"10.0.0.0/8\", nor \"unix\"");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix.unwrap_or(most) {
            prefix if prefix <= most => Ok(Self { address, prefix }),
            _ => Err(wrong()),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::RequestBody;

    fn seen(by: ForwardedBy, peer: &str, headers: &[(&'static str, &str)]) -> (String, bool, String, usize) {
        let trusted = ["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned(), "192.0.2.1".to_owned()];
        let proxies = Proxies::new(&trusted, by, true).unwrap();
        let mut request = Request::new(http::Method::GET, "/".parse().unwrap(), RequestBody::default());
        request.peer = Peer::Tcp(SocketAddr::new(peer.parse().unwrap(), 9));
        request.headers.insert(HOST, HeaderValue::from_static("own"));
        for (name, value) in headers {
            request.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        proxies.apply(&mut request);
        let Peer::Tcp(address) = request.peer else { unreachable!("it stays TCP") };
        let host = request.headers.get(HOST).unwrap().to_str().unwrap().to_owned();
        (address.ip().to_string(), request.secure, host, request.headers.len())
    }

    #[test]
    fn the_last_stranger_is_the_client() {
        let seen = |peer, chain: &str| seen(ForwardedBy::XForwarded, peer, &[("x-forwarded-for", chain)]).0;
        assert_eq!(seen("10.0.0.1", "198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.2.3.4"), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", "10.9.9.9, 10.2.3.4"), "10.9.9.9");
        assert_eq!(seen("10.0.0.1", "198.51.100.7:1234"), "198.51.100.7");
        assert_eq!(seen("2001:db8::1", "[2a00::7]:80, ::ffff:10.1.1.1"), "2a00::7");
        assert_eq!(seen("10.0.0.1", "1.1.1.1, garbage"), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(seen("198.51.100.1", "1.1.1.1"), "198.51.100.1");
        assert_eq!(seen("192.0.2.2", "1.1.1.1"), "192.0.2.2");
    }

    #[test]
    fn strangers_are_not_believed_and_their_words_are_forgotten() {
        let forged = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=1.1.1.1;proto=https;host=evil"),
        ];
        for by in [ForwardedBy::XForwarded, ForwardedBy::Forwarded] {
            let expected = ("198.51.100.1".to_owned(), false, "own".to_owned(), 1);
            assert_eq!(seen(by, "198.51.100.1", &forged), expected);
        }
        // Of a trusted hop, the kind it does not write is the client's.
        let (address, secure, host, kept) = seen(ForwardedBy::XForwarded, "10.0.0.1", &forged[3..]);
        assert_eq!((address.as_str(), secure, host.as_str(), kept), ("10.0.0.1", false, "own", 1));
    }

    #[test]
    fn scheme_and_host_are_of_the_same_hop() {
        let by_x = |proto, host| {
            let headers = [
                ("x-forwarded-for", "9.9.9.9, 8.8.8.8"),
                ("x-forwarded-proto", proto),
                ("x-forwarded-host", host),
            ];
            let (address, secure, host, _) = seen(ForwardedBy::XForwarded, "10.0.0.1", &headers);
            assert_eq!(address, "8.8.8.8");
            (secure, host)
        };
        assert_eq!(by_x("http, https", "a, b"), (true, "b".to_owned()));
        assert_eq!(by_x("https", "b"), (true, "b".to_owned()));
        let chain =
            "for=9.9.9.9;proto=http, for=\"8.8.8.8:70\";Proto=https;host=\"shop\", for=10.3.3.3;proto=http";
        let (address, secure, host, _) = seen(ForwardedBy::Forwarded, "10.0.0.1", &[("forwarded", chain)]);
        assert_eq!((address.as_str(), secure, host.as_str()), ("8.8.8.8", true, "shop"));
    }

    #[test]
    fn what_is_no_network() {
        for text in ["10.0.0.0/33", "x", "10.0.0.0/", "/8", "::/129", ""] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
        assert!(Network::parse("0.0.0.0/0").unwrap().contains([1, 2, 3, 4].into()));
        assert!(Network::parse("::/0").unwrap().contains("::1".parse().unwrap()));
    }
}
