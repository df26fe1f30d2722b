//! What a host does by itself: cron, timers, and the helpers of its services.

use super::MS;
use super::services::Services;
use crate::kernel::{Id, Kernel, Program};
use crate::random::{Random, Zipf};
use crate::roster::{Host, Kind};

/// Programs of scripts, the most frequent first, each with an argument.
const STEPS: [(&str, &str); 18] = [
    ("/usr/bin/grep", "-q"),
    ("/usr/bin/cat", "/proc/loadavg"),
    ("/usr/bin/awk", "{ print $1 }"),
    ("/usr/bin/date", "+%s"),
    ("/usr/bin/sed", "s/ *$//"),
    ("/usr/bin/find", "/var/spool/app"),
    ("/usr/bin/stat", "-c%Y"),
    ("/usr/bin/df", "-P"),
    ("/usr/bin/cut", "-d:"),
    ("/usr/bin/rm", "-f"),
    ("/usr/bin/logger", "-t"),
    ("/usr/bin/sort", "-u"),
    ("/usr/bin/gzip", "-9"),
    ("/usr/bin/mv", "-f"),
    ("/usr/bin/rsync", "-a"),
    ("/usr/bin/flock", "-n"),
    ("/usr/bin/openssl", "x509"),
    ("/usr/bin/python3.11", "-V"),
];

/// What cron runs, the most frequent first: the user's id and the command line.
const JOBS: [(u32, &str); 8] = [
    (0, "/usr/local/bin/collect-metrics --all"),
    (990, "cd /srv/app && ./bin/flush-queue >/dev/null 2>&1"),
    (0, "test -x /usr/sbin/anacron || run-parts --report /etc/cron.hourly"),
    (33, "php /srv/www/cron.php --quiet"),
    (0, "/usr/local/sbin/check-certificates | logger -t certs"),
    (0, "command -v debian-sa1 > /dev/null && debian-sa1 1 1"),
    (112, "/usr/local/bin/wal-archive --keep 7"),
    (0, "find /tmp -xdev -mtime +7 -delete"),
];

/// Timers of systemd: the unit, its program and an argument.
const TIMERS: [(&str, &str, &str); 5] = [
    ("logrotate", "/usr/sbin/logrotate", "/etc/logrotate.conf"),
    ("apt-daily", "/usr/lib/apt/apt.systemd.daily", "update"),
    ("fstrim", "/usr/sbin/fstrim", "--listed-in"),
    ("certbot", "/usr/bin/certbot", "renew"),
    ("systemd-tmpfiles-clean", "/usr/bin/systemd-tmpfiles", "--clean"),
];

/// One host in so many has a program that no other has.
const ODD_ONE_IN: usize = 7;

/// Does one thing that comes of itself.
pub(crate) fn scene(kernel: &mut Kernel, host: &Host, services: &Services, random: &mut Random) {
    match random.below(100) {
        0..45 => cron(kernel, host, services, random),
        45..52 => timer(kernel, services, random),
        _ => helper(kernel, host, services, random),
    }
}

fn cron(kernel: &mut Kernel, host: &Host, services: &Services, random: &mut Random) {
    let (uid, command) = JOBS[Zipf::new(JOBS.len()).draw(random)];
    let odd = format!("/usr/local/sbin/reconcile-{}", host.name());
    let command = match host.place % ODD_ONE_IN {
        3 if random.percent(2) => &odd,
        _ => command,
    };
    let child = kernel.fork(services.cron);
    kernel.setsid(child);
    kernel.become_user(child, uid);
    kernel.login(child, uid);
    kernel.redirect(child, 1, forebear_model::StreamKind::Pipe);
    kernel.exec(child, &Program::new("/usr/bin/dash", &["/bin/sh", "-c", command]));
    if command == odd {
        kernel.run(child, &odd, &[&odd], 40 * MS);
    } else {
        steps(kernel, child, random, 5);
    }
    kernel.exit(child);
}

fn timer(kernel: &mut Kernel, services: &Services, random: &mut Random) {
    let (unit, exe, argument) = *random.pick(&TIMERS);
    let child = kernel.fork(services.init);
    let group = kernel.group(format!("/system.slice/{unit}.service"));
    kernel.enter(child, &group);
    kernel.setsid(child);
    kernel.exec(child, &Program::new(exe, &[exe, argument]));
    steps(kernel, child, random, 3);
    kernel.exit(child);
}

/// A service has something done by another program.
fn helper(kernel: &mut Kernel, host: &Host, services: &Services, random: &mut Random) {
    let number = random.between(1000, 99_999).to_string();
    match host.kind {
        Kind::Web => {
            let child = kernel.spawn(services.main, "/usr/sbin/php-fpm8.2", &["php-fpm: pool www"]);
            let picture = format!("/srv/www/uploads/{number}.jpg");
            let line = format!("convert {picture} -resize 640x {picture}.small");
            let shell = kernel.spawn(child, "/usr/bin/dash", &["sh", "-c", &line]);
            let argv = ["convert", &picture, "-resize", "640x"];
            kernel.run(shell, "/usr/bin/convert-im6.q16", &argv, 80 * MS);
            kernel.exit(shell);
            kernel.exit(child);
        }
        Kind::Database => {
            let wal = format!("pg_wal/00000001000000A0000{number}");
            let line = format!("test ! -f /mnt/wal/{number} && cp {wal} /mnt/wal/{number}");
            let shell = kernel.spawn(services.main, "/usr/bin/dash", &["sh", "-c", &line]);
            kernel.run(shell, "/usr/bin/cp", &["cp", &wal, &format!("/mnt/wal/{number}")], 20 * MS);
            kernel.exit(shell);
        }
        Kind::App => {
            let line = format!("/srv/app/bin/render --order {number} --format pdf");
            let shell = kernel.spawn(services.main, "/usr/bin/bash", &["bash", "-c", &line]);
            let argv = ["/srv/app/bin/render", "--order", &number, "--format", "pdf"];
            kernel.run(shell, "/srv/app/bin/render", &argv, 300 * MS);
            kernel.exit(shell);
        }
        Kind::Bastion | Kind::Ci | Kind::Node => {
            let child = kernel.fork(services.init);
            let group = kernel.group("/system.slice/node-check.service");
            kernel.enter(child, &group);
            kernel.setsid(child);
            let script = Program {
                exe: "/usr/bin/bash",
                filename: Some("/usr/local/bin/node-check"),
                interpreter: Some("/bin/bash"),
                argv: &["/bin/bash", "/usr/local/bin/node-check", "--json"],
            };
            kernel.exec(child, &script);
            steps(kernel, child, random, 4);
            kernel.exit(child);
        }
    }
}

/// A few programs, one after another, as scripts run them.
pub(crate) fn steps(kernel: &mut Kernel, script: Id, random: &mut Random, most: u64) {
    let zipf = Zipf::new(STEPS.len());
    for _ in 0..random.between(1, most + 1) {
        let (exe, argument) = STEPS[zipf.draw(random)];
        let name = exe.rsplit('/').next().unwrap_or(exe);
        let file = format!("/var/lib/app/state/{}", random.below(400));
        kernel.run(script, exe, &[name, argument, &file], random.between(1, 12) * MS);
    }
}
