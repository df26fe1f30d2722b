//! Pipelines, nested shells and subshells: who was typed, and for whom it is the answer.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::Scene;

/// The reference's `cat foo.txt | grep bar | wc -l`.
#[test]
fn each_program_of_a_pipeline_is_typed_and_shares_one_group() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("pipe");
    login.run(&format!("cat .profile {marker} | grep {marker} | wc -l - {marker}"));
    let cat = scene.agent.wait_for_exec_of(&["cat", ".profile", &marker]);
    let grep = scene.agent.wait_for_exec_of(&["grep", &marker]);
    let wc = scene.agent.wait_for_exec_of(&["wc", "-l", "-", &marker]);
    for event in [&cat, &grep, &wc] {
        Expect::of(event, "a program of the pipeline")
            .is("self.user_entered", true)
            .is("self.pgid", cat.number("self.pid"))
            .process("parent", login.uuid())
            .process("session_leader", login.uuid())
            .process("inception_session", login.uuid())
            .controlled_from_pts("self", login.pts)
            .stream_on_pts("self", "stderr", login.pts)
            .nobody_entered()
            .met();
    }
    Expect::of(&cat, "cat")
        .stream_on_pts("self", "stdin", login.pts)
        .is("self.stdout.kind", "pipe")
        .met();
    Expect::of(&grep, "grep").is("self.stdin.kind", "pipe").is("self.stdout.kind", "pipe").met();
    Expect::of(&wc, "wc")
        .is("self.stdin.kind", "pipe")
        .stream_on_pts("self", "stdout", login.pts)
        .met();
    login.logout();
    scene.finish();
}

#[test]
fn each_program_of_a_pipeline_is_the_last_typed_one_for_its_descendants() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let markers = ["first", "second", "third"].map(|label| scene.marker(label));
    let part = |marker: &String| format!("sh -c 'sh -c \"ls {marker}; :\"; :'");
    login.run(&markers.each_ref().map(part).join(" | "));
    for marker in &markers {
        let ls = scene.agent.wait_for_exec_of(&["ls", marker]);
        let script = format!("sh -c \"ls {marker}; :\"; :");
        let typed = scene.agent.wait_for_exec_of(&["sh", "-c", &script]);
        Expect::of(&typed, "the program of the pipeline")
            .is("self.user_entered", true)
            .nobody_entered()
            .met();
        Expect::of(&ls, "its descendant")
            .is("self.user_entered", false)
            .process("last_user_entered", typed.uuid("self").unwrap())
            .is("last_user_entered.user_entered", true)
            .holds("the parent is the inner shell", |ls| {
                ls.uuid("parent") != ls.uuid("last_user_entered")
            })
            .process("session_leader", login.uuid())
            .process("inception_session", login.uuid())
            .met();
    }
    login.logout();
    scene.finish();
}

/// Until one of those descendants is typed itself.
#[test]
fn a_shell_that_was_typed_is_the_last_typed_one_for_what_is_typed_in_it() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("inner");
    login.run("PS1='forebear-ready> ' bash --norc -i");
    login.run(&format!("ls {marker}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let inner = scene.agent.wait_for_exec_of(&["bash", "--norc", "-i"]);
    Expect::of(&inner, "the inner shell")
        .is("self.user_entered", true)
        .process("parent", login.uuid())
        .nobody_entered()
        .met();
    Expect::of(&ls, "ls in the inner shell")
        .is("self.user_entered", true)
        .process("parent", inner.uuid("self").unwrap())
        .process("last_user_entered", inner.uuid("self").unwrap())
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .met();
    login.run("exit");
    login.logout();
    scene.finish();
}
