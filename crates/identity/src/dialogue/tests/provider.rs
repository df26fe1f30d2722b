//! Sign-ins at a provider: whose they are, and that the list tells nothing.

use super::*;

fn dialogue(at_provider: AtProvider) -> Dialogue {
    Dialogue::new(Limits::default()).with_provider(at_provider)
}

fn person(email: &str, roles: Option<&[&str]>) -> SignIn {
    let roles = roles.map(|roles| roles.iter().map(|role| role.parse().unwrap()).collect());
    SignIn::Person { email: email.parse().unwrap(), roles }
}

/// A dialogue that has come as far as the provider.
fn at_the_provider(world: &mut World, at_provider: AtProvider, typed: &str) -> Dialogue {
    let mut dialogue = dialogue(at_provider);
    let step = world.tell(&mut dialogue, &[typed]);
    let list = seen(&step).0;
    let number = list.lines().find(|line| line.ends_with("organisation")).unwrap();
    let number = number.split_whitespace().next().unwrap();
    assert_eq!(world.tell(&mut dialogue, &[number]), Step::Provider);
    dialogue
}

#[test]
fn the_provider_is_the_last_of_the_list_and_everybody_is_offered_it() {
    let mut world = World::new();
    for at_provider in [AtProvider::Listed, AtProvider::Anybody] {
        for name in ["ada", "eve", "rex", "new"] {
            let typed = format!("{name}@example.com");
            let step = world.tell(&mut dialogue(at_provider), &[&typed]);
            assert!(seen(&step).0.ends_with("  3  Sign in with your organisation\nNumber: "));
            at_the_provider(&mut world, at_provider, &typed);
        }
        at_the_provider(&mut world, at_provider, "no address");
        at_the_provider(&mut world, at_provider, "odd@example.com");
    }
}

#[test]
fn whoever_signs_in_has_the_roles_of_the_provider_or_else_of_the_account() {
    use AtProvider::{Anybody, Listed};
    for (at_provider, email, roles, expected) in [
        (Listed, "ada@example.com", None, &["dba"][..]),
        (Listed, "ada@example.com", Some(&["ops"][..]), &["ops"]),
        (Listed, "ada@example.com", Some(&[]), &[]),
        (Anybody, "new@example.com", None, &["dba"]),
        (Anybody, "eve@example.com", None, &[]),
        (Anybody, "eve@example.com", Some(&["ops"]), &["ops"]),
    ] {
        let mut world = World::new();
        let mut dialogue = at_the_provider(&mut world, at_provider, email);
        let step = dialogue.told(person(email, roles), &world.accounts);
        let Step::Verified(verified) = step else { panic!("{email}: {step:?}") };
        assert_eq!((verified.email.as_str(), verified.method), (email, Method::Oidc));
        let found: Vec<&str> = verified.roles.iter().map(Role::as_str).collect();
        assert_eq!((found.as_slice(), verified.attempt), (expected, 1));
        // It counts once.
        let again = dialogue.told(person(email, roles), &world.accounts);
        assert!(matches!(again, Step::Refused { .. }), "{again:?}");
    }
}

#[test]
fn every_sign_in_that_does_not_count_has_its_reason() {
    use AtProvider::{Anybody, Listed};
    let same = "That is not right. Try again.";
    for (at_provider, typed, sign_in, reason, words) in [
        (Anybody, "ada@example.com", person("eve@example.com", None), Reason::OtherPerson, same),
        (Anybody, "no address", person("eve@example.com", None), Reason::OtherPerson, same),
        (Anybody, "rex@example.com", person("rex@example.com", None), Reason::RevokedAccount, same),
        (Listed, "eve@example.com", person("eve@example.com", None), Reason::UnknownAccount, same),
        (
            Anybody,
            "eve@example.com",
            SignIn::Declined,
            Reason::Declined,
            "was declined. Try again.",
        ),
        (Anybody, "eve@example.com", SignIn::Expired, Reason::Expired, "in time. Try again."),
        (Anybody, "eve@example.com", SignIn::Unusable, Reason::NoProvider, "not work now. Try"),
    ] {
        let mut world = World::new();
        let mut dialogue = at_the_provider(&mut world, at_provider, typed);
        let step = dialogue.told(sign_in, &world.accounts);
        let Step::Ask { failed: Some(failed), prompt, .. } = step else { panic!("{step:?}") };
        assert_eq!((failed.reason, failed.method), (reason, Some(Method::Oidc)));
        assert_eq!(failed.number, 1);
        assert!(prompt.text.contains(words), "{}", prompt.text);
    }
}

#[test]
fn a_sign_in_that_nobody_was_sent_to_counts_for_nothing() {
    let mut world = World::new();
    let mut asked = dialogue(AtProvider::Anybody);
    world.tell(&mut asked, &["ada@example.com"]);
    let step = asked.told(person("ada@example.com", None), &world.accounts);
    assert_eq!(reason(&step), Some(Reason::NoAnswer));
    // And an answer is no sign-in.
    let mut sent = at_the_provider(&mut world, AtProvider::Anybody, "ada@example.com");
    assert_eq!(reason(&world.tell(&mut sent, &[""])), Some(Reason::NoAnswer));
    let step = sent.told(person("ada@example.com", None), &world.accounts);
    assert_eq!(reason(&step), Some(Reason::NoAnswer));
}

#[test]
fn a_person_whose_code_was_wrong_may_sign_in_at_the_provider() {
    let mut world = World::new();
    let mut dialogue = dialogue(AtProvider::Anybody);
    world.tell(&mut dialogue, &["ada@example.com", "1", "000000", "", "3"]);
    let step = dialogue.told(person("ada@example.com", None), &world.accounts);
    let Step::Verified(verified) = step else { panic!("{step:?}") };
    assert_eq!(verified.attempt, 2);
}

#[test]
fn whose_code_is_asked_for_is_known() {
    let mut world = World::new();
    let mut dialogue = dialogue(AtProvider::Anybody);
    for (answer, expected) in
        [("eve@example.com", None), ("1", Some("eve@example.com")), ("000000", None)]
    {
        world.tell(&mut dialogue, &[answer]);
        assert_eq!(dialogue.code_of().map(Email::as_str), expected);
    }
}
