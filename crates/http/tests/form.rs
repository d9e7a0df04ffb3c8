//! Forms with files: every way to cut them into pieces, and everything that can be wrong with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read as _, Seek as _};

use plectrum_http::form::multipart::{Event, Malformed, Parser};
use plectrum_http::form::{Content, Form, FormError, Limits, Upload, read};
use plectrum_http::{BodyError, Bytes, HeaderMap, HeaderValue, RequestBody, header};

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\n\
    content-disposition: form-data; name=f; filename=\"x/é.txt\"\r\nContent-Type: text/plain\r\n\r\n\
    line\r\n--\r\n-\r--b no\r\n\r\n--b  \r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--b--\r\nepilogue";

/// The content of each part, fed in pieces of `size` bytes.
fn parts(form: &[u8], size: usize) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut parser = Parser::new("b", 1000)?;
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut take = |parser: &mut Parser| {
        while let Some(event) = parser.next_event()? {
            match event {
                Event::Part(_) => found.push(Vec::new()),
                Event::Data(bytes) => found.last_mut().unwrap().extend_from_slice(&bytes),
                Event::End => {}
            }
        }
        Ok(())
    };
    for piece in form.chunks(size) {
        parser.feed(Bytes::copy_from_slice(piece));
        // Small pieces are gathered; here each is looked at.
        parser.flush();
        take(&mut parser)?;
    }
    parser.finish()?;
    Ok(found)
}

#[test]
fn pieces_of_any_size_give_the_same_parts() {
    let expected: Vec<Vec<u8>> = vec![b"1".into(), b"line\r\n--\r\n-\r--b no\r\n".into(), b"".into()];
    for size in 1..=FORM.len() {
        assert_eq!(parts(FORM.as_bytes(), size).unwrap(), expected, "{size}");
    }
    let preamble = format!("ignore --b this\r\n{FORM}");
    for size in 1..=preamble.len() {
        assert_eq!(parts(preamble.as_bytes(), size).unwrap(), expected, "{size}");
    }
    assert_eq!(parts(b"--b--", 3).unwrap(), Vec::<Vec<u8>>::new());
}

