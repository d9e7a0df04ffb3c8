//! The compiled type tree. Python describes it as JSON (`Schema::from_json`); nothing is compiled on a request.

use crate::format::Format;
use crate::limits::{DecimalLimits, Limits};
use regex::Regex;
use std::collections::HashMap;

/// A root node with the structures that recursive references point into.
#[derive(Debug)]
pub struct Schema {
    /// The root.
    pub root: Node,
    /// Named structures, the targets of [`Node::Reference`].
    pub definitions: Vec<Node>,
}

/// One type.
#[derive(Debug)]
pub enum Node {
    /// Any JSON value, as it is.
    Any,
    /// `null` only.
    Null,
    /// A boolean; from text also `true/false/1/0/on/off/yes/no`.
    Bool,
    /// An integer of any size.
    Int(Limits),
    /// A finite float.
    Float(Limits),
    /// A decimal number, kept exact.
    Decimal(DecimalLimits),
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
        values: Choices,
    },
    /// One of these values.
    Literal {
        /// The values.
        values: Choices,
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
    Union(Union),
    /// The inner type, and what the sink says of its value: the user's own checks.
    Checked {
        /// The inner type.
        inner: Box<Node>,
        /// The sink's number for the checks.
        class: u32,
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
        describe: Option<serde_json::Value>,
    },
    /// An uploaded file: a part of a form, never JSON or text.
    Upload(UploadRule),
}

/// Rules of an uploaded file.
#[derive(Debug, Default, Clone)]
pub struct UploadRule {
    /// Bytes at most.
    pub max_size: Option<u64>,
    /// Media types, `image/*` standing for all of a kind; any where empty.
    pub media_types: Vec<String>,
}

impl Schema {
    /// Takes anything: JSON as it is, parameters as text.
    #[must_use]
    pub fn any() -> Self {
        Self { root: Node::Any, definitions: Vec::new() }
    }

    /// The definition a reference points to. Compilation made sure that it is there.
    pub(crate) fn definition(&self, index: usize) -> &Node {
        self.definitions.get(index).unwrap_or(&Node::Any)
    }

    /// The struct that the root is, behind references and `Optional`.
    #[must_use]
    pub fn structure(&self) -> Option<&Struct> {
        match self.plain(&self.root) {
            Node::Struct(of) => Some(of),
            _ => None,
        }
    }

    /// Whether an uploaded file is part of it, by itself, in a list, or as a field of the struct that it is.
    #[must_use]
    pub fn has_upload(&self) -> bool {
        let is_upload = |node| match self.plain(node) {
            Node::Upload(_) => true,
            Node::List(list) => matches!(self.plain(&list.item), Node::Upload(_)),
            _ => false,
        };
        is_upload(&self.root)
            || self.structure().is_some_and(|of| of.fields.iter().any(|field| is_upload(&field.node)))
    }

    /// A node behind references and `Optional`. Compilation made sure that they end.
    #[must_use]
    pub fn plain<'s>(&'s self, mut node: &'s Node) -> &'s Node {
        loop {
            node = match node {
                Node::Optional { inner } => inner,
                Node::Reference { index } => self.definition(*index),
                other => return other,
            }
        }
    }

    /// What tells an option of a union apart in an error's `loc`: a struct's name, else the type's.
    pub(crate) fn label(&self, node: &Node) -> String {
        match node {
            Node::Struct(of) => of.name.clone(),
            Node::Reference { index } => self.label(self.definition(*index)),
            Node::Optional { inner } | Node::Checked { inner, .. } => self.label(inner),
            Node::List(list) => format!("{}[{}]", list.container.name(), self.label(&list.item)),
            Node::Dict { key, value, .. } => format!("dict[{},{}]", self.label(key), self.label(value)),
            other => other.kind().to_owned(),
        }
    }
}

impl Node {
    /// The `type` of its description.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Decimal(_) => "decimal",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Datetime => "datetime",
            Self::Duration => "duration",
            Self::Enum { .. } => "enum",
            Self::Literal { .. } => "literal",
            Self::List(_) => "list",
            Self::Tuple { .. } => "tuple",
            Self::Dict { .. } => "dict",
            Self::Struct(_) => "struct",
            Self::Optional { .. } => "optional",
            Self::Union(_) => "union",
            Self::Checked { .. } => "checked",
            Self::Reference { .. } => "reference",
            Self::Foreign { .. } => "foreign",
            Self::Upload(_) => "upload",
        }
    }
}

/// A plain constant.
#[derive(Debug, Clone, PartialEq)]
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

impl std::fmt::Display for Scalar {
    /// As messages quote it: text in quotes, the rest as JSON.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Str(value) => write!(f, "'{value}'"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// The values of an enum or a literal.
#[derive(Debug)]
pub struct Choices {
    /// In declaration order.
    pub(crate) values: Vec<Scalar>,
    /// `'a', 'b' or 'c'`, for messages.
    pub(crate) expected: String,
}

impl Choices {
    pub(crate) fn new(values: Vec<Scalar>) -> Self {
        let expected = spelled_list(values.iter().map(ToString::to_string));
        Self { values, expected }
    }

