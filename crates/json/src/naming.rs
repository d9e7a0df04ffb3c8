//! Names in both directions: `snake_case` as Python and SQL spell them, `camelCase` as GraphQL does.
//!
//! Only what can be read back is converted: an underscore goes where an ASCII small letter follows it and something other
//! than an underscore precedes it. `_x`, `x_`, `a__b`, `line_1` and `x_é` stay as they are, so two different snake_case
//! names never meet in one camelCase name.

use std::borrow::Cow;

/// `created_at` → `createdAt`.
///
/// ```
/// use plectrum_json::naming::to_camel;
/// assert_eq!(to_camel("created_at"), "createdAt");
/// assert_eq!(to_camel("_line_1"), "_line_1");
/// ```
#[must_use]
pub fn to_camel(name: &str) -> Cow<'_, str> {
    let bytes = name.as_bytes();
    let joins = |at: usize| {
        bytes[at] == b'_'
            && at > 0
            && bytes[at - 1] != b'_'
            && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase)
    };
    if !(0..bytes.len()).any(joins) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for (at, letter) in name.char_indices() {
        match (joins(at), raise) {
            (true, _) => raise = true,
            (false, true) => {
                out.push(letter.to_ascii_uppercase());
                raise = false;
            }
            (false, false) => out.push(letter),
        }
    }
    Cow::Owned(out)
}

/// `createdAt` → `created_at`; a run of capitals is one word (`userID` → `user_id`, `HTTPServer` → `http_server`).
///
/// Undoes [`to_camel`] for every snake_case name without two neighbouring words of one letter: `a_b_c` becomes `aBC`, and
/// `BC` reads as one word.
///
/// ```
/// use plectrum_json::naming::to_snake;
/// assert_eq!(to_snake("createdAt"), "created_at");
/// assert_eq!(to_snake("userID"), "user_id");
/// ```
#[must_use]
pub fn to_snake(name: &str) -> Cow<'_, str> {
    let bytes = name.as_bytes();
    if !bytes.iter().any(u8::is_ascii_uppercase) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && begins_a_word(bytes, at) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    Cow::Owned(out)
}

/// Whether the capital at `at` is the first letter of a word that is not the first.
fn begins_a_word(bytes: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map(|before| bytes[before]) {
        None | Some(b'_') => false,
        Some(b'A'..=b'Z') => bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn camel_at_every_edge() {
        let cases = [
            ("", ""),
            ("_", "_"),
            ("__", "__"),
            ("x", "x"),
            ("created_at", "createdAt"),
            ("a_b_c", "aBC"),
            ("_x", "_x"),
            ("__typename", "__typename"),
            ("_created_at", "_createdAt"),
            ("x_", "x_"),
            ("x_y_", "xY_"),
            ("a__b", "a__b"),
            ("line_1", "line_1"),
            ("a_1b", "a_1b"),
            ("a1_b", "a1B"),
            ("i18n_name", "i18nName"),
            ("user_ID", "user_ID"),
            ("HTTP_code", "HTTPCode"),
            ("createdAt", "createdAt"),
            ("é_x", "éX"),
            ("x_é", "x_é"),
            ("straße_ß", "straße_ß"),
        ];
        for (snake, camel) in cases {
            assert_eq!(to_camel(snake), camel, "{snake}");
        }
    }

    #[test]
    fn snake_at_every_edge() {
        let cases = [
            ("", ""),
            ("x", "x"),
            ("X", "x"),
            ("createdAt", "created_at"),
            ("Article", "article"),
            ("_x", "_x"),
            ("_X", "_x"),
            ("__typename", "__typename"),
            ("x_", "x_"),
            ("a__b", "a__b"),
            ("line1", "line1"),
            ("line_1", "line_1"),
            ("line1Note", "line1_note"),
            ("a_1b", "a_1b"),
            ("userID", "user_id"),
            ("HTTPServer", "http_server"),
            ("parseHTMLDoc", "parse_html_doc"),
            ("snakesOnAPlane", "snakes_on_a_plane"),
            ("user_ID", "user_id"),
            ("éX", "é_x"),
            ("É", "É"),
            ("created_at", "created_at"),
        ];
        for (camel, snake) in cases {
            assert_eq!(to_snake(camel), snake, "{camel}");
        }
    }

    proptest! {
        #[test]
        fn snake_undoes_camel(name in "_{0,2}[a-zé][a-z0-9é]{1,5}(_{1,2}[a-z0-9é][a-z0-9]{1,5}){0,4}_{0,2}") {
            let camel = to_camel(&name);
            prop_assert_eq!(to_snake(&camel), name.as_str());
        }

        #[test]
        fn different_names_stay_different(one in "[a-c0_é]{0,6}", other in "[a-c0_é]{0,6}") {
            prop_assert_eq!(one == other, to_camel(&one) == to_camel(&other));
        }

        #[test]
        fn any_text_is_converted(name in "\\PC{0,20}") {
            let (camel, snake) = (to_camel(&name), to_snake(&name));
            prop_assert_eq!(to_camel(&camel), camel.as_ref());
            prop_assert_eq!(to_snake(&snake), snake.as_ref());
        }
    }
}
