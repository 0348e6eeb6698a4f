//! A place to work in, users to work as, and a parent process that runs plans for them.

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The id of the unprivileged user.
const NOBODY: u32 = 65_534;

/// Held by tests that start as many processes as they may, and by tests in which the kernel counts all processes
/// of a user, because there is no user namespace.
pub(crate) static CROWD: Mutex<()> = Mutex::new(());

/// Who runs the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Root.
    Root,
    /// Somebody without privileges: user 65534, or whoever runs the tests without being root.
    Plain,
}

/// A directory of one user's own, with the tester in it.
pub(crate) struct Place {
    pub(crate) user: User,
    directory: TempDir,
    runs: Cell<u32>,
}

/// Runs a test as root, when the tests run as root, and as an unprivileged user.
///
/// Skips, and says so, a user for whom this machine has no full isolation.
pub(crate) fn as_each_user(test: impl Fn(&Place)) {
    for place in places() {
        let probe = place.drive(&json!({}));
        if probe.contains("isolation: Full") {
            test(&place);
        } else {
            skipped(&format!("{:?}, because isolation is missing here:\n{probe}", place.user));
        }
    }
}

/// Says that something is not tested here; where everything must be, that is a failure.
pub(crate) fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "not tested: {what}");
    eprintln!("SKIPPED: {what}");
}

/// The places of all users that there are, whatever isolation they have.
pub(crate) fn places() -> Vec<Place> {
    let users = if is_root() {
        vec![User::Root, User::Plain]
    } else {
        skipped("root, which these tests do not run as");
        vec![User::Plain]
    };
    users.into_iter().map(Place::new).collect()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Place {
    fn new(user: User) -> Self {
        let directory = TempDir::new().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let place = Self { user, directory, runs: Cell::new(0) };
        // By another process: one that is started meanwhile would inherit the open file, and it could not be run.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_bartizan-sandbox-tester")).arg(place.tester());
        assert!(copy.status().unwrap().success());
        if is_root() && user == User::Plain {
            chown(place.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn tester(&self) -> PathBuf {
        self.path().join("tester")
    }

    /// Writes a file that its user owns.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        for folder in
            path.parent().unwrap().ancestors().take_while(|folder| !folder.exists()).collect::<Vec<_>>()
        {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(&path, content).unwrap();
        if is_root() && self.user == User::Plain {
            for path in path.ancestors().take_while(|path| *path != self.path()) {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        path
    }

    /// Where the latest job's output is to be published.
    pub(crate) fn output(&self) -> PathBuf {
        self.path().join(format!("published-{}", self.runs.get()))
    }

    /// A command of the tester, started as this user.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.tester());
        command.args(arguments).current_dir("/");
        self.given_to(command)
    }

    /// A command, to be started as this user.
    pub(crate) fn given_to(&self, mut command: Command) -> Command {
        if is_root() && self.user == User::Plain {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs a plan in a parent process of its own, and returns what that says about it.
    pub(crate) fn drive(&self, order: &Value) -> String {
        self.drive_with(order, &[])
    }

    /// As [`drive`](Self::drive), with variables in the parent's environment.
    pub(crate) fn drive_with(&self, order: &Value, variables: &[(&str, &str)]) -> String {
        let mut order = order.clone();
        self.runs.set(self.runs.get() + 1);
        order.as_object_mut().unwrap().entry("output").or_insert_with(|| json!(self.output()));
        let mut command = self.command(&["drive"]);
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The plan of an attack, with the tester inside.
    pub(crate) fn attack(&self, words: &[&str]) -> Value {
        let tester = self.tester();
        let mut command = vec![tester.to_str().unwrap(), "attack"];
        command.extend(words);
        json!({ "command": command, "read_only": [tester] })
    }

    /// Runs an attack inside.
    pub(crate) fn attacked(&self, words: &[&str]) -> String {
        self.drive(&self.attack(words))
    }

    /// Runs a shell script inside.
    pub(crate) fn script(&self, script: &str) -> String {
        self.drive(&json!({ "command": ["/bin/sh", "-c", script] }))
    }

    /// Runs an attack outside, to see that it would get through.
    pub(crate) fn unconfined(&self, words: &[&str]) -> String {
        let output = self.command(&["attack"]).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Whether any process of this machine has a word in its command line, given some time to die.
pub(crate) fn anybody_says(word: &str) -> bool {
    for _ in 0..50 {
        let lines = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        if !lines.map(|line| String::from_utf8_lossy(&line).into_owned()).any(|line| line.contains(word)) {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    true
}

/// Fails unless `text` has a line that starts with `start`.
#[track_caller]
pub(crate) fn has(text: &str, start: &str) {
    assert!(text.lines().any(|line| line.starts_with(start)), "no line starts with `{start}` in:\n{text}");
}

/// Fails when `text` contains `part`.
#[track_caller]
pub(crate) fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "`{part}` is in:\n{text}");
}
