//! Which machine and which boot this is.
//!
//! The host id is a hash, so that an exported event does not give away the machine id, which
//! machine-id(5) asks to keep confidential. It is made of the first of these that is there:
//! 1. `/etc/machine-id`
//! 2. `/var/lib/dbus/machine-id`
//! 3. `/sys/class/dmi/id/product_uuid`, which only root can read
//! 4. the host's name, which is the weakest: two machines of one name would be one
//!
//! Which one it was goes into the hash, so ids of different origin never meet.

use std::fs;
use std::io;
use std::path::Path;

use forebear_model::{BootId, HostId};
use sha2::{Digest, Sha256};

use crate::Error;

/// Separates these ids from every other use of the hash.
const DOMAIN: &[u8; 16] = b"forebear/host/1\0";

/// This machine, this boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// A stable id of the machine.
    pub host_id: HostId,
    /// The kernel's id of this boot.
    pub boot_id: BootId,
    /// The host's name.
    pub name: String,
    /// The kernel's release, as `uname -r` shows it.
    pub kernel: String,
    /// The processor architecture, as `uname -m` shows it.
    pub arch: String,
}

/// Reads them below `root`, which is `/` except in tests.
///
/// # Errors
/// [`Error::File`] or [`Error::Content`] when `/proc` does not tell the boot id.
pub fn machine(root: &Path) -> Result<Machine, Error> {
    let boot_path = root.join("proc/sys/kernel/random/boot_id");
    let boot_text = fs::read_to_string(&boot_path).map_err(|source| Error::File {
        operation: "read the boot id from",
        path: boot_path.clone(),
        source,
    })?;
    let boot_id = uuid_bytes(&boot_text)
        .map(BootId)
        .ok_or(Error::Content { path: boot_path, expected: "a uuid" })?;
    let names = rustix::system::uname();
    let named = |path: &str, otherwise: &std::ffi::CStr| {
        read_line(&root.join(path)).unwrap_or_else(|_| otherwise.to_string_lossy().into_owned())
    };
    let name = named("proc/sys/kernel/hostname", names.nodename());
    Ok(Machine {
        host_id: host_id(root, &name),
        boot_id,
        kernel: named("proc/sys/kernel/osrelease", names.release()),
        arch: names.machine().to_string_lossy().into_owned(),
        name,
    })
}

fn host_id(root: &Path, name: &str) -> HostId {
    let files = ["etc/machine-id", "var/lib/dbus/machine-id", "sys/class/dmi/id/product_uuid"];
    for (origin, file) in (1u8..).zip(files) {
        let id = read_line(&root.join(file)).ok().as_deref().and_then(uuid_bytes);
        // All zeros and all ones are what firmware writes when nobody gave it an id.
        if let Some(id) = id
            && id != [0; 16]
            && id != [0xff; 16]
        {
            return hashed(origin, &id);
        }
    }
    hashed(0, name.as_bytes())
}

fn hashed(origin: u8, bytes: &[u8]) -> HostId {
    let hash = Sha256::new().chain_update(DOMAIN).chain_update([origin]).chain_update(bytes);
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    HostId(id)
}

fn read_line(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map(|text| text.trim().to_owned())
}

/// The 16 bytes of a uuid, with or without hyphens.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut digits = text.trim().bytes().filter(|byte| *byte != b'-');
    for byte in &mut bytes {
        let high = char::from(digits.next()?).to_digit(16)?;
        let low = char::from(digits.next()?).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let boot_id = ("proc/sys/kernel/random/boot_id", "0a1b2c3d-0405-0607-0809-0a0b0c0d0e0f\n");
        for (path, text) in files.iter().chain([&boot_id]) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn id(files: &[(&str, &str)]) -> HostId {
        machine(root(files).path()).unwrap().host_id
    }

    const ID: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4\n";

    #[test]
    fn the_boot_id_is_read_as_bytes() {
        let machine = machine(root(&[]).path()).unwrap();
        assert_eq!(machine.boot_id.0[..5], [0x0a, 0x1b, 0x2c, 0x3d, 0x04]);
        assert!(!machine.arch.is_empty());
    }

    #[test]
    fn the_host_id_depends_on_the_machine_id_and_on_where_it_was_found() {
        let etc = id(&[("etc/machine-id", ID), ("proc/sys/kernel/hostname", "a\n")]);
        let renamed = id(&[("etc/machine-id", ID), ("proc/sys/kernel/hostname", "b\n")]);
        assert_eq!(etc, renamed);
        assert_ne!(etc, id(&[("var/lib/dbus/machine-id", ID)]));
    }

    #[test]
    fn an_unset_machine_id_is_passed_over() {
        let name = ("proc/sys/kernel/hostname", "a\n");
        let by_name = id(&[name]);
        assert_eq!(by_name, id(&[("etc/machine-id", "uninitialized\n"), name]));
        let zeros = "00000000-0000-0000-0000-000000000000\n";
        assert_eq!(by_name, id(&[("sys/class/dmi/id/product_uuid", zeros), name]));
    }

    #[test]
    fn the_host_id_does_not_contain_the_machine_id() {
        assert_ne!(id(&[("etc/machine-id", ID)]).0.to_vec(), uuid_bytes(ID).unwrap().to_vec());
    }
}
