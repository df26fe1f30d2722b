//! Logins by a sign-in at a provider: a real sshd with the PAM module, a real client, a real
//! provider and its pages.

use std::convert::Infallible;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use forebear_testkit::provider::{CLIENT, Options, PROVIDER, Provider, ROLES, ROLES_CLAIM, SECRET};
use forebear_testkit::terminal::Terminal;
use forebear_testkit::{means, wait};
use serde_json::{Value, json};

use crate::identity::{Scene, assert_outcome, can_ask, who};

const LIST: &str = "  3  Sign in with your organisation";

/// How many logins the service asks at a time.
const MAX_LOGINS: usize = 32;

/// What `etc/forebear-agent.service` lets the service have before it is slowed down, in KiB.
const OF_THE_UNIT: u64 = 192 << 10;

/// Longer than the provider may be asked less often.
const DECIDED: Duration = Duration::from_secs(30);

fn can_sign_in() -> bool {
    can_ask() && means::available(PROVIDER)
}

/// A scene whose service knows this provider; `more` are further keys.
fn scene(provider: &Provider, more: &str) -> Scene {
    let scene = Scene::new("");
    let secret = scene.place.path("secret");
    fs_err::write(&secret, format!("{SECRET}\n")).unwrap();
    let only_ours = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs_err::set_permissions(&secret, only_ours).unwrap();
    let config = scene.place.path("agent.toml");
    let text = fs_err::read_to_string(&config).unwrap();
    let table = format!(
        "[identity.oidc]\nissuer = {:?}\nclient_id = {CLIENT:?}\nclient_secret_file = {secret:?}\n\
         roles_claim = {ROLES_CLAIM:?}\ntimeout = \"5s\"\n{more}",
        provider.issuer()
    );
    fs_err::write(&config, format!("{text}{table}")).unwrap();
    scene
}

/// Names this account and chooses the provider; the address with the code in it.
fn choose(terminal: &mut Terminal, email: &str, provider: &Provider) -> String {
    terminal.line(email);
    terminal.shows(LIST);
    terminal.shows("Number: ");
    terminal.line("3");
    // The edge of the QR code, as it was drawn.
    terminal.shows("██████████████████████████████");
    terminal.shows(&format!("{}/device", provider.issuer()));
    terminal.shows("and enter the code");
    let shown = terminal.shows("Sign in there within");
    let code = shown.lines().map(str::trim).find(|line| line.len() == 9 && line.contains('-'));
    terminal.shows("press Return here: ");
    format!("{}/device?user_code={}", provider.issuer(), code.unwrap())
}

/// Presses Return until the provider's decision is known, which shows this.
fn press_return_until(terminal: &mut Terminal, text: &str) {
    let again = "Nobody has signed in yet";
    let end = Instant::now() + DECIDED;
    loop {
        assert!(Instant::now() < end, "nothing was decided:\n{terminal}");
        terminal.line("");
        if terminal.shows_one_of(&[text, again]) == 0 {
            return;
        }
        terminal.shows("press Return here: ");
    }
}

fn of_method<'v>(status: &'v Value, outcome: &str) -> &'v Value {
    &status["identity"]["verifications"]["oidc"][outcome]
}

#[test]
fn whoever_signs_in_at_the_provider_is_known_with_the_roles_of_the_claim() {
    if !can_sign_in() {
        return;
    }
    let provider = Provider::start(Options::default());
    let scene = scene(&provider, "");
    let service = scene.place.start();
    // Nobody has made an account of hers.
    let mut terminal = scene.dial();
    let address = choose(&mut terminal, "Ann@example.com", &provider);
    terminal.line("");
    terminal.shows("Nobody has signed in yet");
    terminal.shows("press Return here: ");
    provider.approve(&address, "ann@example.com");
    press_return_until(&mut terminal, forebear_testkit::account::PROMPT);
    let event = scene.run(&mut terminal);
    assert_eq!(who(&event), (Some("ann@example.com"), &json!(ROLES)));
    let told = &scene.verifications("ann@example.com", 1)[0];
    assert_outcome(told, "verified", 1);
    assert_eq!(told["method"], "oidc");
    assert_eq!(*of_method(&service.status(), "verified"), 1);
    // Revoking wins over the provider, also for somebody whom only the provider knows.
    let store = scene.place.path("identity/accounts.toml");
    let store = store.to_str().unwrap();
    let revoke = ["users", "--store", store, "revoke", "ann@example.com"];
    assert!(!scene.place.output(&revoke).status.success());
    let output = scene.place.output(&[&revoke[..], &["--unknown"]].concat());
    assert!(output.status.success(), "{output:?}");
    wait::until("the person to be gone", || {
        who(&scene.run(&mut terminal)).0.is_none().then_some(())
    });
    let mut again = scene.dial();
    let address = choose(&mut again, "ann@example.com", &provider);
    provider.approve(&address, "ann@example.com");
    press_return_until(&mut again, "That is not right. Try again.");
    let stream = fs_err::read_to_string(scene.place.path("talk")).unwrap();
    assert!(stream.contains("the account is revoked") && !stream.contains(SECRET), "{stream}");
    drop((terminal, again));
    service.stop();
}

