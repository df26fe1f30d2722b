//! Logins that ask who somebody is: a real sshd with the PAM module, a real client, and the events
//! that follow.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use forebear_identity::{Algorithm, Digits, Email, Enrolment, Store, StoreError};
use forebear_testkit::account::Account as LinuxUser;
use forebear_testkit::pam::Service;
use forebear_testkit::ssh;
use forebear_testkit::sshd::{self, Options, Sshd};
use forebear_testkit::terminal::Terminal;
use forebear_testkit::wait;
use serde_json::Value;

use crate::account::{self, Account};
use crate::service::{Place, can_record, not_run, run_true};

/// A place of a service that may ask, a server that does, and a Linux user whom persons share.
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) sshd: Sshd,
    pub(crate) shared: LinuxUser,
    pub(crate) asking: Vec<Service>,
}

/// Somebody with an authenticator and backup codes.
pub(crate) struct Person {
    email: Email,
    enrolment: Enrolment,
}

/// A gate's group: of no user, and without a name.
pub(crate) const GATE_GROUP: u32 = 4_200_901;

/// The PAM module that was built beside this test.
fn module() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_forebear-agent")).with_file_name("libpam_forebear.so")
}

/// The gate that was built beside this test.
fn gate_as_built() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_forebear-agent")).with_file_name("forebear-gate")
}

/// Whether there is a gate that can be tried.
pub(crate) fn can_ask_at_gate() -> bool {
    let how = "forebear-gate is not there; `cargo build --workspace --lib --bins` makes it";
    can_record() && (gate_as_built().exists() || not_run(how))
}

/// Sets a file's mode.
pub(crate) fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

pub(crate) fn can_ask() -> bool {
    let how = "libpam_forebear.so is not there; `cargo build --workspace --lib --bins` makes it";
    can_record() && (module().exists() || not_run(how))
}

impl Scene {
    /// With these further options of the module.
    pub(crate) fn new(options: &str) -> Self {
        Self::with_rules(options, "")
    }

    /// With these further options of the module and these rules.
    fn with_rules(options: &str, rules: &str) -> Self {
        Self::with(&["sshd"], options, rules)
    }

