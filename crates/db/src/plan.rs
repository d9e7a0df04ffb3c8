//! A plan: SQL text + binds + how each result column becomes JSON + child plans. Python describes it as JSON.

use serde::Deserialize;

use crate::cursor::Direction;
use crate::error::Error;
use crate::value::Value;

/// One statement and what its rows become.
#[derive(Debug, Deserialize)]
pub struct Plan {
    /// SQL with `$1 … $n` (PostgreSQL) or `?1 … ?n` (SQLite) placeholders.
    pub sql: String,
    /// What goes into each placeholder, in order.
    #[serde(default)]
    pub binds: Vec<Bind>,
    /// How to read each result column, in order.
    pub columns: Vec<Kind>,
    /// What one row becomes.
    pub row: Template,
    /// To-many (and prefetched to-one) relations, one statement each.
    #[serde(default)]
    pub children: Vec<Child>,
    /// Columns the rows are ordered by, whose values at either end become cursors.
    #[serde(default)]
    pub edges: Vec<usize>,
    /// The statement gives its rows in the opposite order.
    #[serde(default)]
    pub reversed: bool,
}

/// One placeholder.
#[derive(Debug, Deserialize)]
pub struct Bind {
    /// Where its value comes from.
    #[serde(flatten)]
    pub source: Source,
    /// Declared type; decides the parameter OID sent with Parse. `infer` leaves it to the server.
    #[serde(rename = "type", default)]
    pub kind: BindType,
}

/// Where a bound value comes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Argument number of the execution.
    Arg(usize),
    /// The keys of the parent's rows, as an array (children only). SQLite binds them as a JSON array (`json_each`).
    Keys(bool),
    /// A constant.
    Const(serde_json::Value),
}

/// Declared type of a placeholder.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindType {
    /// The server infers it from the context.
    #[default]
    Infer,
    /// `bool`
    Bool,
    /// `int8`; an argument past 64 bits is sent as `numeric` by a second statement.
    Int,
    /// `float8`
    Float,
    /// `numeric`
    Decimal,
    /// `text`
    Text,
    /// `uuid`
    Uuid,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Datetime,
    /// `timestamptz`
    DatetimeTz,
    /// `interval`
    Duration,
    /// `bytea`
    Bytes,
    /// `jsonb`
    Json,
}

