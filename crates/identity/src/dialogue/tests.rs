//! The dialogue: every way through it, and that those without a code learn nothing.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::enrol::Enrolment;

mod provider;

const NOW: UnixSeconds = 1_800_000_000;

/// Accounts: ada is enrolled, rex was and is revoked, new is not enrolled, odd has only an
/// authenticator.
struct World {
    accounts: Accounts,
    totp: Totp,
    codes: Vec<String>,
}

impl World {
    fn new() -> Self {
        let mut accounts = Accounts::default();
        // Made once: it costs ten hashes.
        static ENROLMENT: OnceLock<Enrolment> = OnceLock::new();
        let enrolment =
            ENROLMENT.get_or_init(|| Enrolment::new(Algorithm::Sha1, Digits::Six).unwrap());
        let Enrolment { totp, backup, codes } = enrolment;
        for name in ["ada", "rex", "new", "odd"] {
            let email: Email = format!("{name}@example.com").parse().unwrap();
            let roles = BTreeSet::from(["dba".parse().unwrap()]);
            accounts.add(email.clone(), roles).unwrap();
            if name != "new" {
                accounts.enrol(&email, totp.clone(), backup.clone()).unwrap();
            }
        }
        accounts.revoke(&"rex@example.com".parse().unwrap()).unwrap();
        accounts.get_mut(&"odd@example.com".parse().unwrap()).unwrap().backup = None;
        let codes = codes.iter().map(|code| code.to_string()).collect();
        Self { accounts, totp: totp.clone(), codes }
    }

    fn code(&self, now: UnixSeconds) -> String {
        self.totp.code_at(now).to_string()
    }

    /// All answers in a row; what the last one led to.
    fn tell(&mut self, dialogue: &mut Dialogue, answers: &[&str]) -> Step {
        let steps = answers
            .iter()
            .map(|answer| dialogue.answer(answer.as_bytes(), &mut self.accounts, NOW));
        steps.last().unwrap()
    }
}

fn dialogue() -> Dialogue {
    Dialogue::new(Limits::default())
}

/// What a person sees and how long it takes, of every step.
fn seen(step: &Step) -> (String, bool, Duration) {
    match step {
        Step::Ask { prompt, wait, .. } => (prompt.text.clone(), prompt.is_echoed, *wait),
        Step::Refused { text, wait, .. } => (text.clone(), false, *wait),
        Step::Provider => ("provider".to_owned(), false, Duration::ZERO),
        Step::Verified(_) => ("verified".to_owned(), false, Duration::ZERO),
    }
}

fn reason(step: &Step) -> Option<Reason> {
    match step {
        Step::Ask { failed, .. } => failed.as_ref().map(|failed| failed.reason),
        Step::Refused { failed, .. } => Some(failed.reason),
        Step::Provider | Step::Verified(_) => None,
    }
}

#[test]
fn the_right_answers_say_who_it_is() {
    let mut world = World::new();
    let mut dialogue = dialogue();
    assert_eq!(dialogue.prompt(), Prompt { text: "E-mail: ".to_owned(), is_echoed: true });
    let step = world.tell(&mut dialogue, &[" Ada@example.com\r\n"]);
    assert_eq!(
        seen(&step).0,
        "How do you want to show who you are?\n  1  Code from your authenticator app\n  \
         2  Backup code\nNumber: "
    );
    let step = world.tell(&mut dialogue, &["1"]);
    assert_eq!(seen(&step), ("Code: ".to_owned(), false, Duration::ZERO));
    let code = world.code(NOW);
    let Step::Verified(verified) = world.tell(&mut dialogue, &[&code]) else { panic!("refused") };
    assert_eq!(verified.email.as_str(), "ada@example.com");
    assert_eq!(verified.roles.iter().map(Role::as_str).collect::<Vec<_>>(), ["dba"]);
    assert_eq!((verified.method, verified.attempt), (Method::Totp, 1));
}

#[test]
fn the_list_is_left_out_if_there_is_one_method() {
    let mut world = World::new();
    let step = world.tell(&mut dialogue(), &["odd@example.com"]);
    assert_eq!(seen(&step).0, "Code: ");
}

