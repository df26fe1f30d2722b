//! What frames mean.

use std::io::{Read, Write};

use crate::frame::{Error, Frame, MAX_FROM_LOGIN, MAX_PAYLOAD};

const HELLO: u8 = 1;
const ANSWER: u8 = 2;
const ASK: u8 = 3;
const TELL: u8 = 4;
const GRANTED: u8 = 5;
const DENIED: u8 = 6;
const MUTE: u8 = 7;

/// What a login is for, as its service says. Nobody has checked it; it is for the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello<'f> {
    /// The service, as PAM calls it.
    pub service: &'f str,
    /// The Linux user.
    pub user: &'f str,
    /// Where the login comes from; empty if the service does not say.
    pub remote: &'f str,
    /// The terminal; empty if there is none.
    pub tty: &'f str,
}

/// What a login says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ToAgent<'f> {
    /// What it is for; the first message.
    Hello(Hello<'f>),
    /// What was typed.
    Answer(&'f [u8]),
    /// In place of an answer: there is nobody who could be asked.
    Mute,
}

/// What the agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromAgent<'f> {
    /// Show this and read an answer.
    Ask {
        /// What is shown.
        text: &'f str,
        /// Whether the answer may be seen while it is typed.
        is_echoed: bool,
    },
    /// Show this.
    Tell(&'f str),
    /// It is known who it is.
    Granted,
    /// It is not; the text says what there is to say.
    Denied(&'f str),
}

impl std::fmt::Debug for ToAgent<'_> {
    /// Without the answer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hello(hello) => hello.fmt(f),
            Self::Answer(bytes) => write!(f, "Answer({} bytes)", bytes.len()),
            Self::Mute => f.write_str("Mute"),
        }
    }
}

impl<'f> ToAgent<'f> {
    /// Sends it.
    ///
    /// # Errors
    /// If it is too long, or the stream fails.
    pub fn write(self, to: &mut impl Write) -> Result<(), Error> {
        let mut frame = Frame::default();
        match self {
            Self::Hello(Hello { service, user, remote, tty }) => {
                let fields = [service, user, remote, tty].map(str::as_bytes);
                let [service, user, remote, tty] = fields;
                if fields.iter().any(|field| field.contains(&0)) {
                    return Err(Error::Malformed("a NUL byte in a name"));
                }
                let parts: &[&[u8]] = &[service, b"\0", user, b"\0", remote, b"\0", tty];
                frame.set(HELLO, parts, MAX_FROM_LOGIN)?;
            }
            Self::Answer(bytes) => frame.set(ANSWER, &[bytes], MAX_FROM_LOGIN)?,
            Self::Mute => frame.set(MUTE, &[], MAX_FROM_LOGIN)?,
        }
        frame.write(to)
    }

    /// Receives the next one.
    ///
    /// # Errors
    /// If it is none, or the stream fails.
    pub fn read(from: &mut impl Read, frame: &'f mut Frame) -> Result<Self, Error> {
        frame.read(from, MAX_FROM_LOGIN)?;
        match frame.kind() {
            HELLO => {
                let text = text(frame.payload())?;
                let mut fields = text.split('\0');
                let mut field = || fields.next().ok_or(Error::Malformed("a field is missing"));
                let hello =
                    Hello { service: field()?, user: field()?, remote: field()?, tty: field()? };
                match fields.next() {
                    None => Ok(Self::Hello(hello)),
                    Some(_) => Err(Error::Malformed("there are too many fields")),
                }
            }
            ANSWER => Ok(Self::Answer(frame.payload())),
            MUTE if frame.payload().is_empty() => Ok(Self::Mute),
            MUTE => Err(Error::Malformed("who cannot be asked says nothing more")),
            other => Err(Error::Kind(other)),
        }
    }
}

impl<'f> FromAgent<'f> {
    /// Sends it.
    ///
    /// # Errors
    /// If it is too long, or the stream fails.
    pub fn write(self, to: &mut impl Write) -> Result<(), Error> {
        let mut frame = Frame::default();
        match self {
            Self::Ask { text, is_echoed } => {
                frame.set(ASK, &[&[u8::from(is_echoed)], text.as_bytes()], MAX_PAYLOAD)?;
            }
            Self::Tell(text) => frame.set(TELL, &[text.as_bytes()], MAX_PAYLOAD)?,
            Self::Granted => frame.set(GRANTED, &[], MAX_PAYLOAD)?,
            Self::Denied(text) => frame.set(DENIED, &[text.as_bytes()], MAX_PAYLOAD)?,
        }
        frame.write(to)
    }

