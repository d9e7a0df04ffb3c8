//! What the binding's functions answer with: JSON, with places for rows that plans show.

use serde::Deserialize;
use serde_json::value::RawValue;

use plectrum_graphql::Code;

use super::plans::Refusal;

/// The value of a field that a function answered.
#[derive(Debug)]
pub struct Answer(pub(super) Vec<Piece>);

/// A part of a value.
#[derive(Debug)]
pub(super) enum Piece {
    /// JSON, or a part of it.
    Json(String),
    /// What a plan gives.
    Rows {
        /// Its shape.
        shape: String,
        /// Values of the shape's placeholders.
        values: Vec<Box<[u8]>>,
    },
}

/// An answer as the binding writes it.
#[derive(Deserialize)]
struct Written {
    /// The whole value.
    #[serde(default, rename = "v")]
    value: Option<Box<RawValue>>,
    /// Its pieces.
    #[serde(default, rename = "p")]
    pieces: Vec<WrittenPiece>,
    /// Why there is none.
    #[serde(default, rename = "e")]
    refused: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenPiece {
    Json(String),
    /// A shape, and values as JSON text each.
    Rows(String, Vec<String>),
}

impl Answer {
    /// Reads what the binding wrote.
    ///
    /// # Errors
    /// What the function refused; ours where the text is none of the binding's.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let written: Written = serde_json::from_str(text).map_err(|error| {
            tracing::error!(target: "plectrum.request", "an answer cannot be read: {error}");
            Refusal::Fault(None)
        })?;
        if let Some((code, why)) = written.refused {
            return Err(refusal(&code, why));
        }
        if let Some(value) = written.value {
            return Ok(Self(vec![Piece::Json(String::from(Box::<str>::from(value)))]));
        }
        Ok(Self(written.pieces.into_iter().map(Piece::from).collect()))
    }
}

impl From<WrittenPiece> for Piece {
    fn from(written: WrittenPiece) -> Self {
        match written {
            WrittenPiece::Json(json) => Self::Json(json),
            WrittenPiece::Rows(shape, values) => {
                let values = values.into_iter().map(|value| value.into_bytes().into_boxed_slice());
                Self::Rows { shape, values: values.collect() }
            }
        }
    }
}

/// What a function said no with.
fn refusal(code: &str, why: String) -> Refusal {
    match code {
        "FORBIDDEN" => Refusal::Refused(Code::Forbidden, why),
        "UNAUTHENTICATED" => Refusal::Refused(Code::Unauthenticated, why),
        "NOT_FOUND" => Refusal::Refused(Code::NotFound, why),
        "INTERNAL_SERVER_ERROR" => Refusal::Fault((!why.is_empty()).then_some(why)),
        _ => Refusal::Input(why),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_value_is_taken_as_it_is() {
        let Answer(pieces) = Answer::parse(r#"{"v":{"a": [1.0, "é"]}}"#).unwrap();
        assert!(matches!(&*pieces, [Piece::Json(json)] if json == r#"{"a": [1.0, "é"]}"#), "{pieces:?}");
    }

    #[test]
    fn pieces_keep_their_order() {
        let Answer(pieces) = Answer::parse(r#"{"p":["{\"a\":",["{shape}",["\"1\"","2"]],"}"]}"#).unwrap();
        let [Piece::Json(before), Piece::Rows { shape, values }, Piece::Json(after)] = &*pieces else {
            panic!("{pieces:?}")
        };
        assert_eq!((&**before, &**shape, &**after), ("{\"a\":", "{shape}", "}"));
        assert_eq!(values.iter().map(|value| &**value).collect::<Vec<_>>(), [&b"\"1\""[..], b"2"]);
    }

    #[test]
    fn refusals_have_their_code() {
        let refused = Answer::parse(r#"{"e":["FORBIDDEN","Not yours."]}"#).unwrap_err();
        assert!(matches!(refused, Refusal::Refused(Code::Forbidden, why) if why == "Not yours."));
        assert!(matches!(Answer::parse(r#"{"e":["BAD_USER_INPUT","x"]}"#).unwrap_err(), Refusal::Input(_)));
        assert!(matches!(Answer::parse("nonsense").unwrap_err(), Refusal::Fault(None)));
    }
}
