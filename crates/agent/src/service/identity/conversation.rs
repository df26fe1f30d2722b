//! One login that asks: question, answer, and what came of it.
//!
//! Invariant: each conversation that got as far as saying what it is for is told to the recording
//! once, whatever it came to.

use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use forebear_door::{Error, Frame, FromAgent, ToAgent};
use forebear_identity::{
    AtProvider, Attempt, Dialogue, Limits, Method, Prompt, SignIn, Step, StoreError, Verified,
};
use forebear_model::{BootTime, VerificationMethod, VerificationOutcome};

use super::Shared;
use super::comer::Comer;
use super::peer::Peer;
use super::timed::Timed;
use super::{policy, provider, sign_in, throttle};
use crate::config::rules::{OnFailure, Rule, Verify};
use crate::service::verifications::Verifications;
use crate::talk::say;
use crate::verdict::{Asked, Ending, Person, Recorded, Verdict};

/// How long a login may take to say what it is for; a program does that.
const FOR_HELLO: Duration = Duration::from_secs(5);

/// How long the last word may take to be taken.
const FOR_LAST: Duration = Duration::from_secs(5);

/// How long the recording may take to bind, or to record. It does so between two rounds of its loop.
const FOR_BINDING: Duration = Duration::from_secs(10);

/// Said to somebody whose answers were right and who is not let in all the same.
const NOT_BOUND: &str = "You are known, but this login could not be recorded as yours. Try again; \
                         if that does not help, tell whoever runs this machine.";

/// Said before the first question where one may decline.
const OPTIONAL: &str = "Press Return to go on without saying who you are.\n";

/// Said to somebody who is let in all the same.
const AS_NOBODY: &str = "You are let in without being known.";

/// Said where the accounts cannot be read or written.
const NO_ACCOUNTS: &str = "Nobody can be verified here now. Tell whoever runs this machine.";

/// Said where somebody has to be asked and nobody can be.
const NO_TERMINAL: &str = "You have to say who you are here, and this login has no terminal to ask \
                           at; with ssh, add -t.";

/// Said to somebody who did not answer in time, or not in the way that is understood.
const TOO_LATE: &str = "No answer came in time. Access is refused.";

/// Said by the gate where it is not run in a login, or is not the gate.
const NO_LOGIN: &str = "Nobody can be asked here: this is not a login that is recorded.";

/// Asks until it is decided, and tells the recording.
pub(super) fn hold(shared: &Shared, peer: &Peer, stream: UnixStream) {
    let mut frame = Frame::default();
    let mut soon = Timed::until(&stream, Instant::now() + FOR_HELLO);
    let hello = ToAgent::read(&mut soon, &mut frame).and_then(|message| match message {
        ToAgent::Hello(hello) => Ok(hello),
        ToAgent::Answer(_) | ToAgent::Mute => Err(Error::Malformed("an answer before a question")),
    });
    let hello = match hello {
        Ok(hello) => hello,
        Err(error) => return say(format_args!("identity: pid {}: {error}", peer.process.pid)),
    };
    let comer = match Comer::of(shared, peer, hello) {
        Ok(comer) => comer,
        Err(problem) => {
            say(format_args!("identity: pid {}: {problem}", peer.process.pid));
            let mut stream = Timed::until(&stream, Instant::now() + FOR_LAST);
            _ = FromAgent::Denied(NO_LOGIN).write(&mut stream);
            return;
        }
    };
    let now = forebear_sensor::clock_pair().wall;
    let rule = policy::rule_for(&shared.config.rules, &comer, now);
    if rule.verify == Verify::Exempt {
        let Comer { service, user, .. } = &comer;
        say(format_args!("identity: {service} for {user}: not asked, by a rule"));
        _ = FromAgent::Granted.write(&mut Timed::until(&stream, Instant::now() + FOR_LAST));
        return;
    }
    let mut login = Login::new(shared, peer, comer, rule);
    let outcome = login.ask(&stream);
    login.conclude(outcome, &stream);
}

/// One login.
struct Login<'s> {
    shared: &'s Shared,
    peer: &'s Peer,
    rule: Rule,
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
    /// They may, and did.
    Declined,
    Abandoned,
}

