//! Names of users, through the name service switch (nsswitch.conf(5)).
//!
//! Invariants:
//! - Looking a name up never stalls recording: the switch may ask a directory server that does
//!   not answer, so it is asked on a helper thread and waited for [`PATIENCE`] at most. While the
//!   helper is overdue nobody waits at all. A name that comes late is there for later events.
//! - Memory is bounded: at most [`CAPACITY`] users are remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use forebear_events::Names;
use forebear_model::Uid;

/// How long a lookup is waited for.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(300);
/// How long after an empty or late answer the switch is asked again.
const FRESH_WITHOUT_NAME: Duration = Duration::from_secs(30);
/// How many users are remembered.
const CAPACITY: usize = 4096;
/// How many questions may wait for the helper.
const QUEUE: usize = 64;

/// Asks the name service switch.
pub type Lookup = fn(Uid) -> Option<Arc<str>>;

/// Users by number.
#[derive(Debug)]
pub struct NssNames {
    known: HashMap<Uid, Known>,
    helper: Option<Helper>,
    lookup: Lookup,
}

#[derive(Clone, Debug)]
struct Known {
    name: Option<Arc<str>>,
    until: Instant,
}

/// The thread that asks, and the questions it has not answered.
#[derive(Debug)]
struct Helper {
    questions: SyncSender<Uid>,
    answers: Receiver<(Uid, Option<Arc<str>>)>,
    unanswered: usize,
}

impl NssNames {
    /// Through the machine's switch.
    pub fn new() -> Self {
        Self::through(|uid| {
            let user = uzers::get_user_by_uid(uid.0)?;
            // A name that is not text is no name: the number is in the event anyway.
            user.name().to_str().map(Arc::from)
        })
    }

    /// Through any lookup.
    pub fn through(lookup: Lookup) -> Self {
        Self { known: HashMap::new(), helper: None, lookup }
    }

    fn remember(&mut self, now: Instant, uid: Uid, name: Option<Arc<str>>) {
        if self.known.len() >= CAPACITY {
            self.known.retain(|_, known| known.until > now);
        }
        if self.known.len() >= CAPACITY {
            // More users than anybody has; starting again is simpler than an order of use.
            self.known.clear();
        }
        let fresh = if name.is_some() { FRESH } else { FRESH_WITHOUT_NAME };
        self.known.insert(uid, Known { name, until: now + fresh });
    }

    /// Takes in what has been answered meanwhile.
    fn collect(&mut self, now: Instant) {
        loop {
            let Some(helper) = &mut self.helper else { return };
            match helper.answers.try_recv() {
                Ok((uid, name)) => {
                    helper.unanswered = helper.unanswered.saturating_sub(1);
                    self.remember(now, uid, name);
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.helper = None,
            }
        }
    }

    /// Asks, and waits if the helper is not overdue already.
    fn ask(&mut self, now: Instant, uid: Uid) -> Option<Arc<str>> {
        let lookup = self.lookup;
        if self.helper.is_none() {
            self.helper = Helper::start(lookup);
        }
        let helper = self.helper.as_mut()?;
        let is_overdue = helper.unanswered > 0;
        if helper.questions.try_send(uid).is_ok() {
            helper.unanswered += 1;
        }
        // Asked again only after a while, also if no answer ever comes.
        self.remember(now, uid, None);
        if is_overdue {
            return None;
        }
        let deadline = now + PATIENCE;
        while let Some(helper) = &mut self.helper {
            let left = deadline.saturating_duration_since(Instant::now());
            match helper.answers.recv_timeout(left) {
                Ok((answered, name)) => {
                    helper.unanswered = helper.unanswered.saturating_sub(1);
                    self.remember(now, answered, name.clone());
                    if answered == uid {
                        return name;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => self.helper = None,
            }
        }
        None
    }
}

impl Default for NssNames {
    fn default() -> Self {
        Self::new()
    }
}

impl Names for NssNames {
    fn user(&mut self, uid: Uid) -> Option<Arc<str>> {
        let now = Instant::now();
        self.collect(now);
        match self.known.get(&uid) {
            Some(known) if known.until > now => known.name.clone(),
            // An old name is better than none while a new one is asked for.
            Some(Known { name: Some(old), .. }) => {
                let old = Arc::clone(old);
                self.ask(now, uid).or(Some(old))
            }
            _ => self.ask(now, uid),
        }
    }
}

impl Helper {
    fn start(lookup: Lookup) -> Option<Self> {
        let (questions, asked) = sync_channel::<Uid>(QUEUE);
        let (answer, answers) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("names".to_owned()).spawn(move || {
            // Capabilities belong to a thread; this one runs other people's modules and needs
            // none.
            let _ = crate::privileges::drop_all();
            while let Ok(uid) = asked.recv() {
                if answer.send((uid, lookup(uid))).is_err() {
                    return;
                }
            }
        });
        // Without a thread there are no names for now; the numbers are there.
        thread.ok().map(|_| Self { questions, answers, unanswered: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name() {
        assert_eq!(NssNames::new().user(Uid(0)).as_deref(), Some("root"));
    }

    #[test]
    fn a_user_without_a_name_has_none() {
        assert_eq!(NssNames::new().user(Uid(4_294_967_290)), None);
    }

    #[test]
    fn a_switch_that_hangs_is_waited_for_once_and_briefly() {
        let mut names = NssNames::through(|_| {
            std::thread::park();
            None
        });
        let began = Instant::now();
        for uid in 0..1000 {
            assert_eq!(names.user(Uid(uid)), None);
        }
        let took = began.elapsed();
        assert!(took >= PATIENCE, "{took:?}");
        assert!(took < 20 * PATIENCE, "{took:?}");
    }

    #[test]
    fn a_late_name_arrives_for_later_events() {
        static GATE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let closed = GATE.lock().unwrap();
        let mut names = NssNames::through(|_| {
            drop(GATE.lock());
            Some(Arc::from("late"))
        });
        assert_eq!(names.user(Uid(7)), None);
        drop(closed);
        let deadline = Instant::now() + Duration::from_secs(10);
        while names.user(Uid(7)).is_none() {
            assert!(Instant::now() < deadline, "the name never came");
            std::thread::yield_now();
        }
        assert_eq!(names.user(Uid(7)).as_deref(), Some("late"));
    }

    #[test]
    fn memory_is_bounded_however_many_users_there_are() {
        let mut names = NssNames::through(|uid| Some(Arc::from(uid.to_string())));
        for uid in 0..20_000 {
            let now = Instant::now();
            names.remember(now, Uid(uid), None);
        }
        assert!(names.known.len() <= CAPACITY);
    }
}
