//! What people type.

use super::MS;
use crate::kernel::{Id, Kernel, Program};
use crate::random::{Random, Zipf};

/// Commands of anybody, the most frequent first.
const COMMANDS: [&str; 36] = [
    "ls --color=auto -l",
    "cat /var/log/{service}/{service}.log",
    "git status",
    "tail -n 200 /var/log/{service}/error.log",
    "systemctl status {service}",
    "grep --color=auto -rn timeout /etc/{service}",
    "vim /etc/{service}/{service}.conf",
    "kubectl -n {project} get pods",
    "journalctl -u {service} --since today",
    "df -h",
    "htop",
    "less /var/log/syslog",
    "git pull --rebase",
    "curl -s http://localhost:{port}/healthz",
    "kubectl -n {project} logs deploy/{service} --tail {n}",
    "docker ps",
    "free -m",
    "ssh {project}-db.internal",
    "git diff HEAD~{n}",
    "find . -name {file}",
    "du -sh /var/lib/{service}",
    "psql -h {project}-db.internal -U readonly -c select_{n}",
    "python3 manage.py shell",
    "scp {file} deploy@{project}-web.internal:/tmp/",
    "top",
    "dig +short {project}.internal",
    "diff -u {file} {file}.orig",
    "make test",
    "jq . {file}",
    "terraform plan -out {file}",
    "openssl s_client -connect {project}.internal:443",
    "ss -tlnp",
    "strace -p {n}",
    "tcpdump -ni any port {port}",
    "nmap -sn 10.20.0.0/24",
    "watch -n 5 date",
];

/// Commands of root, the most frequent first. None fetches anything: who does is a story.
const ROOT_COMMANDS: [&str; 10] = [
    "systemctl restart {service}",
    "journalctl -xeu {service}",
    "ls -la /root",
    "apt-get update",
    "vim /etc/{service}/{service}.conf",
    "tail -f /var/log/auth.log",
    "chown -R svc: /srv/{service}",
    "apt-get install -y {service}",
    "iptables -L -n",
    "passwd -S deploy",
];

/// Pipelines.
const PIPELINES: [&str; 5] = [
    "ps aux | grep {service}",
    "cat {file} | sort | uniq -c",
    "journalctl -u {service} | grep error | wc -l",
    "find /var/log -size +10M | xargs ls -lh",
    "zcat /var/log/{service}.log.2.gz | awk {print}",
];

/// Builtins with what they return.
const BUILTINS: [(&str, i32); 9] = [
    ("cd /var/log/{service}", 0),
    ("cd /srv/{project}", 0),
    ("cd ..", 0),
    ("export PROJECT={project}", 0),
    ("source ~/venv/bin/activate", 0),
    ("cd /srv/{file}", 1),
    ("type {service}", 1),
    ("history", 0),
    ("kill -TERM {n}", 1),
];

const SERVICES: [&str; 8] =
    ["nginx", "postgresql", "redis", "app", "haproxy", "grafana", "rabbitmq", "vault"];
const PROJECTS: [&str; 5] = ["shop", "search", "payments", "data", "core"];

/// A line for these places.
fn fill(template: &str, random: &mut Random) -> String {
    let service = SERVICES[Zipf::new(SERVICES.len()).draw(random)];
    template
        .replace("{service}", service)
        .replace("{project}", PROJECTS[random.below(5) as usize])
        .replace("{port}", ["8080", "9090", "3000"][random.below(3) as usize])
        .replace(
            "{file}",
            &format!("{}.{}", random.hex(4), ["json", "txt", "yaml"][random.below(3) as usize]),
        )
        .replace("{n}", &random.between(1, 40_000).to_string())
}

/// A command that anybody may type.
pub(crate) fn command(random: &mut Random) -> String {
    fill(COMMANDS[Zipf::new(COMMANDS.len()).draw(random)], random)
}

