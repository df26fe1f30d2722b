//! One recording by the service, asked at every place that it was put to: a folder, S3, Cloud
//! Storage; as lines and as columns. Everywhere the answers are the same.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use forebear_testkit::bucket::{Gcs, SEAWEED, Seaweed};
use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::process::Owned;
use forebear_testkit::scene::{Scene, readable_folder};
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::{agent, wait};
use rustix::process::Signal;

/// How long the end may take: everything is uploaded before it.
const END: Duration = Duration::from_secs(90);

/// A place that the service writes to and the tool reads.
struct Place {
    /// The keys of its `[[destination]]` besides the name.
    destination: String,
    /// What names it to the tool.
    words: Vec<String>,
    /// What both need to know to be let in.
    variables: Vec<(String, String)>,
}

fn folder(path: &Path) -> Place {
    let path = path.join("events");
    fs_err::create_dir(&path).unwrap();
    Place {
        destination: format!("url = \"file://{}\"\ncompression = \"none\"\n", path.display()),
        words: vec![path.display().to_string()],
        variables: Vec::new(),
    }
}

fn bucket(url: &str, endpoint: &str, more: &str, variables: Vec<(String, String)>) -> Place {
    let mut words = vec![format!("{url}/some/prefix"), "--endpoint".into(), endpoint.into()];
    words.push("--allow-http".to_owned());
    let destination = format!(
        "url = \"{url}/some/prefix\"\nendpoint = \"{endpoint}\"\nallow_http = true\n{more}"
    );
    Place { destination, words, variables }
}

impl Place {
    /// What the tool prints; it has to find something and to say nothing.
    #[track_caller]
    fn ask(&self, question: &[&str], home: &Path) -> String {
        self.tell(question, &self.words, home)
    }

