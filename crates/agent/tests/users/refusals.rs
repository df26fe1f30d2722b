//! What is refused, with the words and the exit code, and that nothing has been changed then.

use std::os::unix::fs::symlink;

use crate::stage::{Stage, chmod};

#[test]
fn an_account_that_is_not_there_is_answered_with_the_nearest() {
    let stage = Stage::new();
    let parts = ["there is no account adda@example.com", "the nearest is ada@example.com"];
    stage.refused(&["revoke", "adda@example.com"], 3, &["there are no accounts yet", "users add"]);
    stage.done(&["add", "ada@example.com"]);
    stage.done(&["add", "bob@example.com"]);
    stage.refused(&["revoke", "adda@example.com"], 2, &parts);
    stage.refused(&["enroll", "adda@example.com", "--stdout"], 2, &parts);
}

#[test]
fn what_is_there_already_or_revoked_is_told_with_what_to_do() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    let parts = ["there is an account ada@example.com already", "`users import`"];
    stage.refused(&["add", "ada@example.com", "--role", "x"], 2, &parts);
    stage.done(&["revoke", "ada@example.com"]);
    let parts = ["the account ada@example.com is revoked", "users add ada@example.com"];
    stage.refused(&["revoke", "ada@example.com"], 2, &parts);
    stage.refused(&["enroll", "ada@example.com", "--stdout"], 2, &parts);
}

#[test]
fn wrong_names_and_numbers_are_wrong_usage() {
    let stage = Stage::new();
    stage.refused(&["add", "ada"], 2, &["this is no e-mail address"]);
    stage.refused(&["add", "a@b", "--role", "d b a"], 2, &["a role is 1 to 64 of the characters"]);
    stage.refused(&["enroll", "a@b", "--digits", "9", "--stdout"], 2, &["9 is not in 6..=8"]);
    stage.refused(&["enroll", "a@b", "--digits", "7", "--stdout"], 2, &["6 or 8 digits"]);
    stage.refused(&["remove", "a@b"], 2, &["unrecognized subcommand"]);
}

#[test]
fn a_store_that_is_a_link_is_refused() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    fs_err::rename(stage.store(), stage.path("identity/real.toml")).unwrap();
    symlink(stage.path("identity/real.toml"), stage.store()).unwrap();
    for arguments in [&["list"][..], &["add", "bob@example.com"], &["revoke", "ada@example.com"]] {
        stage.refused(arguments, 3, &["it is a symbolic link"]);
    }
}

#[test]
fn a_store_that_others_can_read_is_refused() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    chmod(&stage.store(), 0o644);
    let file = ["its mode 644 lets others in", "chmod 600", "enrol everybody anew"];
    stage.refused(&["list"], 3, &file);
    stage.refused(&["add", "bob@example.com"], 3, &file);
    chmod(&stage.store(), 0o600);
    chmod(&stage.path("identity"), 0o755);
    stage.refused(&["list"], 3, &["its mode 755 lets others in", "chmod 700"]);
    chmod(&stage.path("identity"), 0o700);
    stage.done(&["list"]);
}

#[test]
fn a_store_that_is_wrong_is_told_line_by_line() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    let wrong = "version = 1\n[[account]]\nemail = \"Ada\"\nrole = []\n";
    fs_err::write(stage.store(), wrong).unwrap();
    let parts = ["accounts.toml:3: [[account]] email", "accounts.toml:4: [[account]] has a key"];
    stage.refused(&["add", "bob@example.com"], 3, &parts);
    fs_err::write(stage.store(), "version = 2\n").unwrap();
    stage.refused(&["list"], 3, &["they have format version 2", "use the newer program"]);
}

#[test]
fn an_import_with_a_wrong_line_changes_nothing() {
    let stage = Stage::new();
    stage.done(&["add", "ada@example.com"]);
    stage.done(&["add", "eve@example.com"]);
    stage.done(&["revoke", "eve@example.com"]);
    let file = stage.path("people.csv");
    let name = file.to_str().unwrap();
    fs_err::write(&file, "new@example.com,dba\nbob\nada@example.com,d!\n").unwrap();
    let parts =
        ["2 problem(s); nothing was changed", "people.csv:2: \"bob\"", "people.csv:3: \"d!\""];
    stage.refused(&["import", name], 2, &parts);
    fs_err::write(&file, "new@example.com,dba\neve@example.com,dba\n").unwrap();
    stage.refused(&["import", name], 2, &["people.csv:2: the account eve@example.com is revoked"]);
    stage.refused(&["import", "/nowhere/people.csv"], 2, &["no such file"]);
}
