//! Observation -> facts -> lines. No input, no output, no clock.
//!
//! Invariant: one odd observation does not end the agent. If handling one panics, what it had
//! begun to write is taken back, it is counted, and the next one is handled; the gap in `seq`
//! tells the reader.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use forebear_events::{AgentReport, Reason, Recorder, SensorDetails, ndjson, pretty};
use forebear_model::{ClockPair, Fact, InceptionKind, Model, Observation, Process, ProcessKey};
use forebear_query::{Query, Truth};
use forebear_sensor::LiveCounters;

use crate::options::Format;
use crate::verdict::Origin;

/// Where lines go. It may write between two lines, so that memory is not a matter of how many
/// lines one observation leads to: the end of a snapshot leads to one for each process.
pub trait Lines {
    /// Where the next line is appended.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// The buffer ends with a whole line.
    fn line_is_complete(&mut self);
}

/// The model, the recorder, and what is counted on the way.
pub struct Pipeline {
    model: Model,
    recorder: Recorder,
    format: Format,
    backfill: bool,
    filter: Option<Filter>,
    config_hash: String,
    sensor: SensorDetails,
    /// Lines that are still to be made readable.
    scratch: Vec<u8>,
    /// Observations that could not be handled.
    panics: u64,
}

/// Which events are written, and how many were not.
struct Filter {
    query: Query,
    filtered: u64,
}

impl Filter {
    /// Whether the event of this line is written. A line of ours can always be read.
    fn passes(&mut self, line: &[u8]) -> bool {
        let passes = self.query.of_line(line).is_ok_and(Truth::is_true);
        self.filtered += u64::from(!passes);
        passes
    }
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(model: Model, recorder: Recorder, format: Format) -> Self {
        Self {
            model,
            recorder,
            format,
            backfill: true,
            filter: None,
            config_hash: String::new(),
            sensor: SensorDetails::default(),
            scratch: vec![],
            panics: 0,
        }
    }

    /// Leaves out BACKFILL events.
    pub fn without_backfill(&mut self) {
        self.backfill = false;
    }

    /// Leaves out events for which this query is not true. AGENT events are always written.
    pub fn filter(&mut self, query: Query) {
        self.filter = Some(Filter { query, filtered: 0 });
    }

    /// What AGENT events tell about the configuration and the sensor.
    pub fn describe(&mut self, config_hash: String, sensor: SensorDetails) {
        self.config_hash = config_hash;
        self.sensor = sensor;
    }

    /// AGENT events tell this hash from now on.
    pub fn reconfigure(&mut self, config_hash: String) {
        self.config_hash = config_hash;
    }

    /// Processes that live, as far as is known.
    pub fn living(&self) -> u64 {
        self.model.counters().living
    }

    /// The process that a person is bound to who is verified in this one.
    pub fn bound_through(&self, process: ProcessKey) -> Option<ProcessKey> {
        self.model.bound_through(process).map(Process::key)
    }

    /// What a process runs, and how whoever runs it came in: by the session that a person would be
    /// bound to who is verified in it. `None` if that is no login.
    pub fn origin(&self, process: ProcessKey) -> Option<Origin> {
        let asking = self.model.living(process)?;
        let image = asking.image().ok()?;
        let inception = self.model.bound_through(process)?.inception()?;
        (inception.kind == InceptionKind::External).then_some(Origin {
            exe: image.exe.as_deref().ok()?.to_vec(),
            owner: image.owner,
            mode: image.mode,
            entry: inception.entry.as_str(),
            source: inception.source.map(|peer| peer.ip),
        })
    }