    /// Where only these services ask.
    pub(crate) fn where_ask(services: &[&'static str]) -> Self {
        Self::with(services, "", "")
    }

    fn with(services: &[&'static str], options: &str, rules: &str) -> Self {
        let place = Place::new();
        let socket = place.path("run/identity.sock");
        let rest = format!(
            "{}[identity]\nenabled = true\nsocket = {socket:?}\ndir = {:?}\n{rules}",
            place.folder(),
            place.path("identity"),
        );
        place.configure("max_age = \"200ms\"", &rest);
        let shared = LinuxUser::new(Path::new("/bin/bash"));
        let ask = format!("required {} socket={} {options}", module().display(), socket.display());
        let asking: Vec<_> =
            services.iter().map(|name| Service { name, ask: ask.clone() }).collect();
        let sshd = Sshd::start(&shared, Options { asking: asking.clone(), ..Options::default() });
        Self { place, sshd, shared, asking }
    }

    /// A server without PAM that runs the gate with these further options; the service has these
    /// rules.
    pub(crate) fn with_gate(options: &str, rules: &str) -> Self {
        Self::with_gate_and_sftp(options, rules, sshd::Options::default().sftp)
    }

    /// The same with this server of files.
    pub(crate) fn with_gate_and_sftp(options: &str, rules: &str, sftp: &'static str) -> Self {
        let place = Place::new();
        // So that the gate comes as far as the socket.
        allow(&place.path(""), 0o711);
        let shared = LinuxUser::new(Path::new("/bin/bash"));
        let gate = shared.folder().join("forebear-gate");
        std::fs::copy(gate_as_built(), &gate).unwrap();
        std::os::unix::fs::chown(&gate, Some(0), Some(GATE_GROUP)).unwrap();
        allow(&gate, 0o2755);
        let socket = place.path("run/identity.sock");
        let rest = format!(
            "{}[identity]\nenabled = true\nsocket = {socket:?}\ngate = {gate:?}\ndir = {:?}\n{rules}",
            place.folder(),
            place.path("identity"),
        );
        place.configure("max_age = \"200ms\"", &rest);
        let force = Some(format!("{} socket={} {options}", gate.display(), socket.display()));
        let options = Options { pam: false, force, sftp, ..Options::default() };
        let sshd = Sshd::start(&shared, options);
        Self { place, sshd, shared, asking: vec![] }
    }

    /// The gate of this scene.
    pub(crate) fn gate(&self) -> PathBuf {
        self.shared.folder().join("forebear-gate")
    }

    fn store(&self) -> Store {
        Store::at(self.place.path("identity/accounts.toml"))
    }

    /// Somebody new with one role.
    pub(crate) fn person(&self, email: &str) -> Person {
        let email: Email = email.parse().unwrap();
        let enrolment = Enrolment::new(Algorithm::Sha1, Digits::Six).unwrap();
        self.store().create_folder().unwrap();
        let change = |accounts: &mut forebear_identity::Accounts| {
            let roles = ["ops".parse().unwrap()].into_iter().collect();
            accounts.add(email.clone(), roles).unwrap();
            let (totp, backup) = (enrolment.totp.clone(), enrolment.backup.clone());
            accounts.enrol(&email, totp, backup).unwrap();
            Ok::<_, StoreError>(())
        };
        self.store().update(change).unwrap();
        Person { email, enrolment }
    }

    /// A login that has come as far as the question for the e-mail.
    pub(crate) fn dial(&self) -> Terminal {
        let mut terminal = ssh::dial_and_answer(&self.sshd, &self.shared);
        terminal.shows("E-mail: ");
        terminal
    }

    /// A login of this person, in their shell.
    pub(crate) fn login(&self, person: &Person) -> Terminal {
        let mut terminal = self.dial();
        person.answer(&mut terminal, 1, &person.code());
        terminal.prompt();
        terminal
    }

    /// Waits until these events are at the destination.
    pub(crate) fn wait_for(&self, what: &str, are_there: impl Fn(&Account) -> bool) -> Account {
        let found = wait::for_at_most(wait::SOON, || {
            let account = account::of_folder(&self.place.path("events"));
            are_there(&account).then_some(account)
        });
        match found {
            Some(account) => account,
            None => panic!("waited in vain for {what}:\n{}", self.place.talk()),
        }
    }

    /// What VERIFY events say of this account, in order, once there are so many.
    pub(crate) fn verifications(&self, account: &str, count: usize) -> Vec<Value> {
        let all = |at: &Account| -> Vec<Value> {
            let is_it = |event: &&Value| event["verification"]["account"] == account;
            let mut told: Vec<_> = at.events.iter().filter(is_it).collect();
            told.sort_by_key(|event| event["boot_ns"].as_u64());
            told.into_iter().map(|event| event["verification"].clone()).collect()
        };
        all(&self.wait_for("VERIFY events", |account| all(account).len() >= count))
    }

    /// The EXEC of /bin/true with a new word, typed at this terminal.
    pub(crate) fn run(&self, terminal: &mut Terminal) -> Value {
        let word = Self::word();
        terminal.run(&format!("/bin/true {word}"));
        self.exec_of(&word)
    }

    /// A word that is in no event yet.
    pub(crate) fn word() -> String {
        format!("word-{}", run_true())
    }

    /// The EXEC of /bin/true with this word.
    pub(crate) fn exec_of(&self, word: &str) -> Value {
        let is_it = |event: &&Value| event["self"]["argv"][1] == word;
        let account =
            self.wait_for("an EXEC", |account| account.events.iter().any(|it| is_it(&it)));
        account.events.iter().find(is_it).unwrap().clone()
    }
}

impl Person {
    /// What their authenticator shows.
    pub(crate) fn code(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.enrolment.totp.code_at(now).to_string()
    }

    /// A backup code.
    pub(crate) fn backup(&self) -> &str {
        &self.enrolment.codes[0]
    }

    /// Answers e-mail, the choice of a method, and the code.
    pub(crate) fn answer(&self, terminal: &mut Terminal, choice: u32, code: &str) {
        answer(terminal, self.email.as_str(), choice, code);
    }

    /// Answers with wrong codes, as often as is asked, and is told so each time.
    #[track_caller]
    pub(crate) fn is_refused(&self, terminal: &mut Terminal) {
        for _ in 0..2 {
            self.answer(terminal, 1, "000000");
            terminal.shows("That is not right. Try again.");
            terminal.shows(&format!("E-mail [{}]: ", self.email.as_str()));
        }
        self.answer(terminal, 1, "000000");
        terminal.shows("That is not right. Access is refused.");
    }
}

pub(crate) fn answer(terminal: &mut Terminal, email: &str, choice: u32, code: &str) {
    terminal.line(email);
    terminal.shows("Number: ");
    terminal.line(&choice.to_string());
    terminal.shows("ode: ");
    terminal.line(code);
}

/// The person and their roles in an event.
pub(crate) fn who(event: &Value) -> (Option<&str>, &Value) {
    (event["cmd_user"].as_str(), &event["cmd_roles"])
}

#[track_caller]
pub(crate) fn assert_is(event: &Value, person: &Person) {
    assert_eq!(who(event), (Some(person.email.as_str()), &serde_json::json!(["ops"])));
}

#[track_caller]
pub(crate) fn assert_outcome(told: &Value, outcome: &str, attempts: u64) {
    assert_eq!(told["outcome"], outcome, "{told}");
    assert_eq!(told["attempts"], attempts, "{told}");
    assert_eq!(told["service"], "sshd", "{told}");
    assert_eq!(told["remote"], "127.0.0.1", "{told}");
}

#[test]
fn two_persons_who_share_a_linux_user_are_told_apart() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let (ann, ben) = (scene.person("ann@example.com"), scene.person("ben@example.com"));
    let mut of_ann = scene.login(&ann);
    let mut of_ben = scene.login(&ben);
    let events = [scene.run(&mut of_ann), scene.run(&mut of_ben), scene.run(&mut of_ann)];
    for (event, person) in events.iter().zip([&ann, &ben, &ann]) {
        assert_is(event, person);
        assert_eq!(event["inception_session"]["entry"], "ssh");
        assert_eq!(event["self"]["user"], scene.shared.name());
    }
    for person in [&ann, &ben] {
        let told = &scene.verifications(person.email.as_str(), 1)[0];
        assert_outcome(told, "verified", 1);
        assert_eq!(told["method"], "totp");
        assert_eq!(told["user"], scene.shared.name());
    }
    // The login shells themselves have their person from their first event on.
    let account = scene.wait_for("both login shells", |account| logins(account).len() == 2);
    assert_is(&logins(&account)[0], &ann);
    assert_is(&logins(&account)[1], &ben);
    // What nobody proved is nobody's.
    let word = run_true();
    let account = scene.wait_for("our own program", |account| {
        account.events.iter().any(|event| event["self"]["argv"][1] == word.as_str())
    });
    let own = account.events.iter().find(|event| event["self"]["argv"][1] == word.as_str());
    assert_eq!(who(own.unwrap()).0, None);
    // A code is nowhere in the stream.
    let stream = serde_json::to_string(&account.events).unwrap();
    assert!(!stream.contains(ann.enrolment.totp.secret.to_base32().as_str()));
    drop((of_ann, of_ben));
    service.stop();
}

/// The EXECs through which somebody came in.
pub(crate) fn logins(account: &Account) -> Vec<Value> {
    let is_login = |event: &&Value| {
        event["event_type"] == "EXEC"
            && event["inception_session"]["entry"] == "ssh"
            && event["inception_session"]["uuid"] == event["self"]["uuid"]
    };
    let mut found: Vec<Value> = account.events.iter().filter(is_login).cloned().collect();
    found.sort_by_key(|event| event["boot_ns"].as_u64());
    found
}

#[test]
fn whoever_cannot_prove_it_is_not_let_in() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = scene.dial();
    ann.is_refused(&mut terminal);
    // sshd asks anew, as often as its own settings say; that is another verification.
    drop(terminal);
    let mut unknown = scene.dial();
    answer(&mut unknown, "nobody@example.com", 1, "000000");
    unknown.shows("That is not right. Try again.");
    unknown.hang_up();
    assert_outcome(&scene.verifications("ann@example.com", 1)[0], "refused", 3);
    assert_outcome(&scene.verifications("nobody@example.com", 1)[0], "abandoned", 1);
    assert!(logins(&account::of_folder(&scene.place.path("events"))).is_empty());
    service.stop();
}

