//! What is the same for one run of the agent: the machine and the run's own id.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use forebear_events::{Host, Mode, Run, SensorKind};
use forebear_sensor::Machine;

use crate::failure::{self, Failure};

/// This machine.
///
/// # Errors
/// An environment [`Failure`] if it cannot be told from others, so that process ids would not be
/// stable.
pub fn machine() -> Result<Machine> {
    forebear_sensor::machine(Path::new("/"))
        .map_err(|error| Failure::environment(failure::chain(&error)).into())
}

/// A new run on this machine.
pub fn details(
    machine: Machine,
    mode: Mode,
    sensor: SensorKind,
    labels: &BTreeMap<String, String>,
) -> Run {
    let Machine { host_id, boot_id, name, kernel, arch } = machine;
    Run {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode,
        sensor,
        run_uuid: uuid::Uuid::new_v4().into_bytes(),
        host: Host { id: host_id, name, boot_id, kernel, arch, labels: labels.clone() },
    }
}

/// A run that tests make events of.
#[cfg(test)]
pub(crate) fn of_tests() -> Run {
    Run {
        agent_version: "0".to_owned(),
        mode: Mode::Audit,
        sensor: SensorKind::Ebpf,
        run_uuid: [3; 16],
        host: Host {
            id: forebear_model::HostId([1; 16]),
            name: "host".to_owned(),
            boot_id: forebear_model::BootId([2; 16]),
            kernel: "6.18".to_owned(),
            arch: "x86_64".to_owned(),
            labels: Default::default(),
        },
    }
}
