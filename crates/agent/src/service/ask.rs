//! `status`: asks the running service over its socket.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::status::Status;
use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::talk;

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer.
const MAX_ANSWER: u64 = 4 << 20;

/// Prints the status.
///
/// # Errors
/// An environment [`Failure`] if no service answers.
pub fn run(args: &StatusArgs) -> Result<Exit> {
    let answer = ask(&args.socket).map_err(|error| {
        let socket = args.socket.display();
        let reason = failure::reason(&error);
        let remedy = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "only root may ask: use sudo",
            _ => {
                "is the service running (systemctl status forebear-agent)? Its configuration may \
                  name another socket: --socket"
            }
        };
        Failure::environment(format!("cannot ask the service at {socket}: {reason}")).remedy(remedy)
    })?;
    let status: Status = serde_json::from_str(&answer).map_err(|error| {
        let what = format!("what answers at {} is no service of ours", args.socket.display());
        Failure::environment(format!("{what}: {error}"))
    })?;
    match args.json {
        // The answer itself, so that what a newer service says besides is not lost.
        true => talk::print(&answer),
        false => talk::print(&status.to_text()),
    }
    Ok(if status.is_well() { Exit::Done } else { Exit::CheckFailed })
}

fn ask(socket: &Path) -> std::io::Result<String> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}
