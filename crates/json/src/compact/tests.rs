use super::{Unreadable, write};

fn written(json: &str) -> Result<String, Unreadable> {
    let mut out = b"x".to_vec();
    let result = write(&mut out, json);
    let text = String::from_utf8(out).unwrap_or_default();
    if result.is_err() {
        assert_eq!(text, "x", "{json} left something behind");
    }
    result.map(|()| text[1..].to_owned())
}

#[test]
fn values_as_python_writes_them() {
    for (read, expected) in [
        (" [1, 2 ,{\"b\" : null, \"a\": [ ]}]\n", r#"[1,2,{"b":null,"a":[]}]"#),
        ("{}", "{}"),
        ("[true,false,null]", "[true,false,null]"),
        (
            "[1.10, 1e5, -0.0, -0, 1E-7, 123456789012345678901234567890]",
            "[1.1,100000.0,-0.0,0,1e-07,123456789012345678901234567890]",
        ),
        (r#""a\/b\u00fc\ud83d\ude00\u2028\u000b\n""#, "\"a/b\u{fc}\u{1f600}\\u2028\\u000b\\n\""),
        ("\"\u{2029}\u{e4}\"", "\"\\u2029\u{e4}\""),
        (r#"{"a":1,"A":2,"":3}"#, r#"{"a":1,"A":2,"":3}"#),
    ] {
        assert_eq!(written(read).as_deref(), Ok(expected), "{read}");
    }
}

#[test]
fn what_python_reads_otherwise_or_not_at_all() {
    for refused in [
        "",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{1:2}",
        "01",
        "1.",
        ".5",
        "-",
        "1e",
        "+1",
        "NaN",
        "Infinity",
        "1e999",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a",
        "\"\n\"",
        "nul",
        "1 1",
        r#"{"a":1,"\u0061":2}"#,
        &"[".repeat(300),
        &"1".repeat(5_000),
    ] {
        assert_eq!(written(refused), Err(Unreadable), "{refused}");
    }
}
