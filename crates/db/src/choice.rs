//! Stored choices and the names clients know them by.

/// Appends the name of a stored value as JSON text.
///
/// # Errors
/// The value is none of the choices.
pub fn write_choice(values: &[(String, String)], stored: &str, out: &mut Vec<u8>) -> Result<(), String> {
    match values.iter().find(|(value, _)| value == stored) {
        Some((_, name)) => {
            plectrum_json::text::write(out, name);
            Ok(())
        }
        None => Err(format!("{stored:?} is none of the choices")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_by_its_name() {
        let values = [("draft".to_owned(), "DRAFT".to_owned())];
        let mut out = Vec::new();
        write_choice(&values, "draft", &mut out).unwrap();
        assert_eq!(out, b"\"DRAFT\"");
        assert!(write_choice(&values, "gone", &mut out).is_err());
    }
}
