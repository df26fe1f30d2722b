//! Everything that one run of the agent has recorded.

use crate::event::Event;
use crate::must::Must;

/// All events of one run, complete and checked as a stream.
#[derive(Clone, Debug)]
pub struct Recording {
    events: Vec<Event>,
}

impl Recording {
    /// Takes events that have passed [`crate::stream::check`].
    pub(crate) fn new(events: Vec<Event>) -> Self {
        Self { events }
    }

    /// All events, in their order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// All EXEC events for which `wanted` holds.
    pub fn execs(&self, wanted: impl Fn(&Event) -> bool) -> Vec<&Event> {
        self.events.iter().filter(|event| event.is_exec() && wanted(event)).collect()
    }

    /// The only EXEC event for which `wanted` holds; `what` names it in a failure.
    #[track_caller]
    pub fn exec(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> &Event {
        self.only(what, self.execs(wanted))
    }

    /// The only EXEC of exactly these arguments.
    #[track_caller]
    pub fn exec_of(&self, argv: &[&str]) -> &Event {
        self.exec(&format!("the EXEC of {argv:?}"), |event| event.argv_is(argv))
    }

    /// The only BACKFILL event for which `wanted` holds.
    #[track_caller]
    pub fn backfill(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> &Event {
        let found = self.events.iter().filter(|event| event.is_backfill() && wanted(event));
        self.only(what, found.collect())
    }

    /// The last AGENT event.
    #[track_caller]
    pub fn last_report(&self) -> &Event {
        let mut reports = self.events.iter().rev().filter(|event| event.kind() == "AGENT");
        reports.next().must("find the agent's last report")
    }

    #[track_caller]
    fn only<'r>(&'r self, what: &str, found: Vec<&'r Event>) -> &'r Event {
        match found[..] {
            [event] => event,
            [] => panic!("{what} was not recorded; {}", recent(&self.events)),
            _ => panic!(
                "{what} was recorded {} times:\n{}",
                found.len(),
                found.iter().map(|event| event.to_string()).collect::<Vec<_>>().join("\n")
            ),
        }
    }
}

/// The latest events as a list of candidates for a failure.
pub(crate) fn recent(events: &[Event]) -> String {
    const SHOWN: usize = 60;
    let skipped = events.len().saturating_sub(SHOWN);
    let lines: Vec<String> = events[skipped..].iter().map(Event::summary).collect();
    format!("the last {} of {} events:\n  {}", lines.len(), events.len(), lines.join("\n  "))
}