#[test]
fn what_is_no_form() {
    use Malformed::{Delimiter, Head, Unfinished};
    let head = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    let long = format!("--b\r\nx: {}\r\n\r\n", "y".repeat(1000));
    let many = format!("--b\r\n{}\r\n", "x: y\r\n".repeat(17));
    for (form, error) in [
        ("", Unfinished),
        ("--", Unfinished),
        ("--b", Unfinished),
        ("nothing", Unfinished),
        (head, Unfinished),
        (&format!("{head}text\r\n--"), Unfinished),
        (&format!("{head}text\r\n--b\r\n"), Unfinished),
        ("--bc\r\n", Delimiter),
        ("--b\n\n", Delimiter),
        (&format!("{head}text\r\n--b-"), Unfinished),
        (&format!("{head}text\r\n--bbb"), Delimiter),
        ("--b\r\nno colon\r\n\r\n", Head),
        ("--b\r\n: x\r\n\r\n", Head),
        ("--b\r\na b: x\r\n\r\n", Head),
        (&long, Head),
        (&many, Head),
    ] {
        for size in [1, 5, form.len().max(1)] {
            assert_eq!(parts(form.as_bytes(), size), Err(error), "{form:?} in pieces of {size}");
        }
    }
    for boundary in ["", &"x".repeat(71), "a\u{1}b"] {
        assert_eq!(Parser::new(boundary, 1).unwrap_err(), Malformed::Boundary);
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn receive(form: impl Into<Bytes>, max_body: u64, limits: &Limits) -> Result<Form, FormError> {
    let kind = HeaderValue::from_static("multipart/form-data; boundary=b");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    run(read(&headers, RequestBody::from(form.into()), max_body, limits))
}

fn content(upload: &mut Upload) -> Vec<u8> {
    match &mut upload.content {
        Content::Memory(pieces) => pieces.concat(),
        Content::Disk(file) => {
            let mut all = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut all).unwrap();
            all
        }
    }
}

fn file(name: &str, filename: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; name={name}; filename=\"{filename}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn field(name: &str, value: &str) -> Vec<u8> {
    format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n").into()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], b"--b--\r\n"].concat()
}

#[test]
fn fields_and_files() {
    let mut form = receive(FORM, 10_000, &Limits::default()).unwrap();
    let text = |text: &str| text.to_owned();
    assert_eq!(form.fields, [(text("a"), text("1")), (text("empty"), text(""))]);
    let (name, upload) = &mut form.files[0];
    assert_eq!((&**name, &*upload.filename, upload.size), ("f", "é.txt", 20));
    assert_eq!(upload.headers[header::CONTENT_TYPE], "text/plain");
    assert_eq!(content(upload), b"line\r\n--\r\n-\r--b no\r\n");
}

#[test]
fn inputs_without_a_file_are_not_there() {
    let parts = [file("none", "", b""), file("unnamed", "", b"x"), file("empty", "a", b"")];
    let found = receive(form(&parts), 1000, &Limits::default()).unwrap();
    let names: Vec<_> = found.files.iter().map(|(name, upload)| (&**name, &*upload.filename)).collect();
    assert_eq!(names, [("unnamed", "upload"), ("empty", "a")]);
}

#[test]
fn large_files_are_on_disk_without_a_name() {
    let directory = std::env::temp_dir().join(format!("plectrum-form-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let limits = Limits { memory: 1000, directory: directory.clone(), ..Limits::default() };
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut found =
        receive(form(&[file("small", "s", &bytes[..1000]), file("large", "l", &bytes)]), 4_000_000, &limits)
            .unwrap();
    assert!(matches!(found.files[0].1.content, Content::Memory(_)));
    assert!(matches!(found.files[1].1.content, Content::Disk(_)));
    assert_eq!(content(&mut found.files[1].1), bytes);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    std::fs::remove_dir(&directory).unwrap();
    let error = receive(form(&[file("large", "l", &bytes)]), 4_000_000, &limits).unwrap_err();
    assert!(matches!(error, FormError::Storage(_)), "{error}");
}

#[test]
fn limits() {
    let some = Limits { fields: 2, field_size: 10, files: 1, file_size: 20, ..Limits::default() };
    let ok = [field("a", "0123456789"), field("b", ""), file("c", "c", &[0; 20])];
    assert!(receive(form(&ok), 1000, &some).is_ok());
    let refused = |parts: &[Vec<u8>], what: &str| {
        let error = receive(form(parts), 10_000, &some).unwrap_err();
        assert!(matches!(error, FormError::TooMuch(..)), "{error}");
        assert_eq!(error.to_string(), what);
    };
    refused(&[field("a", "01234567890")], "bytes of a form field: more than 10");
    refused(&[field("a", ""), field("b", ""), field("c", "")], "form fields: more than 2");
    refused(&[file("a", "a", b"1"), file("b", "b", b"2")], "files: more than 1");
    refused(&[file("a", "a", &[0; 21])], "bytes of a file: more than 20");
    let all = form(&ok);
    let length = all.len() as u64;
    let error = receive(all, length - 1, &some).unwrap_err();
    assert!(matches!(error, FormError::Body(BodyError::TooLarge { .. })), "{error}");
}

#[test]
fn parts_that_are_no_fields() {
    for head in
        ["", "x: y\r\n", "Content-Disposition: form-data\r\n", "Content-Disposition: attachment; name=a\r\n"]
    {
        let error = receive(format!("--b\r\n{head}\r\nx\r\n--b--"), 1000, &Limits::default()).unwrap_err();
        assert!(matches!(error, FormError::Malformed(_)), "{head:?}: {error}");
    }
    let error = receive(form(&[[field("a", ""), vec![]].concat()]), 1000, &Limits::default());
    assert!(error.is_ok());
    let bytes = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--b--".to_vec();
    assert!(matches!(receive(bytes, 1000, &Limits::default()).unwrap_err(), FormError::NotUtf8));
}
