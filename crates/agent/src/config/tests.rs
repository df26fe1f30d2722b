//! Right configurations give what they say; wrong ones are told whole, in these words.

use std::fmt::Write as _;
use std::time::Duration;

use super::oidc::OidcAccounts;
use super::rules::{OnFailure, Rule, Verify};
use super::{Config, Listen, Problem, example, keys};

const DESTINATION: &str = "[[destination]]\nname = \"a\"\nurl = \"file:///a\"\n";

fn read(text: &str) -> Config {
    Config::parse(text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

#[test]
fn without_options_everything_is_at_its_default() {
    let mut config = read(DESTINATION);
    assert_eq!(config.destinations.len(), 1);
    config.destinations.clear();
    assert_eq!(config, Config::default());
}

#[test]
fn the_documented_keys_are_read() {
    let config = read(
        r#"
        shutdown_grace = "3s"
        [record]
        mode = "control"
        buffer_size = "16MiB"
        max_delay = "10ms"
        argv_max = "64KiB"
        status_interval = "0"
        labels = { project = "shop" }
        [spool]
        dir = "/var/lib/forebear/other"
        max_bytes = "1GiB"
        [batch]
        max_bytes = "1MiB"
        max_events = 1_000
        max_age = "5s"
        [[destination]]
        name = "bucket"
        url = "s3://bucket/prefix"
        compression = "gzip"
        endpoint = "http://127.0.0.1:8333"
        region = "us-east-1"
        allow_http = true
        anonymous = true
        request_timeout = "10s"
        [[destination]]
        name = "folder"
        url = "file:///var/lib/forebear/events"
        [metrics]
        listen = "unix:/run/forebear/metrics.sock"
        [status]
        socket = "/run/other.sock"
        "#,
    );
    assert_eq!(config.shutdown_grace, Duration::from_secs(3));
    assert_eq!(config.record.labels["project"], "shop");
    assert_eq!(config.record.status_interval, None);
    assert_eq!(config.spool.max_bytes, 1 << 30);
    assert_eq!(config.batch.max_events, 1000);
    assert_eq!(config.metrics, Some(Listen::Unix("/run/forebear/metrics.sock".into())));
    assert_eq!(config.destinations[0].request_timeout, Duration::from_secs(10));
    assert_eq!(config.destinations[1].name, "folder");
    let default = Config::default();
    assert_ne!(config.record.mode, default.record.mode);
    assert_ne!(config.record.buffer_bytes, default.record.buffer_bytes);
    assert_ne!(config.record.max_delay, default.record.max_delay);
    assert_ne!(config.record.max_argv, default.record.max_argv);
    assert_ne!(config.spool.dir, default.spool.dir);
    assert_ne!(config.batch.max_bytes, default.batch.max_bytes);
    assert_ne!(config.batch.max_age, default.batch.max_age);
    assert_ne!(config.socket, default.socket);
}

#[test]
fn rules_are_read_in_their_order() {
    let when = "session_user = 'backup'";
    let first = format!("[[identity.rule]]\nwhen = {when:?}\nverify = \"exempt\"\n");
    let second = "[[identity.rule]]\nverify = \"optional\"\non_failure = \"allow\"\n";
    let rules = read(&format!("{first}{second}{DESTINATION}")).identity.rules;
    let expected = [
        Rule { when: Some(when.to_owned()), verify: Verify::Exempt, ..Rule::default() },
        Rule { when: None, verify: Verify::Optional, on_failure: OnFailure::Allow },
    ];
    assert_eq!(rules, expected);
}

#[test]
fn a_provider_needs_a_name_and_a_client() {
    let text = "[identity.oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"f\"\n";
    let oidc = read(&format!("{text}{DESTINATION}")).identity.oidc.unwrap();
    assert_eq!((oidc.issuer.as_str(), &*oidc.client_id), ("https://id.example.com", "f"));
    assert_eq!(oidc.scopes, "openid email");
    assert_eq!(oidc.accounts, OidcAccounts::Any);
    let listed =
        read(&format!("{text}accounts = \"listed\"\nroles_claim = \"a.b\"\n{DESTINATION}"));
    let oidc = listed.identity.oidc.unwrap();
    assert_eq!(oidc.accounts, OidcAccounts::Listed);
    assert_eq!(oidc.roles_claim.as_deref(), Some("a.b"));
}

#[test]
fn every_wrong_configuration_is_told_in_these_words() {
    let texts = [
        "",
        "[record]\nmdoe = \"audit\"\nmax_age = \"5s\"\n[[destination]]\nname = \"a\"\nurl = \
         \"file:///a\"\ncompresion = \"zstd\"\n[bacth]\n",
        "[spool]\nmax_bytes = \"2G\"\ndir = \"spool\"\n[batch]\nmax_age = 60s\nmax_events = \
         0\nmax_bytes = 8\n",
        "[[destination]]\nname = \"a\"\nurl = \"s3://bucket\"\n[[destination]]\nname = \"a\"\nurl \
         = \"ftp://bucket\"\nendpoint = \"http://127.0.0.1:1\"\ncompression = \"lzma\"\nallow_http \
         = \"yes\"\n[[destination]]\nname = \"two words\"\n",
        "[destination]\nname = \"a\"\n",
        "destination = [1]\nspool = 1\n",
        "[record]\nmode = \"watch\"\nbuffer_size = \"3MiB\"\nmax_delay = \"1m\"\nlabels = { \"a b\" \
         = \"x\", b = 1 }\nstatus_interval = \"10ms\"\n[metrics]\nlisten = \
         \"0.0.0.0:9464\"\n[status]\nsocket = \"sock\"\n",
        "[metrics]\nlisten = \"9464\"\n[batch]\nmax_events = 1.5\nmax_bytes = \"1GiB\"\nmax_age = \
         \"1ms\"\n[batch]\n",
        "shutdown_grace = \"forever\"\nrecord = { mode = \"audit\", moed = \"audit\" }\n= 3\n",
        "[[destination]]\nname = \"a\"\nurl = \"s3://key:secret@bucket\"\nregion = \"\"\n",
        "[identity]\noidc = 1\n[[destination]]\nname = \"a\"\nurl = \"file:///a\"\n",
        "[identity.oidc]\n[[destination]]\nname = \"a\"\nurl = \"file:///a\"\n",
        "[identity.oidc]\nissuer = \"http://id.example.com\"\nclient_id = \"\"\nclient_secret = \
         \"x\"\nclient_secret_file = \"secret\"\nscopes = \"email\"\nroles_claim = 1\naccounts = \
         \"some\"\nca_file = \"ca.pem\"\ntimeout = \"5m\"\n[identity.oicd]\n[oidc]\n[[destination]]\n\
         name = \"a\"\nurl = \"file:///a\"\n",
        "[[identity.rule]]\nwhen = \"session_usr = 'a'\"\nverify = \"sometimes\"\n\
         [[identity.rule]]\nwhen = \"cmd = 'ls'\"\non_failure = \"stop\"\nwho = \"a\"\n\
         [[destination]]\nname = \"a\"\nurl = \"file:///a\"\n",
        "[identity.rule]\nverify = \"exempt\"\n[[destination]]\nname = \"a\"\nurl = \"file:///a\"\n",
    ];
    let mut told = String::new();
    for text in texts {
        let problems = Config::parse(text).expect_err(text);
        let _ = writeln!(told, "{}", text.trim_end());
        for Problem { line, text } in problems {
            let _ = writeln!(told, "  >> {line}: {text}");
        }
        told.push('\n');
    }
    insta::assert_snapshot!("wrong_configurations", told);
}

#[test]
fn the_example_has_every_key_with_its_default() {
    let text = example::text();
    // A commented value begins right after the mark, a sentence after a blank.
    let is_value = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && *line != "#";
    let values: String = text
        .lines()
        .filter(|line| is_value(line) || line.starts_with('['))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    for key in keys::SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(values.contains(&format!("{} = ", key.name)), "{} is not in\n{text}", key.name);
    }
    let mut config = read(&values);
    assert_eq!(config.destinations.len(), 1, "{values}");
    config.destinations.clear();
    config.metrics = None;
    config.record.labels.clear();
    config.record.shells = Default::default();
    config.identity.valid_for = None;
    assert_eq!(config.identity.oidc.unwrap().accounts, OidcAccounts::Any);
    config.identity.oidc = None;
    assert_eq!(config.identity.rules.len(), 1);
    config.identity.rules.clear();
    assert_eq!(config, Config::default());
    // As it is, it lacks a destination and nothing else.
    let problems = Config::parse(&text).unwrap_err();
    assert!(problems[0].text.contains("no [[destination]]") && problems.len() == 1, "{problems:?}");
}

#[test]
fn the_example_in_the_repository_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../etc/agent.toml");
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs_err::write(path, example::text()).unwrap();
    }
    let found = fs_err::read_to_string(path).unwrap();
    assert_eq!(found, example::text(), "UPDATE=1 cargo test -p forebear-agent writes it");
}

#[test]
fn batches_are_made_small_enough_for_a_small_spool() {
    let text = format!("[spool]\nmax_bytes = \"7MiB\"\n{DESTINATION}");
    assert_eq!(read(&text).fitting_batch().max_bytes, 1 << 20);
    assert_eq!(read(DESTINATION).fitting_batch(), read(DESTINATION).batch);
}

#[test]
fn two_configurations_have_the_same_hash_only_if_they_ask_for_the_same() {
    let hash = |text: &str| read(text).hash();
    assert_eq!(hash(DESTINATION), hash(&format!("[batch]\nmax_age = \"60s\"\n{DESTINATION}")));
    assert_ne!(hash(DESTINATION), hash(&format!("[batch]\nmax_age = \"50s\"\n{DESTINATION}")));
    assert_ne!(hash(DESTINATION), hash(&DESTINATION.replace("file:///a", "file:///b")));
}
