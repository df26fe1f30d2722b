//! Session brokers: the programs that hand the machine to somebody.
//!
//! A broker is known by the identity of its executable file, never by its name alone: the file
//! lies where a system's programs lie, belongs to root and can be written by nobody else. A
//! program that is merely called `sshd` has no role.

use crate::process::Image;

/// What a session broker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Lets people in over ssh. OpenSSH's listener, monitor, `sshd-session` and `sshd-auth`
    /// (separate programs since 9.8 and 10.0) are one broker.
    Ssh,
    /// The session worker of AWS Systems Manager.
    Ssm,
    /// Waits on a terminal and asks who is there.
    Login,
    /// Starts containers and programs in them.
    ContainerRuntime,
}

/// The directories that hold a system's programs; only root can write there.
const SYSTEM_DIRECTORIES: [&[u8]; 8] =
    [b"/usr/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/", b"/opt/", b"/snap/", b"/nix/store/"];

/// The copy of itself in memory that runc runs, so that a container cannot overwrite it
/// (CVE-2019-5736).
const RUNC_CLONE: &[u8] = b"/memfd:runc_cloned:/proc/self/exe";

/// The role of an executable, if it is a broker's.
pub(crate) fn role(image: &Image) -> Option<Role> {
    let exe = image.exe.as_deref().ok()?;
    if image.owner.0 != 0 {
        return None;
    }
    if exe == RUNC_CLONE {
        return Some(Role::ContainerRuntime);
    }
    let writable_by_others = image.mode & 0o022 != 0;
    if writable_by_others || image.memfd || !SYSTEM_DIRECTORIES.iter().any(|d| exe.starts_with(d)) {
        return None;
    }
    match basename(exe) {
        b"sshd" | b"sshd-session" | b"sshd-auth" | b"dropbear" | b"dropbearmulti" => {
            Some(Role::Ssh)
        }
        b"ssm-session-worker" => Some(Role::Ssm),
        b"login" | b"getty" | b"agetty" | b"mingetty" | b"mgetty" | b"sulogin" => Some(Role::Login),
        b"runc" | b"crun" | b"youki" | b"conmon" | b"lxc-attach" | b"lxc-start" | b"podman"
        | b"dockerd" | b"containerd" | b"systemd-nspawn" => Some(Role::ContainerRuntime),
        name if name.starts_with(b"containerd-shim") => Some(Role::ContainerRuntime),
        _ => None,
    }
}

/// The last component of a path.
pub(crate) fn basename(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Uid;
    use crate::known::Why;

    fn image(exe: &str, owner: u32, mode: u32) -> Image {
        Image {
            exe: Ok(exe.as_bytes().into()),
            file: None,
            owner: Uid(owner),
            mode,
            deleted: false,
            memfd: exe.starts_with("/memfd:"),
            upper_layer: false,
            name: basename(exe.as_bytes()).into(),
            argv: Err(Why::NotObservable),
        }
    }

    #[track_caller]
    fn check(exe: &str, owner: u32, mode: u32, expected: Option<Role>) {
        assert_eq!(role(&image(exe, owner, mode)), expected, "{exe}");
    }

    #[test]
    fn the_parts_of_openssh_are_one_broker() {
        check("/usr/sbin/sshd", 0, 0o755, Some(Role::Ssh));
        check("/usr/lib/openssh/sshd-session", 0, 0o755, Some(Role::Ssh));
        check("/usr/libexec/openssh/sshd-auth", 0, 0o755, Some(Role::Ssh));
    }

    #[test]
    fn a_program_that_is_merely_called_sshd_has_no_role() {
        check("/tmp/sshd", 0, 0o755, None);
        check("/home/mallory/usr/sbin/sshd", 0, 0o755, None);
        check("/usr/local/bin/sshd", 1000, 0o755, None);
        check("/usr/local/bin/sshd", 0, 0o775, None);
    }

    #[test]
    fn a_container_runtime_in_memory_is_known_if_it_is_roots() {
        check("/memfd:runc_cloned:/proc/self/exe", 0, 0o777, Some(Role::ContainerRuntime));
        check("/memfd:runc_cloned:/proc/self/exe", 1000, 0o777, None);
        check("/memfd:sshd", 0, 0o755, None);
    }

    #[test]
    fn a_basename_ignores_trailing_slashes() {
        assert_eq!(basename(b"/bin/ls"), b"ls");
        assert_eq!(basename(b"ls"), b"ls");
        assert_eq!(basename(b"/bin//"), b"bin");
        assert_eq!(basename(b"/"), b"/");
        assert_eq!(basename(b""), b"");
    }
}