#[test]
fn a_code_works_in_one_dialogue_only() {
    let mut world = World::new();
    let code = world.code(NOW);
    let answers = ["ada@example.com", "1", &code];
    assert!(matches!(world.tell(&mut dialogue(), &answers), Step::Verified(_)));
    assert_eq!(reason(&world.tell(&mut dialogue(), &answers)), Some(Reason::UsedCode));
    let backup = world.codes[4].clone();
    let answers = ["ada@example.com", "2", &backup];
    let Step::Verified(verified) = world.tell(&mut dialogue(), &answers) else { panic!("refused") };
    assert_eq!(verified.method, Method::Backup);
    assert_eq!(reason(&world.tell(&mut dialogue(), &answers)), Some(Reason::UsedCode));
}

#[test]
fn an_expired_code_is_wrong() {
    let mut world = World::new();
    let old = world.code(NOW - 90);
    let step = world.tell(&mut dialogue(), &["ada@example.com", "1", &old]);
    assert_eq!(reason(&step), Some(Reason::WrongCode));
}

#[test]
fn the_third_failure_is_the_last_and_the_waits_grow() {
    let mut world = World::new();
    let mut dialogue = dialogue();
    let first = world.tell(&mut dialogue, &["ada@example.com", "1", "000"]);
    let again = "That is not right. Try again.\nE-mail [ada@example.com]: ".to_owned();
    assert_eq!(seen(&first), (again.clone(), true, Duration::from_secs(1)));
    // Only the return key keeps the address.
    let second = world.tell(&mut dialogue, &["", "2", "000"]);
    assert_eq!(seen(&second), (again, true, Duration::from_secs(2)));
    let third = world.tell(&mut dialogue, &["", "1", "000"]);
    let Step::Refused { text, wait, failed } = third else { panic!("{third:?}") };
    assert_eq!(text, "That is not right. Access is refused.");
    assert_eq!((wait, failed.number), (Duration::from_secs(4), 3));
    // The right code comes too late.
    let code = world.code(NOW);
    let after = world.tell(&mut dialogue, &["ada@example.com", "1", &code]);
    assert_eq!(reason(&after), Some(Reason::Over));
    assert!(matches!(after, Step::Refused { .. }));
}

#[test]
fn a_wait_has_a_bound_and_attempts_are_at_least_one() {
    let mut world = World::new();
    let limits = Limits { attempts: 100, ..Limits::default() };
    let mut many = Dialogue::new(limits);
    let mut last = Duration::ZERO;
    for _ in 0..80 {
        let (_, _, wait) = seen(&world.tell(&mut many, &["ada@example.com", "7"]));
        assert!(wait >= last && wait <= limits.longest_wait);
        last = wait;
    }
    assert_eq!(last, limits.longest_wait);
    let mut none = Dialogue::new(Limits { attempts: 0, ..limits });
    assert!(matches!(world.tell(&mut none, &["ada@example.com", "7"]), Step::Refused { .. }));
}

#[test]
fn a_right_answer_after_a_wrong_one_is_the_second_attempt() {
    let mut world = World::new();
    let mut dialogue = dialogue();
    world.tell(&mut dialogue, &["adda@example.com", "1", "000000"]);
    let code = world.code(NOW);
    let step = world.tell(&mut dialogue, &["ada@example.com", "1", &code]);
    let Step::Verified(verified) = step else { panic!("{step:?}") };
    assert_eq!(verified.attempt, 2);
}

#[test]
fn every_wrong_answer_has_its_reason_for_the_record() {
    let long = "9".repeat(1000);
    for (answers, expected) in [
        (&["eve@example.com", "1", "000000"][..], Reason::UnknownAccount),
        (&["eve@example.com", "2", "00000-00000"], Reason::UnknownAccount),
        (&["no address", "1", "000000"], Reason::UnknownAccount),
        (&["rex@example.com", "1", "000000"], Reason::RevokedAccount),
        (&["rex@example.com", "2", "00000-00000"], Reason::RevokedAccount),
        (&["new@example.com", "1", "000000"], Reason::NotEnrolled),
        (&["ada@example.com", "1", "00000"], Reason::WrongCode),
        (&["ada@example.com", "2", "00000-00000"], Reason::WrongCode),
        (&["ada@example.com", "0"], Reason::WrongChoice),
        (&["ada@example.com", "3"], Reason::WrongChoice),
        (&["ada@example.com", ""], Reason::WrongChoice),
        (&["ada@example.com", "totp"], Reason::WrongChoice),
        (&[""], Reason::NoAnswer),
        (&[&long], Reason::NoAnswer),
        (&["ada@example.com", "1", &long], Reason::NoAnswer),
    ] {
        let step = World::new().tell(&mut dialogue(), answers);
        assert_eq!(reason(&step), Some(expected), "{answers:?}");
    }
}

