//! Query parameters that nothing asks for, on routes that refuse them.

use plectrum_http::query;
use plectrum_schema::error::table::Code;
use plectrum_schema::error::{Error, Step};

/// An error for each name of a query string that is not `known`, with the one that may have been meant.
pub(super) fn errors(text: &str, known: &[&str]) -> Vec<Error> {
    let names = query::pairs(text).filter_map(|(name, _)| name.ok());
    names.filter(|name| !known.contains(&&**name)).map(|name| unknown(&name, known)).collect()
}

fn unknown(name: &str, known: &[&str]) -> Error {
    let mut error = Error::from(Code::ExtraForbidden);
    if let Some(meant) = closest(name, known) {
        error.message = format!("Unknown query parameter. Did you mean '{meant}'?").into();
    } else {
        error.message = "Unknown query parameter".into();
    }
    error.loc = vec![Step::key("query"), Step::key(name)];
    error
}

/// The name with the fewest differences, where they are few for its length.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Comparing costs the product of the lengths; no name of ours is that long.
    if name.len() > 100 {
        return None;
    }
    let differences = known.iter().map(|candidate| (distance(name, candidate), *candidate));
    let (fewest, candidate) = differences.min_by_key(|(differences, _)| *differences)?;
    (fewest * 3 <= candidate.len()).then_some(candidate)
}

/// Letters to insert, remove or replace (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut diagonal = number;
        let mut left = number + 1;
        for (candidate, above) in other.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = *above;
            left = replaced.min(left + 1).min(*above + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = number + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("page", "pgae", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn unknown_names_are_told_with_what_was_meant() {
        let messages = |text| -> Vec<String> {
            errors(text, &["page", "price__lte"]).iter().map(|error| error.message.to_string()).collect()
        };
        assert!(messages("page=1&price__lte=2").is_empty());
        assert_eq!(messages("price_lte=2"), ["Unknown query parameter. Did you mean 'price__lte'?"]);
        assert_eq!(messages("zzz=2&%20=1"), ["Unknown query parameter", "Unknown query parameter"]);
        assert_eq!(messages(&"x".repeat(5000)), ["Unknown query parameter"]);
    }
}
