//! The text forms of `/proc`, as pure functions over bytes (proc(5)).
//!
//! Invariant: `None` for anything that is not in the documented form; nothing panics. Names are
//! bytes, since the kernel does not promise UTF-8.

use forebear_model::{Device, TerminalKind};

/// The fields of `/proc/<pid>/stat` that are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat<'a> {
    pub(super) comm: &'a [u8],
    pub(super) state: u8,
    pub(super) ppid: u32,
    pub(super) pgid: u32,
    pub(super) sid: u32,
    pub(super) tty: Option<Device>,
    pub(super) flags: u32,
    pub(super) threads: u64,
    /// Clock ticks since boot.
    pub(super) start: u64,
}

pub(super) fn stat(text: &[u8]) -> Option<Stat<'_>> {
    // The name may hold spaces and parentheses itself: it ends at the last one.
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let comm = text.get(open + 1..close)?;
    let mut fields = text.get(close + 1..)?.trim_ascii().split(|byte| *byte == b' ');
    // Fields are counted from 1 in proc(5); the state is the third.
    let state = *fields.next()?.first()?;
    let ppid = number(fields.next()?)?;
    let pgid = number(fields.next()?)?;
    let sid = number(fields.next()?)?;
    let tty = tty_nr(std::str::from_utf8(fields.next()?).ok()?.parse().ok()?);
    let flags = number(fields.nth(1)?)?;
    let threads = number(fields.nth(10)?)?;
    let start = number(fields.nth(1)?)?;
    Some(Stat { comm, state, ppid, pgid, sid, tty, flags, threads, start })
}

/// Field 7 of stat: the minor number is in bits 31 to 20 and 7 to 0, the major in 19 to 8.
pub(super) fn tty_nr(tty_nr: i32) -> Option<Device> {
    let bits = u32::from_ne_bytes(tty_nr.to_ne_bytes());
    (bits != 0).then_some(Device {
        major: (bits & 0xf_ff00) >> 8,
        minor: bits & 0xff | (bits >> 12) & 0xf_ff00,
    })
}

/// A `dev_t` as stat(2) returns it to user space (makedev(3)).
pub(super) fn device(dev: u64) -> Device {
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap_or_default();
    Device {
        major: half(dev >> 8) & 0xfff | half(dev >> 32) & !0xfff,
        minor: half(dev) & 0xff | half(dev >> 12) & !0xff,
    }
}

/// The fields of `/proc/<pid>/status` that are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// Real and effective.
    pub(super) uids: [u32; 2],
    /// Real and effective.
    pub(super) gids: [u32; 2],
    /// The pid in each namespace, from the reader's inwards.
    pub(super) namespace_pids: Vec<u32>,
}

pub(super) fn status(text: &[u8]) -> Option<Status> {
    let two = |line: &[u8]| {
        let mut values = numbers(line);
        Some([values.next()?, values.next()?])
    };
    Some(Status {
        uids: two(field(text, b"Uid:")?)?,
        gids: two(field(text, b"Gid:")?)?,
        namespace_pids: field(text, b"NSpid:").map(|line| numbers(line).collect())?,
    })
}

/// The control group of `/proc/<pid>/cgroup` (cgroups(7)) that tells where a process belongs:
/// the unified hierarchy's, or where that is the root, the memory or else the pids controller's.
pub(super) fn cgroup(text: &[u8]) -> Option<(Hierarchy, &[u8])> {
    let path = |hierarchy: Hierarchy| {
        text.split(|byte| *byte == b'\n').find_map(|line| {
            let mut parts = line.splitn(3, |byte| *byte == b':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            hierarchy.is_named(controllers).then_some(path)
        })
    };
    let below_root = [Hierarchy::Unified, Hierarchy::Memory, Hierarchy::Pids]
        .into_iter()
        .filter_map(|hierarchy| Some((hierarchy, path(hierarchy)?)))
        .find(|(_, path)| *path != b"/");
    below_root.or_else(|| Some((Hierarchy::Unified, path(Hierarchy::Unified)?)))
}

/// A hierarchy of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Hierarchy {
    /// Version 2.
    Unified,
    /// Version 1, memory.
    Memory,
    /// Version 1, pids.
    Pids,
}

impl Hierarchy {
    fn is_named(self, controllers: &[u8]) -> bool {
        let named = |name: &[u8]| controllers.split(|byte| *byte == b',').any(|one| one == name);
        match self {
            Self::Unified => controllers.is_empty(),
            Self::Memory => named(b"memory"),
            Self::Pids => named(b"pids"),
        }
    }
}

