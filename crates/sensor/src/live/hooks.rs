//! Which program hangs on which hook, and how it gets there.
//!
//! | hook | program | kernels | why this hook |
//! | --- | --- | --- | --- |
//! | `tp_btf/sched_process_fork` | `on_fork` | 5.5 | the child is complete and does not run yet |
//! | `tp_btf/sched_process_exec` | `on_exec` | 5.5 | past the point of no return; new image and credentials are in place, argv is still in memory |
//! | `tp_btf/sched_process_exit` | `on_exit` | 6.16 | says itself whether the last thread ends |
//! | `tp_btf/sched_process_exit` | `on_exit_counting` | 5.5 - 6.15 | reads the count of living threads |
//! | `iter.s/task` | `show_sleepable` | 5.18 | may fault argument pages in |
//! | `iter/task` | `show_plain` | 5.8 - 5.17 | argv comes from `/proc` |
//! | `tp_btf/sys_exit` | `on_effect` | 5.5 | system calls with arguments and result at once; needs no tracefs, which the tracepoint of each call does |
//! | `uprobe.multi` | `on_bash_...`, `on_zsh_...`, `on_builtin_return` | 6.6 | one attachment for all functions of a shell |
//!
//! `bpf_loop`, which all but the exit programs use, came with 5.17.

use libbpf_rs::btf::{Btf, BtfType, types};
use libbpf_rs::{
    Link, MapCore, Object, ObjectBuilder, OpenMapMut, OpenObject, PrintLevel, ReferencesType,
};
use std::os::fd::AsFd;
use zerocopy::IntoBytes;

use crate::Error;
use crate::wire::layout::Settings;

const LOAD_ATTEMPTS: u32 = 20;

/// The loader wants the object's bytes aligned like a file in memory.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static PROCESS: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("FOREBEAR_PROCESS_OBJECT")));
static SHELL: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("FOREBEAR_SHELL_OBJECT")));
static EFFECTS: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("FOREBEAR_EFFECT_OBJECT")));
static RUNNING: &Aligned<[u8]> = &Aligned(*include_bytes!(env!("FOREBEAR_RUNNING_OBJECT")));

/// One program and the hook it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    /// The program's name.
    pub(crate) program: &'static str,
    /// The section it is in, which names the hook.
    pub(crate) section: &'static str,
}

pub(crate) const FORK: Hook = Hook { program: "on_fork", section: "tp_btf/sched_process_fork" };
pub(crate) const EXEC: Hook = Hook { program: "on_exec", section: "tp_btf/sched_process_exec" };
const EXIT: Hook = Hook { program: "on_exit", section: "tp_btf/sched_process_exit" };
const EXIT_COUNTING: Hook =
    Hook { program: "on_exit_counting", section: "tp_btf/sched_process_exit" };
/// Attached while a person has a shell that cannot be probed.
pub(crate) const EFFECT: Hook = Hook { program: "on_effect", section: "tp_btf/sys_exit" };
/// Attached while there is a file of such a shell.
pub(crate) const WATCHED_EXEC: Hook =
    Hook { program: "on_watched_exec", section: "tp_btf/sched_process_exec" };
pub(crate) const SLEEPABLE: Hook = Hook { program: "show_sleepable", section: "iter.s/task" };
pub(crate) const PLAIN: Hook = Hook { program: "show_plain", section: "iter/task" };

/// What the running kernel's types say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    /// The exit tracepoint says whether the last thread ends.
    pub(crate) exit_tells_last: bool,
    /// Untyped pointers can be followed by plain loads.
    pub(crate) casts: bool,
    /// Tasks have a login uid and an audit session.
    pub(crate) login_ids: bool,
    /// Overlay files show whether they lie in the upper layer.
    pub(crate) overlay: bool,
}

impl Features {
    /// Looks them up in the kernel's type information.
    pub(crate) fn of_this_kernel() -> Result<Self, Error> {
        let btf = Btf::from_vmlinux().map_err(|source| Error::Bpf {
            operation: "read",
            subject: "the kernel's type information".to_owned(),
            source,
        })?;
        let exit = btf
            .type_by_name::<types::Typedef<'_>>("btf_trace_sched_process_exit")
            .map(|pointer| pointer.referenced_type().skip_mods_and_typedefs())
            .and_then(|pointer| types::Ptr::try_from(pointer).ok())
            .and_then(|pointer| types::FuncProto::try_from(pointer.referenced_type()).ok());
        let task = btf.type_by_name::<types::Struct<'_>>("task_struct");
        let has_field = |name: &str| {
            task.as_ref().is_some_and(|task| {
                task.iter().any(|member| member.name.is_some_and(|member| member == name))
            })
        };
        let function = |name: &str| btf.type_by_name::<types::Func<'_>>(name).is_some();
        Ok(Self {
            // The context pointer, the task, and since 6.16 a flag.
            exit_tells_last: exit.is_some_and(|exit| exit.len() >= 3),
            casts: function("bpf_rdonly_cast"),
            login_ids: has_field("loginuid") && has_field("sessionid"),
            overlay: btf.type_by_name::<BtfType<'_>>("ovl_inode").is_some(),
        })
    }

