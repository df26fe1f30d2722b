//! A trace's header: which run of which agent on which host it was.
//!
//! Only host and boot are needed. What a trace written by hand leaves out is named after the
//! replay itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use forebear_events::{Host, Mode, Run, SensorKind};
use forebear_model::trace::{Error, Header};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The run that a header describes, and its configuration's hash.
pub(super) fn read(header: &Header) -> Result<(Run, String), Error> {
    let field = |name: &str| {
        header.about.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    };
    let run_uuid = match field("run") {
        // The same trace always gives the same ids.
        None => replayed_run(header),
        Some(text) => Uuid::parse_str(text)
            .map_err(|_| wrong("run", text, "a UUID such as 01234567-89ab-4cde-8f01-23456789abcd"))?
            .into_bytes(),
    };
    let mode = match field("mode") {
        None | Some("audit") => Mode::Audit,
        Some("control") => Mode::Control,
        Some(other) => return Err(wrong("mode", other, "audit or control")),
    };
    let sensor = match field("sensor") {
        None | Some("ebpf") => SensorKind::Ebpf,
        Some("audit") => SensorKind::Audit,
        Some("proc") => SensorKind::Proc,
        Some(other) => return Err(wrong("sensor", other, "ebpf, audit or proc")),
    };
    let labels = header
        .about
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("label.")?.to_owned(), text.clone())));
    let host = Host {
        id: header.host,
        name: field("host_name").unwrap_or("replay").to_owned(),
        boot_id: header.boot,
        kernel: field("kernel").unwrap_or("replay").to_owned(),
        arch: field("arch").unwrap_or(std::env::consts::ARCH).to_owned(),
        labels: labels.collect::<BTreeMap<_, _>>(),
    };
    let agent_version = field("agent_version").unwrap_or(env!("CARGO_PKG_VERSION")).to_owned();
    let config_hash = field("config_hash").map_or_else(|| hex(b"forebear/replay/1"), str::to_owned);
    Ok((Run { agent_version, mode, sensor, run_uuid, host }, config_hash))
}

/// A run's id made from host and boot, as a UUID of version 8.
fn replayed_run(header: &Header) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"forebear/replay/1");
    hash.update(header.host.0);
    hash.update(header.boot.0);
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn wrong(name: &str, text: &str, right: &str) -> Error {
    Error { column: 1, problem: format!("`{name}` is \"{text}\"; it must be {right}") }
}
