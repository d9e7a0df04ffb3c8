//! What the binding says of access: schemes of the API, and the gate of each route, as parts of the blueprint.

use serde::Deserialize;

/// What all gates of an API share.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Security {
    /// How requests may be authenticated; gates name them by position.
    #[serde(default)]
    pub schemes: Vec<Scheme>,
}

/// One way to authenticate.
#[derive(Debug, Clone, Deserialize)]
pub struct Scheme {
    /// Its name in OpenAPI's `securitySchemes`.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a scheme is.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// A signed token in `Authorization: Bearer`.
    Jwt(Box<Jwt>),
    /// A key in a header, the query or a cookie.
    ApiKey(ApiKey),
    /// `Authorization: Basic`, checked by the binding.
    Basic(Asked),
    /// An opaque `Authorization: Bearer` token, checked by the binding.
    Bearer(Asked),
    /// Django's session cookie, checked by the binding.
    Session(Session),
}

/// A scheme whose credentials the binding checks.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// Number of the function that checks them.
    pub callback: usize,
    /// Shown in the challenge.
    pub realm: String,
}

/// Django's sessions.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// Number of the function that loads the session and checks CSRF.
    pub callback: usize,
    /// Name of the session cookie.
    pub cookie: String,
    /// The header that carries the CSRF token; without it, a form's own field is looked for.
    pub csrf_header: String,
}

/// JSON Web Tokens (RFC 7519).
#[derive(Debug, Clone, Deserialize)]
pub struct Jwt {
    /// Names of accepted algorithms.
    pub algorithms: Vec<String>,
    /// The secret, or a public key in PEM.
    #[serde(default)]
    pub key: Option<String>,
    /// A JSON Web Key Set, or its HTTPS address.
    #[serde(default)]
    pub jwks: Option<Jwks>,
    /// One of them must be in `aud`.
    #[serde(default)]
    pub audience: Vec<String>,
    /// One of them must be `iss`.
    #[serde(default)]
    pub issuer: Vec<String>,
    /// Seconds that clocks may differ by.
    pub leeway: u64,
    /// Claims that must be there.
    #[serde(default)]
    pub required: Vec<String>,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that holds scopes.
    pub scope_claim: String,
    /// The claim that says whether the user is staff; the binding is asked where absent.
    #[serde(default)]
    pub staff_claim: Option<String>,
    /// The claim that lists permissions; the binding is asked where absent.
    #[serde(default)]
    pub permissions_claim: Option<String>,
    /// The cookie that is read where there is no `Authorization`.
    #[serde(default)]
    pub cookie: Option<String>,
    /// Number of the function that says whether a token is revoked.
    #[serde(default)]
    pub revoked: Option<usize>,
    /// Shown in the challenge.
    pub realm: String,
}

/// Where a key set comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jwks {
    /// The set itself, as JSON.
    Inline(String),
    /// A path.
    File(String),
    /// Fetched, cached and fetched again.
    Url {
        /// `https://…`; `http://` only for loopback addresses.
        url: String,
        /// Milliseconds after which it is fetched anew.
        lifetime: u64,
        /// Milliseconds a fetch may take.
        timeout: u64,
    },
}

impl Security {
    /// Query parameters that a gate's schemes read.
    pub(crate) fn query_names(&self, gate: Option<&Gate>) -> impl Iterator<Item = Box<str>> {
        let schemes = gate.into_iter().flat_map(|gate| &gate.schemes);
        schemes.filter_map(|number| match &self.schemes.get(*number)?.kind {
            Kind::ApiKey(key) if matches!(key.place, Place::Query) => Some(key.parameter.as_str().into()),
            _ => None,
        })
    }
}

/// API keys.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiKey {
    /// Where the key is.
    #[serde(rename = "in")]
    pub place: Place,
    /// Name of the header, query parameter or cookie.
    pub parameter: String,
    /// Known keys; the binding is asked where there is a callback instead.
    #[serde(default)]
    pub keys: Vec<Known>,
    /// Number of the function that checks a key.
    #[serde(default)]
    pub callback: Option<usize>,
}

/// A key that is known beforehand.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    /// Who has it.
    pub subject: String,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// Where an API key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A header.
    Header,
    /// The query.
    Query,
    /// A cookie.
    Cookie,
}

/// What stands before a route.
#[derive(Debug, Default, Deserialize)]
pub struct Gate {
    /// Schemes tried in this order.
    #[serde(default)]
    pub schemes: Vec<usize>,
    /// Who may pass; everybody where absent.
    #[serde(default)]
    pub guard: Option<Guard>,
    /// How often; as the settings say where absent.
    #[serde(default)]
    pub limits: Option<Vec<Limit>>,
}

/// Who may pass.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Everybody.
    Anyone,
    /// Whoever has been authenticated.
    Authenticated,
    /// Staff.
    Staff {
        /// Asked where the claims do not say.
        callback: usize,
    },
    /// Whoever has a Django permission.
    Permission {
        /// `app.code`.
        code: String,
        /// Asked where the claims do not say.
        callback: usize,
    },
    /// Whoever has a scope.
    Scope {
        /// The scope.
        scope: String,
    },
    /// Whoever has a claim, of one of these values where there are some.
    Claim {
        /// Its name.
        name: String,
        /// Accepted values.
        #[serde(default)]
        values: Vec<serde_json::Value>,
    },
    /// The binding decides.
    Ask {
        /// Number of the function.
        callback: usize,
    },
    /// All of them, in the order they are asked.
    All(Vec<Guard>),
    /// One of them, in the order they are asked.
    Any(Vec<Guard>),
    /// Whoever may not.
    Not(Box<Guard>),
}

/// So many requests in so much time.
#[derive(Debug, Clone, Deserialize)]
pub struct Limit {
    /// What it is called in `RateLimit-Policy`.
    pub name: String,
    /// Requests in a period.
    pub quota: u32,
    /// Seconds.
    pub period: f64,
    /// Requests that may come at once.
    pub burst: u32,
    /// Whose requests are counted together.
    pub per: Per,
    /// Limits of one scope are counted together, whichever routes they stand before.
    pub scope: String,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One address (IPv6: one /64 network).
    Ip,
    /// One user; an address where there is none.
    User,
    /// One API key, or another credential; an address where there is none.
    Key,
    /// One value of a header; an address where it is missing.
    Header(String),
    /// Everybody.
    All,
}