    /// Takes an observation in and appends the lines that it leads to.
    pub fn observe(&mut self, observation: &Observation<'_>, out: &mut dyn Lines) {
        let Self { model, recorder, backfill, filter, scratch, format, .. } = self;
        let mut whole = out.buffer().len();
        let handled = catch_unwind(AssertUnwindSafe(|| {
            model.apply(observation, &mut |model, fact| {
                if !*backfill && matches!(fact, Fact::Found { .. }) {
                    return;
                }
                let (lines, start) = match *format {
                    Format::Ndjson => (out.buffer(), whole),
                    Format::Pretty { .. } => (&mut *scratch, 0),
                };
                recorder.fact(model, &fact, lines);
                if let Some(filter) = filter
                    && !filter.passes(lines.get(start..).unwrap_or_default())
                {
                    lines.truncate(start);
                    recorder.take_back();
                    return;
                }
                if let Format::Pretty { colour } = *format {
                    render(scratch, colour, out.buffer());
                }
                out.line_is_complete();
                whole = out.buffer().len();
            });
        }));
        if handled.is_err() {
            out.buffer().truncate(whole);
            self.scratch.clear();
            self.panics += 1;
        }
    }

    /// Appends an AGENT event.
    pub fn report(
        &mut self,
        reason: Reason,
        now: ClockPair,
        counters: BTreeMap<&'static str, u64>,
        out: &mut dyn Lines,
    ) {
        let report = AgentReport {
            at: now.boot,
            wall: now.wall,
            reason,
            counters,
            config_hash: self.config_hash.clone(),
            sensor: self.sensor.clone(),
        };
        match self.format {
            Format::Ndjson => self.recorder.agent(&report, out.buffer()),
            Format::Pretty { colour } => {
                self.recorder.agent(&report, &mut self.scratch);
                render(&mut self.scratch, colour, out.buffer());
            }
        }
        out.line_is_complete();
    }

    /// The counters of the next AGENT event, all since the run began.
    pub fn counters(&self, received: &LiveCounters) -> BTreeMap<&'static str, u64> {
        let model = self.model.counters();
        let mut counters = BTreeMap::from([
            ("observed", received.received),
            // The AGENT event that tells it is counted too.
            ("emitted", self.recorder.seq() + 1),
            ("lost_kernel", received.lost_execs),
            ("lost_kernel_forks", received.lost_forks),
            ("lost_kernel_exits", received.lost_exits),
            ("lost_user", received.undecodable + self.panics),
            ("suppressed", received.suppressed),
            ("lost_kernel_builtins", received.lost_builtins),
            ("shells_attached", received.shells_attached),
            ("shells_refused", received.shells_refused),
            ("shells_watched", received.shells_watched),
            ("argv_incomplete", received.argv_incomplete),
            ("processes", model.living),
            ("retained", model.retained),
            ("uuid_collisions", model.uuid_collisions),
            ("inferred_exits", model.inferred_exits),
            ("recovered", model.recovered),
        ]);
        // Without a filter there is no such count.
        if let Some(filter) = &self.filter {
            counters.insert("filtered", filter.filtered);
        }
        counters
    }
}

