//! What is wrong with a document, and where.

/// What was to be read is not there: the document is not JSON, [`Reader::fault`](super::Reader::fault) says why.
///
/// It carries nothing, so that results of reading fit a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// Why a document is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub what: What,
    /// The byte at which it shows; [`Reader::position`](super::Reader::position) tells its line.
    pub at: usize,
}

/// Ways of not being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The document ends within an array.
    EndInList,
    /// The document ends within an object.
    EndInObject,
    /// The document ends within text.
    EndInString,
    /// The document ends where a value has to follow.
    EndInValue,
    /// No colon behind a key.
    Colon,
    /// Neither a comma nor the end behind an item.
    ListCommaOrEnd,
    /// Neither a comma nor the end behind a member.
    ObjectCommaOrEnd,
    /// A misspelled `true`, `false` or `null`.
    Word,
    /// No value begins so.
    Value,
    /// No such escape.
    Escape,
    /// A malformed number.
    Number,
    /// Not UTF-8.
    Utf8,
    /// A control character that is not escaped.
    Control,
    /// A key that is not text.
    Key,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A high surrogate that no other escape follows.
    HalfEscape,
    /// A comma before the end of an array or object.
    TrailingComma,
    /// More behind the value.
    TrailingCharacters,
    /// More levels of arrays and objects than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
}

impl std::fmt::Display for What {
    /// In the words of `serde_json`, which people know.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::EndInList => "EOF while parsing a list",
            Self::EndInObject => "EOF while parsing an object",
            Self::EndInString => "EOF while parsing a string",
            Self::EndInValue => "EOF while parsing a value",
            Self::Colon => "expected `:`",
            Self::ListCommaOrEnd => "expected `,` or `]`",
            Self::ObjectCommaOrEnd => "expected `,` or `}`",
            Self::Word => "expected ident",
            Self::Value => "expected value",
            Self::Escape => "invalid escape",
            Self::Number => "invalid number",
            Self::Utf8 => "invalid unicode code point",
            Self::Control => "control character (\\u0000-\\u001F) found while parsing a string",
            Self::Key => "key must be a string",
            Self::LoneSurrogate => "lone leading surrogate in hex escape",
            Self::HalfEscape => "unexpected end of hex escape",
            Self::TrailingComma => "trailing comma",
            Self::TrailingCharacters => "trailing characters",
            Self::TooDeep => return write!(f, "nested deeper than {}", super::MAX_DEPTH),
        })
    }
}