impl<'s> Login<'s> {
    fn new(shared: &'s Shared, peer: &'s Peer, comer: Comer, rule: Rule) -> Self {
        let config = &shared.config;
        Self {
            shared,
            peer,
            rule,
            deadline: Instant::now() + config.timeout,
            dialogue: Dialogue::new(Limits { attempts: config.attempts, ..Limits::default() })
                .with_provider(provider::people(config.oidc.as_ref())),
            asked: Asked {
                process: peer.process,
                account: None,
                method: None,
                attempts: 0,
                service: comer.service,
                user: comer.user,
                remote: comer.remote,
            },
        }
    }

    fn ask(&mut self, stream: &UnixStream) -> Outcome {
        let mut frame = Frame::default();
        let (mut prompt, wait) = (self.dialogue.prompt(), Duration::ZERO);
        let mut may_decline = self.rule.verify == Verify::Optional;
        if may_decline {
            prompt.text.insert_str(0, OPTIONAL);
        }
        let mut step = Step::Ask { prompt, wait, failed: None };
        loop {
            let next = match step {
                Step::Ask { prompt, wait, failed } => {
                    if let Some(failed) = failed {
                        self.note(&failed);
                    }
                    self.pause(wait);
                    match self.question(stream, &prompt, &mut frame) {
                        Ok(Some(answer)) if may_decline && answer.trim_ascii().is_empty() => {
                            return Outcome::Declined;
                        }
                        Ok(None) if may_decline => return Outcome::Declined,
                        Ok(None) => return Outcome::Refused(NO_TERMINAL.to_owned()),
                        Ok(Some(answer)) => {
                            may_decline = false;
                            self.take(answer)
                        }
                        // Whoever was asked went away, or took too long.
                        Err(_) => return Outcome::Abandoned,
                    }
                }
                Step::Provider => match self.sign_in(stream) {
                    Ok(told) => of_store(self.shared.accounts.told(&mut self.dialogue, told)),
                    Err(_) => return Outcome::Abandoned,
                },
                Step::Verified(verified) => return Outcome::Verified(verified),
                Step::Refused { text, wait, failed } => {
                    self.note(&failed);
                    self.pause(wait);
                    return Outcome::Refused(text);
                }
            };
            step = match next {
                Ok(step) => step,
                Err(outcome) => return outcome,
            };
        }
    }

