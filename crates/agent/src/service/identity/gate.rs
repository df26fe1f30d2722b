//! The gate: the program that asks where PAM does not (`forebear-gate`, see docs/adr/0010).
//!
//! Whoever logs in runs it, so it is known by what only root can have given it: the group that its
//! file puts it into (set-group-id, execve(2)). The kernel then lets nobody preload into it or trace
//! it, and takes the group away where somebody traces it already. Group and file are both looked at,
//! because a group can also be given to people.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::failure;
use crate::service::listening::BoundSocket;
use crate::talk::say;
use crate::verdict::Origin;

/// The mode's bit of set-group-id (inode(7)).
const SET_GROUP_ID: u32 = 0o2000;

/// The bits by which others than its owner may write to a file.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A gate that is installed as it has to be.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::service) struct Gate {
    /// Its file, without links in the path, as the kernel names it.
    path: PathBuf,
    group: u32,
}

impl Gate {
    /// The gate of this configuration, admitted to the socket; `None` without one. One that cannot be
    /// used is said.
    pub(in crate::service) fn admitted(path: &Path, socket: &BoundSocket) -> Option<Self> {
        let admitted = Self::at(path).and_then(|gate| {
            let Some(gate) = gate else { return Ok(None) };
            let admit = |error| format!("its group cannot be let in: {}", failure::reason(&error));
            socket.admit(gate.group).map_err(admit)?;
            Ok(Some(gate))
        });
        admitted.unwrap_or_else(|problem| {
            let path = path.display();
            say(format_args!("identity: {path} cannot ask: {problem}; going on without"));
            None
        })
    }

    fn at(path: &Path) -> Result<Option<Self>, String> {
        let Ok(path) = path.canonicalize() else { return Ok(None) };
        let meta = path.metadata().map_err(|error| failure::reason(&error))?;
        let wrong = if !meta.is_file() || meta.uid() != 0 {
            "it is no file of root's"
        } else if meta.mode() & WRITABLE_BY_OTHERS != 0 {
            "others than root may write to it"
        } else if meta.mode() & SET_GROUP_ID == 0 || meta.gid() == 0 {
            "it is not set-group-id to a group of its own"
        } else {
            return Ok(Some(Self { path, group: meta.gid() }));
        };
        Err(format!("{wrong}; see the guide's page on identity"))
    }

    /// The group that it is known by.
    pub(super) fn group(&self) -> u32 {
        self.group
    }

    /// Whether a process runs it, by what the kernel said when it was started.
    pub(super) fn is_what_runs(&self, origin: &Origin) -> bool {
        origin.exe == self.path.as_os_str().as_bytes()
            && origin.owner.0 == 0
            && origin.mode & SET_GROUP_ID != 0
            && origin.mode & WRITABLE_BY_OTHERS == 0
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use forebear_model::Uid;

    use super::*;

    fn gate() -> Gate {
        Gate { path: "/usr/lib/forebear/forebear-gate".into(), group: 901 }
    }

    fn origin() -> Origin {
        Origin {
            exe: b"/usr/lib/forebear/forebear-gate".to_vec(),
            owner: Uid(0),
            mode: 0o102_755,
            entry: "ssh",
            source: None,
        }
    }

    #[test]
    fn nothing_else_is_taken_for_the_gate() {
        let (gate, origin) = (gate(), origin());
        assert!(gate.is_what_runs(&origin));
        // Of somebody who was put into the group.
        let others = [
            Origin { exe: b"/usr/bin/python3".to_vec(), mode: 0o100_755, ..origin.clone() },
            Origin { exe: b"/home/eve/forebear-gate".to_vec(), ..origin.clone() },
            Origin { owner: Uid(1000), ..origin.clone() },
            Origin { mode: 0o100_755, ..origin.clone() },
            Origin { mode: 0o102_775, ..origin },
        ];
        for other in others {
            assert!(!gate.is_what_runs(&other), "{other:?}");
        }
    }

    #[test]
    fn a_gate_that_is_not_installed_as_it_has_to_be_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forebear-gate");
        assert_eq!(Gate::at(&path), Ok(None));
        std::fs::write(&path, "").unwrap();
        if !rustix::process::geteuid().is_root() {
            assert!(Gate::at(&path).unwrap_err().contains("no file of root's"));
            return;
        }
        let set = |group, mode| {
            std::os::unix::fs::chown(&path, Some(0), Some(group)).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        for (group, mode, part) in [
            (901, 0o755, "not set-group-id"),
            (0, 0o2755, "not set-group-id"),
            (901, 0o2775, "others than root"),
        ] {
            set(group, mode);
            let problem = Gate::at(&path).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
        set(901, 0o2755);
        let found = Gate::at(&path).unwrap().unwrap();
        assert_eq!(found.group(), 901);
        assert!(Gate::at(folder.path()).unwrap_err().contains("no file of root's"));
    }
}
