//! The one table of validation errors: code and message. Codes are pydantic's, so that clients written for FastAPI
//! keep working; `{name}` in a message is a parameter, `{name:item}` a counted noun (`1 item`, `2 items`).

use super::{Param, Params};
use std::borrow::Cow;
use std::fmt::Write as _;

macro_rules! table {
    ($($variant:ident = $name:literal: $template:literal;)*) => {
        /// A kind of validation error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $template] $variant,)*
        }

        impl Code {
            /// Every row.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable machine-readable code.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The message with its parameters unfilled.
            #[must_use]
            pub fn template(self) -> &'static str {
                match self {
                    $(Self::$variant => $template,)*
                }
            }
        }
    };
}

table! {
    JsonInvalid = "json_invalid": "Invalid JSON: {error}";
    UnionTooComplex = "union_too_complex": "Input fits too many alternatives to be told apart";
    TooManyErrors = "too_many_errors": "Input has more errors than are told";

    Missing = "missing": "Field required";
    ExtraForbidden = "extra_forbidden": "Extra inputs are not permitted";

    NoneRequired = "none_required": "Input should be null";
    BoolType = "bool_type": "Input should be a valid boolean";
    BoolParsing = "bool_parsing": "Input should be a valid boolean, unable to interpret input";

    IntType = "int_type": "Input should be a valid integer";
    IntParsing = "int_parsing": "Input should be a valid integer, unable to parse text as an integer";
    IntParsingSize = "int_parsing_size": "Input should be an integer of at most 4300 digits";
    IntFromFloat = "int_from_float": "Input should be a valid integer, got a number with a fractional part";
    FloatType = "float_type": "Input should be a valid number";
    FloatParsing = "float_parsing": "Input should be a valid number, unable to parse text as a number";
    FiniteNumber = "finite_number": "Input should be a finite number";
    GreaterThan = "greater_than": "Input should be greater than {gt}";
    GreaterThanEqual = "greater_than_equal": "Input should be greater than or equal to {ge}";
    LessThan = "less_than": "Input should be less than {lt}";
    LessThanEqual = "less_than_equal": "Input should be less than or equal to {le}";
    MultipleOf = "multiple_of": "Input should be a multiple of {multiple_of}";

    DecimalType = "decimal_type": "Input should be a decimal number or text";
    DecimalParsing = "decimal_parsing": "Input should be a valid decimal number";
    DecimalMaxDigits = "decimal_max_digits": "Input should have no more than {max_digits:digit} in total";
    DecimalMaxPlaces = "decimal_max_places": "Input should have no more than {decimal_places:decimal place}";
    DecimalWholeDigits = "decimal_whole_digits":
        "Input should have no more than {whole_digits:digit} before the decimal point";

    StringType = "string_type": "Input should be a valid string";
    StringTooShort = "string_too_short": "Input should have at least {min_length:character}";
    StringTooLong = "string_too_long": "Input should have at most {max_length:character}";
    StringPatternMismatch = "string_pattern_mismatch": "Input should match pattern '{pattern}'";

    StringBlank = "string_blank": "Input should not be blank";
    StringNul = "string_nul": "Input should not have NUL characters";
    StringFormat = "string_format": "Input should be a valid {noun}";
    StringUnicode = "string_unicode": "Input should be valid Unicode text, without lone surrogates";

    BytesType = "bytes_type": "Input should be base64 text";
    BytesInvalidEncoding = "bytes_invalid_encoding": "Input should be valid base64";
    BytesTooShort = "bytes_too_short": "Input should have at least {min_length:byte}";
    BytesTooLong = "bytes_too_long": "Input should have at most {max_length:byte}";

    UuidType = "uuid_type": "Input should be a UUID as text";
    UuidParsing = "uuid_parsing": "Input should be a valid UUID";
    DateType = "date_type": "Input should be a date as text";
    DateParsing = "date_from_datetime_parsing": "Input should be a valid date, {error}";
    TimeType = "time_type": "Input should be a time as text";
    TimeParsing = "time_parsing": "Input should be a valid time, {error}";
    DatetimeType = "datetime_type": "Input should be a date and time as text";
    DatetimeParsing = "datetime_parsing": "Input should be a valid date and time, {error}";
    DurationType = "time_delta_type": "Input should be a duration as text or a number of seconds";
    DurationParsing = "time_delta_parsing": "Input should be a valid duration, {error}";

    Enum = "enum": "Input should be {expected}";
    LiteralError = "literal_error": "Input should be {expected}";

    ListType = "list_type": "Input should be a valid array";
    SetType = "set_type": "Input should be a valid array of unique items";
    FrozenSetType = "frozen_set_type": "Input should be a valid array of unique items";
    TupleType = "tuple_type": "Input should be a valid array";
    DictType = "dict_type": "Input should be a valid object";
    ModelType = "model_type": "Input should be a valid object";
    RecursionLoop = "recursion_loop": "Input is nested deeper than {depth} levels";
    TooShort = "too_short": "Input should have at least {min_length:item}, not {actual_length}";
    TooLong = "too_long": "Input should have at most {max_length:item}, not {actual_length}";

    UnionTagNotFound = "union_tag_not_found": "Input should have the field '{discriminator}' to tell its kind";
    UnionTagInvalid = "union_tag_invalid": "Field '{discriminator}' is {tag}, should be {expected_tags}";
}

/// The message: `template` with its parameters filled in.
pub(super) fn render(template: &'static str, params: &Params) -> Cow<'static, str> {
    if params.is_empty() {
        return Cow::Borrowed(template);
    }
    let mut message = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, (field, after))) = rest.split_once('{').and_then(split_field) {
        message.push_str(before);
        push_field(&mut message, field, params);
        rest = after;
    }
    message.push_str(rest);
    Cow::Owned(message)
}

fn split_field<'a>((before, after): (&'a str, &'a str)) -> Option<(&'a str, (&'a str, &'a str))> {
    Some((before, after.split_once('}')?))
}

/// `name` or `name:noun`.
fn push_field(message: &mut String, field: &str, params: &Params) {
    let (name, noun) = field.split_once(':').map_or((field, None), |(name, noun)| (name, Some(noun)));
    let Some((_, value)) = params.iter().find(|(known, _)| *known == name) else { return };
    // Writing to a `String` cannot fail.
    let _ = write!(message, "{value}");
    if let Some(noun) = noun {
        let plural = if *value == Param::Count(1) { "" } else { "s" };
        let _ = write!(message, " {noun}{plural}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn messages_are_sentences_without_a_full_stop() {
        for code in Code::ALL {
            let template = code.template();
            assert!(template.starts_with(|first: char| first.is_ascii_uppercase()), "{template}");
            assert!(!template.ends_with('.'), "{template}");
        }
    }

    #[test]
    fn parameters_and_counted_nouns_are_filled_in() {
        let one = vec![("min_length", Param::Count(1)), ("actual_length", Param::Count(0))];
        assert_eq!(render(Code::TooShort.template(), &one), "Input should have at least 1 item, not 0");
        let two = vec![("max_length", Param::Count(2))];
        assert_eq!(render(Code::StringTooLong.template(), &two), "Input should have at most 2 characters");
        let braces = vec![("pattern", Param::Text("^a{2}$".into()))];
        assert_eq!(
            render(Code::StringPatternMismatch.template(), &braces),
            "Input should match pattern '^a{2}$'"
        );
    }
}
