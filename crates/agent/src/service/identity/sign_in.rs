//! A sign-in at a provider, from the question about it to what it came to.
//!
//! The provider is asked while the question is open at the person's terminal. That is when sshd
//! notices that a client has gone, and the module has to wait for nothing but an answer, as always.
//! The return key says that the person has signed in; if the provider does not know it yet, a moment
//! later the question is put again.
//!
//! Invariants:
//! - It ends by the deadline of the login, and at once when the login goes away.
//! - What the provider says is shown as it was checked (`forebear-oidc`), and its secrets never.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::{Duration, Instant};

use forebear_door::{Error, Frame, FromAgent, ToAgent};
use forebear_identity::{SignIn, qr};
use forebear_oidc::{Failure, Pending, Person, Provider};
use tokio::io::Interest;

use super::timed::Timed;
use crate::talk::say;

/// How long the provider has to notice that the person has signed in, before they are asked again:
/// the usual time between two questions to it, and a bit more.
const TO_NOTICE: Duration = Duration::from_secs(6);

/// How long a message may take that has begun to come.
const FOR_FRAME: Duration = Duration::from_secs(5);

/// The widest QR code that is shown, in columns: one more does not fit onto every terminal.
const WIDEST: usize = 77;

/// Has the person sign in.
///
/// # Errors
/// Whoever was asked went away, took too long, or does not keep to the protocol.
pub(super) fn sign_in(
    provider: &Provider,
    stream: &UnixStream,
    deadline: Instant,
) -> Result<SignIn, Error> {
    // One for this login alone: it ends with it, whatever the provider does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        // To be watched it may not block; `Timed` takes that back for each message.
        stream.set_nonblocking(true)?;
        let watch = tokio::net::UnixStream::from_std(stream.try_clone()?)?;
        let login = Login { stream, watch, deadline };
        let whole = login.sign_in(provider);
        match tokio::time::timeout_at(deadline.into(), whole).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Io(io::ErrorKind::TimedOut.into())),
        }
    });
    // Asking for the address of a host is nothing to wait for.
    runtime.shutdown_background();
    outcome
}

struct Login<'s> {
    stream: &'s UnixStream,
    /// Only says when there is something to read.
    watch: tokio::net::UnixStream,
    deadline: Instant,
}

/// What came first.
enum First<T> {
    /// This.
    Done(T),
    /// The login has something to say, or has gone.
    Login,
}

impl Login<'_> {
    async fn sign_in(&self, provider: &Provider) -> Result<SignIn, Error> {
        let pending = match self.first(provider.begin()).await? {
            First::Done(Ok(pending)) => pending,
            First::Done(Err(error)) => return Ok(told(Err(error.into()))),
            First::Login => return Err(self.unasked()),
        };
        let (address, code) = (pending.address(), pending.code());
        let mut text = invitation(address, pending.complete(), code, pending.life());
        let mut finish = pin!(provider.finish(&pending));
        let mut decided = None;
        loop {
            let ask = FromAgent::Ask { text: &text, is_echoed: false };
            ask.write(&mut Timed::until(self.stream, self.deadline))?;
            while decided.is_none() {
                match self.first(&mut finish).await? {
                    First::Done(outcome) => decided = Some(outcome),
                    First::Login => break,
                }
            }
            self.answer().await?;
            if decided.is_none() {
                let noticed = tokio::time::timeout(TO_NOTICE, &mut finish);
                match self.first(noticed).await? {
                    First::Done(outcome) => decided = outcome.ok(),
                    First::Login => return Err(self.unasked()),
                }
            }
            if let Some(outcome) = decided {
                return Ok(told(outcome));
            }
            text = again(&pending);
        }
    }

    /// Waits for this, or for the login.
    async fn first<T>(&self, work: impl Future<Output = T>) -> io::Result<First<T>> {
        tokio::select! {
            done = work => Ok(First::Done(done)),
            ready = self.watch.readable() => {
                ready?;
                Ok(First::Login)
            }
        }
    }

    /// The answer, which says nothing but that there is one.
    async fn answer(&self) -> Result<(), Error> {
        self.watch.readable().await?;
        // Takes the mark off, before the message is taken, so that the next one sets it again.
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.watch.try_io(Interest::READABLE, nothing);
        match self.message()? {
            true => Ok(()),
            false => Err(Error::Malformed("a second hello")),
        }
    }

    /// Reads a message that is coming; whether it is an answer.
    fn message(&self) -> Result<bool, Error> {
        let soon = (Instant::now() + FOR_FRAME).min(self.deadline);
        let mut frame = Frame::default();
        let message = ToAgent::read(&mut Timed::until(self.stream, soon), &mut frame)?;
        Ok(matches!(message, ToAgent::Answer(_)))
    }

    /// Why a login that says something now is not understood: most of them have gone.
    fn unasked(&self) -> Error {
        match self.message() {
            Ok(_) => Error::Malformed("an answer before a question"),
            Err(error) => error,
        }
    }
}

