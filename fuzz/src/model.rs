//! The model, driven by any stream of observations, possible in a kernel or not.
//!
//! Promises: no stream makes it panic; every fact has its context; memory is bounded by what
//! lives.

use forebear_model::trace::{Content, Line};
use forebear_model::{BootId, Fact, HostId, Model};

/// Applies every observation that the bytes hold, as a trace.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut model = Model::new(HostId([1; 16]), BootId([2; 16]));
    for line in text.lines() {
        let Ok(line) = Line::split(line) else { continue };
        let Ok(Content::Observation(observation)) = line.content() else { continue };
        model.apply(&observation, &mut |model, fact| {
            let process = match fact {
                Fact::Executed { process, .. }
                | Fact::RanBuiltin { process, .. }
                | Fact::Found { process, .. } => process,
                Fact::Verification { process: Some(process), .. } => process,
                Fact::Verification { process: None, .. } => return,
            };
            let context = model.context(process);
            assert_eq!(context.this.key(), process.key());
        });
    }
}
