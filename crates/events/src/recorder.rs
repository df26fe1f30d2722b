//! One run of the agent: facts go in, lines come out.
//!
//! A line is put together from fragments: what is the same in every line of the run is rendered
//! when the run begins, the blocks of the context processes come from a cache, and only the
//! process itself is rendered each time.
//!
//! Invariants: nothing here fails; each line has the next `seq`; the same fact with the same `seq`
//! of the same run gives the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use forebear_model::observation::Argv;
use forebear_model::{
    BootId, BootTime, Context, Fact, HostId, Known, Model, Process, Uid, WallTime, Why,
};
use uuid::Uuid;

use crate::assemble::{self, Users};
use crate::cache::{Blocks, Form};
use crate::v1;
use crate::write::{self, Json};

/// How many bytes of rendered process blocks are kept.
const CACHE_BYTES: usize = 8 << 20;

/// The longest line that is usual; room for it is made at once.
const USUAL_LINE_BYTES: usize = 4096;

/// Names of users, from the name service switch in the agent (nsswitch.conf(5)).
pub trait Names {
    /// The name of a user, if one is known. Asked for each process that is rendered, so an
    /// implementation keeps its answers; it may change them later.
    fn user(&mut self, uid: Uid) -> Option<Arc<str>>;
}

/// What is the same in every event of one run of the agent.
#[derive(Clone, Debug)]
pub struct Run {
    /// Version of the agent.
    pub agent_version: String,
    /// What the agent was set up to do.
    pub mode: v1::Mode,
    /// Where its observations come from.
    pub sensor: v1::SensorKind,
    /// Identity of the run: a random UUID (version 4).
    pub run_uuid: [u8; 16],
    /// The machine.
    pub host: Host,
}

/// The machine that a run observes.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its stable id.
    pub id: HostId,
    /// Its host name.
    pub name: String,
    /// The kernel's id of this boot.
    pub boot_id: BootId,
    /// Version of the kernel.
    pub kernel: String,
    /// Architecture of the kernel.
    pub arch: String,
    /// The operator's own labels.
    pub labels: BTreeMap<String, String>,
}

/// What the agent tells about itself.
#[derive(Clone, Debug)]
pub struct AgentReport {
    /// When, by the boot clock.
    pub at: BootTime,
    /// When, by the wall clock.
    pub wall: WallTime,
    /// Why it reports.
    pub reason: v1::Reason,
    /// What was counted since the run began.
    pub counters: BTreeMap<&'static str, u64>,
    /// Fingerprint of the configuration.
    pub config_hash: String,
    /// How it is attached to the kernel.
    pub sensor: v1::SensorDetails,
}

/// Makes the lines of one run.
pub struct Recorder {
    names: Box<dyn Names + Send>,
    agent: v1::Agent,
    host: v1::Host,
    /// `,"agent":{...},"host":{...}`, the same in every line.
    origin: Vec<u8>,
    seq: u64,
    blocks: Blocks,
}

impl Recorder {
    /// Begins a run; `names` is asked for the names of users.
    pub fn new(run: Run, names: Box<dyn Names + Send>) -> Self {
        let agent = v1::Agent {
            version: run.agent_version,
            mode: run.mode,
            sensor: run.sensor,
            run_uuid: Uuid::from_bytes(run.run_uuid),
        };
        let host = v1::Host {
            id: Uuid::from_bytes(run.host.id.0),
            name: run.host.name,
            boot_id: Uuid::from_bytes(run.host.boot_id.0),
            kernel: run.host.kernel,
            arch: run.host.arch,
            labels: run.host.labels,
        };
        let mut origin = b",\"agent\":".to_vec();
        append(&agent, &mut origin);
        origin.extend_from_slice(b",\"host\":");
        append(&host, &mut origin);
        Self { names, agent, host, origin, seq: 0, blocks: Blocks::new(CACHE_BYTES) }
    }

    /// Appends the event of a fact to `out`, as one line.
    pub fn fact(&mut self, model: &Model, fact: &Fact<'_>, out: &mut Vec<u8>) {
        out.reserve(USUAL_LINE_BYTES);
        match fact {
            Fact::Executed { process, exec, previous, line } => {
                let context = self.begin("EXEC", exec.at, model, process, out);
                self.this(process, Ok(exec.argv), out);
                self.processes(&context, out);
                out.extend_from_slice(b",\"exec\":");
                assemble::execution(process, exec, previous, line.as_deref()).write(out);
            }
            Fact::RanBuiltin { process, builtin, line } => {
                let context = self.begin("BUILTIN", builtin.at, model, process, out);
                self.role(b",\"self\":", Ok(process), Form::Plain, out);
                self.processes(&context, out);
                out.extend_from_slice(b",\"builtin\":");
                assemble::call(builtin, line.as_deref()).write(out);
            }
            Fact::Found { process, at, argv } => {
                let context = self.begin("BACKFILL", *at, model, process, out);
                self.this(process, *argv, out);
                self.processes(&context, out);
            }
            Fact::Verification { process: Some(process), verification } => {
                let context = self.begin("VERIFY", verification.at, model, process, out);
                self.role(b",\"self\":", Ok(process), Form::Plain, out);
                self.processes(&context, out);
                write::verification(verification, out);
            }
            Fact::Verification { process: None, verification } => {
                let at = verification.at;
                self.open("VERIFY", at, model.wall_at(at), out);
                let gone = Some(Why::ExitedBeforeCapture.as_str());
                let missing = ["inception_session", "parent", "self", "session_leader"];
                let missing = missing.into_iter().map(|role| (role, gone));
                Json::new(out).object_of_reasons(b",\"missing\":{", missing);
                write::verification(verification, out);
            }
        }
        out.extend_from_slice(b"}\n");
    }

