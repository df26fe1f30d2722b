//! One host over the whole time: when what happens there, and how often.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use forebear_events::{Mode, Reason, Run, SensorKind};
use forebear_model::{BootId, HostId};

use crate::kernel::Kernel;
use crate::plan::{BEGIN, HOUR, Plan};
use crate::random::{Random, Zipf};
use crate::roster::{DEPLOY, Host, Kind, Person};
use crate::scenes::container::Container;
use crate::scenes::login::{Session, Visitor, automation};
use crate::scenes::services::{Services, boot};
use crate::scenes::{build, container, intruder, routine};
use crate::stream::{Stream, Written};

/// How busy people are by the hour of the day (UTC), from midnight on.
const PEOPLES_DAY: [u64; 24] =
    [1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 10, 9, 8, 9, 10, 10, 9, 7, 5, 4, 3, 2, 2, 1];

/// How many people are at a host at once, at most.
const AT_ONCE: usize = 12;

/// The hour in which agents are started anew, now and then.
const MAINTENANCE: u64 = 4;

/// A host and what goes on there.
struct Recording<'a> {
    host: &'a Host,
    fleet: &'a [Host],
    people: &'a [Person],
    favourites: Zipf,
    random: Random,
    kernel: Kernel,
    services: Services,
    containers: Vec<Container>,
    sessions: Vec<Session>,
}

/// Records a host: `quota` events.
pub(crate) fn record(
    plan: &Plan,
    host: &Host,
    fleet: &[Host],
    people: &[Person],
    quota: u64,
    root: &Path,
) -> Result<Written> {
    let mut random = Random::new(plan.seed, 1 + host.place as u64);
    let stream = Stream::new(root, plan.compression, Duration::from_secs(plan.max_age));
    let mut run = run(host, &mut random);
    let uptime = random.between(3 * 24, 90 * 24) * HOUR + random.below(HOUR);
    let mut kernel = Kernel::new(run.clone(), stream, BEGIN, uptime, quota);
    let services = boot(&mut kernel, host);
    kernel.start_agent(run.clone());
    let mut recording = Recording {
        host,
        fleet,
        people,
        favourites: Zipf::new(people.len()),
        random,
        kernel,
        services,
        containers: Vec::new(),
        sessions: Vec::new(),
    };
    let weights: Vec<u64> = (0..plan.hours).map(|hour| weight(host.kind, hour)).collect();
    let total: u64 = weights.iter().sum();
    let mut before = 0;
    for (hour, weight) in (0..).zip(weights) {
        if hour > 24 && hour % 24 == MAINTENANCE && recording.random.percent(5) {
            recording.kernel.pass_until(uptime + hour * HOUR);
            recording.kernel.report(Reason::Stop);
            run.run_uuid = recording.random.uuid();
            recording.kernel.start_agent(run.clone());
        }
        let share =
            |weight: u64| (u128::from(quota) * u128::from(weight) / u128::from(total)) as u64;
        recording.hour(uptime + hour * HOUR, hour, share(before + weight));
        before += weight;
    }
    while !recording.kernel.is_full() {
        recording.scene();
    }
    recording.kernel.finish()
}

/// What is the same in all events of a host's first run.
fn run(host: &Host, random: &mut Random) -> Run {
    let kind = host.kind;
    let labels = [
        ("group", kind.group()),
        ("project", host.project),
        ("environment", if host.place % 4 == 3 { "staging" } else { "production" }),
        ("os", "debian-12"),
    ];
    Run {
        agent_version: "0.1.0".to_owned(),
        mode: if kind == Kind::Bastion { Mode::Control } else { Mode::Audit },
        sensor: SensorKind::Ebpf,
        run_uuid: random.uuid(),
        host: forebear_events::Host {
            id: HostId(random.uuid()),
            name: host.name(),
            boot_id: BootId(random.uuid()),
            kernel: "6.1.0-28-amd64".to_owned(),
            arch: "x86_64".to_owned(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        },
    }
}

/// How busy a host is in an hour, counted from the first.
fn weight(kind: Kind, hour: u64) -> u64 {
    let people = PEOPLES_DAY[(hour % 24) as usize];
    let is_weekend = hour / 24 % 7 >= 5;
    match kind {
        Kind::Bastion | Kind::Ci if is_weekend => 4,
        Kind::Bastion | Kind::Ci => 2 + people * 3,
        Kind::Web | Kind::App => 10 + people,
        Kind::Node | Kind::Database => 20,
    }
}

impl Recording<'_> {
    /// One hour, until so many events are recorded; what happens is spread over it.
    fn hour(&mut self, begins: u64, hour: u64, until: u64) {
        self.kernel.pass_until(begins);
        if hour > 0 {
            self.kernel.report(Reason::Status);
        }
        if hour == intruder::AT_HOUR {
            let Self { kernel, host, fleet, people, services, random, .. } = self;
            intruder::scene(kernel, begins, host, fleet, people, services, random);
        }
        let already = self.kernel.emitted();
        let wanted = until.saturating_sub(already).max(1);
        while self.kernel.emitted() < until && self.kernel.now() < begins + HOUR {
            let done = u128::from(self.kernel.emitted() - already);
            let pace = begins + (u128::from(HOUR) * done / u128::from(wanted)) as u64;
            self.kernel.pass_until(pace);
            self.scene();
        }
    }

    /// One thing that happens here.
    fn scene(&mut self) {
        if !self.sessions.is_empty() && self.random.percent(60) {
            return self.go_on();
        }
        let Self { host, kernel, services, containers, random, .. } = self;
        match (host.kind, random.below(100)) {
            (Kind::Ci, 0..40) => build::scene(kernel, host, services, random),
            (Kind::Node, 0..80) => container::scene(kernel, services, containers, random),
            (Kind::Bastion, 0..45) => self.begin(),
            (Kind::Bastion, _) => routine::scene(kernel, host, services, random),
            (Kind::Database, 94..97) => self.begin(),
            (_, 97..99) => self.begin(),
            (_, 90..94) => {
                let visitor = Visitor {
                    from: std::net::Ipv4Addr::new(10, 20, 0, 9).into(),
                    uid: DEPLOY,
                    user: "deploy",
                    person: None,
                    may_be_root: true,
                };
                automation(kernel, services, &visitor, random);
            }
            _ => routine::scene(kernel, host, services, random),
        }
    }

    /// Somebody comes.
    fn begin(&mut self) {
        if self.sessions.len() >= AT_ONCE {
            return self.go_on();
        }
        let person = &self.people[self.favourites.draw(&mut self.random)];
        let is_bastion = self.host.kind == Kind::Bastion;
        let bastion = self.fleet.iter().find(|host| host.kind == Kind::Bastion);
        let visitor = Visitor {
            from: match bastion {
                Some(bastion) if !is_bastion => bastion.address.into(),
                _ => person.address,
            },
            uid: if is_bastion { person.uid } else { DEPLOY },
            user: if is_bastion { person.user } else { "deploy" },
            person: is_bastion.then_some(person),
            may_be_root: person.roles.contains(&"ops"),
        };
        let Self { kernel, services, random, sessions, .. } = self;
        sessions.push(Session::begin(kernel, services, &visitor, random));
    }

    /// Somebody who is here types a line, or leaves.
    fn go_on(&mut self) {
        let Self { kernel, random, sessions, .. } = self;
        let index = random.below(sessions.len() as u64) as usize;
        let Some(session) = sessions.get_mut(index) else { return };
        if !session.step(kernel, random) {
            sessions.swap_remove(index).end(kernel);
        }
    }
}
