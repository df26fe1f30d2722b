//! One login that asks: question, answer, and what came of it.
//!
//! Invariant: each conversation that got as far as saying what it is for is told to the recording
//! once, whatever it came to.

use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use forebear_door::{Error, Frame, FromAgent, Hello, ToAgent};
use forebear_identity::{Attempt, Dialogue, Limits, Method, Prompt, Step, Verified};
use forebear_model::{BootTime, VerificationMethod};

use super::Shared;
use super::peer::Peer;
use crate::talk::say;
use crate::verdict::{Asked, Ending, Person, Verdict};

/// How long a login may take to say what it is for; a program does that.
const FOR_HELLO: Duration = Duration::from_secs(5);

/// How long the recording may take to bind. It does so between two rounds of its loop.
const FOR_BINDING: Duration = Duration::from_secs(10);

/// Said to somebody whose answers were right and who is not let in all the same.
const NOT_BOUND: &str = "You are known, but this login could not be recorded as yours. Try again; \
                         if that does not help, tell whoever runs this machine.";

/// Said where the accounts cannot be read or written.
const NO_ACCOUNTS: &str = "Nobody can be verified here now. Tell whoever runs this machine.";

/// Asks until it is decided, and tells the recording.
pub(super) fn hold(shared: &Shared, peer: &Peer, mut stream: UnixStream) {
    let mut frame = Frame::default();
    let hello = allow(&stream, FOR_HELLO)
        .and_then(|()| ToAgent::read(&mut stream, &mut frame))
        .and_then(|message| match message {
            ToAgent::Hello(hello) => Ok(hello),
            ToAgent::Answer(_) => Err(Error::Malformed("an answer before a question")),
        });
    let hello = match hello {
        Ok(hello) => hello,
        Err(error) => return say(format_args!("identity: pid {}: {error}", peer.process.pid)),
    };
    let mut login = Login::new(shared, peer, hello);
    let outcome = login.ask(&mut stream);
    login.conclude(outcome, &mut stream);
}

/// One login.
struct Login<'s> {
    shared: &'s Shared,
    peer: &'s Peer,
    deadline: Instant,
    dialogue: Dialogue,
    /// What is told in the end.
    asked: Asked,
}

/// How asking went.
enum Outcome {
    Verified(Verified),
    /// With what the person is told.
    Refused(String),
    Abandoned,
}

impl<'s> Login<'s> {
    fn new(shared: &'s Shared, peer: &'s Peer, hello: Hello<'_>) -> Self {
        let config = &shared.config;
        Self {
            shared,
            peer,
            deadline: Instant::now() + config.timeout,
            dialogue: Dialogue::new(Limits { attempts: config.attempts, ..Limits::default() }),
            asked: Asked {
                process: peer.process,
                account: None,
                method: None,
                attempts: 0,
                service: hello.service.to_owned(),
                user: hello.user.to_owned(),
                remote: (!hello.remote.is_empty()).then(|| hello.remote.to_owned()),
            },
        }
    }

    fn ask(&mut self, stream: &mut UnixStream) -> Outcome {
        let mut prompt = self.dialogue.prompt();
        let mut frame = Frame::default();
        loop {
            let answer = match self.question(stream, &prompt, &mut frame) {
                Ok(answer) => answer,
                // Whoever was asked went away, or took too long: there is nobody to tell.
                Err(_) => return Outcome::Abandoned,
            };
            let step = match self.shared.accounts.answer(&mut self.dialogue, answer) {
                Ok(step) => step,
                Err(error) => {
                    say(format_args!("identity: nobody can be verified: {error}"));
                    return Outcome::Refused(NO_ACCOUNTS.to_owned());
                }
            };
            match step {
                Step::Ask { prompt: next, wait, failed } => {
                    if let Some(failed) = failed {
                        self.note(&failed);
                    }
                    self.pause(wait);
                    prompt = next;
                }
                Step::Verified(verified) => return Outcome::Verified(verified),
                Step::Refused { text, wait, failed } => {
                    self.note(&failed);
                    self.pause(wait);
                    return Outcome::Refused(text);
                }
            }
        }
    }

    /// Asks one question.
    fn question<'f>(
        &self,
        stream: &mut UnixStream,
        prompt: &Prompt,
        frame: &'f mut Frame,
    ) -> Result<&'f [u8], Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        allow(stream, left)?;
        FromAgent::Ask { text: &prompt.text, is_echoed: prompt.is_echoed }.write(stream)?;
        match ToAgent::read(stream, frame)? {
            ToAgent::Answer(answer) => Ok(answer),
            ToAgent::Hello(_) => Err(Error::Malformed("a second hello")),
        }
    }

    fn note(&mut self, failed: &Attempt) {
        self.asked.account = failed.email.as_ref().map(ToString::to_string);
        self.asked.method = failed.method.map(method);
        self.asked.attempts = failed.number;
        say(format_args!(
            "identity: {} for {}: attempt {}: {}",
            self.asked.service, self.asked.user, failed.number, failed.reason
        ));
    }

    fn pause(&self, wait: Duration) {
        std::thread::sleep(wait.min(self.deadline.saturating_duration_since(Instant::now())));
    }

    fn conclude(self, outcome: Outcome, stream: &mut UnixStream) {
        let shared = self.shared;
        // An answer that nobody takes is lost, and the login with it.
        match outcome {
            Outcome::Verified(verified) => match self.bind(&verified) {
                true => _ = FromAgent::Granted.write(stream),
                false => _ = FromAgent::Denied(NOT_BOUND).write(stream),
            },
            Outcome::Refused(text) => {
                shared.send(Verdict::Asked(self.asked, Ending::Refused));
                let _ = FromAgent::Denied(&text).write(stream);
            }
            Outcome::Abandoned => shared.send(Verdict::Asked(self.asked, Ending::Abandoned)),
        }
    }

    /// Has the login bound to the person, durably.
    fn bind(mut self, verified: &Verified) -> bool {
        let shared = self.shared;
        let until = shared.config.valid_for.map(|time| {
            let now = forebear_sensor::clock_pair().boot.0;
            BootTime(now.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
        });
        let person = Person {
            account: verified.email.to_string(),
            roles: verified.roles.iter().map(ToString::to_string).collect(),
            until,
        };
        self.asked.account = Some(person.account.clone());
        self.asked.method = Some(method(verified.method));
        self.asked.attempts = verified.attempt;
        if !self.peer.is_there() {
            shared.send(Verdict::Asked(self.asked, Ending::Abandoned));
            return false;
        }
        let (tell, told) = mpsc::sync_channel(1);
        let tell = Box::new(move |bound| _ = tell.try_send(bound));
        shared.send(Verdict::Asked(self.asked, Ending::Verified(person.clone(), tell)));
        let Ok(Some(process)) = told.recv_timeout(FOR_BINDING) else { return false };
        let lives = |pid: u32| std::path::Path::new(&format!("/proc/{pid}")).exists();
        if let Err(error) = shared.bindings().add(process, &person, lives) {
            // It holds all the same, until the agent is started anew.
            say(format_args!("identity: a session would not outlive a restart: {error}"));
        }
        true
    }
}

fn method(method: Method) -> VerificationMethod {
    match method {
        Method::Totp => VerificationMethod::Totp,
        Method::Backup => VerificationMethod::BackupCode,
    }
}

/// Gives the other side so long for what it does next.
fn allow(stream: &UnixStream, time: Duration) -> Result<(), Error> {
    // A timeout of 0 would be none.
    let time = Some(time.max(Duration::from_millis(1)));
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(time)?;
    Ok(stream.set_write_timeout(time)?)
}