#[test]
fn a_code_works_once_and_a_backup_code_too() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let code = ann.code();
    let mut first = scene.dial();
    ann.answer(&mut first, 1, &code);
    first.prompt();
    let mut second = scene.dial();
    ann.answer(&mut second, 1, &code);
    second.shows("That is not right. Try again.");
    second.shows("E-mail [ann@example.com]: ");
    let backup = ann.backup();
    ann.answer(&mut second, 2, backup);
    second.prompt();
    assert_is(&scene.run(&mut second), &ann);
    let mut third = scene.dial();
    ann.answer(&mut third, 2, backup);
    third.shows("That is not right. Try again.");
    let told = scene.verifications("ann@example.com", 2);
    assert_outcome(&told[1], "verified", 2);
    assert_eq!(told[1]["method"], "backup_code");
    drop((first, second, third));
    service.stop();
}

#[test]
fn a_session_keeps_its_person_when_the_agent_is_started_anew_and_not_when_they_are_revoked() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = scene.login(&ann);
    service.kill();
    let service = scene.place.start();
    assert_is(&scene.run(&mut terminal), &ann);
    scene
        .store()
        .update(|accounts| {
            accounts.revoke(&ann.email).unwrap();
            Ok::<_, StoreError>(())
        })
        .unwrap();
    wait::until("the agent to notice", || scene.place.talk().contains("is revoked").then_some(()));
    // The loop takes it in within its next round.
    wait::until("the person to be gone", || {
        who(&scene.run(&mut terminal)).0.is_none().then_some(())
    });
    drop(terminal);
    service.stop();
}

