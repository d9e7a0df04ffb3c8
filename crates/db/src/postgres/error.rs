//! What the server's `ErrorResponse` means to the engine.

use super::frame::Malformed;
use super::message::Reader;
use crate::error::Error;

/// `ErrorResponse` or `NoticeResponse`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// `ERROR`, `FATAL`, `NOTICE` …, not translated.
    pub(crate) severity: String,
    /// SQLSTATE.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    pub(crate) position: Option<u32>,
    /// Function in the server that reported it; unlike the message it is never translated.
    pub(crate) routine: String,
}

impl Response {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let (mut reader, mut found) = (Reader(body), Self::default());
        loop {
            let field = reader.byte()?;
            if field == 0 {
                return Ok(found);
            }
            let text = reader.text()?;
            match field {
                b'V' => found.severity = text,
                // Servers before 9.6 send only the translated severity.
                b'S' if found.severity.is_empty() => found.severity = text,
                b'C' => found.code = text,
                b'M' => found.message = text,
                b'D' => found.detail = Some(text),
                b'P' => found.position = text.parse().ok(),
                b'R' => found.routine = text,
                _ => {}
            }
        }
    }

    /// Whether the server ends the session with it.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(&*self.severity, "FATAL" | "PANIC")
    }

    /// Cancelled, by `statement_timeout` or by a request. Both carry the same code, and the text may be translated.
    pub(crate) fn is_cancellation(&self) -> bool {
        self.code == "57014"
    }

    /// The cancellation came (or may have come) from a cancel request and not from the clock.
    pub(crate) fn is_user_request(&self) -> bool {
        !self.message.contains("statement timeout")
    }

    /// The prepared statement is gone or no longer fits the tables; preparing it again helps.
    pub(crate) fn is_stale_statement(&self) -> bool {
        match &*self.code {
            "26000" => true,
            "0A000" => self.routine == "RevalidateCachedQuery",
            _ => false,
        }
    }

    /// The declared parameter types may be the reason; letting the server infer them may help.
    pub(crate) fn may_be_declared_types(&self) -> bool {
        // undefined_function, datatype_mismatch, ambiguous_function, cannot_coerce, indeterminate_datatype
        matches!(&*self.code, "42883" | "42804" | "42725" | "42846" | "42P18")
    }

    /// What the caller is told.
    pub(crate) fn into_error(self) -> Error {
        let Self { code, message, detail, position, .. } = self;
        match &*code {
            "57014" if !message.contains("user request") => Error::Timeout,
            "53300" | "57P03" => Error::Unavailable(message),
            "57P01" | "57P02" | "57P05" => Error::Broken(message),
            other if other.starts_with("08") => Error::Broken(message),
            _ => Error::Server { code, message, detail, position },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn response(fields: &[(char, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (field, text) in fields {
            body.push(*field as u8);
            body.extend(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        body
    }

    #[test]
    fn reads_every_field_it_needs() {
        let body = response(&[
            ('S', "FEHLER"),
            ('V', "ERROR"),
            ('C', "42P01"),
            ('M', "no table"),
            ('D', "d"),
            ('P', "15"),
            ('R', "f"),
            ('Z', "?"),
        ]);
        let found = Response::parse(&body).unwrap();
        assert_eq!((&*found.severity, &*found.code, &*found.message), ("ERROR", "42P01", "no table"));
        assert_eq!((found.detail.as_deref(), found.position, &*found.routine), (Some("d"), Some(15), "f"));
        for cut in 0..body.len() {
            assert!(Response::parse(&body[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn maps_codes() {
        let map = |code: &str, message: &str| -> Error {
            Response { code: code.into(), message: message.into(), ..Response::default() }.into_error()
        };
        assert!(matches!(map("57014", "canceling statement due to statement timeout"), Error::Timeout));
        assert!(matches!(map("57014", "annulation de la requête à cause du délai"), Error::Timeout));
        assert!(matches!(map("57014", "canceling statement due to user request"), Error::Server { .. }));
        assert!(matches!(map("53300", "sorry, too many clients already"), Error::Unavailable(_)));
        assert!(matches!(map("57P03", "starting up"), Error::Unavailable(_)));
        assert!(matches!(map("57P01", "terminating"), Error::Broken(_)));
        assert!(matches!(map("08006", "gone"), Error::Broken(_)));
        assert!(matches!(map("23505", "duplicate"), Error::Server { .. }));
    }
}
