//! The container that a control group's path names.
//!
//! The forms are those that the runtimes' systemd and cgroupfs drivers write.

use crate::process::Container;

/// Prefixes of systemd scope units, as in `docker-<id>.scope`.
const SCOPES: [(&str, &str); 5] = [
    ("docker-", "docker"),
    ("cri-containerd-", "containerd"),
    ("crio-", "crio"),
    ("libpod-payload-", "podman"),
    ("libpod-", "podman"),
];

/// Finds the innermost container in a control group's path.
pub(crate) fn from_cgroup(path: &[u8]) -> Option<Container> {
    let path = std::str::from_utf8(path).ok()?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    (0..parts.len()).rev().find_map(|index| {
        let above = index.checked_sub(1).map_or("", |above| parts[above]);
        from_component(parts[index], above)
    })
}

fn from_component(part: &str, above: &str) -> Option<Container> {
    if let Some(unit) = part.strip_suffix(".scope") {
        for (prefix, runtime) in SCOPES {
            if let Some(id) = unit.strip_prefix(prefix).filter(|id| is_hex_id(id)) {
                return container(id, Some(runtime));
            }
        }
        return unit
            .strip_prefix("machine-")
            .and_then(|name| container(&unescape(name), Some("nspawn")));
    }
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return container(name, Some("lxc"));
    }
    if above == "lxc" {
        return container(part, Some("lxc"));
    }
    if let Some(id) = part.strip_prefix("libpod-").filter(|id| is_hex_id(id)) {
        return container(id, Some("podman"));
    }
    if is_hex_id(part) {
        return container(part, (above == "docker").then_some("docker"));
    }
    None
}

fn container(id: &str, runtime: Option<&'static str>) -> Option<Container> {
    (!id.is_empty()).then(|| Container { id: id.into(), runtime })
}

/// Runtimes name containers by 32 bytes in hexadecimal.
fn is_hex_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// systemd writes a hyphen in a unit name as `\x2d` (systemd-escape(1)).
fn unescape(name: &str) -> String {
    name.replace("\\x2d", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[track_caller]
    fn check(path: &str, expected: Option<(&str, Option<&str>)>) {
        let path = path.replace("ID", ID);
        let found = from_cgroup(path.as_bytes());
        let found = found.as_ref().map(|c| (&*c.id, c.runtime));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn each_runtime_is_recognised() {
        check("/docker/ID", Some((ID, Some("docker"))));
        check("/system.slice/docker-ID.scope", Some((ID, Some("docker"))));
        check("/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope", {
            Some((ID, Some("containerd")))
        });
        check("/kubepods/burstable/pod1/ID", Some((ID, None)));
        check("/kubepods.slice/crio-ID.scope", Some((ID, Some("crio"))));
        check("/machine.slice/libpod-ID.scope/container", Some((ID, Some("podman"))));
        check("/lxc/web", Some(("web", Some("lxc"))));
        check("/lxc.payload.web/system.slice", Some(("web", Some("lxc"))));
        check("/machine.slice/machine-my\\x2dbox.scope", Some(("my-box", Some("nspawn"))));
    }

    #[test]
    fn the_innermost_container_counts() {
        let inner = ID.replace('0', "f");
        check(&format!("/docker/ID/docker/{inner}"), Some((&inner, Some("docker"))));
    }

    #[test]
    fn other_groups_are_no_containers() {
        check("/", None);
        check("/user.slice/user-1000.slice/session-3.scope", None);
        check("/system.slice/docker.service", None);
        check("/system.slice/docker-short.scope", None);
    }
}
