//! Bodies of the few backend messages that are looked into. Every read is bounds-checked; [`Malformed`] ends the connection.

use std::rc::Rc;

use super::frame::Malformed;
use crate::sink::Column;

/// Takes values off the front of a message body.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) =
            self.0.split_at_checked(count).ok_or_else(|| Malformed::new("message ends early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) =
            self.0.split_first_chunk::<N>().ok_or_else(|| Malformed::new("message ends early"))?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn short(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn int(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// Up to the next zero byte. Everything the server names is UTF-8 by `client_encoding`; what is not is shown with
    /// replacement characters (errors before the encoding is agreed).
    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let length =
            self.0.iter().position(|byte| *byte == 0).ok_or_else(|| Malformed::new("text without an end"))?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.byte()?;
        Ok(text)
    }
}

/// `RowDescription`.
pub(crate) fn columns(body: &[u8]) -> Result<Rc<[Column]>, Malformed> {
    let mut reader = Reader(body);
    let count = reader.short()?;
    (0..count)
        .map(|_| {
            let name = reader.text()?;
            reader.take(6)?; // table and attribute number
            let oid = reader.int()?;
            reader.take(8)?; // size, modifier, format
            Ok(Column { name, oid })
        })
        .collect()
}

/// `ParameterDescription`.
pub(crate) fn parameters(body: &[u8]) -> Result<Vec<u32>, Malformed> {
    let mut reader = Reader(body);
    let count = reader.short()?;
    (0..count).map(|_| reader.int()).collect()
}

/// `NotificationResponse`: what `NOTIFY` sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Process id of the sender.
    pub process: u32,
    /// Channel.
    pub channel: String,
    /// Payload, empty where none was given.
    pub payload: String,
}

impl Notification {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(body);
        Ok(Self { process: reader.int()?, channel: reader.text()?, payload: reader.text()? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn describes_columns() {
        let mut body = vec![0, 2];
        for (name, oid) in [("id", 20_u32), ("naïve", 25)] {
            body.extend(name.as_bytes());
            body.extend([0; 7]);
            body.extend(oid.to_be_bytes());
            body.extend([0; 8]);
        }
        let found = columns(&body).unwrap();
        assert_eq!(found[1], Column { name: "naïve".into(), oid: 25 });
        assert_eq!(found.len(), 2);
        for cut in 0..body.len() {
            assert!(columns(&body[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn describes_parameters() {
        assert_eq!(parameters(&[0, 2, 0, 0, 0, 20, 0, 0, 0, 25]).unwrap(), [20, 25]);
        assert!(parameters(&[0, 2, 0, 0, 0, 20, 0, 0, 0]).is_err());
    }

    #[test]
    fn reads_notifications() {
        let found = Notification::parse(b"\0\0\0\x07room\0hello\0").unwrap();
        assert_eq!((found.process, &*found.channel, &*found.payload), (7, "room", "hello"));
    }
}