    /// The same with other words than those that name it.
    #[track_caller]
    fn tell(&self, question: &[&str], words: &[String], home: &Path) -> String {
        let mut tool = Command::new(agent::tool());
        tool.args(question).args(words).env_clear().env("HOME", home);
        let output = tool.envs(self.variables.iter().cloned()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert_eq!((code, said.as_str()), (Some(0), ""), "{question:?} of {words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Another place beside it with the same as columns.
    #[track_caller]
    fn compacted(&self, home: &Path) -> Self {
        let (place, reached) = self.words.split_first().unwrap();
        let columns = format!("{place}-columns");
        let words = |places: &[&String]| -> Vec<String> {
            places.iter().copied().chain(reached).cloned().collect()
        };
        let said = self.tell(&["compact"], &words(&[place, &columns]), home);
        assert!(said.contains("; now: ") && !said.contains("; now: 0"), "{said}");
        let (destination, variables) = (String::new(), self.variables.clone());
        Self { destination, words: words(&[&columns]), variables }
    }
}

/// Lines in no order: columns are in that of time, lines in that of their numbers.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Starts the service with these destinations; ready.
fn start(home: &Path, places: &[Place]) -> Owned {
    let mut config = format!(
        "[spool]\ndir = {:?}\n[batch]\nmax_age = \"2s\"\n[status]\nsocket = {:?}\n",
        home.join("spool"),
        home.join("status.sock")
    );
    for (number, place) in places.iter().enumerate() {
        config += &format!("[[destination]]\nname = \"d{number}\"\n{}", place.destination);
    }
    let (file, talk) = (home.join("agent.toml"), home.join("talk"));
    fs_err::write(&file, config).unwrap();
    let mut command = agent::command(&["run", "--config"]);
    command.arg(&file).env("HOME", home).env_remove("NOTIFY_SOCKET").stdout(Stdio::null());
    command.envs(places.iter().flat_map(|place| place.variables.iter().cloned()));
    command.stderr(fs_err::File::create(&talk).unwrap().into_parts().0);
    let mut service = Owned::new("the service", command.spawn().unwrap());
    wait::until("the service to be ready", || {
        let said = fs_err::read_to_string(&talk).unwrap();
        let ended = service.ended();
        assert!(ended.is_none(), "the service ended ({ended:?}):\n{said}");
        said.lines().any(|line| line.starts_with("ready")).then_some(())
    });
    service
}

#[test]
fn a_recording_gives_the_same_answers_everywhere_as_lines_and_as_columns() {
    let programs = [Means::Program("sudo"), Means::Program("tmux")];
    if !available(LOGIN) || !available(&programs) || !available(SEAWEED) {
        return;
    }
    let home = readable_folder();
    let (s3, gcs) = (Seaweed::start("bucket"), Gcs::start("box"));
    let credentials = s3.environment().into_iter().collect();
    let mut cloud = bucket(
        &gcs.url(),
        &gcs.endpoint(),
        "anonymous = true\ncompression = \"gzip\"\n",
        Vec::new(),
    );
    cloud.words.push("--anonymous".to_owned());
    let places = [
        folder(home.path()),
        bucket(&s3.url(), &s3.endpoint(), "region = \"us-east-1\"\n", credentials),
        cloud,
    ];
    let mut service = start(home.path(), &places);

    let mut scene = Scene::new("bash");
    let _rule = SudoRule::for_everything(&scene.account);
    let mut login = scene.login();
    let marker = scene.marker("asked");
    let socket = scene.account.home().join("tmux.socket").display().to_string();
    login.run(&format!("ls typed-{marker}"));
    login.run(&format!("sudo -n ls root-{marker}"));
    login.run(&format!("tmux -S {socket} -f /dev/null new-session -d 'ls tmux-{marker}; :'"));
    for kind in ["typed", "root", "tmux"] {
        scene.agent.wait_for_exec_of(&["ls", &format!("{kind}-{marker}")]);
    }
    let (session, user) = (login.uuid().to_owned(), scene.account.name().to_owned());
    login.logout();
    scene.finish();
    service.signal(Signal::TERM);
    let status = service.wait(END);
    let talk = fs_err::read_to_string(home.path().join("talk")).unwrap();
    assert!(status.success(), "the service ended with {status}:\n{talk}");

    let mine = format!("session_user = '{user}' and cmd_root = 'ls' and cmd = '*-{marker}'");
    let root = format!("session = '{session}' and cmd_exec_user = 'root'");
    let sql = format!(
        "SELECT cmd_root, exec_user, typed, count(*) AS times FROM commands \
         WHERE session = '{session}' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let questions: [&[&str]; 5] = [
        &["query", &mine],
        &["query", &root],
        &["query", "--sql", &sql],
        &["sessions", "--all"],
        &["tree", &session],
    ];
    let answers = |place: &Place| questions.map(|question| place.ask(question, home.path()));
    let expected = answers(&places[0]);
    let [mine, root, counts, sessions, tree] = &expected;
    assert_eq!(mine.lines().count(), 3, "{mine}");
    for kind in ["typed", "root", "tmux"] {
        assert!(mine.contains(&format!("\"{kind}-{marker}\"")), "{mine}");
        assert!(tree.contains(&format!("ls {kind}-{marker}")), "{tree}");
    }
    assert!(root.contains(&format!("\"root-{marker}\"")), "{root}");
    assert!(!root.contains(&format!("\"typed-{marker}\"")), "{root}");
    assert!(counts.contains("\"cmd_root\":\"ls\",\"exec_user\":\"root\""), "{counts}");
    assert!(sessions.contains(&session), "{sessions}");
    for place in &places[1..] {
        for ((question, here), there) in questions.iter().zip(answers(place)).zip(&expected) {
            assert_eq!(&here, there, "{question:?} of {:?}", place.words);
        }
    }
    for place in &places {
        let columns = place.compacted(home.path());
        for ((question, here), there) in questions.iter().zip(answers(&columns)).zip(&expected) {
            assert_eq!(sorted(&here), sorted(there), "{question:?} of {:?}", columns.words);
        }
    }
}
