//! Programs that ask by PAM: they see service files of their own in the place of the machine's,
//! in a mount namespace, and the machine's stay as they are.

use std::path::Path;

use crate::must::Must;

/// Where the settings of PAM services are (pam.d(5)).
const FOLDER: &str = "/etc/pam.d";

/// Puts files in the places of others up to `--`, and becomes the program behind it.
const SCRIPT: &str = "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\" || exit; shift 2; \
                      done; shift; exec \"$@\"";

/// A service of PAM that lets nobody in but by one module.
#[derive(Clone, Debug)]
pub struct Service {
    /// The name of its file.
    pub name: &'static str,
    /// The line of the module: what stands behind `auth`.
    pub ask: String,
}

impl Service {
    /// The rest is left out, but for the login uid of what begins a session on the machine.
    fn lines(&self) -> String {
        let session = match self.name {
            "sshd" | "login" => "pam_loginuid.so",
            _ => "pam_permit.so",
        };
        let ask = &self.ask;
        format!("auth {ask}\naccount required pam_permit.so\nsession required {session}\n")
    }
}

/// What has to stand in front of a program and its arguments, so that it and all that comes from
/// it ask in this way. The files are made in `folder`.
pub fn words(folder: &Path, services: &[Service]) -> Vec<String> {
    let mut words: Vec<String> =
        ["unshare", "--mount", "--", "sh", "-c", SCRIPT, "sh"].map(str::to_owned).into();
    for service in services {
        let file = folder.join(format!("pam-{}", service.name));
        fs_err::write(&file, service.lines()).must("write a PAM service");
        words.push(file.display().to_string());
        words.push(format!("{FOLDER}/{}", service.name));
    }
    words.push("--".to_owned());
    words
}
