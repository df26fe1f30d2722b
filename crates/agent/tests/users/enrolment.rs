//! Enrolment: secrets are shown once, where somebody sees them.

use forebear_identity::{Accounts, Dialogue, Limits, Step, Store, Totp};
use forebear_testkit::terminal::Terminal;

use crate::stage::{Stage, program};

fn accounts(stage: &Stage) -> Accounts {
    Store::at(stage.store()).read().unwrap()
}

fn totp(stage: &Stage) -> Totp {
    let accounts = accounts(stage);
    accounts.get(&"ada@example.com".parse().unwrap()).unwrap().totp().unwrap().clone()
}

#[test]
fn what_the_terminal_shows_logs_the_person_in() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com", "--role", "dba"]);
    let store = stage.store();
    let arguments = ["users", "enroll", "ada@example.com", "--store", store.to_str().unwrap()];
    let mut terminal = Terminal::start(program(), &arguments);
    let shown = terminal.shows("Clear the screen when the person has it.");
    assert!(terminal.ends().success());

    let totp = totp(&stage);
    let secret = totp.secret.to_base32();
    assert!(shown.contains("█"), "{shown}");
    assert!(
        shown.contains(&format!("otpauth://totp/forebear:ada%40example.com?secret={}", *secret))
    );
    // What was kept of the backup codes is not what was shown.
    let kept = fs_err::read_to_string(&store).unwrap();
    let code = shown.split("Backup codes").nth(1).unwrap().lines().nth(2).unwrap();
    let code = code.split_whitespace().next().unwrap();
    assert_eq!((code.len(), kept.contains(code)), (11, false), "{code}");

    let mut accounts = accounts(&stage);
    let mut log_in = |method: &str, code: &str| {
        let mut dialogue = Dialogue::new(Limits::default());
        dialogue.answer(b"ada@example.com", &mut accounts, 0);
        dialogue.answer(method.as_bytes(), &mut accounts, 0);
        dialogue.answer(code.as_bytes(), &mut accounts, 1_800_000_000)
    };
    let shown_by_app = totp.code_at(1_800_000_000);
    assert!(matches!(log_in("1", &shown_by_app), Step::Verified(_)));
    assert!(matches!(log_in("2", code), Step::Verified(_)));
    assert!(matches!(log_in("2", code), Step::Ask { failed: Some(_), .. }));
}

#[test]
fn a_pipe_gets_the_secrets_only_if_that_is_asked_for() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    let part = "standard output is no terminal, and what is shown are secrets";
    stage.refused(&["enroll", "ada@example.com"], 2, &[part, "or give --stdout"]);
    let sheet = stage.done(&["enroll", "ada@example.com", "--stdout", "--sha256", "--digits", "8"]);
    assert!(sheet.contains("algorithm=SHA256&digits=8&period=30"), "{sheet}");
    assert!(stage.done(&["list"]).contains("enrolled      10 left"));
    let json = stage.done(&["list", "--json"]);
    let rest = "\"state\":\"enrolled\",\"authenticator\":{\"algorithm\":\"SHA256\",\"digits\":8},\
                \"backup_codes_left\":10}";
    assert!(json.contains(rest), "{json}");
}

#[test]
fn an_enrolled_account_is_enrolled_again_only_if_that_is_asked_for() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    stage.done(&["enroll", "ada@example.com", "--stdout"]);
    let first = totp(&stage);
    let parts = ["ada@example.com is enrolled already", "--replace"];
    stage.refused(&["enroll", "ada@example.com", "--stdout"], 2, &parts);
    let said = stage.run(&["enroll", "ada@example.com", "--stdout", "--replace"]);
    assert!(said.err.contains("the earlier secret and backup codes"), "{}", said.err);
    assert_ne!(totp(&stage).secret, first.secret);
}

#[test]
fn nothing_but_enrolment_shows_a_secret() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    stage.done(&["enroll", "ada@example.com", "--stdout"]);
    let secret = totp(&stage).secret.to_base32();
    let mut said = vec![stage.run(&["list"]), stage.run(&["list", "--json"])];
    // A store with the secret in a wrong place is told about, and the secret is not.
    let wrong = fs_err::read_to_string(stage.store()).unwrap().replace("secret =", "sceret =");
    fs_err::write(stage.store(), wrong).unwrap();
    said.push(stage.run(&["list"]));
    said.push(stage.run(&["revoke", "ada@example.com"]));
    assert_eq!(said[3].code, 3, "{said:?}");
    for said in said {
        assert!(!format!("{said:?}").contains(&*secret), "{said:?}");
    }
}
