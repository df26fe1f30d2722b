//! The program under test with its configuration, started and ended; and what a test needs of the
//! machine.

#![expect(clippy::print_stderr, reason = "the reason for a test that is not run goes there")]

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use forebear_testkit::bucket::{Gcs, S3};
use forebear_testkit::process::Owned;
use forebear_testkit::wait;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// How long an end may take: shutdown_grace and more on a busy machine.
const END: Duration = Duration::from_secs(60);

pub(crate) type Variables = Vec<(String, String)>;

/// The program that cargo has built for this test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_forebear-agent"))
}

/// Whether this machine can record; if not, says so, and fails under CI.
pub(crate) fn can_record() -> bool {
    static WHY_NOT: OnceLock<Option<String>> = OnceLock::new();
    let why_not = WHY_NOT.get_or_init(|| {
        let output = Command::new(program()).arg("doctor").output().unwrap();
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    why_not.as_ref().is_none_or(|why| not_run(why))
}

/// Says why a test is not run; fails under CI.
pub(crate) fn not_run(why: &str) -> bool {
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "this test cannot be run here, and CI=true demands it: {why}");
    eprintln!("not run: {why}");
    false
}

/// Runs /bin/true with an argument that no other program has, and returns it.
pub(crate) fn run_true() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let word = format!("mark-{}-{count}-end", std::process::id());
    assert!(Command::new("/bin/true").arg(&word).status().unwrap().success());
    word
}

/// Many of them.
pub(crate) fn run_many(count: usize) -> Vec<String> {
    (0..count).map(|_| run_true()).collect()
}

/// A folder with a configuration, a spool and destinations.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) variables: Variables,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: vec![] }
    }

    /// For an S3 server alone; `batch` are keys of `[batch]`.
    pub(crate) fn for_s3(s3: &S3, batch: &str) -> Self {
        let mut place = Self::new();
        place.variables = s3.environment().into_iter().collect();
        place.configure(batch, &of_s3(s3));
        place
    }

    /// Limits what the spool may take on disk.
    pub(crate) fn limit_spool(&self, size: &str) {
        let config = self.path("agent.toml");
        let text = fs_err::read_to_string(&config).unwrap();
        let limited = format!("[spool]\nmax_bytes = {size:?}\n");
        fs_err::write(&config, text.replace("[spool]\n", &limited)).unwrap();
    }

    /// One that has recorded more than so many batches and could upload none; its service was
    /// killed, and the server answers again.
    pub(crate) fn with_backlog(s3: &S3, batches: usize) -> Self {
        let place = Self::for_s3(s3, "max_age = \"100ms\"\nmax_events = 20");
        s3.down();
        let service = place.start();
        run_many(25 * batches);
        service.wait_for("several batches", |_| place.segments().len() > batches);
        service.kill();
        s3.up();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the configuration: small batches, the rest as said. `batch` are keys of `[batch]`.
    pub(crate) fn configure(&self, batch: &str, rest: &str) {
        let text = format!(
            "[spool]\ndir = {:?}\n[batch]\n{batch}\n[status]\nsocket = {:?}\n{rest}",
            self.path("spool"),
            self.path("run/status.sock"),
        );
        fs_err::write(self.path("agent.toml"), text).unwrap();
    }

    /// A folder as a destination.
    pub(crate) fn folder(&self) -> String {
        fs_err::create_dir_all(self.path("events")).unwrap();
        let path = self.path("events");
        format!("[[destination]]\nname = \"folder\"\nurl = \"file://{}\"\n", path.display())
    }

    /// A command that is to become the agent.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).envs(self.variables.iter().cloned());
        // Nothing is found by chance.
        command.env("HOME", self.directory.path()).env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    pub(crate) fn run_command(&self) -> Command {
        let mut command = self.command(&["run", "--config"]);
        command.arg(self.path("agent.toml"));
        command
    }

    /// Starts the service; ready.
    pub(crate) fn start(&self) -> Service<'_> {
        self.start_as(self.run_command())
    }

    /// Starts a command that becomes the service; ready.
    pub(crate) fn start_as(&self, mut command: Command) -> Service<'_> {
        let talk = File::create(self.path("talk")).unwrap();
        command.stderr(talk);
        let child = command.spawn().unwrap();
        let mut service = Service { program: Owned::new("the service", child), place: self };
        wait::until("the service to be ready", || {
            let is_ready = self.talk().lines().any(|line| line.starts_with("ready"));
            if !is_ready && let Some(status) = service.program.ended() {
                panic!("the service ended with {status} before it was ready:\n{}", self.talk());
            }
            is_ready.then_some(())
        });
        service
    }

    /// Runs the program to its end.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
    }

    /// What the service has said.
    pub(crate) fn talk(&self) -> String {
        fs_err::read_to_string(self.path("talk")).unwrap()
    }

    /// The spool's closed and open batches.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.path("spool")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
        paths.sort();
        paths
    }
}