    /// The values, in declaration order.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        self.values.iter()
    }

    /// Index of the first value that `matches`.
    pub(crate) fn position(&self, matches: impl Fn(&Scalar) -> bool) -> Option<usize> {
        self.values.iter().position(matches)
    }
}

/// `a, b or c`.
pub(crate) fn spelled_list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} or {last}", items.join(", ")),
        None => String::new(),
    }
}

/// Length bounds: characters, bytes, items or entries.
#[derive(Debug, Default, Clone, Copy)]
pub struct Length {
    /// At least.
    pub min_length: Option<usize>,
    /// At most.
    pub max_length: Option<usize>,
}

/// Rules of text.
#[derive(Debug, Default)]
pub struct StrRule {
    /// Length in characters.
    pub length: Length,
    /// Regular expression that must match somewhere (anchor it yourself).
    pub pattern: Option<Regex>,
    /// What it stands for.
    pub format: Option<Format>,
    /// Surrounding white space is removed first.
    pub strip: bool,
    /// Empty text: an ordinary value where `None`; else refused, or taken whatever the other rules say (Django's `blank`).
    pub blank: Option<bool>,
    /// NUL characters are refused, which no PostgreSQL text can hold.
    pub no_nul: bool,
}

/// A sequence type.
#[derive(Debug)]
pub struct ListNode {
    /// Type of each item.
    pub item: Box<Node>,
    /// What the sink builds.
    pub container: Container,
    /// Number of items.
    pub length: Length,
}

/// What the sink builds from a sequence.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
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

impl Container {
    /// Its name in Python.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Set => "set",
            Self::FrozenSet => "frozenset",
            Self::Tuple => "tuple",
        }
    }
}

/// An object type with declared fields.
#[derive(Debug)]
pub struct Struct {
    /// Name for people and for JSON Schema.
    pub name: String,
    /// The sink's number for the Python class.
    pub class: u32,
    /// Declared fields.
    pub fields: Vec<Field>,
    /// What happens to undeclared keys.
    pub extra: Extra,
    /// Wire key → field, for structs too wide to search.
    pub(crate) index: HashMap<String, usize>,
}

/// Fields up to which comparing keys one by one beats hashing.
pub(crate) const SEARCHED_FIELDS: usize = 16;

impl Struct {
    /// The field with this wire key. Keys mostly come in declared order: `expected` is tried first.
    #[inline]
    pub(crate) fn find(&self, key: &str, expected: usize) -> Option<usize> {
        if self.fields.get(expected).is_some_and(|field| field.key == key) {
            return Some(expected);
        }
        if self.index.is_empty() {
            return self.fields.iter().position(|field| field.key == key);
        }
        self.index.get(key).copied()
    }
}

/// What happens to undeclared keys.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// Dropped.
    #[default]
    Ignore,
    /// An error each.
    Forbid,
}

/// A declared field.
#[derive(Debug)]
pub struct Field {
    /// Attribute name in Python.
    pub name: String,
    /// Key on the wire: the alias, or the name where there is none.
    pub key: String,
    /// The key as documents mostly spell it.
    pub(crate) expected: plectrum_json::read::Key,
    /// Its type.
    pub node: Node,
    /// Whether a missing key is an error; the sink fills in defaults of the others.
    pub required: bool,
    /// JSON form of the default, for JSON Schema only.
    pub default: Option<serde_json::Value>,
    /// For JSON Schema only.
    pub description: Option<String>,
    /// Values as they may look, for JSON Schema only.
    pub examples: Vec<serde_json::Value>,
    /// Where it is a field at all.
    pub access: Access,
}

impl Field {
    /// Whether input without it is refused.
    #[inline]
    pub(crate) fn is_required(&self) -> bool {
        self.required && self.access != Access::ReadOnly
    }
}

/// On which way a field exists.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// In input and in output.
    #[default]
    Both,
    /// In output only: dropped from input, whatever it holds.
    ReadOnly,
    /// In input only.
    WriteOnly,
}

/// Alternatives.
#[derive(Debug)]
pub struct Union {
    /// In order of preference.
    pub options: Vec<Node>,
    /// How the option is chosen without trying, where a field decides.
    pub tagged: Option<Tagged>,
    /// Order of trial for an integer literal: exact types first.
    pub(crate) for_int: Box<[usize]>,
    /// Order of trial for a number with a point or an exponent.
    pub(crate) for_float: Box<[usize]>,
    /// Order of trial for everything else.
    pub(crate) declared: Box<[usize]>,
}

/// A discriminated union's way to its option.
#[derive(Debug)]
pub struct Tagged {
    /// Wire key of the field that decides.
    pub discriminator: String,
    /// Its values, each with the option it chooses.
    pub tags: Vec<(Scalar, usize)>,
    /// The values, for messages.
    pub(crate) expected: String,
}
