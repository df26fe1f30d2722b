//! Device authorization at a real provider, by people with a browser; and what a provider that
//! misbehaves comes to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use forebear_identity::{Role, Secret};
use forebear_oidc::{Failure, Pending, Person, Provider, Settings};
use forebear_testkit::authority::{Authority, OPENSSL};
use forebear_testkit::means::{self, Means};
use forebear_testkit::provider::{self, CLIENT, Options, PROVIDER, PUBLIC_CLIENT, SECRET};

fn settings(provider: &provider::Provider) -> Settings {
    Settings {
        issuer: provider.issuer().parse().unwrap(),
        client: CLIENT.to_owned(),
        secret: Some(Secret::new(SECRET.as_bytes().to_vec())),
        scopes: "openid email".to_owned(),
        roles_claim: Some(provider::ROLES_CLAIM.to_owned()),
        authorities: None,
        timeout: Duration::from_secs(5),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// One sign-in, after something was done at the pages.
fn sign_in(client: &Provider, at_the_pages: impl FnOnce(&Pending)) -> Result<Person, Failure> {
    run(async {
        let pending = client.begin().await?;
        at_the_pages(&pending);
        client.finish(&pending).await
    })
}

#[track_caller]
fn assert_is_ada(person: Person) {
    assert_eq!(person.email.as_str(), "ada@example.com");
    let roles = person.roles.unwrap();
    assert_eq!(roles.roles.iter().map(Role::as_str).collect::<Vec<_>>(), provider::ROLES);
    assert_eq!(roles.left_out, 1);
}

fn approve(real: &provider::Provider, pending: &Pending) {
    real.approve(pending.complete().unwrap(), "ada@example.com");
}

#[test]
fn whoever_signs_in_is_known_with_their_roles() {
    if !means::available(PROVIDER) {
        return;
    }
    // Claims in the token, or told on demand; a client with a secret, or a public one.
    for (has_token_claims, has_secret) in [(true, true), (false, true), (true, false)] {
        let real = provider::Provider::start(Options { has_token_claims, ..Options::default() });
        let mut settings = settings(&real);
        if !has_secret {
            (settings.client, settings.secret) = (PUBLIC_CLIENT.to_owned(), None);
        }
        let client = Provider::new(settings).unwrap();
        let person = sign_in(&client, |pending| {
            assert_eq!(pending.address(), format!("{}/device", real.issuer()));
            assert!(pending.complete().unwrap().ends_with(pending.code()));
            assert!(!format!("{pending:?}").contains(pending.code()));
            approve(&real, pending);
        });
        assert_is_ada(person.unwrap());
    }
}

#[test]
fn a_provider_is_believed_by_its_certificate_alone() {
    if !means::available(PROVIDER) || !means::available(&[Means::Program(OPENSSL)]) {
        return;
    }
    let (theirs, another) = (Authority::new(), Authority::new());
    let real = provider::Provider::start_encrypted(Options::default(), &theirs);
    let trusting = |authority: Option<&Authority>| {
        let authorities = authority.map(|authority| fs_err::read(authority.root()).unwrap());
        Provider::new(Settings { authorities, ..settings(&real) }).unwrap()
    };
    let person = sign_in(&trusting(Some(&theirs)), |pending| approve(&real, pending));
    assert_is_ada(person.unwrap());
    // The machine's authorities, and a private one that has not signed.
    for client in [trusting(None), trusting(Some(&another))] {
        let Err(Failure::Unusable(error)) = sign_in(&client, |_| unreachable!()) else {
            panic!("it was believed");
        };
        let error = error.to_string();
        assert!(error.contains("certificate") && error.contains(real.issuer()), "{error}");
    }
}

#[test]
fn whoever_declines_is_nobody() {
    if !means::available(PROVIDER) {
        return;
    }
    let real = provider::Provider::start(Options::default());
    let client = Provider::new(settings(&real)).unwrap();
    let outcome = sign_in(&client, |pending| real.deny(pending.complete().unwrap()));
    assert_eq!(outcome, Err(Failure::Declined));
}

#[test]
fn a_code_that_nobody_uses_expires() {
    if !means::available(PROVIDER) {
        return;
    }
    for life in [2, 7] {
        let life = Duration::from_secs(life);
        let real = provider::Provider::start(Options { life, ..Options::default() });
        let client = Provider::new(settings(&real)).unwrap();
        let begun = Instant::now();
        assert_eq!(sign_in(&client, |_| {}), Err(Failure::Expired));
        assert!(begun.elapsed() < life + Duration::from_secs(5));
    }
}

#[test]
fn a_provider_that_is_busy_or_wants_it_slower_is_asked_again() {
    if !means::available(PROVIDER) {
        return;
    }
    for fault in ["slow_down", "broken"] {
        let real = provider::Provider::start(Options::default());
        let client = Provider::new(settings(&real)).unwrap();
        let begun = Instant::now();
        let person = run(async {
            let pending = client.begin().await.unwrap();
            approve(&real, &pending);
            real.misbehave(fault);
            let mend = async {
                tokio::time::sleep(Duration::from_secs(7)).await;
                real.misbehave("none");
            };
            tokio::join!(client.finish(&pending), mend).0
        });
        assert_is_ada(person.unwrap());
        // The first question after five seconds; then after ten more.
        assert!(begun.elapsed() >= Duration::from_secs(15), "{fault}: {:?}", begun.elapsed());
    }
}

#[test]
fn what_a_provider_says_wrongly_is_refused_with_the_reason() {
    if !means::available(PROVIDER) {
        return;
    }
    let real = provider::Provider::start(Options::default());
    let client = Provider::new(Settings { timeout: Duration::from_secs(2), ..settings(&real) });
    let client = client.unwrap();
    for (fault, reason) in [
        ("flood", "more than 262144 bytes"),
        ("hang", "no answer within 2 s"),
        ("redirect", "leads to another address"),
        ("broken", "503"),
        ("escapes", "not printable"),
        ("issuer", "calls itself https://id.example.com"),
    ] {
        real.misbehave(fault);
        let begun = Instant::now();
        let error = run(client.begin()).unwrap_err().to_string();
        assert!(error.contains(reason), "{fault}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{fault}");
        real.misbehave("none");
    }
    let outcome = sign_in(&client, |pending| {
        approve(&real, pending);
        real.misbehave("keys");
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("none of the provider's keys"), "{error}");
}

#[test]
fn whoever_the_provider_cannot_vouch_for_is_nobody() {
    if !means::available(PROVIDER) {
        return;
    }
    let real = provider::Provider::start(Options::default());
    let client = Provider::new(settings(&real)).unwrap();
    for (who, reason) in [("unverified@example.com", "not verified"), ("ada", "cannot be the name")]
    {
        let outcome = sign_in(&client, |pending| real.approve(pending.complete().unwrap(), who));
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_client_that_the_provider_does_not_know_gets_no_code() {
    if !means::available(PROVIDER) {
        return;
    }
    let mut real = provider::Provider::start(Options::default());
    let wrong = Secret::new(b"hunter2".to_vec());
    let client = Provider::new(Settings { secret: Some(wrong), ..settings(&real) }).unwrap();
    let error = run(client.begin()).unwrap_err().to_string();
    assert!(error.contains("invalid_client") && !error.contains("hunter2"), "{error}");
    assert!(!format!("{client:?}").contains("hunter2"));
    real.down();
    let error = run(client.begin()).unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[test]
fn authorities_that_are_no_certificates_are_refused() {
    let settings = Settings {
        issuer: "https://127.0.0.1:1".parse().unwrap(),
        client: "x".to_owned(),
        secret: None,
        scopes: "openid".to_owned(),
        roles_claim: None,
        authorities: Some(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        ),
        timeout: Duration::from_secs(1),
    };
    assert!(Provider::new(settings).is_err());
}
