//! Accounts come, change, go, and are shown.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::stage::Stage;

#[test]
fn an_account_is_added_listed_revoked_and_brought_back() {
    let stage = Stage::new();
    let said = stage.run(&["list"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert!(said.err.contains("no accounts in"), "{}", said.err);

    let said = stage.run(&["add", "Ada@Example.com", "--role", "ops", "--role", "dba"]);
    assert_eq!(
        said.err,
        "added ada@example.com; next: forebear-agent users enroll ada@example.com\n"
    );
    stage.done(&["add", "bob@example.com"]);
    assert_eq!(
        stage.done(&["list"]),
        "E-MAIL           ROLES    STATE         BACKUP CODES\n\
         ada@example.com  dba,ops  not enrolled  -\n\
         bob@example.com  -        not enrolled  -\n"
    );

    stage.done(&["revoke", "ada@example.com"]);
    assert_eq!(
        stage.done(&["list", "--json"]),
        "{\"email\":\"ada@example.com\",\"roles\":[\"dba\",\"ops\"],\"state\":\"revoked\"}\n\
         {\"email\":\"bob@example.com\",\"roles\":[],\"state\":\"not enrolled\"}\n"
    );
    stage.done(&["add", "ada@example.com", "--role", "dba"]);
    assert!(stage.done(&["list"]).contains("ada@example.com  dba     not enrolled"));
}

#[test]
fn the_store_and_its_folder_are_made_for_the_owner_alone() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    for (path, mode) in [(stage.path("identity"), 0o700), (stage.store(), 0o600)] {
        let found = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o7777, mode, "{}", path.display());
    }
}

#[test]
fn many_are_imported_at_once() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com", "--role", "ops"]);
    let file = stage.path("people.csv");
    fs_err::write(&file, "email,roles\nada@example.com,dba\nbob@example.com,dba,ops\n").unwrap();
    let said = stage.run(&["import", file.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("imported: 1 added, 1 with other roles, 0 as they were"), "{said:?}");
    let said =
        stage.run_with(&["import", "-"], "{\"email\":\"eve@example.com\",\"roles\":[\"x\"]}");
    assert_eq!(said.code, 0, "{said:?}");
    let list = stage.done(&["list"]);
    for row in ["ada@example.com  dba      ", "bob@example.com  dba,ops  ", "eve@example.com  x   "]
    {
        assert!(list.contains(row), "{row} is not in\n{list}");
    }
}

#[test]
fn programs_that_change_the_store_at_once_lose_nothing() {
    let stage = Stage::new();
    stage.done(&["add", "first@example.com"]);
    let start = |number| {
        let mut command = stage.command();
        command
            .stderr(Stdio::null())
            .args(["add", &format!("n{number}@example.com")])
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..16).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(stage.done(&["list", "--json"]).lines().count(), 17);
}
