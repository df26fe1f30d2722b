//! Containers: started through the runtime, probed again and again, ended.

use forebear_model::Pid;
use forebear_model::observation::PidNamespace;

use super::MS;
use super::routine::steps;
use super::services::Services;
use crate::kernel::{Group, Id, Kernel, Program};
use crate::random::{Random, Zipf};

/// What the first processes of containers run, the most frequent first.
const IMAGES: [(&str, &[&str]); 5] = [
    ("/usr/local/bin/node", &["node", "/srv/server.js"]),
    ("/usr/local/bin/python3.12", &["python3", "-m", "worker", "--queue", "default"]),
    ("/usr/local/bin/redis-server", &["redis-server", "*:6379"]),
    ("/usr/sbin/nginx", &["nginx", "-g", "daemon off;"]),
    ("/usr/bin/bash", &["bash", "/entrypoint.sh"]),
];

/// How many containers run on a host at most.
const AT_ONCE: usize = 12;

/// A running container.
#[derive(Debug)]
pub(crate) struct Container {
    shim: Id,
    first: Id,
    group: Group,
    namespace: PidNamespace,
    port: u16,
}

/// Does one thing with the containers of a host.
pub(crate) fn scene(
    kernel: &mut Kernel,
    services: &Services,
    running: &mut Vec<Container>,
    random: &mut Random,
) {
    if running.is_empty() || (running.len() < AT_ONCE && random.percent(6)) {
        running.push(start(kernel, services, random));
    } else if running.len() == AT_ONCE && random.percent(3) {
        let ended = running.remove(random.below(AT_ONCE as u64) as usize);
        kernel.exit(ended.first);
        kernel.exit(ended.shim);
    } else {
        probe(kernel, random.pick(running), random);
    }
}

/// The shim detaches itself, so that init is its parent; runc makes the namespace and goes.
fn start(kernel: &mut Kernel, services: &Services, random: &mut Random) -> Container {
    let (exe, argv) = IMAGES[Zipf::new(IMAGES.len()).draw(random)];
    let id = random.hex(64);
    let starter = kernel.spawn(
        services.main,
        "/usr/bin/containerd-shim-runc-v2",
        &["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", &id, "start"],
    );
    let shim = kernel.spawn(
        starter,
        "/usr/bin/containerd-shim-runc-v2",
        &["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", &id],
    );
    kernel.setsid(shim);
    kernel.exit(starter);
    let runc = kernel.spawn(shim, "/usr/sbin/runc", &["runc", "create", "--bundle", &id, &id]);
    let pod = random.hex(32);
    let group = kernel.group(format!(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-pod{pod}.slice/cri-containerd-{id}.scope"
    ));
    let namespace = kernel.new_namespace();
    let first = kernel.fork_into(runc, Some(namespace));
    kernel.setsid(first);
    kernel.enter(first, &group);
    kernel.chdir(first, "/srv");
    kernel.exec(first, &Program::new(exe, argv));
    kernel.exit(runc);
    Container { shim, first, group, namespace, port: 3000 + random.below(9) as u16 }
}

/// The orchestrator asks whether it is well: a program in the container, made from outside.
fn probe(kernel: &mut Kernel, container: &Container, random: &mut Random) {
    let runc = kernel.spawn(
        container.shim,
        "/usr/sbin/runc",
        &["runc", "exec", "--process", "/run/containerd/probe.json", "probe"],
    );
    let pid = Pid(random.between(7, 30_000) as u32);
    let child = kernel.fork_into(runc, Some(PidNamespace { pid, ..container.namespace }));
    kernel.enter(child, &container.group);
    kernel.setsid(child);
    let url = format!("http://localhost:{}/healthz", container.port);
    if random.percent(70) {
        let line = format!("curl -fsS {url} || exit 1");
        kernel.exec(child, &Program::new("/bin/busybox", &["sh", "-c", &line]));
        kernel.run(child, "/usr/bin/curl", &["curl", "-fsS", &url], 9 * MS);
    } else {
        kernel.exec(child, &Program::new("/usr/bin/dash", &["/bin/sh", "/probe.sh"]));
        steps(kernel, child, random, 3);
    }
    kernel.exit(child);
    kernel.exit(runc);
}