/// Moves lines from `scratch` to `out` in their readable form. Speed does not matter: people read
/// them.
fn render(scratch: &mut Vec<u8>, colour: bool, out: &mut Vec<u8>) {
    let mut text = String::new();
    for line in scratch.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match ndjson::read(line) {
            Ok(Some(event)) => pretty::line(&event, colour, &mut text),
            // A line that we cannot read back is a bug, but the person still gets the line.
            _ => text.extend([&*String::from_utf8_lossy(line), "\n"]),
        }
    }
    scratch.clear();
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use forebear_events::{Names, Recorder};
    use forebear_model::observation::{Argv, Exec, Executable, FileId, Place, State};
    use forebear_model::{
        BootId, BootTime, CgroupId, Credentials, Device, Gid, HostId, Pgid, Pid, ProcessKey, Sid,
        Uid,
    };

    use super::*;

    /// The user at whose name the lookup fails badly.
    const CURSED: Uid = Uid(666);

    struct CursedNames;

    impl Names for CursedNames {
        fn user(&mut self, uid: Uid) -> Option<Arc<str>> {
            assert_ne!(uid, CURSED, "the odd process");
            None
        }
    }

    #[derive(Default)]
    struct Buffer(Vec<u8>);

    impl Lines for Buffer {
        fn buffer(&mut self) -> &mut Vec<u8> {
            &mut self.0
        }

        fn line_is_complete(&mut self) {
            assert!(self.0.ends_with(b"\n"));
        }
    }

    fn pipeline(format: Format) -> Pipeline {
        let model = Model::new(HostId([1; 16]), BootId([2; 16]));
        Pipeline::new(model, Recorder::new(crate::run::of_tests(), Box::new(CursedNames)), format)
    }

    fn exec(pid: u32, uid: Uid) -> Observation<'static> {
        let key = |pid| ProcessKey { pid: Pid(pid), start: BootTime(u64::from(pid) * 1_000_000) };
        Observation::Exec(Box::new(Exec {
            at: BootTime(1_000_000_000),
            process: key(pid),
            state: State {
                credentials: Credentials { uid, euid: uid, gid: Gid(0), egid: Gid(0) },
                login_uid: None,
                audit_session: None,
                sid: Sid(pid),
                pgid: Pgid(pid),
                tty: None,
                streams: Ok([None; 3]),
            },
            place: Place { pid_namespace: None, cgroup: CgroupId(1), cgroup_path: None },
            executable: Executable {
                path: Ok(b"/usr/bin/true"),
                file: FileId { device: Device { major: 8, minor: 1 }, inode: 7 },
                owner: Uid(0),
                group: Gid(0),
                mode: 0o100_755,
                deleted: false,
                memfd: false,
                upper_layer: false,
            },
            filename: Ok(b"/bin/true"),
            interpreter: None,
            argv: Argv::whole(b"true\0--odd\0"),
            cwd: Ok(b"/"),
            setuid: false,
            setgid: false,
            parent: key(1),
            parent_facts: None,
            tcp_peer: None,
        }))
    }

    #[test]
    fn one_odd_process_costs_its_own_event_and_no_other() {
        let mut pipeline = pipeline(Format::Ndjson);
        let mut out = Buffer::default();
        for (pid, uid) in [(20, Uid(0)), (21, CURSED), (22, Uid(0))] {
            pipeline.observe(&exec(pid, uid), &mut out);
        }
        let text = String::from_utf8(out.0).unwrap();
        let events: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let pids: Vec<_> = events.iter().map(|event| event["self"]["pid"].clone()).collect();
        assert_eq!(pids, [20, 22]);
        let counters = pipeline.counters(&LiveCounters::default());
        assert_eq!(counters["lost_user"], 1);
    }

    #[test]
    fn what_is_filtered_leaves_no_line_and_no_gap_and_is_counted() {
        for format in [Format::Ndjson, Format::Pretty { colour: false }] {
            let mut pipeline = pipeline(format);
            assert!(!pipeline.counters(&LiveCounters::default()).contains_key("filtered"));
            // One that is true of some, one that is unknown of all but not true of any.
            let query = "cmd_pid IN '20,23' or cmd_user != 'x'";
            pipeline.filter(Query::compile(query, forebear_query::Moment::utc(0)).unwrap());
            let mut out = Buffer::default();
            for pid in 20..25 {
                pipeline.observe(&exec(pid, Uid(0)), &mut out);
            }
            let now = ClockPair { boot: BootTime(1), wall: forebear_model::WallTime(1) };
            let counters = pipeline.counters(&LiveCounters::default());
            assert_eq!((counters["filtered"], counters["emitted"]), (3, 3));
            pipeline.report(Reason::Stop, now, counters, &mut out);
            let text = String::from_utf8(out.0).unwrap();
            assert_eq!(text.lines().count(), 3, "{text}");
            if format == Format::Ndjson {
                for (index, line) in text.lines().enumerate() {
                    let event: serde_json::Value = serde_json::from_str(line).unwrap();
                    assert_eq!(event["seq"], index + 1);
                }
            }
        }
    }

    #[test]
    fn the_readable_form_is_one_line_an_event() {
        let mut pipeline = pipeline(Format::Pretty { colour: false });
        let mut out = Buffer::default();
        pipeline.observe(&exec(20, Uid(0)), &mut out);
        pipeline.observe(&exec(21, Uid(0)), &mut out);
        let text = String::from_utf8(out.0).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().all(|line| line.contains("--odd")), "{text}");
        assert!(!text.contains('{'), "{text}");
    }
}