    /// The program for the exit tracepoint.
    pub(crate) fn exit(self) -> Hook {
        if self.exit_tells_last { EXIT } else { EXIT_COUNTING }
    }
}

/// Loads the programs for fork, exec and exit that are listed, and no others.
pub(crate) fn load_process(
    hooks: &[Hook],
    settings: &Settings,
    buffer_bytes: u32,
) -> Result<Object, Error> {
    load("the programs for process events", &PROCESS.0, Wanted::Only(hooks), &|object| {
        for mut map in object.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            if name == "records" {
                map.set_max_entries(buffer_bytes)?;
            } else if name == "seen_files" && settings.wake_on_new_file == 0 {
                map.set_max_entries(1)?;
            } else if name.ends_with(".rodata") {
                set(&mut map, settings);
            }
        }
        Ok(())
    })
}

/// Loads the programs for shells, which write to the records and counters of `process`.
pub(crate) fn load_shell(process: &Object, settings: &Settings) -> Result<Object, Error> {
    load_beside("the programs for shells", &SHELL.0, process, settings)
}

/// Loads the programs for effects, which write to the records and counters of `process`.
pub(crate) fn load_effect(process: &Object, settings: &Settings) -> Result<Object, Error> {
    load_beside("the programs for effects of shells", &EFFECTS.0, process, settings)
}

fn load_beside(
    subject: &str,
    bytes: &[u8],
    process: &Object,
    settings: &Settings,
) -> Result<Object, Error> {
    load(subject, bytes, Wanted::All, &|object| {
        for mut map in object.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            let shared = process.maps().find(|shared| shared.name() == map.name());
            if let Some(shared) = shared.filter(|_| name == "records" || name == "losses") {
                map.reuse_fd(shared.as_fd())?;
            } else if name.ends_with(".rodata") {
                set(&mut map, settings);
            }
        }
        Ok(())
    })
}

/// Puts the settings where the programs have them: at the beginning of their constants.
fn set(constants: &mut OpenMapMut<'_>, settings: &Settings) {
    if let Some(value) = constants.initial_value_mut()
        && let Some(value) = value.get_mut(..size_of::<Settings>())
    {
        value.copy_from_slice(settings.as_bytes());
    }
}

/// Which programs of an object are loaded.
#[derive(Clone, Copy)]
enum Wanted<'h> {
    All,
    Only(&'h [Hook]),
}

/// Loads one of the two iterator programs.
pub(crate) fn load_running(hook: Hook) -> Result<Object, Error> {
    load(hook.section, &RUNNING.0, Wanted::Only(&[hook]), &|_| Ok(()))
}

/// Loads, again where the verifier gave up because a signal was pending (EAGAIN): with children
/// ending or timers running, the few attempts of the loader library are not always enough.
fn load(
    subject: &str,
    bytes: &[u8],
    wanted: Wanted<'_>,
    prepare: &dyn Fn(&mut OpenObject) -> libbpf_rs::Result<()>,
) -> Result<Object, Error> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let loaded = open(bytes, wanted).and_then(|mut object| {
            prepare(&mut object)?;
            object.load()
        });
        match loaded {
            Ok(object) => return Ok(object),
            Err(error)
                if error.kind() == libbpf_rs::ErrorKind::WouldBlock && attempts < LOAD_ATTEMPTS => {
            }
            Err(source) => {
                let subject = subject.to_owned();
                return Err(Error::Bpf { operation: "load", subject, source });
            }
        }
    }
}

/// Attaches one loaded program to the hook that its section names.
pub(crate) fn attach(object: &Object, hook: Hook) -> Result<Link, Error> {
    let failed = |source| Error::Bpf {
        operation: "attach",
        subject: format!("{} to {}", hook.program, hook.section),
        source,
    };
    let missing = || libbpf_rs::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
    object
        .progs_mut()
        .find(|program| program.name() == hook.program)
        .ok_or_else(missing)
        .and_then(|program| program.attach())
        .map_err(failed)
}

fn open(bytes: &[u8], wanted: Wanted<'_>) -> libbpf_rs::Result<OpenObject> {
    // The library prints refusals of the verifier to standard error, which is not ours to write.
    libbpf_rs::set_print(None::<(PrintLevel, libbpf_rs::PrintCallback)>);
    let mut object = ObjectBuilder::default().open_memory(bytes)?;
    for mut program in object.progs_mut() {
        program.set_autoload(match wanted {
            Wanted::All => true,
            Wanted::Only(hooks) => hooks.iter().any(|hook| program.name() == hook.program),
        });
    }
    Ok(object)
}
