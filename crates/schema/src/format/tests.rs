use super::*;

/// Values of Django's own test suite (`tests/validators`), and what it says of them.
fn check(format: Format, valid: &[&str], invalid: &[&str]) {
    for text in valid {
        assert!(format.matches(text), "{text:?} is a valid {}", format.noun());
    }
    for text in invalid {
        assert!(!format.matches(text), "{text:?} is no {}", format.noun());
    }
}

#[test]
fn patterns_compile() {
    Format::ALL.iter().for_each(|format| format.prepare());
    assert!(USER.is_some() && DOMAIN.is_some() && URL.is_some() && UNICODE_SLUG.is_some());
}

#[test]
fn emails() {
    check(
        Format::Email,
        &[
            "email@here.com",
            "weirder-email@here.and.there.com",
            "example@valid-----hyphens.com",
            "test@domain.with.idn.tld.उदाहरण.परीक्षा",
            "email@localhost",
            "\"test@test\"@example.com",
            "email@[127.0.0.1]",
            "email@[2001:dB8::1]",
            "email@[::ffff:127.0.0.1]",
            "\"\\\t\"@here.com",
        ],
        &[
            "",
            "abc",
            "abc@",
            "abc@bar",
            "a @x.cz",
            "abc@.com",
            "something@@somewhere.com",
            "email@127.0.0.1",
            "email@[127.0.0.256]",
            "email@[2001:db8::12345]",
            "email@[2001:db8:0:0:1]",
            "example@invalid-.com",
            "example@-invalid.com",
            "example@inv-.alid-.com",
            "test@example.com\n\n<script src=\"x.js\">",
            "trailingdot@shouldfail.com.",
            "\"\\\u{b}\n\"@here.com",
        ],
    );
}

#[test]
fn urls() {
    check(
        Format::Url,
        &[
            "http://www.djangoproject.com/",
            "HTTP://WWW.DJANGOPROJECT.COM/",
            "http://localhost/",
            "http://example.com:0000080/".replace("0000080", "80").as_str(),
            "http://example.com./",
            "ftps://example.com/",
            "http://userid:password@example.com:8080",
            "http://142.42.1.1:8080/",
            "http://➡.ws/䨹",
            "http://[::1]:8000/",
            "http://[2001:db8::192.168.0.1]/",
            "http://foo@example.com#frag",
        ],
        &[
            "foo",
            "http://",
            "http://example",
            "http://example.",
            "http://example.com:-1/",
            "http://-.~_!$&'()*+,;=:%40:80%2f@",
            "http://example.com:000000080/",
            "http://.com",
            "http://invalid-.com",
            "http://-invalid.com",
            "http:// shouldfail.com",
            "http://[a",
            "http://[::1:2::3]",
            "http://foo@bar@example.com",
            "http://foo[@example.com",
            "http://example.com\u{2100}",
            "gopher://example.com/",
            "http://example.com\n",
        ],
    );
}

#[test]
fn slugs() {
    check(Format::Slug, &["slug-ok", "longer-slug_1"], &["", "some space", "ö", "a\n"]);
    check(Format::UnicodeSlug, &["ıçğü", "你好", "²"], &["", "some@mail", "a b", "a\n"]);
}

#[test]
fn addresses() {
    check(Format::Ipv4, &["1.1.1.1", "255.0.0.0"], &["256.1.1.1", "1.1.1", "01.1.1.1", "1.1.1.1 "]);
    check(Format::Ipv6, &["fe80::1", "::", "fe80::1%eth0"], &["1:2", "::zzz", "12345::", "::1%"]);
    check(Format::Ip, &["1.1.1.1", "::ffff:254.42.16.14"], &["256.1.1.1", "1:2"]);
}