#[test]
fn without_an_agent_the_options_of_the_module_decide() {
    if !can_ask() {
        return;
    }
    let closed = Scene::new("");
    let mut terminal = ssh::dial_and_answer(&closed.sshd, &closed.shared);
    terminal.shows("no agent answers at");
    terminal.shows("nobody is let in until that is mended");
    drop(terminal);
    let open = Scene::new("fail=open");
    let mut terminal = ssh::dial_and_answer(&open.sshd, &open.shared);
    terminal.shows("going on without knowing who you are");
    terminal.prompt();
    drop(terminal);
    let wrong = Scene::new("fail=maybe");
    let service = wrong.place.start();
    let mut terminal = ssh::dial_and_answer(&wrong.sshd, &wrong.shared);
    terminal.shows("write fail=closed or fail=open");
    drop(terminal);
    service.stop();
}

#[test]
fn rules_say_who_has_to_prove_it_and_what_happens_if_they_cannot() {
    if !can_ask() {
        return;
    }
    let internal = "when = \"session_how_connected = 'ssh' and session_ip_type = 'internal'\"";
    let rule = |rest: &str| {
        let other = "when = \"session_user = 'somebody-else'\"\nverify = \"required\"";
        format!("[[identity.rule]]\n{other}\n[[identity.rule]]\n{internal}\n{rest}\n")
    };
    let nobody = |scene: &Scene, terminal: &mut Terminal| {
        assert_eq!(who(&scene.run(terminal)).0, None);
    };

    let exempt = Scene::with_rules("", &rule("verify = \"exempt\""));
    let service = exempt.place.start();
    let mut terminal = ssh::dial_and_answer(&exempt.sshd, &exempt.shared);
    terminal.prompt();
    nobody(&exempt, &mut terminal);
    service.stop();
    assert!(exempt.place.talk().contains("not asked, by a rule"), "{}", exempt.place.talk());

    let optional = Scene::with_rules("", &rule("verify = \"optional\""));
    let service = optional.place.start();
    let ann = optional.person("ann@example.com");
    let mut terminal = ssh::dial_and_answer(&optional.sshd, &optional.shared);
    terminal.shows("Press Return to go on without saying who you are.");
    terminal.shows("E-mail: ");
    terminal.line("");
    terminal.prompt();
    nobody(&optional, &mut terminal);
    let mut terminal = optional.login(&ann);
    assert_is(&optional.run(&mut terminal), &ann);
    service.stop();

    let lenient = Scene::with_rules("", &rule("on_failure = \"alert\""));
    let service = lenient.place.start();
    let mut terminal = lenient.dial();
    for attempt in 1..=3 {
        answer(&mut terminal, "ann@example.com", 1, "000000");
        if attempt < 3 {
            terminal.shows("E-mail [ann@example.com]: ");
        }
    }
    terminal.prompt();
    nobody(&lenient, &mut terminal);
    assert_outcome(&lenient.verifications("ann@example.com", 1)[0], "refused", 3);
    service.stop();
    let talk = lenient.place.talk();
    assert!(talk.contains("warning: identity: sshd for"), "{talk}");
}

