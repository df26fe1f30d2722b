//! The executable: which file, by which name, and what is special about it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use forebear_model::{Gid, Uid};

use crate::deeds::deed;
use crate::watch::Watch;

fn copy_of_true(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("program");
    fs::copy("/bin/true", &path).unwrap();
    path
}

#[test]
fn a_script_names_itself_and_its_interpreter() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh -e\nexit 3\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let pid = watch.run(&mut Command::new(&script));
    let exec = watch.exec_of(pid);
    let script = script.as_os_str().as_encoded_bytes();
    assert_eq!(exec.filename, Ok(script));
    assert_eq!(exec.interpreter, Some(&b"/bin/sh"[..]));
    let shell = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(exec.executable.path, Ok(shell.as_os_str().as_encoded_bytes()));
    assert_eq!(exec.argv.iter().collect::<Vec<_>>(), [b"/bin/sh", &b"-e"[..], script]);
    assert_eq!(watch.exit(pid).unwrap().status, 0x300);
}

#[test]
fn a_memory_file_is_told_from_a_deleted_one() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("exec-memfd"));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    assert_eq!(exec.executable.path, Ok(&b"/memfd:deed"[..]));
    assert!(exec.executable.memfd && !exec.executable.deleted);
}

#[test]
fn a_deleted_executable_keeps_its_path() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    let program = copy_of_true(folder.path());
    let pid = watch.run(&mut deed(&format!("exec-deleted:{}", program.display())));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    assert_eq!(exec.executable.path, Ok(program.as_os_str().as_encoded_bytes()));
    assert!(exec.executable.deleted && !exec.executable.memfd);
}

#[test]
fn a_set_user_id_program_says_so() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy_of_true(folder.path());
    chown(&program, Some(0), Some(12)).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).unwrap();
    let pid = watch.run(Command::new(&program).uid(4321).gid(4322));
    let exec = watch.exec_of(pid);
    assert!(exec.setuid && exec.setgid);
    let ids = exec.state.credentials;
    assert_eq!((ids.uid, ids.euid), (Uid(4321), Uid(0)));
    assert_eq!((ids.gid, ids.egid), (Gid(4322), Gid(12)));
    assert_eq!((exec.executable.owner, exec.executable.group), (Uid(0), Gid(12)));
    assert_eq!(exec.executable.mode, 0o106_755);
    // For its owner it changes nothing.
    let pid = watch.run(&mut Command::new(&program));
    assert!(!watch.exec_of(pid).setuid);
}

#[test]
fn deep_directories_have_whole_paths() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    let deep: std::path::PathBuf = std::iter::once(folder.path().as_os_str().to_owned())
        .chain((0..120).map(|level| format!("{level:>020}").into()))
        .collect();
    fs::create_dir_all(&deep).unwrap();
    let program = copy_of_true(&deep);
    let pid = watch.run(Command::new(&program).current_dir(&deep));
    let exec = watch.exec_of(pid);
    assert_eq!(exec.executable.path, Ok(program.as_os_str().as_encoded_bytes()));
    assert_eq!(exec.cwd, Ok(deep.as_os_str().as_encoded_bytes()));
    assert_eq!(exec.executable.file.inode, fs::metadata(&program).unwrap().ino());
}

#[test]
fn paths_end_at_the_process_own_root() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    // A root that is the whole machine, mounted again below the folder.
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    let script = format!(
        "mount --rbind / {root} && mount --make-rslave {root} && exec chroot {root} /bin/true",
        root = root.display()
    );
    let pid = watch.run(Command::new("unshare").args(["--mount", "/bin/sh", "-c", &script]));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    let program = fs::canonicalize("/bin/true").unwrap();
    assert_eq!(exec.filename, Ok(&b"/bin/true"[..]));
    assert_eq!(exec.executable.path, Ok(program.as_os_str().as_encoded_bytes()));
    assert_eq!(exec.cwd, Ok(&b"/"[..]));
}

#[test]
fn a_file_of_the_upper_overlay_layer_says_so() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = "set -e; cd \"$1\"; mount -t tmpfs none .; mkdir lower upper work all; \
                  cp /bin/true lower/below; \
                  mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none all; \
                  cp /bin/true all/above; all/below; all/above";
    let status = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-c", script, "sh"])
        .arg(folder.path())
        .status()
        .unwrap();
    if !status.success() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "overlays cannot be mounted");
        eprintln!("not run: overlays cannot be mounted here");
        return;
    }
    watch.until("both programs", |watch| {
        watch
            .execs()
            .filter(|exec| exec.filename.is_ok_and(|name| name.starts_with(b"all/")))
            .count()
            == 2
    });
    for exec in watch.execs() {
        match exec.filename {
            Ok(b"all/below") => assert!(!exec.executable.upper_layer),
            Ok(b"all/above") => assert!(exec.executable.upper_layer),
            _ => {}
        }
    }
}