    /// Appends an AGENT event to `out`, as one line.
    pub fn agent(&mut self, report: &AgentReport, out: &mut Vec<u8>) {
        self.seq += 1;
        let counters = report.counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        let event = v1::Event::Agent(Box::new(v1::Report {
            schema_version: v1::SCHEMA_VERSION.to_owned(),
            event_uuid: Uuid::from_bytes(event_uuid(self.agent.run_uuid, self.seq)),
            event_time: v1::Timestamp(report.wall.0),
            boot_ns: report.at.0,
            seq: self.seq,
            agent: self.agent.clone(),
            host: self.host.clone(),
            reason: report.reason.clone(),
            counters: counters.collect(),
            config_hash: report.config_hash.clone(),
            sensor: report.sensor.clone(),
        }));
        append(&event, out);
        out.push(b'\n');
    }

    /// The last event is not written after all: the next one has its number, since a gap would
    /// tell of a loss.
    pub fn take_back(&mut self) {
        self.seq -= 1;
    }

    /// The `seq` of the last event; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Begins a line, up to the last field that every event has.
    fn open(&mut self, event_type: &str, at: BootTime, wall: WallTime, out: &mut Vec<u8>) {
        self.seq += 1;
        let mut json = Json::new(out);
        json.raw(b"{\"event_type\":\"").raw(event_type.as_bytes());
        json.raw(b"\",\"schema_version\":\"").raw(v1::SCHEMA_VERSION.as_bytes());
        json.raw(b"\",\"event_uuid\":").uuid(event_uuid(self.agent.run_uuid, self.seq));
        json.raw(b",\"event_time\":").time(wall);
        json.raw(b",\"boot_ns\":").number(at.0);
        json.raw(b",\"seq\":").number(self.seq);
        json.raw(&self.origin);
    }

    /// Begins the line of a process's event, up to the person behind it.
    fn begin<'m>(
        &mut self,
        event_type: &str,
        at: BootTime,
        model: &'m Model,
        process: &'m Process,
        out: &mut Vec<u8>,
    ) -> Context<'m> {
        self.open(event_type, at, model.wall_at(at), out);
        let context = model.context(process);
        if let Some(person) = context.inception.ok().and_then(|process| process.person_at(at)) {
            write::person(person, out);
        }
        context
    }

    /// Appends the process itself with these arguments, not cut to what the table keeps.
    fn this(&mut self, process: &Process, argv: Known<Argv<'_>>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"self\":");
        let users = Users::of(process, &mut *self.names);
        assemble::block(process, argv, &users).write_open(out);
        out.push(b'}');
    }

    /// Appends the four processes behind it and what is missing of them.
    fn processes(&mut self, context: &Context<'_>, out: &mut Vec<u8>) {
        let inception_form = match context.inception_inferred {
            true => Form::InferredInception,
            false => Form::Inception,
        };
        let inception = context.inception.and_then(|process| match process.inception() {
            Some(_) => Ok(process),
            None => Err(Why::NotObservable),
        });
        self.role(b",\"parent\":", context.parent, Form::Plain, out);
        self.role(b",\"session_leader\":", context.session_leader, Form::Plain, out);
        self.role(b",\"inception_session\":", inception, inception_form, out);
        if let Some(last_user_entered) = context.last_user_entered {
            self.role(b",\"last_user_entered\":", last_user_entered, Form::Plain, out);
        }
        let why = |role: Known<&Process>| role.err().map(Why::as_str);
        let missing = [
            ("inception_session", why(inception)),
            ("last_user_entered", context.last_user_entered.and_then(why)),
            ("parent", why(context.parent)),
            ("session_leader", why(context.session_leader)),
        ];
        Json::new(out).object_of_reasons(b",\"missing\":{", missing.into_iter());
    }

    /// Appends the block of a context process; nothing if it is missing.
    fn role(&mut self, key: &[u8], process: Known<&Process>, form: Form, out: &mut Vec<u8>) {
        let Ok(process) = process else { return };
        out.extend_from_slice(key);
        let (slot, revision) = (process.slot(), process.revision());
        if self.blocks.append(slot, revision, form, out) {
            return;
        }
        let start = out.len();
        let users = Users::of(process, &mut *self.names);
        assemble::context_block(process, &users).write_open(out);
        if let (Form::Inception | Form::InferredInception, Some(inception)) =
            (form, process.inception())
        {
            write::inception(inception, matches!(form, Form::InferredInception), out);
        }
        out.push(b'}');
        self.blocks.keep(slot, revision, form, out.get(start..).unwrap_or_default());
    }
}

/// The id of an event, made without hashing: a UUID of version 8 (RFC 9562) whose first 64 bits are
/// the run's, but for the version, and whose last 62 bits are `seq`. Two runs have the same first
/// bits with a chance of one in 2^60.
fn event_uuid(run: Uuid, seq: u64) -> [u8; 16] {
    const VARIANT: u64 = 0b10 << 62;
    let mut uuid = run.into_bytes();
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8..].copy_from_slice(&(seq & !(0b11 << 62) | VARIANT).to_be_bytes());
    uuid
}

/// Appends a value as JSON. Writing to memory does not fail, and neither do our own types, whose
/// keys are all strings.
fn append(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "{written:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_made_of_run_and_seq() {
        let run = Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);
        let id = Uuid::from_bytes(event_uuid(run, 0x2a));
        assert_eq!(id.to_string(), "01234567-89ab-8def-8000-00000000002a");
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        let last = Uuid::from_bytes(event_uuid(run, u64::MAX));
        assert_eq!(last.to_string(), "01234567-89ab-8def-bfff-ffffffffffff");
    }
}
