//! Arguments in the form Django stores values in SQLite.

use rusqlite::types::Value as Stored;

use super::moment::{self, Moment};
use crate::plan::BindType;
use crate::value::Value;
use crate::zone::Clock;

/// What is bound for an argument of a declared type.
pub(super) fn stored(value: &Value, kind: BindType, clock: &Clock) -> Result<Stored, String> {
    Ok(match value {
        Value::Null => Stored::Null,
        Value::Bool(value) => Stored::Integer((*value).into()),
        Value::Int(value) => Stored::Integer(*value),
        Value::Float(value) => Stored::Real(*value),
        Value::Bytes(bytes) => Stored::Blob(bytes.clone()),
        Value::Text(text) => from_text(text, kind, clock)?,
        Value::Array(items) => Stored::Text(json_array(items, kind, clock)?),
    })
}

fn from_text(text: &str, kind: BindType, clock: &Clock) -> Result<Stored, String> {
    let unfit = || format!("{text:?} is no {kind:?}");
    Ok(match kind {
        BindType::Uuid => Stored::Text(text.replace('-', "").to_ascii_lowercase()),
        BindType::Duration => Stored::Integer(moment::parse_duration(text).ok_or_else(unfit)?),
        BindType::Time => {
            let micros = moment::parse_time(text.as_bytes()).ok_or_else(unfit)?;
            Stored::Text(moment::time_text(micros).ok_or_else(unfit)?)
        }
        BindType::Datetime | BindType::DatetimeTz => {
            let moment = Moment::parse(text).ok_or_else(unfit)?;
            Stored::Text(moment::datetime_text(session_wall(moment, clock)).ok_or_else(unfit)?)
        }
        // Numbers past 64 bits and decimals compare by the column's affinity.
        _ => Stored::Text(text.to_owned()),
    })
}

/// An aware datetime is stored as the session's wall clock shows it.
fn session_wall(moment: Moment, clock: &Clock) -> i64 {
    match moment.offset {
        Some(offset) => clock.session_wall(moment.wall - i64::from(offset) * 1_000_000),
        None => moment.wall,
    }
}

/// For `IN (SELECT value FROM json_each(?))`.
fn json_array(items: &[Value], kind: BindType, clock: &Clock) -> Result<String, String> {
    let item = |item: &Value| {
        Ok(match stored(item, kind, clock)? {
            Stored::Null => serde_json::Value::Null,
            Stored::Integer(value) => value.into(),
            Stored::Real(value) => value.into(),
            Stored::Text(text) => text.into(),
            Stored::Blob(_) => return Err("bytes cannot be an item of a list".to_owned()),
        })
    };
    let items = items.iter().map(item).collect::<Result<Vec<_>, String>>()?;
    Ok(serde_json::Value::Array(items).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::zone::Zone;

    fn bound(value: &Value, kind: BindType) -> Stored {
        stored(value, kind, &Clock::new(Zone::Utc, Zone::named("Asia/Tokyo").unwrap())).unwrap()
    }

    fn text(text: &str, kind: BindType) -> Stored {
        bound(&Value::Text(text.to_owned()), kind)
    }

    #[test]
    fn text_takes_the_form_django_stores() {
        let stored = |text: &str| Stored::Text(text.to_owned());
        assert_eq!(
            text("550E8400-e29b-41d4-a716-446655440000", BindType::Uuid),
            stored("550e8400e29b41d4a716446655440000")
        );
        assert_eq!(text("2024-01-01T00:00:00Z", BindType::DatetimeTz), stored("2024-01-01 09:00:00"));
        assert_eq!(text("2024-01-01T00:00:00.5", BindType::Datetime), stored("2024-01-01 00:00:00.500000"));
        assert_eq!(text("10:30", BindType::Time), stored("10:30:00"));
        assert_eq!(text("1 00:00:01", BindType::Duration), Stored::Integer(86_401_000_000));
        assert_eq!(text("1.50", BindType::Decimal), stored("1.50"));
        assert_eq!(text("99999999999999999999", BindType::Int), stored("99999999999999999999"));
    }

    #[test]
    fn lists_are_json() {
        let keys = |items: &[Value], kind| bound(&Value::Array(items.to_vec()), kind);
        assert_eq!(keys(&[Value::Int(1), Value::Null], BindType::Int), Stored::Text("[1,null]".to_owned()));
        let uuid = Value::Text("550e8400-e29b-41d4-a716-446655440000".to_owned());
        assert_eq!(
            keys(&[uuid], BindType::Uuid),
            Stored::Text(r#"["550e8400e29b41d4a716446655440000"]"#.to_owned())
        );
        assert_eq!(
            keys(&[Value::Text("a\"".to_owned())], BindType::Text),
            Stored::Text(r#"["a\""]"#.to_owned())
        );
    }

    #[test]
    fn what_does_not_parse_is_an_error() {
        let clock = Clock::new(Zone::Utc, Zone::Utc);
        let error = stored(&Value::Text("later".to_owned()), BindType::DatetimeTz, &clock).unwrap_err();
        assert_eq!(error, "\"later\" is no DatetimeTz");
    }
}