/// How a column's value becomes JSON. The engine-specific reader checks it against the wire type once, when the
/// statement is prepared.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// `true`/`false`.
    Bool,
    /// Integer.
    Int,
    /// Float; NaN and infinities are an error.
    Float,
    /// Decimal: a string, or a number where `COERCE_DECIMAL_TO_STRING` is off.
    Decimal {
        /// Write a string.
        #[serde(default = "yes")]
        string: bool,
        /// Quantize to this many digits after the point (SQLite stores none).
        #[serde(default)]
        places: Option<u32>,
    },
    /// Text.
    Text,
    /// UUID; SQLite stores 32 hex digits.
    Uuid,
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:MM:SS[.ffffff]`.
    Time,
    /// Date and time.
    Datetime {
        /// Aware: written in the execution's time zone (`Z` for UTC). Naive otherwise.
        #[serde(default)]
        aware: bool,
    },
    /// `[DD ]HH:MM:SS[.ffffff]`; PostgreSQL `interval`, SQLite microseconds.
    Duration,
    /// Base64 text.
    Bytes,
    /// JSON, copied as it is.
    Json,
    /// Integer as a string, which no client rounds.
    Digits,
    /// A stored choice (text or integer) as its name; anything else is an error.
    Enum {
        /// Stored value, as text, and name.
        values: Vec<(String, String)>,
    },
    /// IP address without a host-length netmask.
    Ip,
    /// A stored file's name as its URL: `base` + percent-encoded name; empty becomes `null`.
    File {
        /// `MEDIA_URL` or the storage's base URL.
        base: String,
    },
    /// PostgreSQL array, nested as deep as it is.
    Array {
        /// Item kind.
        item: Box<Kind>,
    },
    /// `hstore` as an object.
    Hstore,
    /// Range as DRF writes it: text that holds `{"bounds": "[)", "lower": "…", "upper": "…"}` or `{"empty": true}`.
    Range {
        /// Bound kind.
        item: Box<Kind>,
    },
}

fn yes() -> bool {
    true
}

/// What a row becomes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// A column's value.
    Column(usize),
    /// An object.
    Object(Object),
    /// An array (`values_list`).
    Array(Vec<Template>),
    /// Rows of child number `n` with this row's key.
    Child(usize),
    /// A constant.
    Literal(Box<serde_json::value::RawValue>),
    /// A column's value, or a [`crate::mark`] where it cannot be written.
    Leaf(Leaf),
    /// A [`crate::mark`] in every row.
    Mark(Mark),
}

/// A column's value that fails by itself, not with the whole response.
#[derive(Debug, Deserialize)]
pub struct Leaf {
    /// The column.
    pub column: usize,
    /// Whether NULL is a failure.
    #[serde(default)]
    pub required: bool,
}

/// What somebody else puts into the row.
#[derive(Debug, Deserialize)]
pub struct Mark {
    /// An ASCII letter that says what it is.
    pub letter: char,
    /// What more there is to know, as a JSON array.
    pub data: Vec<Template>,
}

/// An object built from a row.
#[derive(Debug, Deserialize)]
pub struct Object {
    /// Keys and values in order.
    pub fields: Vec<(String, Template)>,
    /// Column whose NULL makes the whole object `null` (a joined row that is not there).
    #[serde(default)]
    pub absent: Option<usize>,
    /// Whether that is a failure, to be marked.
    #[serde(default)]
    pub required: bool,
}

/// A relation fetched by its own statement and stitched in by key.
#[derive(Debug, Deserialize)]
pub struct Child {
    /// Column of the parent's row that holds the key.
    pub parent_column: usize,
    /// Column of the child's row that holds the key.
    pub key_column: usize,
    /// An array; otherwise an object or `null`.
    pub many: bool,
    /// The statement; one of its binds is `keys`.
    pub plan: Plan,
    /// What stands for a single object that is not there; `null` where absent.
    #[serde(default)]
    pub missing: Option<Box<serde_json::value::RawValue>>,
    /// Whether that is a failure, to be marked.
    #[serde(default)]
    pub required: bool,
}

/// Statements and the response their rows become: what one request executes.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// Top-level queries, sent together.
    pub queries: Vec<Plan>,
    /// What the response is made of; every query appears in it once.
    pub response: Response,
    /// What the arguments must fulfil.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// A condition on integer arguments: a slice that starts before the first row is the client's mistake.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    /// Factors and the arguments multiplied with each: the sum of the products must be at least 0.
    pub nonnegative: Vec<(i64, Vec<usize>)>,
    /// What would be negative, for people.
    pub what: String,
}

impl Check {
    /// Whether the arguments fulfil it.
    pub(crate) fn hold(&self, args: &[Value]) -> Result<(), Error> {
        let product = |(factor, args_of): &(i64, Vec<usize>)| {
            args_of.iter().try_fold(i128::from(*factor), |product, index| match args.get(*index) {
                Some(Value::Int(value)) => product.checked_mul(i128::from(*value)),
                _ => None,
            })
        };
        let total = self.nonnegative.iter().try_fold(0_i128, |sum, term| sum.checked_add(product(term)?));
        let at_fault = self.nonnegative.iter().find_map(|(_, args_of)| args_of.first().copied()).unwrap_or(0);
        match total {
            Some(total) if (0..=i128::from(i64::MAX)).contains(&total) => Ok(()),
            Some(total) if total < 0 => {
                Err(Error::Bind(at_fault, format!("The {} must not be negative.", self.what)))
            }
            _ => Err(Error::Bind(at_fault, format!("The {} is too large.", self.what))),
        }
    }
}

/// A response body, or a part of one. Numbers are indices into [`Operation::queries`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// An array of all rows.
    Rows(usize),
    /// The only row; none is "not found", a second one is an error.
    One(usize),
    /// The first row, bare (a count, an aggregate); `null` where there is none.
    Scalar(usize),
    /// An object.
    Object(Vec<(String, Response)>),
    /// A page of a list with its count and links.
    Page(Page),
    /// A page of a list, from a cursor on.
    Cursor(CursorPage),
    /// A constant.
    Literal(Box<serde_json::value::RawValue>),
}

/// `{"results":[…],"next":…,"previous":…}`. The statement asks for one row more than the page has.
#[derive(Debug, Clone, Deserialize)]
pub struct CursorPage {
    /// The query of the rows.
    pub results: usize,
    /// Rows on a page.
    pub size: PageSize,
    /// Which way the request's cursor points; none on the first page.
    #[serde(default)]
    pub from: Option<Direction>,
    /// Which list and order its cursors are good for.
    pub scope: String,
    /// Query parameter of the cursor.
    pub param: String,
}

/// `{"count":…,"next":…,"previous":…,"results":[…]}`, as DRF's paginators write it; one that is probed for a next page
/// has its links behind the rows, and a count only where it is wanted.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// The query that counts: one row, one integer.
    #[serde(default)]
    pub count: Option<usize>,
    /// The statement asks for one row more than the page has, which tells whether there is a next page.
    #[serde(default)]
    pub probe: bool,
    /// The query of the page's rows.
    pub results: usize,
    /// Argument that holds the page number (from 1), or the offset.
    pub number: usize,
    /// Rows on a page.
    pub size: PageSize,
    /// Which of DRF's paginators.
    pub style: PageStyle,
    /// Query parameter of the number: `page` or `offset` where absent.
    #[serde(default)]
    pub number_param: Option<String>,
    /// Query parameter of the size (limit-offset only): `limit` where absent.
    #[serde(default)]
    pub size_param: Option<String>,
}

/// Where a page's size comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageSize {
    /// Argument of the execution.
    Arg(usize),
    /// A constant.
    Const(i64),
}

impl PageSize {
    /// The size, with an execution's arguments.
    pub(crate) fn read(self, args: &[Value]) -> Result<i64, Error> {
        match self {
            Self::Const(size) => Ok(size),
            Self::Arg(arg) => match args.get(arg) {
                Some(Value::Int(size)) => Ok(*size),
                found => Err(Error::Bind(arg, format!("a page needs an integer, not {found:?}"))),
            },
        }
    }
}

/// How pages are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStyle {
    /// DRF's `PageNumberPagination`.
    PageNumber,
    /// DRF's `LimitOffsetPagination`.
    LimitOffset,
}
