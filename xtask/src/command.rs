//! Running other programs, with errors that say what was run.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs it with its output kept back; a failure shows the output.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let text = display(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("running `{text}`"))?;
    if output.status.success() {
        return Ok(());
    }
    eprintln!();
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    bail!("`{text}` ended with {}", output.status)
}

/// Runs it with its output going where ours goes.
pub(crate) fn run_openly(command: &mut Command) -> Result<()> {
    let text = display(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("running `{text}`"))?;
    if !status.success() {
        bail!("`{text}` ended with {status}");
    }
    Ok(())
}

/// Runs it and returns its standard output; its standard error goes where ours goes.
pub(crate) fn read(command: &mut Command) -> Result<Vec<u8>> {
    let text = display(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running `{text}`"))?;
    if !output.status.success() {
        bail!("`{text}` ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// The command as a person would type it, the program without its folder.
fn display(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
