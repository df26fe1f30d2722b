//! Builds: a runner fetches a revision and lets loose a storm of short compilers.

use super::MS;
use super::services::Services;
use crate::kernel::{Id, Kernel, Program};
use crate::random::Random;
use crate::roster::{BUILDER, Host};

/// Folders of the sources.
const PARTS: [&str; 8] = ["core", "net", "store", "api", "util", "parse", "ui", "tests"];

/// One job, of a few dozen to a few hundred programs.
pub(crate) fn scene(kernel: &mut Kernel, host: &Host, services: &Services, random: &mut Random) {
    let folder = format!("/var/lib/runner/{}-{}", host.project, random.below(40));
    let script = Program {
        exe: "/usr/bin/bash",
        filename: Some("/var/lib/runner/job.sh"),
        interpreter: Some("/bin/bash"),
        argv: &["/bin/bash", "/var/lib/runner/job.sh"],
    };
    let job = kernel.fork(services.main);
    let group = kernel.group(format!("/runner.slice/job-{}.scope", random.below(1 << 40)));
    kernel.enter(job, &group);
    kernel.setsid(job);
    kernel.become_user(job, BUILDER);
    kernel.chdir(job, folder.clone());
    kernel.exec(job, &script);
    fetch(kernel, job, host, random);
    if random.percent(60) {
        make(kernel, job, &folder, random);
    } else {
        cargo(kernel, job, &folder, random);
    }
    kernel.run(job, "/usr/bin/tar", &["tar", "-czf", "out.tgz", "out"], 60 * MS);
    let url = format!("https://artifacts.internal/{}/out.tgz", host.project);
    kernel.run(job, "/usr/bin/curl", &["curl", "-sSf", "-T", "out.tgz", &url], 90 * MS);
    kernel.exit(job);
}

fn fetch(kernel: &mut Kernel, job: Id, host: &Host, random: &mut Random) {
    let revision = random.hex(40);
    let argv = ["git", "fetch", "--depth", "1", "origin", &revision];
    let git = kernel.spawn(job, "/usr/bin/git", &argv);
    let url = format!("https://git.internal/{}.git", host.project);
    let argv = ["git-remote-https", "origin", &url];
    kernel.run(git, "/usr/lib/git-core/git-remote-http", &argv, 200 * MS);
    kernel.run(git, "/usr/bin/git", &["git", "index-pack", "--stdin", "--fix-thin"], 80 * MS);
    kernel.exit(git);
    kernel.run(job, "/usr/bin/git", &["git", "checkout", "--force", &revision], 30 * MS);
}

fn make(kernel: &mut Kernel, job: Id, folder: &str, random: &mut Random) {
    let make = kernel.spawn(job, "/usr/bin/make", &["make", "-j8", "all"]);
    let mut objects = Vec::new();
    for _ in 0..random.between(5, 60) {
        let part = random.pick(&PARTS);
        let source = format!("{folder}/src/{part}/{}.c", random.hex(6));
        let object = format!("{folder}/out/{part}/{}.o", random.hex(6));
        let include = format!("-I{folder}/include");
        let line = format!("gcc -O2 -g -Wall -Wextra {include} -MMD -c {source} -o {object}");
        let shell = kernel.spawn(make, "/usr/bin/dash", &["/bin/sh", "-c", &line]);
        let argv = ["gcc", "-O2", "-g", "-Wall", &include, "-MMD", "-c", &source, "-o", &object];
        let gcc = kernel.spawn(shell, "/usr/bin/x86_64-linux-gnu-gcc-12", &argv);
        let temporary = format!("/tmp/cc{}.s", random.hex(6));
        let argv = ["/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "-quiet", &source, "-o", &temporary];
        kernel.run(gcc, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", &argv, 40 * MS);
        let argv = ["as", "--64", "-o", &object, &temporary];
        kernel.run(gcc, "/usr/bin/x86_64-linux-gnu-as", &argv, 4 * MS);
        kernel.exit(gcc);
        kernel.exit(shell);
        objects.push(object);
    }
    let mut argv = vec!["ld", "-o", "out/program", "--build-id"];
    argv.extend(objects.iter().map(String::as_str));
    kernel.run(make, "/usr/bin/x86_64-linux-gnu-ld.bfd", &argv, 90 * MS);
    kernel.exit(make);
}

fn cargo(kernel: &mut Kernel, job: Id, folder: &str, random: &mut Random) {
    let cargo = kernel.spawn(
        job,
        "/usr/local/cargo/bin/cargo",
        &["cargo", "build", "--locked", "--release"],
    );
    for _ in 0..random.between(10, 90) {
        let name = format!("{}_{}", random.pick(&PARTS), random.below(60));
        let (out, meta) = (format!("{folder}/target/release/deps"), random.hex(16));
        let metadata = format!("metadata={meta}");
        let argv = [
            "rustc",
            "--crate-name",
            &name,
            "--edition=2021",
            "--crate-type",
            "lib",
            "--emit=dep-info,metadata,link",
            "-C",
            "opt-level=3",
            "-C",
            &metadata,
            "--out-dir",
            &out,
            "--cap-lints",
            "allow",
        ];
        let rustc = kernel.spawn(cargo, "/usr/local/rustup/bin/rustc", &argv);
        kernel.pass(70 * MS);
        if random.percent(15) {
            let script = format!("{folder}/target/release/build/{name}/build-script-build");
            kernel.run(cargo, &script, &[&script], 20 * MS);
        }
        kernel.exit(rustc);
    }
    kernel.exit(cargo);
}
