//! What may have been meant: names that are like one that is not known. Only where clients may see the schema anyway.

use std::cmp::Ordering;

use super::Context;

/// Suggestions of one error at most.
const MOST: usize = 5;

impl Context<'_> {
    /// ` Did you mean "a", "b", or "c"?`, where there are such names.
    pub(super) fn did_you_mean<'n>(
        &self,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> String {
        if !self.graph.introspection || self.is_full() {
            return String::new();
        }
        let most = name.len() * 2 / 5 + 1;
        let mut near: Vec<(usize, &str)> =
            known.into_iter().filter_map(|known| Some((distance(name, known, most)?, known))).collect();
        near.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| natural(one.1, other.1)));
        offer(what, near.into_iter().map(|(_, name)| name))
    }
}

/// The sentence that offers some names; none for none.
pub(super) fn offer<'n>(what: &str, names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.take(MOST).map(|name| format!("\"{name}\"")).collect();
    let listed = match quoted.as_slice() {
        [] => return String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        [some @ .., last] => format!("{}, or {last}", some.join(", ")),
    };
    format!(" Did you mean {what}{listed}?")
}

/// Edits that make one name of the other (Damerau and Levenshtein's, a change of case is one); none above `most`.
fn distance(given: &str, known: &str, most: usize) -> Option<usize> {
    if given == known {
        return Some(0);
    }
    let (a, b) = (given.to_ascii_lowercase().into_bytes(), known.to_ascii_lowercase().into_bytes());
    if a == b {
        return Some(1);
    }
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, one) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = above[j] + usize::from(one != other);
            let mut least = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *one == b[j - 1] && a[i - 1] == *other {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        if row.iter().all(|edits| *edits > most) {
            return None;
        }
        (before, above) = (above, row);
    }
    above.last().copied().filter(|edits| *edits <= most)
}

/// Digits compare as numbers.
pub(super) fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    while let ([x, ..], [y, ..]) = (a, b) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (left, right) = (digits(&mut a), digits(&mut b));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Takes digits from the front; returns them without leading zeros.
fn digits<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits() {
        assert_eq!(distance("name", "name", 1), Some(0));
        assert_eq!(distance("Name", "nAME", 1), Some(1));
        assert_eq!(distance("nmae", "name", 2), Some(1));
        assert_eq!(distance("title", "titles", 3), Some(1));
        assert_eq!((distance("a", "bcd", 1), distance("abc", "xyz", 2)), (None, None));
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(offer("", [].into_iter()), "");
        assert_eq!(offer("the enum value ", ["A"].into_iter()), " Did you mean the enum value \"A\"?");
        assert_eq!(offer("", ["a", "b"].into_iter()), " Did you mean \"a\" or \"b\"?");
        assert_eq!(offer("", ["a", "b", "c"].into_iter()), " Did you mean \"a\", \"b\", or \"c\"?");
    }

    #[test]
    fn digits_are_numbers() {
        assert_eq!(natural("a2", "a10"), Ordering::Less);
        assert_eq!(natural("a02b", "a2c"), Ordering::Less);
        assert_eq!(natural("a", "ab"), Ordering::Less);
    }
}