    /// Receives the next one.
    ///
    /// # Errors
    /// If it is none, or the stream fails.
    pub fn read(from: &mut impl Read, frame: &'f mut Frame) -> Result<Self, Error> {
        frame.read(from, MAX_PAYLOAD)?;
        let payload = frame.payload();
        match frame.kind() {
            ASK => match payload.split_first() {
                Some((echo @ (0 | 1), rest)) => {
                    Ok(Self::Ask { text: shown(rest)?, is_echoed: *echo == 1 })
                }
                _ => Err(Error::Malformed("a question has to say whether its answer is echoed")),
            },
            TELL => Ok(Self::Tell(shown(payload)?)),
            GRANTED if payload.is_empty() => Ok(Self::Granted),
            GRANTED => Err(Error::Malformed("a grant says nothing more")),
            DENIED => Ok(Self::Denied(shown(payload)?)),
            other => Err(Error::Kind(other)),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::Malformed("text that is not UTF-8"))
}

/// Text that goes to a terminal.
fn shown(bytes: &[u8]) -> Result<&str, Error> {
    let text = text(bytes)?;
    match text.chars().any(|character| character.is_control() && character != '\n') {
        true => Err(Error::Malformed("text with control characters")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::VERSION;

    fn sent(message: FromAgent<'_>) -> Vec<u8> {
        let mut bytes = vec![];
        message.write(&mut bytes).unwrap();
        bytes
    }

    #[track_caller]
    fn refused(bytes: &[u8], part: &str) {
        let mut frame = Frame::default();
        let error = FromAgent::read(&mut &*bytes, &mut frame).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }

    #[test]
    fn what_is_not_the_protocol_is_refused() {
        refused(&[1, GRANTED, 0, 0], "version 1");
        refused(&[2, GRANTED, 0, 0], "version 2");
        refused(&[4, GRANTED, 0, 0], "version 4");
        refused(&[VERSION, HELLO, 0, 0], "no message of kind 1");
        refused(&[VERSION, GRANTED, 0, 1, b'x'], "nothing more");
        refused(&[VERSION, ASK, 0, 0], "echoed");
        refused(&[VERSION, ASK, 0, 1, 2], "echoed");
        refused(&[VERSION, TELL, 0xff, 0xff], "65535 bytes is longer than 12288");
        refused(&[VERSION, TELL, 0, 2, 0xc3, b'x'], "not UTF-8");
        refused(&[VERSION, TELL, 0, 1, 0x1b], "control characters");
        refused(&[VERSION, TELL, 0, 9, b'x'], "went away in the middle");
        let mut frame = Frame::default();
        let error = ToAgent::read(&mut &[VERSION, HELLO, 0, 3, b'a', 0, b'b'][..], &mut frame);
        assert!(error.unwrap_err().to_string().contains("field is missing"));
        let error = ToAgent::read(&mut &[VERSION, MUTE, 0, 1, 0][..], &mut frame).unwrap_err();
        assert!(error.to_string().contains("says nothing more"), "{error}");
        // A login has less to say than the agent.
        let error = ToAgent::read(&mut &[VERSION, ANSWER, 4, 1][..], &mut frame).unwrap_err();
        assert!(error.to_string().contains("1025 bytes is longer than 1024"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        let mut bytes = vec![];
        let long = "x".repeat(MAX_PAYLOAD + 1);
        let error = FromAgent::Tell(&long).write(&mut bytes);
        assert!(matches!(error, Err(Error::TooLong(12289, 12288))));
        assert!(ToAgent::Answer(&[b'x'; MAX_FROM_LOGIN + 1]).write(&mut bytes).is_err());
        assert!(
            ToAgent::Hello(Hello { user: "a\0b", ..Hello::default() }).write(&mut bytes).is_err()
        );
        assert!(bytes.is_empty());
    }

    #[test]
    fn an_answer_is_in_no_debug_text() {
        let mut bytes = vec![];
        ToAgent::Answer(b"123456").write(&mut bytes).unwrap();
        let mut frame = Frame::default();
        let answer = ToAgent::read(&mut &*bytes, &mut frame).unwrap();
        assert_eq!(format!("{answer:?}"), "Answer(6 bytes)");
        assert_eq!(format!("{frame:?}"), "Frame(kind 2, 6 bytes)");
    }

    proptest! {
        #[test]
        fn what_is_sent_is_received(text in "[^\\p{Cc}]{0,200}", is_echoed: bool, answer: Vec<u8>) {
            let mut frame = Frame::default();
            for message in [
                FromAgent::Ask { text: &text, is_echoed },
                FromAgent::Tell(&text),
                FromAgent::Granted,
                FromAgent::Denied(&text),
            ] {
                let bytes = sent(message);
                prop_assert_eq!(FromAgent::read(&mut &*bytes, &mut frame).unwrap(), message);
            }
            let hello = Hello { service: "sshd", user: &text, remote: "", tty: &text };
            for message in [ToAgent::Hello(hello), ToAgent::Answer(&answer), ToAgent::Mute] {
                let mut bytes = vec![];
                message.write(&mut bytes).unwrap();
                prop_assert_eq!(ToAgent::read(&mut &*bytes, &mut frame).unwrap(), message);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut frame = Frame::default();
            _ = ToAgent::read(&mut &*bytes, &mut frame);
            _ = FromAgent::read(&mut &*bytes, &mut frame);
        }
    }
}