/// A running service.
pub(crate) struct Service<'p> {
    program: Owned,
    place: &'p Place,
}

impl Service<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Asks for its end and waits for it; it must be a good one.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.program.wait(END);
        assert_eq!(status.code(), Some(0), "{}", self.place.talk());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.program.ended().is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.program.wait(END);
    }

    /// What it says of itself.
    pub(crate) fn status(&self) -> Value {
        let stream = UnixStream::connect(self.place.path("run/status.sock")).unwrap();
        serde_json::from_reader(stream).unwrap()
    }

    /// Waits until what it says of itself is so.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&Value) -> bool) {
        let so = wait::for_at_most(END, || is_so(&self.status()).then_some(()));
        assert!(
            so.is_some(),
            "waited in vain for {what}: {}\n{}",
            self.status(),
            self.place.talk()
        );
    }

    /// Waits until nothing waits for this destination, everything of now included.
    #[track_caller]
    pub(crate) fn wait_until_uploaded(&self, name: &str) {
        let now = self.status()["counters"]["emitted"].as_u64().unwrap();
        self.wait_for(&format!("everything to be at {name}"), |status| {
            let destination = destination(status, name);
            destination["backlog_segments"] == 0
                && destination["uploaded_events"].as_u64().unwrap() + 1 >= now
        });
    }

    /// Waits until a loss of before has been told, which is once a second.
    #[track_caller]
    pub(crate) fn wait_until_told(&self) {
        let uptime = |status: &Value| status["uptime_s"].as_u64().unwrap();
        let now = uptime(&self.status());
        self.wait_for("time to pass", |status| uptime(status) > now + 2);
    }

    /// Waits until this destination has this kind of problem.
    #[track_caller]
    pub(crate) fn wait_for_problem(&self, name: &str, kind: &str) {
        self.wait_for(&format!("{name} to be failing with {kind}"), |status| {
            destination(status, name)["problem"]["kind"] == kind
        });
    }
}

/// One destination of a status.
pub(crate) fn destination(status: &Value, name: &str) -> Value {
    let all = status["destinations"].as_array().unwrap();
    all.iter().find(|destination| destination["name"] == name).unwrap().clone()
}

/// An S3 server as a destination named `s3`.
pub(crate) fn of_s3(s3: &S3) -> String {
    format!(
        "[[destination]]\nname = \"s3\"\nurl = \"{}/some/prefix\"\nendpoint = {:?}\nregion = \
         \"us-east-1\"\nallow_http = true\nrequest_timeout = \"2s\"\n",
        s3.url(),
        s3.endpoint()
    )
}

/// A Cloud Storage look-alike as a destination named `gcs`.
pub(crate) fn of_gcs(gcs: &Gcs) -> String {
    format!(
        "[[destination]]\nname = \"gcs\"\nurl = \"{}/some/prefix\"\nendpoint = {:?}\nallow_http = \
         true\nanonymous = true\ncompression = \"gzip\"\n",
        gcs.url(),
        gcs.endpoint()
    )
}
