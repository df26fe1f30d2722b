//! Somebody asks in the name of a process that is not theirs: by fields and messages that do not
//! exist, by forged credentials, by ending before the answer. They are root, since nobody else may
//! ask, and become that in their own login.

use std::path::PathBuf;

use forebear_testkit::account::Account as LinuxUser;
use forebear_testkit::means::{Means, available};
use forebear_testkit::ssh;
use forebear_testkit::sshd::{Options, Sshd};
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::terminal::Terminal;
use forebear_testkit::wait;
use serde_json::Value;

use crate::identity::{Person, Scene, assert_is, can_ask, who};

/// Asks at the socket in one of several ways, and writes down what the last answer was.
const PROGRAM: &str = "\
import os, socket, struct, sys
path, version, how, victim, uid, user, email, choice, code, result = sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(path)
def frame(kind, payload):
    return bytes([int(version), kind]) + struct.pack('>H', len(payload)) + payload
def reply():
    try:
        head = s.recv(4, socket.MSG_WAITALL)
        text = s.recv(struct.unpack('>H', head[2:])[0], socket.MSG_WAITALL)
    except (OSError, struct.error):
        return 'nothing'
    return {3: 'asked', 4: 'told', 5: 'granted', 6: 'denied'}[head[1]] + ' ' + text.decode()
hello = b'\\0'.join([b'login', user.encode(), b'', b'pts/0'])
answers = [frame(2, answer.encode()) for answer in (email, choice, code)]
messages = {
    'field': [frame(1, hello + b'\\0' + victim.encode())],
    'kind': [frame(1, hello), frame(8, victim.encode())],
    'hello': [frame(1, hello), frame(1, hello)],
    'ended': [frame(1, hello), *answers],
    'credentials': [frame(1, hello), *answers],
}[how]
forged = struct.pack('3i', int(victim), int(uid), int(uid))
forged = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, forged)]
for message in messages:
    s.sendmsg([message], forged)
    last = reply()
    if how == 'ended' and message is messages[0]:
        own = os.getpid()
        if os.fork():
            os._exit(0)
        while os.getppid() == own:
            pass
with open(result + '.new', 'w') as file:
    file.write(last)
os.rename(result + '.new', result)
";

/// Two logins of two Linux users whom nobody has asked: of somebody who may become root, and of
/// whom they would be taken for.
struct Forgery<'s> {
    scene: &'s Scene,
    ann: Person,
    attacker: Terminal,
    victim: Terminal,
    /// Of the victim's shell.
    pid: String,
    victims: LinuxUser,
    program: PathBuf,
    _sshd: Sshd,
    _rule: SudoRule,
}

impl<'s> Forgery<'s> {
    fn new(scene: &'s Scene) -> Self {
        let rule = SudoRule::for_everything(&scene.shared);
        let victims = LinuxUser::new("/bin/bash".as_ref());
        let sshd = Sshd::start(&victims, Options::default());
        let program = scene.shared.folder().join("forge.py");
        fs_err::write(&program, PROGRAM).unwrap();
        let mut victim = ssh::login(&sshd, &victims);
        let shown = victim.run("echo shell=$$.");
        let pid =
            shown.rsplit("shell=").find_map(|text| text.split_once('.')).unwrap().0.to_owned();
        let attacker = ssh::login(&scene.sshd, &scene.shared);
        let ann = scene.person("ann@example.com");
        Self { scene, ann, attacker, victim, pid, victims, program, _sshd: sshd, _rule: rule }
    }

    /// What the last answer to the program was.
    fn forge(&mut self, how: &str, (choice, code): (u32, &str)) -> String {
        let (scene, victims) = (self.scene, &self.victims);
        let result = scene.shared.folder().join(how);
        let words = [
            scene.place.path("run/identity.sock").display().to_string(),
            forebear_door::VERSION.to_string(),
            how.to_owned(),
            self.pid.clone(),
            victims.uid().to_string(),
            victims.name().to_owned(),
            "ann@example.com".to_owned(),
            choice.to_string(),
            code.to_owned(),
            result.display().to_string(),
        ];
        let program = self.program.display();
        let line = format!("sudo -n /usr/bin/python3 {program} {}", words.join(" "));
        self.attacker.run(&line);
        wait::until("the last answer", || fs_err::read_to_string(&result).ok())
    }

    /// What happens now in both logins: the attacker's, the victim's.
    fn now(&mut self) -> (Value, Value) {
        (self.scene.run(&mut self.attacker), self.scene.run(&mut self.victim))
    }

    #[track_caller]
    fn nobody_is_known(&mut self) {
        let (attacker, victim) = self.now();
        assert_eq!((who(&attacker).0, who(&victim).0), (None, None));
    }
}

#[test]
fn who_asks_in_the_name_of_another_process_binds_only_their_own_session() {
    const MEANS: [Means; 1] = [Means::Program("sudo")];
    if !can_ask() || !available(&MEANS) {
        return;
    }
    let scene = Scene::where_ask(&["su"]);
    let service = scene.place.start();
    let mut forgery = Forgery::new(&scene);
    let (code, backup) = (forgery.ann.code(), forgery.ann.backup().to_owned());
    // There is no message, and no field of one, that names a process.
    assert_eq!(forgery.forge("field", (1, &code)), "nothing");
    assert!(scene.place.talk().contains("there are too many fields"));
    for how in ["kind", "hello"] {
        let last = forgery.forge(how, (1, &code));
        assert!(last.starts_with("denied No answer came in time"), "{how}: {last}");
    }
    forgery.nobody_is_known();

    // Right answers of a process that has not connected, for one that has ended.
    let last = forgery.forge("ended", (1, &code));
    assert!(
        last.starts_with("denied You are known, but this login could not be recorded"),
        "{last}"
    );
    forgery.nobody_is_known();

    // The kernel lets root say that they are another process; the agent does not ask that.
    assert_eq!(forgery.forge("credentials", (2, &backup)), "granted ");
    let (attacker, victim) = forgery.now();
    assert_is(&attacker, &forgery.ann);
    assert_eq!(who(&victim).0, None);
    assert_ne!(attacker["inception_session"]["uuid"], victim["inception_session"]["uuid"]);

    // What was said of the login is on record as said, beside whose login it was.
    let account = scene.wait_for("the verification", |account| {
        account.events.iter().any(|event| event["verification"]["outcome"] == "verified")
    });
    let is_it = |event: &&Value| event["verification"]["outcome"] == "verified";
    let told = account.events.iter().find(is_it).unwrap();
    assert_eq!(told["verification"]["user"], forgery.victims.name());
    assert_eq!(told["inception_session"]["uuid"], attacker["inception_session"]["uuid"]);
    assert_ne!(told["self"]["pid"].to_string(), forgery.pid);
    service.stop();
}