#[test]
fn only_root_may_ask_who_somebody_is() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let socket = scene.place.path("run/identity.sock");
    // The socket and its folder let nobody else in; as if they did:
    for ancestor in socket.ancestors().take_while(|path| path.starts_with(scene.place.path(""))) {
        allow(ancestor, 0o777);
    }
    let program = format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({:?})\n\
         try:\n  s.sendall(b'\\x01\\x01\\x00\\x03\\0\\0\\0')\n  print(len(s.recv(100)))\n\
         except OSError:\n  print(0)",
        socket.display().to_string()
    );
    let output = std::process::Command::new("setpriv")
        .args([
            &format!("--reuid={}", scene.shared.uid()),
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
        ])
        .arg(&program)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{output:?}");
    wait::until("the agent to say so", || {
        scene.place.talk().contains("only root's programs and the gate may ask").then_some(())
    });
    service.stop();
}

#[test]
fn wrong_codes_over_many_logins_are_held_back_alike_whether_the_account_exists_or_not() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    for email in ["ann@example.com", "nobody@example.com"] {
        // At once, as a flood would be: each has come as far as the code.
        let mut flood: Vec<Terminal> = (0..7).map(|_| scene.dial()).collect();
        for terminal in &mut flood {
            terminal.line(email);
            terminal.shows("Number: ");
            terminal.line("1");
            terminal.shows("ode: ");
        }
        for terminal in &mut flood {
            terminal.line("000000");
        }
        let held = "There were too many wrong codes for this account. Try again in 1 minute.";
        let held = |terminal: &mut Terminal| {
            terminal.shows_one_of(&["That is not right. Try again.", held]) == 1
        };
        assert_eq!(flood.iter_mut().map(held).filter(|is_held| *is_held).count(), 2, "{email}");
    }
    // The right code is not looked at either.
    let mut late = scene.dial();
    ann.answer(&mut late, 1, &ann.code());
    late.shows("too many wrong codes");
    service.wait_for("the counts", |status| {
        status["identity"]["held_attempts"] == 5
            && status["identity"]["failed_attempts"]["totp"] == 10
    });
    drop(late);
    service.stop();
}

#[test]
fn a_login_that_says_too_much_or_too_slowly_is_turned_away() {
    use std::io::{Read as _, Write as _};
    use std::time::{Duration, Instant};
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let socket = scene.place.path("run/identity.sock");
    let connect = || {
        let stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    let ended = |mut stream: &std::os::unix::net::UnixStream| {
        // An end or a reset, and no question.
        stream.read(&mut [0; 16]).map_or(true, |count| count == 0)
    };
    let huge = connect();
    (&huge).write_all(&[3, 1, 0xff, 0xff]).unwrap();
    assert!(ended(&huge));
    let slow = connect();
    let begun = Instant::now();
    // A byte now and then, of a hello that is long enough.
    let _ = (&slow).write_all(&[3, 1, 4, 0]);
    while begun.elapsed() < Duration::from_secs(15) && (&slow).write_all(b"x").is_ok() {
        std::thread::park_timeout(Duration::from_millis(200));
    }
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    wait::until("the agent to say so", || {
        scene.place.talk().contains("is longer than 1024").then_some(())
    });
    service.stop();
}
