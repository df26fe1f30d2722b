//! Stores that are refused, and two that change one at the same time.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;
use crate::name::Email;
use crate::text::MAX_BYTES;

/// A folder for the owner alone, and a store in it that does not exist yet.
fn place() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    chmod(folder.path(), 0o700);
    let store = Store::at(folder.path().join("accounts.toml"));
    (folder, store)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn put(store: &Store, text: &str) {
    fs::write(store.path(), text).unwrap();
    chmod(store.path(), 0o600);
}

fn add(store: &Store, email: &str) -> Result<(), StoreError> {
    let email: Email = email.parse().unwrap();
    store.update(|accounts| {
        accounts.add(email, BTreeSet::new()).unwrap();
        Ok(())
    })
}

/// What reading and changing say; it is the same, and nothing has been changed.
#[track_caller]
fn refusal(store: &Store) -> String {
    let before = fs::read(store.path()).ok();
    let error = store.read().unwrap_err().to_string();
    assert_eq!(add(store, "ada@example.com").unwrap_err().to_string(), error);
    assert_eq!(fs::read(store.path()).ok(), before);
    error
}

#[test]
fn what_is_added_is_there_and_for_the_owner_alone() {
    let (_folder, store) = place();
    assert!(store.read().unwrap().is_empty());
    add(&store, "ada@example.com").unwrap();
    add(&store, "bob@example.com").unwrap();
    assert_eq!(store.read().unwrap().len(), 2);
    assert_eq!(fs::metadata(store.path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_folder_is_made_for_the_owner_alone() {
    let (folder, _) = place();
    let store = Store::at(folder.path().join("a/b/accounts.toml"));
    assert!(store.read().unwrap().is_empty());
    let missing = add(&store, "ada@example.com").unwrap_err().to_string();
    assert!(missing.contains("there are no accounts yet"), "{missing}");
    store.create_folder().unwrap();
    add(&store, "ada@example.com").unwrap();
    for made in ["a", "a/b"] {
        let mode = fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
    }
}

#[test]
fn a_link_is_refused_also_if_what_it_names_is_good() {
    let (folder, store) = place();
    let real = Store::at(folder.path().join("real.toml"));
    add(&real, "ada@example.com").unwrap();
    symlink(real.path(), store.path()).unwrap();
    assert!(refusal(&store).contains("it is a symbolic link"));

    let linked = folder.path().join("linked");
    symlink(folder.path(), &linked).unwrap();
    let through = Store::at(linked.join("real.toml"));
    assert!(refusal(&through).contains("symbolic link or no folder"));
}

#[test]
fn what_others_can_read_or_write_is_refused() {
    let (folder, store) = place();
    put(&store, "version = 1\n");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o666] {
        chmod(store.path(), mode);
        let error = refusal(&store);
        assert!(error.contains(&format!("its mode {mode:o} lets others in")), "{error}");
        assert!(error.contains("chmod 600"), "{error}");
    }
    chmod(store.path(), 0o600);
    for mode in [0o750, 0o705, 0o711, 0o1777] {
        chmod(folder.path(), mode);
        assert!(refusal(&store).contains("chmod 700"));
    }
    chmod(folder.path(), 0o700);
    assert!(store.read().unwrap().is_empty());
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!in_ci, "this test needs root, and CI=true demands it");
        eprintln!("not run: giving a file away needs root");
        return;
    }
    let (folder, store) = place();
    put(&store, "version = 1\n");
    std::os::unix::fs::chown(store.path(), Some(65534), None).unwrap();
    assert!(refusal(&store).contains("belongs to user 65534, and this program runs as user 0"));
    std::os::unix::fs::chown(store.path(), Some(0), None).unwrap();
    std::os::unix::fs::chown(folder.path(), Some(65534), None).unwrap();
    assert!(refusal(&store).contains("belongs to user 65534"));
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let (_folder, store) = place();
    fs::create_dir(store.path()).unwrap();
    assert!(refusal(&store).contains("it is not a file"));
    fs::remove_dir(store.path()).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, store.path(), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();
    let error = store.read().unwrap_err().to_string();
    assert!(error.contains("it is not a file"), "{error}");
    assert!(Store::at("/").read().unwrap_err().to_string().contains("it is not a file"));
}

#[test]
fn what_is_too_large_is_refused_unread() {
    let (_folder, store) = place();
    put(&store, "");
    fs::File::options().write(true).open(store.path()).unwrap().set_len(MAX_BYTES + 1).unwrap();
    let error = store.read().unwrap_err().to_string();
    assert!(error.contains("are more than the"), "{error}");
}

#[test]
fn a_later_version_and_a_wrong_text_are_refused_and_left_as_they_are() {
    let (_folder, store) = place();
    put(&store, "version = 7\nshiny = true\n");
    assert!(refusal(&store).contains("they have format version 7"));
    put(&store, "version = 1\nshiny = true\n\n[[account]]\nemail = 7\n");
    let error = refusal(&store);
    for line in ["accounts.toml:2: the store has a key", "accounts.toml:5: [[account]] email"] {
        assert!(error.contains(line), "{line} is not in\n{error}");
    }
    fs::write(store.path(), b"version = 1\n\xff\xfe").unwrap();
    let error = refusal(&store);
    assert!(error.contains("accounts.toml:2: this is not UTF-8"), "{error}");
}

#[test]
fn a_change_that_fails_or_is_none_writes_nothing() {
    let (_folder, store) = place();
    put(&store, "# by hand\nversion = 1\n");
    let before = fs::metadata(store.path()).unwrap().modified().unwrap();
    let failed = store.update(|accounts| {
        accounts.add("ada@example.com".parse().unwrap(), BTreeSet::new()).unwrap();
        Err::<(), _>(StoreError::Missing { path: PathBuf::new() })
    });
    assert!(failed.is_err());
    store.update(|_| Ok::<_, StoreError>(())).unwrap();
    assert_eq!(fs::metadata(store.path()).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read_to_string(store.path()).unwrap(), "# by hand\nversion = 1\n");
}

#[test]
fn what_a_crash_left_is_in_nobodys_way_and_a_link_there_is_not_followed() {
    let (folder, store) = place();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, folder.path().join("accounts.toml.new")).unwrap();
    add(&store, "ada@example.com").unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(store.read().unwrap().len(), 1);
    assert!(!folder.path().join("accounts.toml.new").exists());
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let (_folder, store) = place();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..8 {
                    add(store, &format!("w{writer}n{number}@example.com")).unwrap();
                }
            });
        }
    });
    assert_eq!(store.read().unwrap().len(), 32);
}
