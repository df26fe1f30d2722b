//! From a process of the model to the values of its block: the only place that knows both
//! vocabularies.

use std::sync::Arc;

use forebear_model::observation::{Argv, Builtin, Exec};
use forebear_model::{Evidence, Image, KeptLine, Known, Process, Uid, Why};

use crate::Names;
use crate::write::{Block, Call, Execution, Reasons, TypedLine, Unknown};

/// The names of a process's users, as far as the machine knows them.
pub(crate) struct Users {
    real: Option<Arc<str>>,
    effective: Option<Arc<str>>,
    login: Option<Arc<str>>,
}

impl Users {
    pub(crate) fn of(process: &Process, names: &mut (dyn Names + Send)) -> Self {
        let state = process.state();
        let (uid, euid) = (state.credentials.uid, state.credentials.euid);
        let real = names.user(uid);
        let mut again = |other: Uid| {
            if other == uid { real.clone() } else { names.user(other) }
        };
        let (effective, login) = (again(euid), state.login_uid.and_then(again));
        Self { real, effective, login }
    }
}

/// The values of a process's block, with the arguments that its table entry keeps.
pub(crate) fn context_block<'a>(process: &'a Process, users: &'a Users) -> Block<'a> {
    let argv = process.image().and_then(|image| image.argv.as_ref().map_err(|why| *why));
    block(process, argv.map(|kept| kept.as_argv()), users)
}

/// The values of a process's block, with these arguments.
pub(crate) fn block<'a>(
    process: &'a Process,
    argv: Known<Argv<'a>>,
    users: &'a Users,
) -> Block<'a> {
    let mut reasons = Reasons::default();
    let state = process.state();
    let is_kernel_thread = is_kernel_thread(process);
    let image = process.image();

    let parent_uuid = known(process.parent_uuid(), Unknown::ParentUuid, &mut reasons);
    // Pid 0 is the parent of the first processes only; elsewhere it stands for not knowing.
    let ppid = match process.parent_uuid() {
        Err(why) if process.parent().pid.0 == 0 && why != Why::StartedBeforeBootOfNamespace => {
            Err(why)
        }
        _ => Ok(process.parent().pid),
    };
    let ppid = known(ppid, Unknown::Ppid, &mut reasons);
    let creator_uuid = known(process.creator_uuid(), Unknown::CreatorUuid, &mut reasons);
    let session_leader_uuid =
        known(process.session_leader_uuid(), Unknown::SessionLeaderUuid, &mut reasons);
    let streams = match state.streams {
        Ok(streams) => streams,
        Err(why) => {
            for stream in [Unknown::Stdin, Unknown::Stdout, Unknown::Stderr] {
                reasons[stream as usize] = Some(why.as_str());
            }
            Default::default()
        }
    };
    let name = known(image.map(|image| &*image.name), Unknown::Name, &mut reasons);
    let exe = image.and_then(|image| image.exe.as_deref().map_err(|why| *why));
    let exe = known(exe, Unknown::Exe, &mut reasons);
    let argv = known(argv, Unknown::Argv, &mut reasons);
    let cwd = known(process.cwd(), Unknown::Cwd, &mut reasons);
    if is_kernel_thread {
        // It has none of these, so there is nothing that could be unknown.
        for absent in [
            Unknown::Exe,
            Unknown::Argv,
            Unknown::Cwd,
            Unknown::Stdin,
            Unknown::Stdout,
            Unknown::Stderr,
        ] {
            reasons[absent as usize] = None;
        }
    }

    Block {
        uuid: process.uuid(),
        pid: process.pid(),
        ppid,
        sid: state.sid,
        pgid: state.pgid,
        start_time: process.started(),
        parent_uuid,
        creator_uuid: creator_uuid.filter(|creator| Some(*creator) != parent_uuid),
        session_leader_uuid,
        exec_count: process.exec_count(),
        exe: exe.filter(|_| !is_kernel_thread),
        deleted: image.is_ok_and(|image| image.deleted),
        memfd: image.is_ok_and(|image| image.memfd),
        upper_layer: image.is_ok_and(|image| image.upper_layer),
        name: name.filter(|name| !name.is_empty()),
        argv: argv.filter(|_| !is_kernel_thread).map(|argv| argv.bytes),
        argv_truncated: argv.filter(Argv::is_cut).map(|argv| argv.total),
        cwd,
        credentials: state.credentials,
        user: users.real.as_deref(),
        effective_user: users.effective.as_deref(),
        login_uid: state.login_uid,
        login_user: users.login.as_deref(),
        audit_session: state.audit_session,
        tty: state.tty,
        streams,
        user_entered: process.user_entered(),
        container: process.container(),
        pid_namespace: process.pid_namespace().map(|namespace| namespace.id.0),
        unknown: reasons,
    }
}

/// How a program was run.
pub(crate) fn execution<'a>(
    process: &Process,
    exec: &'a Exec<'a>,
    previous: &'a Known<Arc<Image>>,
    line: Option<&'a KeptLine>,
) -> Execution<'a> {
    // A usermode helper is born as a thread of the kernel and ran nothing before.
    let was_kernel_thread = process.exec_count() == 1 && began_as_kernel_thread(process);
    let previous_exe = match previous {
        Ok(image) if image.file.is_none() => None,
        Err(_) if was_kernel_thread => None,
        Ok(image) => Some(image.exe.as_deref().map_err(|why| why.as_str())),
        Err(why) => Some(Err(why.as_str())),
    };
    Execution {
        filename: exec.filename.map_err(Why::as_str),
        interpreter: exec.interpreter,
        previous_exe,
        setuid: exec.setuid,
        setgid: exec.setgid,
        line: line.map(typed),
    }
}

/// What a shell did.
pub(crate) fn call<'a>(builtin: &'a Builtin<'a>, line: Option<&'a KeptLine>) -> Call<'a> {
    Call {
        shell: builtin.shell.as_str(),
        source: builtin.source.as_str(),
        name: builtin.name,
        argv: builtin.argv.bytes,
        argv_truncated: builtin.argv.is_cut().then_some(builtin.argv.total),
        exit_status: builtin.exit_status,
        line: line.map(typed),
    }
}

fn typed(line: &KeptLine) -> TypedLine<'_> {
    TypedLine { bytes: line.bytes(), truncated: line.truncated() }
}

fn known<T>(value: Known<T>, field: Unknown, reasons: &mut Reasons) -> Option<T> {
    value.map_err(|why| reasons[field as usize] = Some(why.as_str())).ok()
}

/// Whether a process is a thread of the kernel. What such a thread started by running a program
/// (a usermode helper) is not one any more, though its inception still says so.
fn is_kernel_thread(process: &Process) -> bool {
    match process.image() {
        Ok(image) => image.file.is_none(),
        Err(_) => began_as_kernel_thread(process),
    }
}

fn began_as_kernel_thread(process: &Process) -> bool {
    process.inception().is_some_and(|it| it.evidence.contains(&Evidence::KernelThread))
}
