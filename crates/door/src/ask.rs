//! A login's side: relays until the agent has decided.

use std::io::{Read, Write};

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
    ToAgent::Hello(hello).write(stream)?;
    let mut frame = Frame::default();
    for _ in 0..MAX_MESSAGES {
        let shown = match FromAgent::read(stream, &mut frame)? {
            FromAgent::Granted => return Ok(Asked::Granted),
            FromAgent::Denied(text) => {
                let shown = if text.is_empty() { Ok(()) } else { terminal.tell(text) };
                return Ok(shown.map_or_else(Asked::Terminal, |()| Asked::Denied));
            }
            FromAgent::Tell(text) => terminal.tell(text),
            FromAgent::Ask { text, is_echoed } => match terminal.ask(text, is_echoed) {
                Ok(Some(answer)) => {
                    ToAgent::Answer(answer.as_ref()).write(stream)?;
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