/// The kind of the terminals with that number by `/proc/tty/drivers`, whose columns are driver,
/// device, major, minors and type.
pub(super) fn driver_kind(drivers: &[u8], device: Device) -> Option<TerminalKind> {
    drivers.split(|byte| *byte == b'\n').find_map(|line| {
        let words: Vec<&[u8]> = words(line).collect();
        let (kind, words) = words.split_last()?;
        let (minors, words) = words.split_last()?;
        let major: u32 = number(words.last()?)?;
        let mut ends = minors.splitn(2, |byte| *byte == b'-');
        let first: u32 = number(ends.next()?)?;
        let last: u32 = ends.next().map_or(Some(first), number)?;
        if major != device.major || !(first..=last).contains(&device.minor) {
            return None;
        }
        Some(match kind.split(|byte| *byte == b':').next()? {
            b"serial" => TerminalKind::Serial,
            b"console" => TerminalKind::Console,
            b"pty" => TerminalKind::Pseudo,
            _ => TerminalKind::Other,
        })
    })
}

/// A link to a namespace, such as `pid:[4026531836]`.
pub(super) fn namespace(link: &[u8]) -> Option<u32> {
    let open = link.iter().position(|byte| *byte == b'[')?;
    number(link.get(open + 1..)?.strip_suffix(b"]")?)
}

/// One number, alone.
pub(super) fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))
}

fn numbers(line: &[u8]) -> impl Iterator<Item = u32> {
    words(line).map_while(number)
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_may_hold_anything() {
        let text = b"42 (a) b (\xff) S 1 42 40 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 12345 9";
        let stat = stat(text).unwrap();
        assert_eq!(stat.comm, b"a) b (\xff");
        assert_eq!((stat.ppid, stat.pgid, stat.sid), (1, 42, 40));
        assert_eq!(stat.tty, Some(Device { major: 136, minor: 0 }));
        assert_eq!((stat.flags, stat.threads, stat.start), (4_194_560, 3, 12345));
    }

    #[test]
    fn numbers_of_terminals_are_put_together_from_two_places() {
        assert_eq!(tty_nr(0), None);
        assert_eq!(tty_nr(0x8803), Some(Device { major: 136, minor: 3 }));
        // pts/300: minor 0x12c.
        assert_eq!(tty_nr(0x0010_882c), Some(Device { major: 136, minor: 300 }));
        // The highest minor makes the number negative.
        assert_eq!(tty_nr(-0xf_7801), Some(Device { major: 0x087, minor: 0xf_ffff }));
    }

    #[test]
    fn devices_keep_all_bits() {
        assert_eq!(device(0x0801), Device { major: 8, minor: 1 });
        assert_eq!(device(0x1_0000_8803 & 0xffff_ffff), Device { major: 136, minor: 3 });
        assert_eq!(device(0x12c << 12 & !0xfffff | 0x882c), Device { major: 136, minor: 300 });
    }

    #[test]
    fn status_gives_ids_and_namespaces() {
        let text = b"Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t5\t6\t6\t6\nNSpid:\t77\t3\t1\n";
        let expected = Status { uids: [1000, 0], gids: [5, 6], namespace_pids: vec![77, 3, 1] };
        assert_eq!(status(text), Some(expected));
        assert_eq!(status(b"Uid:\t1\n"), None);
    }

    #[test]
    fn the_first_hierarchy_below_its_root_tells_the_group() {
        let check = |text: &'static str, expected: (Hierarchy, &str)| {
            let (hierarchy, path) = cgroup(text.as_bytes()).unwrap();
            assert_eq!((hierarchy, path), (expected.0, expected.1.as_bytes()), "{text}");
        };
        check("0::/a/b\n", (Hierarchy::Unified, "/a/b"));
        check("4:cpu,memory:/m:x\n0::/\n", (Hierarchy::Memory, "/m:x"));
        check("8:pids:/p\n4:memory:/\n0::/\n", (Hierarchy::Pids, "/p"));
        check("8:pids:/\n0::/\n", (Hierarchy::Unified, "/"));
        assert_eq!(cgroup(b"1:name=systemd:/x\n"), None);
    }

    #[test]
    fn drivers_name_the_kinds_of_dynamic_numbers() {
        let drivers = b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n\
            pty_slave            /dev/pts      136 0-1048575 pty:slave\n\
            foo serial           /dev/ttyFOO   241 8-15 serial\n\
            unknown              /dev/tty        4 1-63 console\n";
        let kind = |major, minor| driver_kind(drivers, Device { major, minor });
        assert_eq!(kind(241, 9), Some(TerminalKind::Serial));
        assert_eq!(kind(241, 7), None);
        assert_eq!(kind(136, 70000), Some(TerminalKind::Pseudo));
        assert_eq!(kind(5, 0), Some(TerminalKind::Other));
        assert_eq!(kind(4, 2), Some(TerminalKind::Console));
    }

    #[test]
    fn namespaces_are_numbers_in_brackets() {
        assert_eq!(namespace(b"pid:[4026531836]"), Some(4_026_531_836));
        assert_eq!(namespace(b"pid:[x]"), None);
    }
}
