//! What the walk asks of a value.

use crate::error::Error;
use crate::sink::Sink;

/// A value of the language that the binding is for.
pub trait Input<S: Sink>: Sized {
    /// What it is.
    fn view(&self) -> View<'_>;
    /// Itself, as what was built.
    fn keep(&self) -> S::Value;
    /// The items of a [`View::List`], in order.
    fn items(&self) -> Vec<Self>;
    /// Keys and values of a [`View::Object`], in order.
    fn entries(&self) -> Vec<(Self, Self)>;
    /// Whether it is an instance of the sink's class already: a struct, or a member of an enum.
    fn is_instance(&self, sink: &S, class: u32) -> bool;
    /// Lets a class that validates by itself do so.
    ///
    /// # Errors
    /// What that class reported, `loc` relative to this value, outermost first.
    fn foreign(&self, sink: &mut S, class: u32) -> Result<S::Value, Vec<Error>>;
}

/// A value, seen as the types of a schema.
#[derive(Debug, Clone, PartialEq)]
pub enum View<'v> {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer past 64 bits, as decimal digits with an optional minus.
    BigInt(String),
    /// A float, finite or not.
    Float(f64),
    /// A decimal, as text.
    Decimal(String),
    /// Text.
    Str(&'v str),
    /// Text that has no UTF-8 form: lone surrogates.
    BrokenStr,
    /// Bytes.
    Bytes(&'v [u8]),
    /// A UUID.
    Uuid,
    /// A date without a time.
    Date,
    /// A time of day.
    Time,
    /// A date and time.
    Datetime,
    /// A duration.
    Duration,
    /// A list, a tuple or a set.
    List,
    /// A mapping.
    Object,
    /// Anything else.
    Other,
}

impl View<'_> {
    /// Its name in error parameters: JSON's where JSON has the type.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::BigInt(_) | Self::Float(_) => "number",
            Self::Decimal(_) => "decimal",
            Self::Str(_) | Self::BrokenStr => "string",
            Self::Bytes(_) => "bytes",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Datetime => "datetime",
            Self::Duration => "duration",
            Self::List => "array",
            Self::Object => "object",
            Self::Other => "other",
        }
    }
}