#[test]
fn the_right_code_of_a_revoked_account_is_refused() {
    let mut world = World::new();
    let code = world.code(NOW);
    let mut dialogue = dialogue();
    world.tell(&mut dialogue, &["ada@example.com", "1"]);
    // Between question and answer.
    world.accounts.revoke(&"ada@example.com".parse().unwrap()).unwrap();
    let step = world.tell(&mut dialogue, &[&code]);
    assert_eq!(reason(&step), Some(Reason::RevokedAccount));
}

#[test]
fn what_was_typed_is_in_no_debug_output() {
    let mut world = World::new();
    let mut dialogue = dialogue();
    for answers in [&["hunter2", "1", "hunter2"][..], &["ada@example.com", "hunter2"]] {
        let step = world.tell(&mut dialogue, answers);
        assert!(!format!("{step:?} {dialogue:?} {:?}", world.accounts).contains("hunter2"));
    }
    let secret = world.totp.secret.to_base32().to_string();
    assert!(!format!("{dialogue:?} {:?}", world.accounts).contains(&secret));
}

/// Everything that somebody sees who names this account and knows no code.
fn seen_by_a_stranger(name: &str, method: &str) -> Vec<(String, bool, Duration)> {
    let mut world = World::new();
    let mut dialogue = dialogue();
    let email = format!("{name}@example.com");
    let answers = [&email, method, "000000", "", method, "000000", &email, method, "000000"];
    let steps = answers.iter().map(|answer| {
        let step = dialogue.answer(answer.as_bytes(), &mut world.accounts, NOW);
        let (text, is_echoed, wait) = seen(&step);
        (text.replace(&email, "ADDRESS"), is_echoed, wait)
    });
    steps.collect()
}

#[test]
fn a_stranger_sees_the_same_whatever_the_account_is() {
    for method in ["1", "2"] {
        let known = seen_by_a_stranger("ada", method);
        for name in ["eve", "rex", "new"] {
            assert_eq!(seen_by_a_stranger(name, method), known, "{name}");
        }
    }
}

/// The processor time that a wrong code takes.
fn work_of_a_wrong_code(world: &mut World, name: &str, method: &str) -> Duration {
    let mut dialogue = dialogue();
    world.tell(&mut dialogue, &[&format!("{name}@example.com"), method]);
    let begun = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    world.tell(&mut dialogue, &["000000"]);
    let ended = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(ended).unwrap() - Duration::try_from(begun).unwrap()
}

/// The shortest times are compared, in turns: what else the machine does only adds to a time, so
/// they come down to the work itself, and more rounds are made until they have.
#[test]
fn a_wrong_code_takes_as_long_whatever_the_account_is() {
    let names = ["ada", "eve", "rex", "new"];
    let mut world = World::new();
    for method in ["1", "2"] {
        let mut shortest = [Duration::MAX; 4];
        let deadline = Instant::now() + Duration::from_secs(20);
        for round in 1.. {
            for (name, shortest) in names.iter().zip(&mut shortest) {
                *shortest = work_of_a_wrong_code(&mut world, name, method).min(*shortest);
            }
            let (least, most) = (shortest.iter().min().unwrap(), shortest.iter().max().unwrap());
            // Within a tenth, or a microsecond; without the work it would be a hundredth.
            let is_alike = *most <= *least * 11 / 10 + Duration::from_micros(1);
            if round >= 10 && is_alike {
                eprintln!("method {method}, {round} rounds: {names:?} {shortest:?}");
                break;
            }
            assert!(Instant::now() < deadline, "method {method}: {names:?} {shortest:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_ends_whatever_is_answered(
        answers in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..400),
                Just(b"1".to_vec()),
                Just(b"ada@example.com".to_vec()),
            ],
            12,
        ),
    ) {
        let mut accounts = World::new().accounts;
        let before = accounts.clone();
        let mut dialogue = dialogue();
        let mut is_refused = false;
        for answer in &answers {
            let step = dialogue.answer(answer, &mut accounts, NOW);
            prop_assert!(!matches!(step, Step::Verified(_)));
            let (text, ..) = seen(&step);
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            let refuses = matches!(step, Step::Refused { .. });
            prop_assert!(!is_refused || refuses);
            is_refused = refuses;
        }
        // Three attempts have three answers each at most.
        prop_assert!(is_refused);
        prop_assert_eq!(accounts, before);
    }
}
