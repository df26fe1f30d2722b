//! Permission for a test user to become anybody, for the length of a test.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::account::{self, Account};
use crate::must::Must;
use crate::process;

/// Where sudo looks for further rules (sudoers(5)); names with a dot are not read.
const FOLDER: &str = "/etc/sudoers.d";

/// One file in sudo's folder, removed when dropped.
#[derive(Debug)]
pub struct SudoRule {
    file: PathBuf,
}

impl SudoRule {
    /// Lets the user run everything as everybody without being asked.
    pub fn for_everything(account: &Account) -> Self {
        Self::write(account, "NOPASSWD: ")
    }

    /// Lets the user run everything as everybody, once PAM has let them.
    pub fn for_whom_pam_lets(account: &Account) -> Self {
        Self::write(account, "")
    }

    fn write(account: &Account, tags: &str) -> Self {
        sweep();
        let file = PathBuf::from(FOLDER).join(account.name());
        let rule = format!("{} ALL=(ALL:ALL) {tags}ALL\n", account.name());
        // Written under a name that sudo ignores, so that it never reads half a rule.
        let draft = file.with_extension("draft");
        fs_err::write(&draft, rule).must("write the sudo rule");
        fs_err::set_permissions(&draft, PermissionsExt::from_mode(0o440))
            .must("protect the sudo rule");
        fs_err::rename(&draft, &file).must("put the sudo rule in place");
        Self { file }
    }
}

impl Drop for SudoRule {
    fn drop(&mut self) {
        let _ = fs_err::remove_file(&self.file);
    }
}

/// Removes the rules of tests that have ended without cleaning up.
fn sweep() {
    let Ok(files) = fs_err::read_dir(FOLDER) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        if let Some(pid) = name.to_str().and_then(account::maker)
            && !process::lives(pid)
        {
            let _ = fs_err::remove_file(file.path());
        }
    }
}