#[test]
fn whoever_declines_or_is_somebody_else_is_not_let_in() {
    if !can_sign_in() {
        return;
    }
    let provider = Provider::start(Options::default());
    let scene = scene(&provider, "accounts = \"listed\"\n");
    let service = scene.place.start();
    let mut terminal = scene.dial();
    let address = choose(&mut terminal, "ann@example.com", &provider);
    provider.deny(&address);
    press_return_until(&mut terminal, "The sign-in was declined. Try again.");
    terminal.shows("E-mail [ann@example.com]: ");
    let address = choose(&mut terminal, "", &provider);
    provider.approve(&address, "ben@example.com");
    press_return_until(&mut terminal, "That is not right. Try again.");
    // She is who she says, and has no account, which has to be listed here.
    let address = choose(&mut terminal, "", &provider);
    provider.approve(&address, "ann@example.com");
    press_return_until(&mut terminal, "That is not right. Access is refused.");
    let told = &scene.verifications("ann@example.com", 1)[0];
    assert_outcome(told, "refused", 3);
    assert_eq!(told["method"], "oidc");
    let status = service.status();
    assert_eq!(*of_method(&status, "refused"), 1);
    assert_eq!(status["identity"]["failed_attempts"]["oidc"], 3);
    drop(terminal);
    service.stop();
}

#[test]
fn a_code_expires_and_a_provider_that_is_down_keeps_nobody_from_other_ways() {
    if !can_sign_in() {
        return;
    }
    let mut provider =
        Provider::start(Options { life: Duration::from_secs(4), ..Options::default() });
    let scene = scene(&provider, "");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = scene.dial();
    choose(&mut terminal, "ann@example.com", &provider);
    press_return_until(&mut terminal, "Nobody signed in in time. Try again.");
    provider.down();
    terminal.line("");
    terminal.shows("Number: ");
    terminal.line("3");
    terminal.shows("Your organisation's sign-in does not work now. Try again.");
    terminal.shows("E-mail [ann@example.com]: ");
    ann.answer(&mut terminal, 1, &ann.code());
    terminal.prompt();
    assert_eq!(who(&scene.run(&mut terminal)).1, &json!(["ops"]));
    let told = &scene.verifications("ann@example.com", 1)[0];
    assert_outcome(told, "verified", 3);
    assert_eq!(told["method"], "totp");
    assert!(scene.place.talk().contains("Connection refused"), "{}", scene.place.talk());
    drop(terminal);
    service.stop();
}

#[test]
fn a_client_that_hangs_up_ends_the_sign_in_at_once() {
    if !can_sign_in() {
        return;
    }
    let provider = Provider::start(Options::default());
    let scene = scene(&provider, "");
    let service = scene.place.start();
    let mut terminal = scene.dial();
    choose(&mut terminal, "ann@example.com", &provider);
    terminal.hang_up();
    let told = &scene.verifications("ann@example.com", 1)[0];
    assert_outcome(told, "abandoned", 0);
    assert_eq!(told["method"], "oidc");
    assert_eq!(*of_method(&service.status(), "abandoned"), 1);
    service.stop();
}

/// Somebody who chooses the provider, tells that they have come so far, and then waits.
struct Waiting {
    so_far: Sender<()>,
    until: Arc<Barrier>,
}

impl forebear_door::Terminal for Waiting {
    type Error = Infallible;
    type Answer = &'static str;

    fn ask(&mut self, text: &str, _: bool) -> Result<Option<&'static str>, Infallible> {
        Ok(match text {
            _ if text.starts_with("E-mail") => Some("ann@example.com"),
            _ if text.starts_with("Number") => Some("3"),
            _ => {
                let _ = self.so_far.send(());
                self.until.wait();
                None
            }
        })
    }

    fn tell(&mut self, _: &str) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn as_many_sign_ins_at_once_as_there_may_be_stay_within_the_memory_of_the_unit() {
    if !can_sign_in() {
        return;
    }
    let provider = Provider::start(Options::default());
    let scene = scene(&provider, "");
    let service = scene.place.start();
    let until = Arc::new(Barrier::new(MAX_LOGINS + 1));
    let (so_far, waiting) = channel();
    let connect = || {
        let stream = UnixStream::connect(scene.place.path("run/identity.sock")).unwrap();
        stream.set_read_timeout(Some(DECIDED)).unwrap();
        stream
    };
    let hello = || forebear_door::Hello { service: "login", user: "ann", remote: "", tty: "" };
    let logins: Vec<_> = (0..MAX_LOGINS)
        .map(|_| {
            let mut stream = connect();
            let mut person = Waiting { so_far: so_far.clone(), until: Arc::clone(&until) };
            std::thread::spawn(move || {
                let _ = forebear_door::ask(&mut stream, hello(), &mut person);
            })
        })
        .collect();
    for _ in 0..MAX_LOGINS {
        waiting.recv_timeout(DECIDED).expect("every login has come to its sign-in");
    }
    let mut one_more = Waiting { so_far, until: Arc::clone(&until) };
    let turned_away = forebear_door::ask(&mut connect(), hello(), &mut one_more);
    assert!(!matches!(turned_away, forebear_door::Asked::Granted), "{turned_away:?}");
    let status = fs_err::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{} MiB with {MAX_LOGINS} sign-ins at once", kibibytes / 1024);
    assert!(kibibytes < OF_THE_UNIT, "{kibibytes} KiB");
    until.wait();
    for login in logins {
        login.join().unwrap();
    }
    service.stop();
}
