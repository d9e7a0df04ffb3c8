//! Route patterns: `/articles/{id:int}/{slug}.html`.

use std::fmt;

use super::converter::Converter;

/// A parsed route pattern.
///
/// Segments between slashes are literal text or hold one parameter, `{name}` or `{name:type}`, with literal text
/// before and after it. A `{name:path}` is the whole last segment and takes everything that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub(super) segments: Vec<Segment>,
    params: Vec<Param>,
    text: Box<str>,
}

/// A path parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in the pattern.
    pub name: Box<str>,
    /// Which text it accepts.
    pub converter: Converter,
}

/// What one segment of a path must look like. The order is the precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    /// Exactly this (decoded) text.
    Literal(Box<str>),
    /// One value.
    Value(Shape),
    /// Everything that is left.
    Rest,
}

/// A parameter without its name, for routes that differ in nothing else share a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) prefix: Box<str>,
    pub(super) suffix: Box<str>,
    pub(super) converter: Converter,
}

impl Shape {
    fn affix(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// The value inside a decoded segment, when the segment has this shape.
    pub(super) fn value<'t>(&self, segment: &'t str) -> Option<&'t str> {
        let value = if self.affix() == 0 {
            segment
        } else {
            segment.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix)?
        };
        self.converter.accepts(value).then_some(value)
    }
}

/// More literal text first, then the stricter converter.
impl Ord for Shape {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_affix = other.affix().cmp(&self.affix());
        by_affix
            .then_with(|| self.converter.cmp(&other.converter))
            .then_with(|| self.prefix.cmp(&other.prefix))
            .then_with(|| self.suffix.cmp(&other.suffix))
    }
}

impl PartialOrd for Shape {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Why a pattern is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It does not begin with `/`.
    NoSlash,
    /// A segment holds more than one parameter, or a brace without its partner.
    Braces {
        /// The offending segment.
        segment: Box<str>,
    },
    /// A parameter's name is not an identifier.
    Name {
        /// The offending name.
        name: Box<str>,
    },
    /// A parameter's type is unknown.
    Type {
        /// The offending type.
        name: Box<str>,
    },
    /// Two parameters have the same name.
    Twice {
        /// The name.
        name: Box<str>,
    },
    /// A `path` parameter is not the whole last segment.
    PathNotLast {
        /// Its name.
        name: Box<str>,
    },
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlash => f.write_str("must begin with `/`"),
            Self::Braces { segment } => {
                write!(f, "segment `{segment}` must be text or hold one `{{name}}` or `{{name:type}}`")
            }
            Self::Name { name } => write!(f, "parameter name `{name}` is not an identifier"),
            Self::Type { name } => {
                let known = Converter::ALL.map(Converter::name).join(", ");
                write!(f, "parameter type `{name}` is unknown: use one of {known}")
            }
            Self::Twice { name } => write!(f, "parameter `{name}` appears twice: give each its own name"),
            Self::PathNotLast { name } => {
                write!(f, "parameter `{name}` of type `path` must be the whole last segment")
            }
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Parses `text`.
    ///
    /// # Errors
    /// [`PatternError`] says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let rest = text.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        let mut pattern = Self { segments: Vec::new(), params: Vec::new(), text: text.into() };
        let mut pieces = rest.split('/').peekable();
        while let Some(piece) = pieces.next() {
            let segment = pattern.segment(piece, pieces.peek().is_none())?;
            pattern.segments.push(segment);
        }
        Ok(pattern)
    }

    /// The parameters, in order.
    #[must_use]
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches the raw path that looks like it, and nothing else but encoded forms of it.
    pub(super) fn is_one_path(&self) -> bool {
        self.params.is_empty() && !self.text.contains('%')
    }

    fn segment(&mut self, text: &str, last: bool) -> Result<Segment, PatternError> {
        let braces = || PatternError::Braces { segment: text.into() };
        let Some((prefix, rest)) = text.split_once('{') else {
            return if text.contains('}') { Err(braces()) } else { Ok(Segment::Literal(text.into())) };
        };
        let (inside, suffix) = rest.split_once('}').ok_or_else(braces)?;
        if [prefix, inside, suffix].iter().any(|part| part.contains(['{', '}'])) {
            return Err(braces());
        }
        let converter = self.param(inside)?;
        if converter != Converter::Path {
            return Ok(Segment::Value(Shape { prefix: prefix.into(), suffix: suffix.into(), converter }));
        }
        if last && prefix.is_empty() && suffix.is_empty() {
            return Ok(Segment::Rest);
        }
        Err(PatternError::PathNotLast { name: inside.split(':').next().unwrap_or_default().into() })
    }

    fn param(&mut self, inside: &str) -> Result<Converter, PatternError> {
        let (name, kind) = inside.split_once(':').unwrap_or((inside, "str"));
        if !is_identifier(name) {
            return Err(PatternError::Name { name: name.into() });
        }
        let converter = Converter::from_name(kind).ok_or_else(|| PatternError::Type { name: kind.into() })?;
        if self.params.iter().any(|param| &*param.name == name) {
            return Err(PatternError::Twice { name: name.into() });
        }
        self.params.push(Param { name: name.into(), converter });
        Ok(converter)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|other| other.is_alphanumeric() || other == '_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(text: &str) -> String {
        Pattern::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn parameters_and_types() {
        let pattern = Pattern::parse("/a/{id:int}/file-{name}.txt/{rest:path}").unwrap();
        let params: Vec<_> = pattern.params().iter().map(|p| (&*p.name, p.converter)).collect();
        assert_eq!(params, [("id", Converter::Int), ("name", Converter::Str), ("rest", Converter::Path)]);
        assert_eq!(pattern.segments.len(), 4);
    }

    #[test]
    fn a_trailing_slash_is_an_empty_segment() {
        assert_eq!(Pattern::parse("/").unwrap().segments.len(), 1);
        assert_eq!(Pattern::parse("/a/").unwrap().segments.len(), 2);
        assert_eq!(Pattern::parse("/a").unwrap().segments.len(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(message("a"), "must begin with `/`");
        assert_eq!(message("/{a}{b}"), "segment `{a}{b}` must be text or hold one `{name}` or `{name:type}`");
        assert_eq!(message("/{a"), "segment `{a` must be text or hold one `{name}` or `{name:type}`");
        assert_eq!(message("/a}"), "segment `a}` must be text or hold one `{name}` or `{name:type}`");
        assert_eq!(message("/{}"), "parameter name `` is not an identifier");
        assert_eq!(message("/{1a}"), "parameter name `1a` is not an identifier");
        assert_eq!(
            message("/{a:integer}"),
            "parameter type `integer` is unknown: use one of int, uuid, date, decimal, float, slug, str, path"
        );
        assert_eq!(message("/{a}/{a:int}"), "parameter `a` appears twice: give each its own name");
        assert_eq!(message("/{a:path}/b"), "parameter `a` of type `path` must be the whole last segment");
        assert_eq!(message("/x{a:path}"), "parameter `a` of type `path` must be the whole last segment");
    }

    #[test]
    fn precedence() {
        let segment = |text: &str| Pattern::parse(text).unwrap().segments.remove(0);
        let order =
            ["/a", "/long-{a}", "/v{a:int}", "/{a:int}", "/{a:uuid}", "/{a:slug}", "/{a}", "/{a:path}"];
        assert!(order.map(segment).is_sorted());
    }
}
