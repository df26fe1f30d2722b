//! The readable form, on events made here.
//!
//! Invariant: nothing that an event holds reaches a terminal as a control sequence.

use proptest::prelude::*;

use super::*;
use crate::samples;

fn shown(event: &Event) -> String {
    let mut out = String::new();
    line(event, false, &mut out);
    out
}

/// The sample of this name, changed.
fn changed(name: &str, change: impl FnOnce(&mut Event)) -> String {
    let (_, mut event) = samples::all().into_iter().find(|(other, _)| *other == name).unwrap();
    change(&mut event);
    shown(&event)
}

fn changed_exec(name: &str, change: impl FnOnce(&mut crate::v1::Exec)) -> String {
    changed(name, |event| match event {
        Event::Exec(exec) => change(exec),
        _ => unreachable!("{name} is an EXEC"),
    })
}

#[test]
fn a_typed_command_tells_who_from_where_and_what() {
    let line = changed_exec("exec-ls", |_| ());
    assert_eq!(line, "12:08:51.412 alice ssh 10.0.0.1 pts/0 typed $ ls --color=auto -l [4127]\n");
}

#[test]
fn a_builtin_is_called_so_and_a_failure_shows() {
    let line = |change: fn(&mut crate::v1::BuiltinCall)| {
        changed("builtin-cd", |event| match event {
            Event::Builtin(builtin) => change(&mut builtin.builtin),
            _ => unreachable!("it is a BUILTIN"),
        })
    };
    assert_eq!(
        line(|_| ()),
        "12:09:00.118 alice ssh 10.0.0.1 pts/0 typed $ cd /srv/shop (builtin) [4109]\n"
    );
    let failed = line(|call| {
        call.line = None;
        call.exit_status = Some(1);
    });
    assert!(failed.contains(" in bash $ cd /srv/shop (builtin) (status 1) [4109]"), "{failed}");
    let effect = line(|call| call.source = BuiltinSource::Effect);
    assert!(effect.contains(" (builtin, by its effect) "), "{effect}");
}

#[test]
fn a_login_is_called_so() {
    let line = changed_exec("exec-login-shell", |_| ());
    assert_eq!(line, "12:08:45.000 alice ssh 10.0.0.1 pts/0 login $ -bash [4109]\n");
}

#[test]
fn a_person_acting_as_root_stays_visible() {
    let line = changed_exec("exec-ls", |exec| {
        exec.this.euid = 0;
        exec.this.effective_user = Some("root".to_owned());
    });
    assert!(line.contains(" alice→root ssh "), "{line}");
}

#[test]
fn a_command_that_was_not_typed_tells_its_parent_and_the_typed_command() {
    let line = changed_exec("exec-ls", |exec| {
        let make = exec.this.clone();
        exec.this.user_entered = false;
        exec.last_user_entered =
            Some(Process { uuid: uuid::Uuid::from_u128(9), name: Some("make".to_owned()), ..make });
        exec.parent.as_mut().unwrap().name = Some("sh".to_owned());
    });
    assert!(line.contains(" by sh for make $ ls "), "{line}");
}

#[test]
fn another_name_than_its_own_is_told() {
    let line = changed_exec("exec-ls", |exec| {
        exec.this.argv = Some(vec!["[kworker/0:1]".to_owned()]);
    });
    assert!(line.contains(" $ '[kworker/0:1]' (is ls) ["), "{line}");
}

#[test]
fn losses_stand_out() {
    let line = changed("agent", |event| {
        let Event::Agent(report) = event else { unreachable!() };
        report.reason = Reason::Lost;
        report.counters.insert("lost_kernel".to_owned(), 12);
    });
    assert!(line.contains("EVENTS LOST") && line.contains("12 lost lost_kernel=12"), "{line}");
}

#[test]
fn colour_changes_nothing_but_escapes() {
    for (_, event) in samples::all() {
        let mut coloured = String::new();
        line(&event, true, &mut coloured);
        let mut plain = String::new();
        let mut parts = coloured.split('\u{1b}');
        plain.push_str(parts.next().unwrap());
        for part in parts {
            plain.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(plain, shown(&event));
    }
}

proptest! {
    #[test]
    fn no_text_of_an_event_acts_on_the_terminal(text in "(\\PC|[\0-\x1f\u{7f}-\u{9f}\u{202e}])*") {
        let line = changed_exec("exec-ls", |exec| {
            let all = || Some(text.clone());
            for process in [&mut exec.this, exec.parent.as_mut().unwrap()] {
                process.name = all();
                process.exe = all();
                process.user = all();
                process.login_user = all();
                process.argv = Some(vec![text.clone(), text.clone()]);
                process.user_entered = false;
                process.tty.as_mut().unwrap().name = all();
                process.exe_flags = vec![text.as_str().into()];
            }
            exec.inception_session.as_mut().unwrap().entry = text.as_str().into();
            exec.inception_session.as_mut().unwrap().kind = text.as_str().into();
            exec.missing.insert("parent".to_owned(), text.as_str().into());
        });
        let control = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        prop_assert!(!line.trim_end_matches('\n').chars().any(control), "{:?}", line);
    }
}