/// A command that root types.
pub(crate) fn root_command(random: &mut Random) -> String {
    fill(ROOT_COMMANDS[Zipf::new(ROOT_COMMANDS.len()).draw(random)], random)
}

/// Programs joined by pipes.
pub(crate) fn pipeline(random: &mut Random) -> String {
    let template = *random.pick(&PIPELINES);
    fill(template, random)
}

/// A builtin with what it returns.
pub(crate) fn builtin(random: &mut Random) -> (String, i32) {
    let (template, status) = BUILTINS[Zipf::new(BUILTINS.len()).draw(random)];
    (fill(template, random), status)
}

/// Where the shell finds a program.
fn path_of(name: &str) -> String {
    match name {
        "iptables" | "tcpdump" | "sshd" => format!("/usr/sbin/{name}"),
        "kubectl" | "terraform" => format!("/usr/local/bin/{name}"),
        "awk" => "/usr/bin/mawk".to_owned(),
        "vim" => "/usr/bin/vim.basic".to_owned(),
        "python3" => "/usr/bin/python3.11".to_owned(),
        "sh" => "/usr/bin/dash".to_owned(),
        _ if name.starts_with('/') => name.to_owned(),
        _ => format!("/usr/bin/{name}"),
    }
}

/// Begins a typed program in the group of `first`, or in one of its own.
pub(crate) fn begin(kernel: &mut Kernel, shell: Id, first: Option<Id>, line: &str) -> Id {
    let words: Vec<&str> = line.split_whitespace().collect();
    let child = kernel.fork(shell);
    kernel.setpgid(child, first.unwrap_or(child));
    let name = words.first().copied().unwrap_or_default();
    let (path, filename) = (path_of(name), format!("/usr/bin/{name}"));
    let filename = if name.starts_with('/') { name } else { &filename };
    let program = Program { exe: &path, filename: Some(filename), interpreter: None, argv: &words };
    if name == "sudo" {
        kernel.set_user_id(child);
    }
    kernel.exec(child, &program);
    child
}

/// Types a line of programs, which may be joined by pipes, and waits until they have ended.
/// `line` is told too where the shell is watched.
pub(crate) fn line(kernel: &mut Kernel, shell: Id, watched: bool, line: &str, lasts: u64) {
    if watched {
        kernel.line(shell, Some(line));
    }
    let mut members: Vec<Id> = Vec::new();
    for part in line.split(" | ") {
        let member = begin(kernel, shell, members.first().copied(), part);
        below(kernel, member, part);
        members.push(member);
    }
    kernel.pass(lasts);
    members.into_iter().for_each(|member| kernel.exit(member));
    if watched {
        kernel.line(shell, None);
    }
}

/// What a typed program runs itself.
fn below(kernel: &mut Kernel, typed: Id, line: &str) {
    match line.split_whitespace().next().unwrap_or_default() {
        "git" if line.contains("pull") => {
            let argv = ["git-remote-https", "origin", "https://git.internal/tools.git"];
            kernel.run(typed, "/usr/lib/git-core/git-remote-http", &argv, 200 * MS);
            kernel.run(typed, "/usr/bin/git", &["git", "rebase", "origin/main"], 30 * MS);
        }
        "make" => {
            for target in ["unit", "lint", "docs"] {
                let shell = kernel.spawn(typed, "/usr/bin/dash", &["/bin/sh", "-c", target]);
                kernel.run(shell, "/usr/bin/python3.11", &["python3", "-m", target], 90 * MS);
                kernel.exit(shell);
            }
        }
        "journalctl" | "git" => kernel.run(typed, "/usr/bin/less", &["pager"], 10 * MS),
        "scp" => {
            let argv = ["ssh", "-x", "-oPermitLocalCommand=no", "-s", "deploy", "sftp"];
            kernel.run(typed, "/usr/bin/ssh", &argv, 50 * MS);
        }
        _ => {}
    }
}
