//! What a server is told to do wrong.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;

/// A way to misbehave.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status and an error of this code, without doing anything.
    Error(u16, &'static str),
    /// Answers with this status and nothing else, without doing anything.
    Status(u16),
    /// Ends the connection without doing anything.
    Cut,
    /// Does what is asked and ends the connection without an answer.
    LoseAnswer,
    /// Does what is asked and sends only the first half of the answer's body.
    HalfAnswer,
    /// Never answers and does nothing; the connection stays open until the client goes.
    Silence,
    /// Does what is asked after this time.
    Delay(Duration),
}

/// Which requests.
#[derive(Clone, Debug, Default)]
pub struct When {
    method: Option<Method>,
    part: Option<String>,
    skip: u64,
    times: Option<u64>,
    one_in: Option<u64>,
}

impl When {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only requests of this method.
    pub fn method(method: &str) -> Self {
        Self { method: method.parse().ok(), ..Self::default() }
    }

    /// Only requests whose path and query contain this.
    #[must_use]
    pub fn on(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }

    /// Not the first so many of them.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Only so many of them.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// By chance one in so many of them; the same ones in every run.
    #[must_use]
    pub fn one_in(mut self, many: u64) -> Self {
        self.one_in = Some(many);
        self
    }
}

#[derive(Debug)]
struct Rule {
    when: When,
    fault: Fault,
    seen: u64,
    done: u64,
}

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<Rule>,
    requests: Vec<String>,
    random: u64,
}

/// The orders of one server. Cheap to clone; all clones are the same orders.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    /// Adds an order; the first that fits a request is followed.
    pub fn add(&self, when: When, fault: Fault) {
        self.with(|plan| plan.rules.push(Rule { when, fault, seen: 0, done: 0 }));
    }

    /// Takes all orders back.
    pub fn clear(&self) {
        self.with(|plan| plan.rules.clear());
    }

    /// How often an order was followed.
    pub fn followed(&self) -> u64 {
        self.with(|plan| plan.rules.iter().map(|rule| rule.done).sum())
    }

    /// Every request so far, as `METHOD path?query`.
    pub fn requests(&self) -> Vec<String> {
        self.with(|plan| plan.requests.clone())
    }

    /// Notes a request and says what to do wrong with it.
    pub(super) fn of(&self, method: &Method, target: &str) -> Option<Fault> {
        self.with(|plan| {
            plan.requests.push(format!("{method} {target}"));
            for rule in &mut plan.rules {
                let When { method: wanted, part, skip, times, one_in } = &rule.when;
                let fits = wanted.as_ref().is_none_or(|wanted| wanted == method)
                    && part.as_ref().is_none_or(|part| target.contains(part));
                if !fits {
                    continue;
                }
                rule.seen += 1;
                if rule.seen <= *skip || times.is_some_and(|times| rule.done >= times) {
                    continue;
                }
                if let Some(many) = one_in {
                    // A step of a linear congruential generator is chance enough here.
                    plan.random =
                        plan.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if !(plan.random >> 33).is_multiple_of(*many) {
                        continue;
                    }
                }
                rule.done += 1;
                return Some(rule.fault.clone());
            }
            None
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Plan) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_followed_for_the_requests_that_it_is_about() {
        let faults = Faults::default();
        faults.add(When::method("PUT").on("events").after(1).times(1), Fault::Cut);
        let followed = |method: Method, target| faults.of(&method, target).is_some();
        assert!(!followed(Method::GET, "/b/events"));
        assert!(!followed(Method::PUT, "/b/other"));
        assert!(!followed(Method::PUT, "/b/events/1"), "the first one is skipped");
        assert!(followed(Method::PUT, "/b/events/2"));
        assert!(!followed(Method::PUT, "/b/events/3"), "once is enough");
        assert_eq!(faults.followed(), 1);
        assert_eq!(faults.requests().len(), 5);
    }
}
