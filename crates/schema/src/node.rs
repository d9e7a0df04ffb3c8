//! The compiled type tree. Python describes it as JSON (`Schema::from_json`); nothing is compiled on a request.

use serde::Deserialize;

/// A root node with the structures that recursive references point into.
#[derive(Debug, Deserialize)]
pub struct Schema {
    /// The root.
    pub root: Node,
    /// Named structures, the targets of [`Node::Reference`].
    #[serde(default)]
    pub definitions: Vec<Node>,
}

/// One type.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Node {
    /// Any JSON value, as it is.
    Any,
    /// `null` only.
    Null,
    /// A boolean; from text also `true/false/1/0/on/off/yes/no`.
    Bool,
    /// An integer of any size.
    Int(Number),
    /// A finite float.
    Float(Number),
    /// A decimal number, kept exact.
    Decimal(DecimalRule),
    /// Text.
    Str(StrRule),
    /// Base64 text in JSON.
    Bytes(Length),
    /// RFC 9562 UUID.
    Uuid,
    /// ISO 8601 date.
    Date,
    /// ISO 8601 time.
    Time,
    /// ISO 8601 date and time.
    Datetime,
    /// ISO 8601 duration, Django's `[D ]HH:MM:SS[.f]`, or seconds as a number.
    Duration,
    /// A member of a Python enum, by value; `class` names it to the sink.
    Enum {
        /// The sink's number for the Python class.
        class: u32,
        /// Member values in declaration order.
        values: Vec<Scalar>,
    },
    /// One of these values.
    Literal {
        /// The values.
        values: Vec<Scalar>,
    },
    /// A homogeneous sequence.
    List(ListNode),
    /// A sequence of fixed length.
    Tuple {
        /// One node per position.
        items: Vec<Node>,
    },
    /// An object with free keys.
    Dict {
        /// Type of keys (validated from text).
        key: Box<Node>,
        /// Type of values.
        value: Box<Node>,
        /// Number of entries.
        #[serde(default, flatten)]
        length: Length,
    },
    /// An object with declared fields.
    Struct(Struct),
    /// `null` or the inner type.
    Optional {
        /// The inner type.
        inner: Box<Node>,
    },
    /// The first alternative that fits.
    Union {
        /// In order of preference.
        options: Vec<Node>,
        /// Field that decides (tagged union): its wire name.
        #[serde(default)]
        discriminator: Option<String>,
    },
    /// A definition, by index: how recursion is spelled.
    Reference {
        /// Index into [`Schema::definitions`].
        index: usize,
    },
    /// The sink validates the raw JSON itself (pydantic models).
    Foreign {
        /// The sink's number for the Python class.
        class: u32,
        /// JSON Schema to describe it.
        #[serde(default)]
        describe: Option<serde_json::Value>,
    },
}

/// A plain constant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`/`false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text.
    Str(String),
    /// `null`.
    Null,
}

/// Bounds of a number.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Number {
    /// At least.
    pub ge: Option<serde_json::Number>,
    /// More than.
    pub gt: Option<serde_json::Number>,
    /// At most.
    pub le: Option<serde_json::Number>,
    /// Less than.
    pub lt: Option<serde_json::Number>,
    /// A whole multiple of.
    pub multiple_of: Option<serde_json::Number>,
}

/// Bounds and digits of a decimal.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct DecimalRule {
    /// Bounds; compared exactly.
    #[serde(flatten)]
    pub bounds: Number,
    /// Significant digits at most.
    pub max_digits: Option<u32>,
    /// Digits after the point at most.
    pub decimal_places: Option<u32>,
}

/// Length bounds: characters, bytes, items or entries.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Length {
    /// At least.
    pub min_length: Option<usize>,
    /// At most.
    pub max_length: Option<usize>,
}

/// Rules of text.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct StrRule {
    /// Length in characters.
    #[serde(flatten)]
    pub length: Length,
    /// Regular expression that must match somewhere (anchor it yourself), compiled at start-up.
    pub pattern: Option<String>,
    /// Surrounding white space is removed first.
    #[serde(default)]
    pub strip: bool,
}

/// A sequence type.
#[derive(Debug, Deserialize)]
pub struct ListNode {
    /// Type of each item.
    pub item: Box<Node>,
    /// What the sink builds.
    #[serde(default)]
    pub container: Container,
    /// Number of items.
    #[serde(flatten)]
    pub length: Length,
}

/// What the sink builds from a sequence.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// `list`
    #[default]
    List,
    /// `set`
    Set,
    /// `frozenset`
    FrozenSet,
    /// `tuple`
    Tuple,
}

/// An object type with declared fields.
#[derive(Debug, Deserialize)]
pub struct Struct {
    /// Name for people and for JSON Schema.
    pub name: String,
    /// The sink's number for the Python class.
    pub class: u32,
    /// Declared fields.
    pub fields: Vec<Field>,
    /// What happens to undeclared keys.
    #[serde(default)]
    pub extra: Extra,
}

/// What happens to undeclared keys.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// Dropped.
    #[default]
    Ignore,
    /// An error each.
    Forbid,
}

/// A declared field.
#[derive(Debug, Deserialize)]
pub struct Field {
    /// Attribute name in Python.
    pub name: String,
    /// Key on the wire; the name where absent.
    pub alias: Option<String>,
    /// Its type.
    pub node: Node,
    /// Whether a missing key is an error; the sink fills in defaults of the others.
    #[serde(default = "yes")]
    pub required: bool,
    /// JSON form of the default, for JSON Schema only.
    #[serde(default)]
    pub default: Option<serde_json::Value>,
    /// For JSON Schema only.
    #[serde(default)]
    pub description: Option<String>,
}

fn yes() -> bool {
    true
}
