//! Whatever the writer writes, `serde_json` reads back as the same value.
#![allow(clippy::unwrap_used)]

use plectrum_json::{number, text};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// What `JSONRenderer` adds to the plain escapes.
fn with_separators_escaped(json: &str) -> String {
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Text dense in what the scanner looks for.
fn awkward() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => any::<char>(),
        8 => proptest::char::range('a', 'z'),
        4 => proptest::char::range('\0', '\u{1f}'),
        4 => proptest::char::range('\u{2010}', '\u{2030}'),
        2 => prop::sample::select(vec!['"', '\\', '/', '\u{7f}', '\u{80}', '\u{ffff}', '\u{10ffff}']),
    ];
    prop::collection::vec(character, 0..80).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strings_are_spelled_as_serde_json_spells_them(input in awkward()) {
        let ours = String::from_utf8(written(|out| text::write(out, &input))).unwrap();
        prop_assert_eq!(&ours, &with_separators_escaped(&serde_json::to_string(&input).unwrap()));
        prop_assert_eq!(serde_json::from_str::<String>(&ours).unwrap(), input);
    }

    #[test]
    fn long_clean_strings_survive(input in "[ -!#-\\[\\]-~é€😀]{0,300}") {
        let ours = written(|out| text::write(out, &input));
        prop_assert_eq!(ours, format!("\"{input}\"").into_bytes());
    }

    #[test]
    fn floats_read_back_to_the_same_bits(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let mut out = Vec::new();
        match number::write_f64(&mut out, value) {
            Ok(()) => {
                let text = String::from_utf8(out).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
                prop_assert!(serde_json::from_str::<serde_json::Number>(&text).is_ok(), "{text}");
            }
            Err(number::NonFinite) => prop_assert!(!value.is_finite() && out.is_empty()),
        }
    }

    #[test]
    fn integers_read_back(signed in any::<i64>(), unsigned in any::<u64>(), small in any::<i32>()) {
        prop_assert_eq!(written(|out| number::write_i64(out, signed)), signed.to_string().into_bytes());
        prop_assert_eq!(written(|out| number::write_u64(out, unsigned)), unsigned.to_string().into_bytes());
        prop_assert_eq!(written(|out| number::write_i32(out, small)), small.to_string().into_bytes());
    }
}
