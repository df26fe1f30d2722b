//! The trace file of `record --trace`: every observation in the model's text form, for
//! `forebear replay`. The header also says which run it was, so that a replay has the same ids.
//!
//! A trace that cannot be written is given up, once and aloud; the recording goes on.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use forebear_events::Run;
use forebear_model::Observation;
use forebear_model::trace::{Header, print, print_header};

use crate::failure::{self, Failure};
use crate::talk::say;

/// How much is collected before it is written.
const BLOCK: usize = 256 << 10;

/// The file and what is still to be written to it.
#[derive(Debug)]
pub struct TraceFile {
    path: PathBuf,
    file: File,
    pending: Vec<u8>,
}

impl TraceFile {
    /// Makes the file anew, readable by its owner only: it holds everybody's command lines.
    ///
    /// # Errors
    /// A usage [`Failure`] that names the path and the reason.
    pub fn create(path: &Path) -> Result<Self> {
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let reason = failure::reason(&error);
            Failure::usage(format!("cannot write the trace to {}: {reason}", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), file, pending: vec![] })
    }

    /// Appends the header: which run it is.
    pub fn begin(&mut self, run: &Run, config_hash: &str) {
        let mut about = vec![
            ("host_name".to_owned(), run.host.name.clone()),
            ("kernel".to_owned(), run.host.kernel.clone()),
            ("arch".to_owned(), run.host.arch.clone()),
            ("run".to_owned(), uuid::Uuid::from_bytes(run.run_uuid).to_string()),
            ("agent_version".to_owned(), run.agent_version.clone()),
            ("mode".to_owned(), run.mode.to_string()),
            ("sensor".to_owned(), run.sensor.to_string()),
            ("config_hash".to_owned(), config_hash.to_owned()),
        ];
        about.extend(
            run.host.labels.iter().map(|(key, value)| (format!("label.{key}"), value.clone())),
        );
        let header = Header { host: run.host.id, boot: run.host.boot_id, about };
        print_header(&header, &mut self.pending);
    }

    /// Appends an observation. `false`: it could not be written and has been said; the trace is to
    /// be given up.
    pub fn write(&mut self, observation: &Observation<'_>) -> bool {
        print(observation, &mut self.pending);
        self.pending.len() < BLOCK || self.flush()
    }

    /// Writes the rest.
    pub fn finish(mut self) {
        self.flush();
    }

    fn flush(&mut self) -> bool {
        let written = self.file.write_all(&self.pending);
        self.pending.clear();
        if let Err(error) = &written {
            let reason = failure::reason(error);
            say(format_args!("{}: {reason}: the trace ends here", self.path.display()));
        }
        written.is_ok()
    }
}
