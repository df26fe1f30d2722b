//! A login's side: relays until the agent has decided.

use std::io::{ErrorKind, Read, Write};

use crate::frame::{Error, Frame};
use crate::message::{FromAgent, Hello, ToAgent};

/// How many messages the agent may send before a login takes it for broken.
const MAX_MESSAGES: usize = 256;

/// What shows texts to the person who logs in and reads their answers.
pub trait Terminal {
    /// What goes wrong with it.
    type Error;
    /// What an answer is kept in.
    type Answer: AsRef<[u8]>;

    /// Shows a text and reads an answer. `None` if whoever is asked went away.
    fn ask(&mut self, text: &str, is_echoed: bool) -> Result<Option<Self::Answer>, Self::Error>;

    /// Whether there is anybody to ask. Where there is nobody, the agent is told so at each question.
    fn can_ask(&self) -> bool {
        true
    }

    /// Shows a text.
    fn tell(&mut self, text: &str) -> Result<(), Self::Error>;
}

/// What came of it.
#[derive(Debug)]
pub enum Asked<T> {
    /// It is known who it is.
    Granted,
    /// It is not.
    Denied,
    /// The agent could not be understood, or went away.
    Failed(Error),
    /// The terminal's trouble.
    Terminal(T),
}

/// Asks the agent at the other end of the stream. Give the stream timeouts.
pub fn ask<T: Terminal>(
    stream: &mut (impl Read + Write),
    hello: Hello<'_>,
    terminal: &mut T,
) -> Asked<T::Error> {
    match relay(stream, hello, terminal) {
        Ok(asked) => asked,
        Err(error) => Asked::Failed(error),
    }
}

fn relay<T: Terminal>(
    stream: &mut (impl Read + Write),
    hello: Hello<'_>,
    terminal: &mut T,
) -> Result<Asked<T::Error>, Error> {
    send(stream, ToAgent::Hello(hello))?;
    let mut frame = Frame::default();
    for _ in 0..MAX_MESSAGES {
        let shown = match FromAgent::read(stream, &mut frame)? {
            FromAgent::Granted => return Ok(Asked::Granted),
            FromAgent::Denied(text) => {
                let shown = if text.is_empty() { Ok(()) } else { terminal.tell(text) };
                return Ok(shown.map_or_else(Asked::Terminal, |()| Asked::Denied));
            }
            FromAgent::Tell(text) => terminal.tell(text),
            FromAgent::Ask { .. } if !terminal.can_ask() => {
                send(stream, ToAgent::Mute)?;
                Ok(())
            }
            FromAgent::Ask { text, is_echoed } => match terminal.ask(text, is_echoed) {
                Ok(Some(answer)) => {
                    send(stream, ToAgent::Answer(answer.as_ref()))?;
                    Ok(())
                }
                Ok(None) => return Ok(Asked::Denied),
                Err(error) => Err(error),
            },
        };
        if let Err(error) = shown {
            return Ok(Asked::Terminal(error));
        }
    }
    Err(Error::Malformed("the agent asks without end"))
}

/// Sends a message. An agent that listens no longer may have said why, and that counts: it is there,
/// whatever is to happen where it is not.
fn send(stream: &mut impl Write, message: ToAgent<'_>) -> Result<(), Error> {
    match message.write(stream) {
        Err(Error::Io(error))
            if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
        {
            Ok(())
        }
        sent => sent,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    /// Somebody who types the same at every question, or cannot be asked.
    struct Fixed {
        answer: Option<&'static str>,
        told: Vec<String>,
    }

    impl Terminal for Fixed {
        type Error = std::convert::Infallible;
        type Answer = &'static str;

        fn ask(&mut self, _: &str, _: bool) -> Result<Option<&'static str>, Self::Error> {
            Ok(self.answer)
        }

        fn can_ask(&self) -> bool {
            self.answer.is_some()
        }

        fn tell(&mut self, text: &str) -> Result<(), Self::Error> {
            self.told.push(text.to_owned());
            Ok(())
        }
    }

    const QUESTION: FromAgent<'_> = FromAgent::Ask { text: "Code: ", is_echoed: false };

    #[test]
    fn who_cannot_be_asked_says_so() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        QUESTION.write(&mut theirs).unwrap();
        FromAgent::Granted.write(&mut theirs).unwrap();
        let mut nobody = Fixed { answer: None, told: vec![] };
        let asked = ask(&mut ours, Hello::default(), &mut nobody);
        assert!(matches!(asked, Asked::Granted), "{asked:?}");
        let mut frame = Frame::default();
        assert!(matches!(ToAgent::read(&mut theirs, &mut frame), Ok(ToAgent::Hello(_))));
        assert_eq!(ToAgent::read(&mut theirs, &mut frame).unwrap(), ToAgent::Mute);
    }

    /// The agent is there: `fail=open` must not let anybody in who only waits long enough.
    #[test]
    fn an_answer_that_comes_too_late_is_a_denial_and_no_missing_agent() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let mut late = Fixed { answer: Some("123456"), told: vec![] };
        QUESTION.write(&mut theirs).unwrap();
        FromAgent::Denied("Too late.").write(&mut theirs).unwrap();
        theirs.shutdown(std::net::Shutdown::Read).unwrap();
        let hello = Hello::default();
        // What the agent has read is not what is asked for here.
        let mut stream = Later { stream: &mut ours, skip: 1 };
        let asked = ask(&mut stream, hello, &mut late);
        assert!(matches!(asked, Asked::Denied), "{asked:?}");
        assert_eq!(late.told, ["Too late."]);
    }

    /// A stream whose first writes go nowhere.
    struct Later<'s> {
        stream: &'s mut UnixStream,
        skip: usize,
    }

    impl Read for Later<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            self.stream.read(bytes)
        }
    }

    impl Write for Later<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if let Some(left) = self.skip.checked_sub(1) {
                self.skip = left;
                return Ok(bytes.len());
            }
            self.stream.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
