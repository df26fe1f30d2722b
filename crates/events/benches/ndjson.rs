//! How fast lines are written and read: full EXEC events with all five processes.
//!
//! `cargo bench -p forebear-events`. The length of a line is told on standard error.

#![allow(clippy::unwrap_used, reason = "support shared with the tests")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use forebear_events::ndjson;
use forebear_model::observation::Exec;
use forebear_model::{Fact, Image, Known, Observation, Pid};

#[path = "../tests/support/machine.rs"]
mod machine;

use machine::{Machine, SHELL};

const MAKE: Pid = Pid(4200);
const SH: Pid = Pid(4201);
const CC: Pid = Pid(4202);

const CC_ARGV: &[u8] =
    b"cc\0-O2\0-g\0-Wall\0-Wextra\0-Iinclude\0-Ibuild/generated\0-DVERSION=\"1.4\"\0\
    -c\0src/table/snapshot.c\0-o\0build/obj/table/snapshot.o\0";

fn main() {
    let (mut machine, exec) = compiling();
    let previous = previous(&machine);
    write(&mut machine, &exec, &previous);
    #[expect(clippy::print_stderr, reason = "it belongs to the figures")]
    {
        eprintln!("bytes per line: {}", machine.lines.len());
    }
    divan::main();
}

/// alice has typed `make`, whose `sh` runs a compiler: five different blocks, but for the login
/// shell, which is session leader and inception session.
fn compiling() -> (Machine, Exec<'static>) {
    let mut machine = Machine::boot();
    machine.log_in();
    let shell = machine::state_of_alice(SHELL, SHELL);
    let made = machine::state_of_alice(SHELL, MAKE);
    let steps = [
        (SHELL, shell, MAKE, "/usr/bin/make", "make\0-j8\0all\0"),
        (MAKE, made.clone(), SH, "/usr/bin/dash", "/bin/sh\0-c\0cc -O2 -g -Wall -c $< -o $@\0"),
    ];
    for (parent, state, pid, path, argv) in steps {
        machine.apply(&Observation::Fork(machine::fork(parent, pid, state.clone())));
        let (path, argv) = (path.as_bytes(), argv.as_bytes());
        let ran = machine::exec(pid, made.clone(), parent, state, path, argv);
        machine.apply(&Observation::Exec(Box::new(ran)));
    }
    machine.apply(&Observation::Fork(machine::fork(SH, CC, made.clone())));
    let exec =
        machine::exec(CC, made.clone(), SH, made, b"/usr/bin/x86_64-linux-gnu-gcc-12", CC_ARGV);
    machine.apply(&Observation::Exec(Box::new(exec.clone())));
    machine.lines.clear();
    (machine, exec)
}

fn previous(machine: &Machine) -> Known<Arc<Image>> {
    let shell = machine.model.living(machine::key(SH)).map(|process| process.image().cloned());
    shell.and_then(Result::ok).map(Arc::new).ok_or(forebear_model::Why::NotObservable)
}

fn write(machine: &mut Machine, exec: &Exec<'_>, previous: &Known<Arc<Image>>) {
    let Machine { model, recorder, lines } = machine;
    if let Some(process) = model.living(exec.process) {
        recorder.fact(
            model,
            &Fact::Executed { process, exec, previous: previous.clone(), line: None },
            lines,
        );
    }
}

/// The usual case: the context has been shown before.
#[divan::bench]
fn write_exec(bencher: Bencher<'_, '_>) {
    let (mut machine, exec) = compiling();
    let previous = previous(&machine);
    write(&mut machine, &exec, &previous);
    let length = machine.lines.len();
    bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(length)).bench_local(|| {
        machine.lines.clear();
        write(&mut machine, &exec, &previous);
        divan::black_box(machine.lines.len())
    });
}

/// The worst case: no block of the context has been shown before. `Machine` is made anew, and with
/// it the cache.
#[divan::bench]
fn write_exec_with_new_context(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(1_usize))
        .with_inputs(|| {
            let (mut machine, exec) = compiling();
            machine.recorder =
                forebear_events::Recorder::new(machine::run(), Box::new(machine::TwoUsers));
            machine.lines.reserve(64 << 10);
            let previous = previous(&machine);
            (machine, exec, previous)
        })
        .bench_local_refs(|(machine, exec, previous)| write(machine, exec, previous));
}

/// Model and recorder together: `sh` forks, the child runs the compiler and ends.
#[divan::bench]
fn apply_and_write(bencher: Bencher<'_, '_>) {
    let (mut machine, exec) = compiling();
    let mut pid = 10_000;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        pid += 1;
        machine.lines.clear();
        let child = machine::fork(SH, Pid(pid), exec.state.clone());
        let mut ran = Box::new(exec.clone());
        ran.process = child.child;
        ran.at = machine::after(Pid(pid), 1000);
        let exit = forebear_model::observation::Exit {
            at: machine::after(Pid(pid), 2000),
            process: child.child,
            status: 0,
        };
        machine.apply(&Observation::Fork(child));
        machine.apply(&Observation::Exec(ran));
        machine.apply(&Observation::Exit(exit));
        divan::black_box(machine.lines.len())
    });
}

/// Reading a line as a typed event.
#[divan::bench]
fn read_exec(bencher: Bencher<'_, '_>) {
    let (mut machine, exec) = compiling();
    let previous = previous(&machine);
    write(&mut machine, &exec, &previous);
    let line = machine.lines;
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::new(line.len()))
        .bench_local(|| ndjson::read(divan::black_box(&line)));
}

/// The typed form written by serde_json, for comparison.
#[divan::bench]
fn write_typed(bencher: Bencher<'_, '_>) {
    let (mut machine, exec) = compiling();
    let previous = previous(&machine);
    write(&mut machine, &exec, &previous);
    if let Ok(Some(event)) = ndjson::read(&machine.lines) {
        bencher.counter(ItemsCount::new(1_usize)).bench_local(|| ndjson::line(&event));
    }
}