/// What the person is shown. It begins with a line of its own, because clients put words before it;
/// what has to be read comes last, because a small terminal shows only that.
fn invitation(address: &str, complete: Option<&str>, code: &str, life: Duration) -> String {
    let fits = |drawn: &str| drawn.lines().all(|line| line.chars().count() <= WIDEST);
    let picture = qr(complete.unwrap_or(address)).filter(|drawn| fits(drawn));
    let (picture, verb) = match &picture {
        Some(picture) => (picture.as_str(), "Scan this with your telephone, or open"),
        None => ("", "Open"),
    };
    let minutes = life.as_secs().div_ceil(60).max(1);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!(
        "\n{picture}{verb}\n  {address}\nand enter the code\n  {code}\nSign in there within \
         {minutes} {unit}, and then press Return here: "
    )
}

fn again(pending: &Pending) -> String {
    format!(
        "\nNobody has signed in yet at\n  {}\nwith the code\n  {}\nSign in there, and then press \
         Return here: ",
        pending.address(),
        pending.code(),
    )
}

fn told(outcome: Result<Person, Failure>) -> SignIn {
    match outcome {
        Ok(Person { email, roles }) => {
            let left_out = roles.as_ref().map_or(0, |roles| roles.left_out);
            if left_out > 0 {
                say(format_args!(
                    "identity: {left_out} of the provider's roles of {email} are left out: they \
                     are too many, or not of the form of a role"
                ));
            }
            let roles = roles.map(|roles| roles.roles.into_iter().collect());
            SignIn::Person { email, roles }
        }
        Err(Failure::Declined) => SignIn::Declined,
        Err(Failure::Expired) => SignIn::Expired,
        Err(Failure::Unusable(error)) => {
            say(format_args!("identity: nobody can sign in at the provider: {error}"));
            SignIn::Unusable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(90);

    #[test]
    fn what_has_to_be_read_comes_last() {
        let address = "https://id.example.com/device";
        let text = invitation(address, Some("https://id.example.com/device?c=A-B"), "A-B", LIFE);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "");
        assert!(lines[1].chars().all(|c| c == '\u{2588}'), "{text}");
        let last = &lines[lines.len() - 5..];
        assert_eq!(
            last,
            [
                "Scan this with your telephone, or open",
                "  https://id.example.com/device",
                "and enter the code",
                "  A-B",
                "Sign in there within 2 minutes, and then press Return here: ",
            ]
        );
    }

    #[test]
    fn every_address_and_code_that_a_provider_may_have_fits_into_a_frame() {
        let code = "W".repeat(64);
        for length in (30..1025).step_by(5) {
            let address = format!("https://{}", "a".repeat(length - 8));
            let text = invitation(&address, Some(&address), &code, LIFE);
            let ask = FromAgent::Ask { text: &text, is_echoed: false };
            ask.write(&mut vec![]).unwrap_or_else(|error| panic!("{length}: {error}"));
        }
    }
}
