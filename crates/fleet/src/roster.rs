//! Who is there: the hosts of the fleet and the people who log in to them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::Random;

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// People log in here first.
    Bastion,
    /// Builds software: short compilers, many at a time.
    Ci,
    /// Runs containers.
    Node,
    /// Serves pages.
    Web,
    /// Keeps data.
    Database,
    /// Runs a program of the house.
    App,
}

impl Kind {
    /// By place in the order of how busy hosts are.
    pub(crate) fn of(place: usize) -> Self {
        match place {
            0 => return Self::Ci,
            2 | 9 => return Self::Bastion,
            _ => {}
        }
        match place % 50 {
            24 => Self::Bastion,
            16 | 37 => Self::Ci,
            at if at % 3 == 1 => Self::Node,
            at if at % 6 == 3 => Self::Web,
            at if at % 6 == 5 => Self::Database,
            _ => Self::App,
        }
    }

    /// The value of the label `group`.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Bastion => "bastions",
            Self::Ci => "ci",
            Self::Node => "nodes",
            Self::Web => "web",
            Self::Database => "databases",
            Self::App => "apps",
        }
    }

    /// The first part of host names.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Self::Bastion => "bastion",
            Self::Ci => "ci",
            Self::Node => "node",
            Self::Web => "web",
            Self::Database => "db",
            Self::App => "app",
        }
    }
}

/// A host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Its place in the order of how busy hosts are, from 0.
    pub(crate) place: usize,
    pub(crate) kind: Kind,
    /// Its place among the hosts of its kind, from 1.
    pub(crate) number: usize,
    pub(crate) project: &'static str,
    pub(crate) address: Ipv4Addr,
}

/// Projects, the largest first.
const PROJECTS: [&str; 5] = ["shop", "search", "payments", "data", "core"];

/// All hosts, the busiest first.
pub(crate) fn hosts(count: usize) -> Vec<Host> {
    let mut hosts: Vec<Host> = Vec::with_capacity(count);
    for place in 0..count {
        let kind = Kind::of(place);
        let number = 1 + hosts.iter().filter(|host| host.kind == kind).count();
        let project = PROJECTS[(place * 7 + place / 5) % PROJECTS.len()];
        let [high, low] = [place / 250, place % 250 + 4].map(|part| part as u8);
        hosts.push(Host {
            place,
            kind,
            number,
            project,
            address: Ipv4Addr::new(10, 20, high, low),
        });
    }
    hosts
}

impl Host {
    /// Its host name.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.kind.stem(), self.number)
    }
}

/// A person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The account: an e-mail address.
    pub(crate) account: String,
    /// The Linux user.
    pub(crate) user: &'static str,
    /// The Linux user's id.
    pub(crate) uid: u32,
    pub(crate) roles: &'static [&'static str],
    /// Where the person mostly comes from.
    pub(crate) address: IpAddr,
}

/// First names are user names; the most frequent visitors come first.
const NAMES: [&str; 36] = [
    "mara", "jonas", "priya", "tomek", "alice", "wei", "lucia", "omar", "hanna", "pavel", "ines",
    "dmitri", "sofia", "kofi", "yuki", "bruno", "elif", "noah", "greta", "samir", "olga", "felix",
    "nadia", "marco", "zoe", "karl", "amina", "peter", "rosa", "ivan", "leila", "anton", "vera",
    "hugo", "mina", "ruben",
];

const ROLES: [&[&str]; 4] = [&["ops"], &["dev"], &["dev", "db"], &["ops", "security"]];

/// All people.
pub(crate) fn people() -> Vec<Person> {
    let mut random = Random::new(0x70656f706c65, 0);
    let person = |(index, user): (usize, &&'static str)| Person {
        account: format!("{user}@example.com"),
        user,
        uid: 1001 + index as u32,
        roles: ROLES[index % ROLES.len()],
        address: match index % 4 {
            // The office's network; the others work from elsewhere.
            0 => Ipv4Addr::new(10, 8, 0, 10 + index as u8).into(),
            3 => Ipv6Addr::new(0x2a01, 0x4f8, random.below(0xffff) as u16, 0, 0, 0, 0, 2).into(),
            _ => Ipv4Addr::new(84, random.below(250) as u8, index as u8, 17).into(),
        },
    };
    NAMES.iter().enumerate().map(person).collect()
}

/// The name of a Linux user, the same on all hosts.
pub(crate) fn user_name(uid: u32) -> Option<&'static str> {
    Some(match uid {
        0 => "root",
        33 => "www-data",
        101 => "messagebus",
        104 => "sshd",
        112 => "postgres",
        SERVICE => "svc",
        BUILDER => "builder",
        DEPLOY => "deploy",
        person => NAMES.get(person.checked_sub(1001)? as usize)?,
    })
}

/// The user of the house's own programs.
pub(crate) const SERVICE: u32 = 990;
/// The user of builds.
pub(crate) const BUILDER: u32 = 991;
/// The shared user by whom hosts are reached from a bastion.
pub(crate) const DEPLOY: u32 = 1000;
/// The user of the web server.
pub(crate) const WWW_DATA: u32 = 33;
/// The user of the database.
pub(crate) const POSTGRES: u32 = 112;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_has_hosts_of_every_kind() {
        let hosts = hosts(30);
        let count = |kind| hosts.iter().filter(|host| host.kind == kind).count();
        assert_eq!(count(Kind::Bastion), 3);
        for kind in [Kind::Ci, Kind::Node, Kind::Web, Kind::Database, Kind::App] {
            assert!(count(kind) >= 2, "{kind:?}");
        }
        let bastions = super::hosts(1000).iter().filter(|host| host.kind == Kind::Bastion).count();
        assert!((15..=30).contains(&bastions), "{bastions}");
    }

    #[test]
    fn every_person_has_a_user_of_their_own() {
        for person in people() {
            assert_eq!(user_name(person.uid), Some(person.user));
        }
        assert_eq!(user_name(65_534), None);
    }
}
