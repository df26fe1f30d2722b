//! `verify`: walks every host's chain of objects and says what is missing, altered, doubled or out
//! of order.

use anyhow::{Context, Result};
use forebear_archive::verify::Progress;
use forebear_archive::{
    Access, Archive, Environment, Error, Kind, Report, Selection, VerifyOptions,
};

use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer;

/// Looks, and prints what it found.
///
/// # Errors
/// When the place cannot be looked at.
pub fn run(args: &VerifyArgs) -> Result<Exit> {
    let destination = args.source.destination();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime of the client")?;
    let archive =
        Archive::open(&destination, &Environment::of_process(), Access::Read).map_err(unusable)?;
    let selection = Selection { since: args.since, until: args.until, hosts: args.hosts.clone() };
    let options = VerifyOptions { contents: !args.no_contents, ..VerifyOptions::default() };
    let mut shown = printer::Progress::default();
    let verified = runtime.block_on(archive.verify(
        &selection,
        &options,
        &mut |Progress { done, total, .. }| {
            shown.show(format_args!("{done} of {total} objects"));
        },
    ));
    shown.clear();
    let report = verified.map_err(unusable)?;
    let text = match args.json {
        true => {
            let mut text = serde_json::to_string(&report).context("writing the report as JSON")?;
            text.push('\n');
            text
        }
        false => readable(&report, archive.place()),
    };
    printer::print(&text)?;
    // Nothing at all is no proof of anything: the prefix may be wrong.
    Ok(if report.is_clean() && report.objects > 0 { Exit::Done } else { Exit::Negative })
}

/// Its kind decides the exit code; its text says everything else.
fn unusable(error: Error) -> anyhow::Error {
    let failure = match error.kind() {
        Kind::Configuration | Kind::NoBucket | Kind::TooLarge => Failure::usage(error.to_string()),
        _ => Failure::environment(error.to_string()),
    };
    failure.into()
}

fn readable(report: &Report, place: &str) -> String {
    let mut lines: Vec<String> =
        report.findings.iter().map(|finding| format!("{finding}")).collect();
    if report.more_findings > 0 {
        lines.push(format!("and {} more", report.more_findings));
    }
    for host in &report.hosts {
        let head = host.head.map_or_else(String::new, |link| format!("; chain {}", link.chain));
        lines.push(format!(
            "host {}: {} events in {} objects of {} runs, {} to {}{head}",
            host.host, host.events, host.batches, host.runs, host.first_time, host.last_time
        ));
    }
    let found = u64::try_from(report.findings.len()).unwrap_or(u64::MAX) + report.more_findings;
    lines.push(match (report.objects, found) {
        (0, 0) => format!("There are no objects at {place}."),
        (objects, 0) => format!("All is well: {} events in {objects} objects.", report.events),
        (objects, 1) => format!("1 thing is wrong; {objects} objects were looked at."),
        (objects, found) => format!("{found} things are wrong; {objects} objects were looked at."),
    });
    lines.push(String::new());
    lines.join("\n")
}
