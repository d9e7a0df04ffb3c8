#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::*;
use crate::execute::Context;

fn compiled(response: &Json, queries: usize) -> Result<Vec<Segment>, String> {
    let response = serde_json::from_str(&response.to_string()).unwrap();
    compile(&response, queries).map_err(|error| error.to_string())
}

#[test]
fn neighbouring_bytes_are_one_segment() {
    let response = json!({"object": [["a", {"literal": 1}], ["b", {"rows": 0}], ["c", {"literal": 2}]]});
    let segments = compiled(&response, 1).unwrap();
    let texts: Vec<_> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Text(text) => Some(std::str::from_utf8(text).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, [r#"{"a":1,"b":"#, r#","c":2}"#]);
}

#[test]
fn every_query_has_one_place() {
    let refuse = |response, queries| compiled(&response, queries).unwrap_err();
    assert_eq!(
        refuse(json!({"rows": 1}), 1),
        "invalid plan at response: query 1 does not exist: the operation has 1"
    );
    assert_eq!(refuse(json!({"rows": 0}), 2), "invalid plan at response: query 1 has no place in it");
    assert_eq!(
        refuse(json!({"object": [["a", {"rows": 0}], ["b", {"one": 0}]]}), 1),
        "invalid plan at response: query 0 has more than one place"
    );
    let page =
        json!({"page": {"count": 0, "results": 1, "number": 0, "size": {"arg": 1}, "style": "limit_offset"}});
    assert_eq!(
        refuse(json!({"object": [["a", page], ["b", page]]}), 2),
        "invalid plan at response: more than one page: links need an address of their own"
    );
}

fn rows(text: Vec<u8>, count: usize) -> Rows {
    Rows { text, count, ..Rows::default() }
}

#[test]
fn statements_in_turn_write_into_one_buffer() {
    let response = json!({"object": [["a", {"scalar": 0}], ["b", {"rows": 1}], ["c", {"rows": 2}]]});
    let segments: Arc<[Segment]> = compiled(&response, 3).unwrap().into();
    let out = Vec::with_capacity(1000);
    let address = out.as_ptr();
    let body = Arc::new(Mutex::new(Body::new(&segments, out, &[], &Context::default()).unwrap()));
    let [mut first, mut second, mut third] = [0, 1, 2].map(|query| Turn::new(&body, query));
    // The third answers before its turn.
    assert_eq!(third.begin(), None);
    third.complete(&mut rows(b"9".to_vec(), 1));
    for (turn, text, count) in [(&mut first, &b"7"[..], 1), (&mut second, b"1,2", 2)] {
        let mut buffer = turn.begin().unwrap();
        assert_eq!(buffer.as_ptr(), address, "the response's own buffer");
        buffer.extend_from_slice(text);
        turn.complete(&mut rows(buffer, count));
    }
    drop((first, second, third));
    let mut body = Arc::into_inner(body).unwrap().into_inner().unwrap();
    body.finish(|query, out| {
        assert_eq!(query, 2);
        out.push(b'9');
        (1, Edges::default())
    });
    assert_eq!(body.into_bytes().unwrap(), br#"{"a":7,"b":[1,2],"c":[9]}"#);
}
