//! The reader takes and refuses the documents that `serde_json` does, and finds the same values in them.
#![allow(clippy::unwrap_used)]

use plectrum_json::read::{Broken, Peek, Reader};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// A whole document as a tree; the last of repeated keys counts.
fn read(data: &[u8]) -> Result<Value, Broken> {
    let mut reader = Reader::new(data);
    let peek = reader.peek()?;
    let value = tree(&mut reader, peek)?;
    reader.finish()?;
    Ok(value)
}

fn tree(reader: &mut Reader<'_>, peek: Peek) -> Result<Value, Broken> {
    Ok(match peek {
        Peek::Null => {
            reader.null()?;
            Value::Null
        }
        Peek::True | Peek::False => reader.bool(peek)?.into(),
        // Numbers are kept as they are written.
        Peek::Number => serde_json::from_str(reader.number()?.literal).unwrap(),
        Peek::String => reader.text()?.into(),
        Peek::Array => {
            let mut items = Vec::new();
            let mut next = reader.first_item()?;
            while let Some(peek) = next {
                items.push(tree(reader, peek)?);
                next = reader.next_item()?;
            }
            items.into()
        }
        Peek::Object => {
            let mut members = Map::new();
            let mut more = reader.first_member()?;
            while more {
                let key = reader.key()?.to_owned();
                let peek = reader.peek()?;
                members.insert(key, tree(reader, peek)?);
                more = reader.next_member()?;
            }
            members.into()
        }
    })
}

fn agrees(data: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(data);
    prop_assert_eq!(read(data).ok(), theirs.ok(), "{}", data.escape_ascii());
    Ok(())
}

/// Any document.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Bytes that documents are made of, and some that they must not be.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\"a\"",
        b"\"\\",
        b"\\u",
        b"\\ud83d",
        b"\\ude00",
        b"\\n",
        b"0",
        b"12",
        b"-",
        b".",
        b"e",
        b"E+",
        b"true",
        b"null",
        b"fals",
        b" ",
        b"\n",
        b"\x00",
        b"\x1f",
        b"\xC3",
        b"\xA9",
        b"\xED\xA0\x80",
        b"\xF0\x9F\x98\x80",
        b"plain text of more than sixteen bytes",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_documents(value in document(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        agrees(&text)?;
        prop_assert!(read(&text).is_ok());
    }

    #[test]
    fn on_damaged_documents(value in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        if cut { text.truncate(at) } else { text[at] = byte }
        agrees(&text)?;
    }

    #[test]
    fn on_pieces(data in pieces()) {
        agrees(&data)?;
    }

    #[test]
    fn on_texts(inner in pieces()) {
        agrees(&[b"\"", &inner[..], b"\""].concat())?;
    }
}
