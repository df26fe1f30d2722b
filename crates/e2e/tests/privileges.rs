//! What the agent may still do once it records.

use forebear_testkit::means::{Means, available};
use forebear_testkit::process;
use forebear_testkit::scene::Stage;

/// Capabilities that reading the kernel's view and `/proc` can need (capabilities(7)):
/// CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF.
const USEFUL: u64 = 1 << 2 | 1 << 19 | 1 << 38 | 1 << 39;

#[test]
fn an_agent_that_records_has_given_up_what_it_no_longer_needs() {
    if !available(&[Means::Recording]) {
        return;
    }
    let stage = Stage::new();
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        let value = process::status_line(stage.agent.pid(), set).unwrap();
        let held = u64::from_str_radix(&value, 16).unwrap();
        assert_eq!(held & !USEFUL, 0, "{set} still holds {held:#x}");
    }
    let no_new = process::status_line(stage.agent.pid(), "NoNewPrivs").unwrap();
    assert_eq!(no_new, "1", "it could gain privileges by running a program");
    stage.finish();
}