    /// Asks one question; `None` if there is nobody to ask.
    fn question<'f>(
        &self,
        stream: &UnixStream,
        prompt: &Prompt,
        frame: &'f mut Frame,
    ) -> Result<Option<&'f [u8]>, Error> {
        let mut stream = Timed::until(stream, self.deadline);
        let ask = FromAgent::Ask { text: &prompt.text, is_echoed: prompt.is_echoed };
        ask.write(&mut stream)?;
        match ToAgent::read(&mut stream, frame)? {
            ToAgent::Answer(answer) => Ok(Some(answer)),
            ToAgent::Mute => Ok(None),
            ToAgent::Hello(_) => Err(Error::Malformed("a second hello")),
        }
    }

    /// What comes after an answer. A code is not looked at where there were too many wrong ones.
    fn take(&mut self, answer: &[u8]) -> Result<Step, Outcome> {
        let shared = self.shared;
        let Some(account) = self.dialogue.code_of().cloned() else {
            let step = shared.accounts.answer(&mut self.dialogue, answer);
            return of_store(step);
        };
        let mut throttle = shared.throttle();
        if let Some(left) = throttle.holds(&account, Instant::now()) {
            drop(throttle);
            self.asked.account = Some(account.to_string());
            self.count(Verifications::held);
            let (service, user) = (&self.asked.service, &self.asked.user);
            say(format_args!(
                "identity: {service} for {user}: too many wrong codes for {account}, for {} s more",
                left.as_secs()
            ));
            return Err(Outcome::Refused(throttle::words(left)));
        }
        let step = shared.accounts.answer(&mut self.dialogue, answer);
        let mut step = of_store(step)?;
        match &mut step {
            Step::Verified(_) => throttle.right(&account),
            Step::Ask { wait, failed: Some(_), .. } | Step::Refused { wait, .. } => {
                *wait = (*wait).max(throttle.wrong(&account, Instant::now()));
            }
            Step::Ask { .. } | Step::Provider => {}
        }
        Ok(step)
    }

    /// Has the person sign in at the provider.
    fn sign_in(&mut self, stream: &UnixStream) -> Result<SignIn, Error> {
        self.asked.account = self.dialogue.email().map(ToString::to_string);
        self.asked.method = Some(VerificationMethod::Oidc);
        match &self.shared.provider {
            Some(provider) => sign_in::sign_in(provider, stream, self.deadline),
            // The dialogue offers none then.
            None => Ok(SignIn::Unusable),
        }
    }

    fn note(&mut self, failed: &Attempt) {
        self.asked.account = failed.email.as_ref().map(ToString::to_string);
        self.asked.method = failed.method.map(method);
        self.asked.attempts = failed.number;
        self.count(|counts| counts.failed(failed.method.map(method)));
        say(format_args!(
            "identity: {} for {}: attempt {}: {}",
            self.asked.service, self.asked.user, failed.number, failed.reason
        ));
    }

    fn count(&self, count: impl FnOnce(&Verifications)) {
        if let Some(counts) = &self.shared.board.verifications {
            count(counts);
        }
    }

    fn pause(&self, wait: Duration) {
        std::thread::sleep(wait.min(self.deadline.saturating_duration_since(Instant::now())));
    }

    fn conclude(self, outcome: Outcome, stream: &UnixStream) {
        let mut stream = Timed::until(stream, Instant::now() + FOR_LAST);
        // An answer that nobody takes is lost, and the login with it.
        match outcome {
            Outcome::Verified(verified) => match self.bind(&verified) {
                true => _ = FromAgent::Granted.write(&mut stream),
                false => _ = FromAgent::Denied(NOT_BOUND).write(&mut stream),
            },
            Outcome::Refused(text) => {
                let on_failure = self.rule.on_failure;
                if on_failure == OnFailure::Alert {
                    say(format_args!(
                        "warning: identity: {} for {}: let in without being known, by a rule",
                        self.asked.service, self.asked.user
                    ));
                }
                self.end(Ending::Refused, VerificationOutcome::Refused);
                if on_failure == OnFailure::StopSession {
                    _ = FromAgent::Denied(&text).write(&mut stream);
                } else if FromAgent::Tell(AS_NOBODY).write(&mut stream).is_ok() {
                    _ = FromAgent::Granted.write(&mut stream);
                }
            }
            Outcome::Declined => {
                self.end(Ending::Abandoned, VerificationOutcome::Abandoned);
                _ = FromAgent::Granted.write(&mut stream);
            }
            Outcome::Abandoned => {
                self.end(Ending::Abandoned, VerificationOutcome::Abandoned);
                // The agent is there: what is to happen where it is not must not.
                _ = FromAgent::Denied(TOO_LATE).write(&mut stream);
            }
        }
    }

    /// Counts, and has it recorded: before the login is told, since it may end then.
    fn end(self, ending: fn(Recorded) -> Ending, outcome: VerificationOutcome) {
        self.count(|counts| counts.ended(self.asked.method, outcome));
        let (tell, told) = mpsc::sync_channel(1);
        let recorded = Box::new(move || _ = tell.try_send(()));
        self.shared.send(Verdict::Asked(self.asked, ending(recorded)));
        // Whoever is refused is so all the same.
        _ = told.recv_timeout(FOR_BINDING);
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
            self.end(Ending::Abandoned, VerificationOutcome::Abandoned);
            return false;
        }
        let (tell, told) = mpsc::sync_channel(1);
        let tell = Box::new(move |bound| _ = tell.try_send(bound));
        let counted = self.asked.method;
        shared.send(Verdict::Asked(self.asked, Ending::Verified(person.clone(), tell)));
        let bound = told.recv_timeout(FOR_BINDING).ok().flatten();
        let outcome = match bound {
            Some(_) => VerificationOutcome::Verified,
            None => VerificationOutcome::Unbound,
        };
        if let Some(counts) = &shared.board.verifications {
            counts.ended(counted, outcome);
        }
        let Some(process) = bound else { return false };
        let only_at_provider = verified.method == Method::Oidc
            && provider::people(shared.config.oidc.as_ref()) == AtProvider::Anybody;
        let lives = |pid: u32| std::path::Path::new(&format!("/proc/{pid}")).exists();
        if let Err(error) = shared.bindings().add(process, &person, !only_at_provider, lives) {
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
        Method::Oidc => VerificationMethod::Oidc,
    }
}

/// What the store let come of it; nobody is let in where it cannot be used.
fn of_store(step: Result<Step, StoreError>) -> Result<Step, Outcome> {
    step.map_err(|error| {
        say(format_args!("identity: nobody can be verified: {error}"));
        Outcome::Refused(NO_ACCOUNTS.to_owned())
    })
}
