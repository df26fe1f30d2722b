//! The manuals of what asks the agent at logins: the gate and the PAM module.
//!
//! They have no command line of the agent's kind and know no manual, so that they stay small. Their
//! options are described where they are read, in `forebear-door`.

use clap::{Arg, Command};
use forebear_door::DESCRIBED;
use forebear_manual::Manual;

const GATE: &str = "\
Asks the agent, at the terminal of a login, who somebody is, and becomes their shell

sshd runs it in place of the shell, where PAM does not ask. If the agent lets the person in, it
becomes the shell of the Linux user, or the command that the client has asked for.

The agent knows it by the group forebear-gate, which its file gives and nobody should be in. User and
shell are those of the password database. Without a terminal nobody can be asked: scp, sftp and
commands are refused, unless a rule exempts them or makes the proof optional.";

const GATE_EXTRA: &str = "\
Example, in /etc/ssh/sshd_config.d/forebear.conf:
  PermitUserEnvironment no
  PermitUserRC no
  AllowTcpForwarding no
  AllowStreamLocalForwarding no
  Match User *,!root
      ForceCommand /usr/lib/forebear/forebear-gate

Exit status: that of the shell or the command, or 1 if nobody was let in.

Files: /usr/lib/forebear/forebear-gate, of group forebear-gate and mode 2755;
/run/forebear/identity.sock, where the agent listens; /etc/forebear/agent.toml, [identity].

See also pam_forebear(8), forebear-agent-users(8), sshd_config(5).";

const MODULE: &str = "\
Asks the agent, at a login, who somebody is beyond the Linux user

A PAM module for sshd, login, su and sudo. Type auth is the only one that does anything. What is
asked, and whether an answer is right, is the agent's; the module relays.

An option that does not exist is told to whoever logs in, and counts as an agent that does not
answer.";

const MODULE_EXTRA: &str = "\
Example, in /etc/pam.d/sshd, in place of @include common-auth:
  auth required pam_forebear.so except=root

It answers PAM_SUCCESS if the person is let in, PAM_AUTH_ERR if not, and PAM_AUTHINFO_UNAVAIL if the
agent does not answer and fail=open is not given.

Files: /run/forebear/identity.sock, where the agent listens; /etc/forebear/agent.toml, [identity].

See also forebear-gate(8), forebear-agent-users(8), pam.conf(5), sshd_config(5).";

/// The manual of `forebear-gate`.
pub(super) fn gate() -> Manual {
    Manual::new(described("forebear-gate", GATE, GATE_EXTRA), "8", [])
}

/// The manual of `pam_forebear.so`.
pub(super) fn module() -> Manual {
    let command = described("pam_forebear", MODULE, MODULE_EXTRA).bin_name("pam_forebear.so");
    Manual::new(command, "8", [])
}

fn described(name: &'static str, about: &'static str, extra: &'static str) -> Command {
    let (short, _) = about.split_once('\n').unwrap_or((about, ""));
    let options =
        DESCRIBED.map(|option| Arg::new(option.form).value_name(option.form).help(option.meaning));
    Command::new(name)
        .about(short)
        .long_about(about)
        .after_help(extra)
        .args(options)
        .disable_help_flag(true)
        .disable_version_flag(true)
}
