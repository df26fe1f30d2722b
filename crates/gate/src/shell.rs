//! What comes after: the user's shell as a login shell, or the command that they have asked for.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use uzers::os::unix::UserExt as _;

/// What a client has asked for, as sshd passes it on beside a forced command (ssh(1)).
const ASKED_FOR: &str = "SSH_ORIGINAL_COMMAND";

/// The shell of somebody whose entry has none (passwd(5)).
const DEFAULT_SHELL: &str = "/bin/sh";

/// The file server inside sshd, which a forced command cannot run (sshd_config(5)).
const INTERNAL_SFTP: &str = "internal-sftp";

/// Where the same server is as a program: Debian and SUSE, Red Hat, Arch, and older ones.
const SFTP_SERVERS: [&str; 4] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
];

/// Whoever runs this.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    shell: PathBuf,
}

impl User {
    /// As the password database has them, by the real user id.
    pub(crate) fn own() -> Result<Self, String> {
        let uid = rustix::process::getuid().as_raw();
        let user = uzers::get_user_by_uid(uid);
        let user = user.ok_or_else(|| format!("user {uid} is not in the password database"))?;
        let shell = match user.shell() {
            empty if empty.as_os_str().is_empty() => Path::new(DEFAULT_SHELL),
            shell => shell,
        };
        Ok(Self { name: user.name().to_string_lossy().into_owned(), shell: shell.to_owned() })
    }

    /// Becomes what comes after; returns why it could not.
    pub(crate) fn become_shell(&self) -> String {
        let asked_for = std::env::var_os(ASKED_FOR);
        let mut command = Command::new(&self.shell);
        match asked_for.as_deref().map(|command| with_program(command, Path::exists)) {
            // As sshd does, both times.
            Some(asked_for) => command.arg0(self.shell_name()).arg("-c").arg(asked_for),
            None => command.arg0(as_login_shell(self.shell_name())),
        };
        // As if there had been no forced command.
        let error = command.env_remove(ASKED_FOR).exec();
        format!("running {}: {error}", self.shell.display())
    }

    fn shell_name(&self) -> &OsStr {
        self.shell.file_name().unwrap_or(self.shell.as_os_str())
    }
}

/// The name by which a shell knows that it is the first of a login (login(1)).
fn as_login_shell(name: &OsStr) -> OsString {
    OsString::from_vec([b"-", name.as_bytes()].concat())
}

/// The command with a program in place of the file server that is inside sshd.
fn with_program(command: &OsStr, is_there: impl Fn(&Path) -> bool) -> OsString {
    let bytes = command.as_bytes();
    let rest = bytes.strip_prefix(INTERNAL_SFTP.as_bytes());
    let rest = rest.filter(|rest| rest.first().is_none_or(u8::is_ascii_whitespace));
    let server = SFTP_SERVERS.iter().find(|path| is_there(Path::new(path)));
    match (rest, server) {
        (Some(rest), Some(server)) => OsString::from_vec([server.as_bytes(), rest].concat()),
        _ => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn runs(command: &str, expected: &str) {
        let only_red_hats = |path: &Path| path.starts_with("/usr/libexec/openssh");
        assert_eq!(with_program(command.as_ref(), only_red_hats), expected);
    }

    #[test]
    fn the_file_server_inside_sshd_is_run_as_a_program() {
        runs("internal-sftp", "/usr/libexec/openssh/sftp-server");
        runs("internal-sftp -l INFO", "/usr/libexec/openssh/sftp-server -l INFO");
        runs("internal-sftpx", "internal-sftpx");
        runs("echo 'a  b' | internal-sftp", "echo 'a  b' | internal-sftp");
        assert_eq!(with_program("internal-sftp".as_ref(), |_| false), "internal-sftp");
    }

    #[test]
    fn a_login_shell_has_a_dash() {
        assert_eq!(as_login_shell("bash".as_ref()), "-bash");
    }
}
