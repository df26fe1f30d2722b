//! What runs on a host from its boot on.

use crate::kernel::{Id, Kernel};
use crate::roster::{Host, Kind, POSTGRES, SERVICE, WWW_DATA};

/// The services that other scenes begin at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Services {
    pub(crate) init: Id,
    pub(crate) sshd: Id,
    pub(crate) cron: Id,
    /// The program that the host is for.
    pub(crate) main: Id,
}

/// Boots the host.
pub(crate) fn boot(kernel: &mut Kernel, host: &Host) -> Services {
    let mut start = |unit: &str, exe: &str, argv: &[&str], uid: u32| {
        let id = kernel.fork(kernel.init());
        let group = kernel.group(format!("/system.slice/{unit}.service"));
        kernel.enter(id, &group);
        kernel.setsid(id);
        kernel.become_user(id, uid);
        kernel.exec(id, &crate::kernel::Program::new(exe, argv));
        id
    };
    start("systemd-journald", "/usr/lib/systemd/systemd-journald", &["systemd-journald"], 0);
    start("systemd-udevd", "/usr/lib/systemd/systemd-udevd", &["systemd-udevd"], 0);
    start("dbus", "/usr/bin/dbus-daemon", &["/usr/bin/dbus-daemon", "--system"], 101);
    start("systemd-logind", "/usr/lib/systemd/systemd-logind", &["systemd-logind"], 0);
    start("node-exporter", "/usr/local/bin/node_exporter", &["node_exporter", "--web"], SERVICE);
    let cron = start("cron", "/usr/sbin/cron", &["/usr/sbin/cron", "-f"], 0);
    let sshd = start("ssh", "/usr/sbin/sshd", &["sshd: /usr/sbin/sshd -D [listener]"], 0);
    let main = match host.kind {
        Kind::Bastion => start("auditd", "/usr/sbin/auditd", &["/sbin/auditd"], 0),
        Kind::Ci => start("runner", "/opt/runner/bin/runner", &["runner", "run", "--once"], 991),
        Kind::Node => start("containerd", "/usr/bin/containerd", &["/usr/bin/containerd"], 0),
        Kind::Web => start("nginx", "/usr/sbin/nginx", &["nginx: master process"], WWW_DATA),
        Kind::Database => start(
            "postgresql",
            "/usr/lib/postgresql/15/bin/postgres",
            &["/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main"],
            POSTGRES,
        ),
        Kind::App => start(
            "app",
            "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
            &["java", "-Xmx2g", "-jar", "/srv/app/app.jar", "--spring.profiles.active=prod"],
            SERVICE,
        ),
    };
    Services { init: kernel.init(), sshd, cron, main }
}
