//! Who is behind a login: the socket at which logins ask, and what is known of sessions.
//!
//! | thread | does |
//! | --- | --- |
//! | identity | accepts, and looks once a second whether an account was revoked |
//! | one for each login that asks | asks the person, waits between answers |
//! | main | binds: it alone knows the processes, and writes the event |
//!
//! Invariants:
//! - Who asks is what the kernel says ([`peer`]); what a login says of itself is only recorded.
//! - Nobody is told that a person is accepted before the process is bound and the binding is on
//!   the disk.
//! - A code is looked at under one lock with the count of the wrong ones before it ([`throttle`]),
//!   so many logins at once guess no faster than one.
//! - So many are asked at a time ([`slots`]), none longer than was configured.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use forebear_door::FromAgent;
use forebear_model::BootId;
use forebear_oidc::Provider;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::accounts::Accounts;
use self::bindings::Bindings;
use self::gate::Gate;
use self::peer::Peer;
use self::slots::Slots;
use self::throttle::Throttle;
use self::timed::Timed;
use super::board::Board;
use super::listening::BoundSocket;
use crate::config::IdentityConfig;
use crate::privileges;
use crate::talk::say;
use crate::verdict::Verdict;

mod accounts;
mod bindings;
mod comer;
mod conversation;
pub(super) mod gate;
mod peer;
mod policy;
pub(super) mod provider;
mod sign_in;
mod slots;
mod throttle;
mod timed;

/// Said where too many are asked already.
const TOO_MANY: &str = "Too many people are being asked who they are. Try again in a minute.";

/// How long that may take to be taken.
const SOON: Duration = Duration::from_millis(100);

/// How often revoked accounts are looked for.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The running side of it, for the thread that records.
pub(super) struct Identity {
    verdicts: Receiver<Verdict>,
    /// The thread ends with this end of it.
    life: UnixStream,
    thread: JoinHandle<()>,
}

/// What the threads share.
struct Shared {
    config: IdentityConfig,
    accounts: Accounts,
    provider: Option<Provider>,
    throttle: Mutex<Throttle>,
    board: Arc<Board>,
    bindings: Mutex<Bindings>,
    verdicts: Mutex<Sender<Verdict>>,
    gate: Option<Gate>,
    slots: Slots,
}

impl Identity {
    /// Opens the socket and starts the thread. The first verdicts are what was bound before.
    ///
    /// # Errors
    /// If the accounts or the provider cannot be used.
    pub(super) fn start(
        config: IdentityConfig,
        boot: BootId,
        (socket, gate): (BoundSocket, Option<Gate>),
        board: Arc<Board>,
    ) -> Result<Self> {
        let (verdicts, received) = std::sync::mpsc::channel();
        let (bindings, problem) = Bindings::read(&config.dir, boot);
        if let Some(problem) = problem {
            say(format_args!("identity: sessions of before are not known: {problem}"));
        }
        for (process, person) in bindings.all() {
            // The other end is held right here.
            let _ = verdicts.send(Verdict::Restored { process, person });
        }
        let shared = Arc::new(Shared {
            accounts: Accounts::open(&config)?,
            provider: config.oidc.as_ref().map(provider::open).transpose()?,
            throttle: Mutex::default(),
            board,
            config,
            bindings: Mutex::new(bindings),
            verdicts: Mutex::new(verdicts),
            gate,
            slots: Slots::default(),
        });
        let (life, ending) = UnixStream::pair().context("making the identity thread's end")?;
        let work = move || {
            if let Err(error) = privileges::drop_all() {
                say(format_args!("identity: giving up privileges: {error:#}"));
            }
            while wait(&socket.listener, &ending) {
                accept(&socket.listener, &shared);
                shared.look_for_revoked();
            }
            // With its name, which has to be there until now.
            drop(socket);
        };
        let named = std::thread::Builder::new().name("identity".to_owned());
        let thread = named.spawn(work).context("starting the thread of the identity socket")?;
        Ok(Self { verdicts: received, life, thread })
    }

    /// What there is to say next.
    pub(super) fn next(&self) -> Option<Verdict> {
        self.verdicts.try_recv().ok()
    }

    /// Asks nobody any more. Whoever is being asked is turned away by the end of the process.
    pub(super) fn finish(self) {
        drop(self.life);
        // A panic in there has been said.
        let _ = self.thread.join();
    }
}

/// Waits for a login or until it is time to look for revoked accounts. `false`: it is the end.
fn wait(listener: &UnixListener, ending: &UnixStream) -> bool {
    let mut waited = [PollFd::new(listener, PollFlags::IN), PollFd::new(ending, PollFlags::IN)];
    match poll(&mut waited, Some(&LOOK_EVERY)) {
        Ok(_) => waited[1].revents().is_empty(),
        Err(errno) => errno == rustix::io::Errno::INTR,
    }
}

/// Takes the logins that ask now.
fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        let peer = match Peer::of(&stream, shared.gate.as_ref().map(Gate::group)) {
            Ok(peer) => peer,
            Err(stranger) => {
                // Said, since somebody tries what only root and the gate may.
                say(format_args!("identity: {stranger}"));
                continue;
            }
        };
        let Some(slot) = shared.slots.take(peer.kind) else {
            // Nothing has been sent yet, so there is room for this. Only closing would be taken for an
            // agent that is not there, and might let somebody in.
            _ = FromAgent::Denied(TOO_MANY)
                .write(&mut Timed::until(&stream, Instant::now() + SOON));
            continue;
        };
        let own = Arc::clone(shared);
        let work = move || {
            conversation::hold(&own, &peer, stream);
            drop(slot);
        };
        let named = std::thread::Builder::new().name("login".to_owned());
        if let Err(error) = named.spawn(work) {
            say(format_args!("identity: a login cannot be asked: {error}"));
        }
    }
}

impl Shared {
    fn send(&self, verdict: Verdict) {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        // At the end nobody listens any more.
        let _ = verdicts.send(verdict);
    }

    fn bindings(&self) -> std::sync::MutexGuard<'_, Bindings> {
        self.bindings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what revoked accounts stand for.
    fn look_for_revoked(&self) {
        let of_binding = |(account, has_account): (&str, bool)| (account.to_owned(), has_account);
        let mut accounts: Vec<_> = self.bindings().accounts().map(of_binding).collect();
        accounts.sort_unstable();
        accounts.dedup();
        if accounts.is_empty() {
            return;
        }
        let revoked = match self.accounts.revoked_of(&accounts) {
            Ok(revoked) => revoked,
            Err(error) => {
                say(format_args!("identity: {error}; who is logged in stays so"));
                return;
            }
        };
        for account in revoked {
            if let Err(error) = self.bindings().revoke(&account) {
                say(format_args!("identity: {account} is revoked, but that is not kept: {error}"));
            }
            self.send(Verdict::Revoked(account.clone()));
            say(format_args!("identity: {account} is revoked"));
        }
    }
}
