//! Process identity: one uuid per process, for ever.
//!
//! The id is made of host, boot, start time in clock ticks and pid, so a process that the kernel
//! sensor saw being born and the same process found later in `/proc` have the same one, on every
//! run of the agent. Wall time never enters.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ids::Pid;
use crate::time::Ticks;

/// Separates these ids from every other use of the hash; a change of the recipe changes it too.
const DOMAIN: &[u8; 16] = b"forebear/proc/1\0";

/// A stable id of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostId(pub [u8; 16]);

/// The kernel's id of this boot (`/proc/sys/kernel/random/boot_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootId(pub [u8; 16]);

/// The identity of a process: a UUID version 8 (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessUuid(pub [u8; 16]);

/// Makes process ids for one boot of one host.
#[derive(Clone, Debug)]
pub struct Identities {
    prefix: Sha256,
}

impl Identities {
    /// For this boot of this host.
    pub fn new(host: HostId, boot: BootId) -> Self {
        let mut prefix = Sha256::new();
        prefix.update(DOMAIN);
        prefix.update(host.0);
        prefix.update(boot.0);
        Self { prefix }
    }

    /// The id of the process that started in that tick with that pid. `ordinal` is 0, or counts
    /// the earlier processes of the same tick and pid.
    pub fn process(&self, start: Ticks, pid: Pid, ordinal: u32) -> ProcessUuid {
        let mut hash = self.prefix.clone();
        hash.update(start.0.to_le_bytes());
        hash.update(pid.0.to_le_bytes());
        if ordinal > 0 {
            hash.update(ordinal.to_le_bytes());
        }
        ProcessUuid(version_8(hash.finalize().into()))
    }
}

/// The first 128 bits of a hash as a UUID of version 8, variant RFC 9562.
fn version_8(hash: [u8; 32]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

impl fmt::Display for ProcessUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text[at] = b'-';
                at += 1;
            }
            for nibble in [byte >> 4, byte & 0xf] {
                text[at] = b"0123456789abcdef"[usize::from(nibble)];
                at += 1;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for ProcessUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
