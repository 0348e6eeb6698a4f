//! Where the demo plays: a directory, and this binary run as its users run it.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The demo's directory and the binary.
pub(crate) struct Stage {
    root: PathBuf,
    binary: PathBuf,
    temporary: bool,
}

/// `up` on a data directory; it ends with this value.
pub(crate) struct Served {
    child: Child,
    /// Where predictions are asked for.
    pub(crate) inference: String,
}

/// What a command came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// Makes the directory: `keep`, which must not exist or be empty, or a temporary one.
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self> {
        let binary = std::env::current_exe().context("cannot find this program's own file")?;
        let (root, temporary) = match keep {
            Some(path) => {
                fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
                let used = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
                ensure!(used.count() == 0, "{} is not empty: name another directory", path.display());
                (path.canonicalize().context("cannot resolve the directory")?, false)
            }
            None => {
                let name = format!("bartizan-demo-{}", std::process::id());
                let root = std::env::temp_dir().join(name);
                fs::create_dir(&root).with_context(|| format!("cannot make {}", root.display()))?;
                (root, true)
            }
        };
        Ok(Self { root, binary, temporary })
    }

    /// A file of the demo.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The demo's data directory.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// Whether the directory outlives the demo.
    pub(crate) fn is_kept(&self) -> bool {
        !self.temporary
    }

    /// Writes a file of the demo and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes a file of the demo that only its owner may read.
    pub(crate) fn write_secret(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = file.with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Copies a data directory, as an attacker or a careless backup does.
    pub(crate) fn copy_of(&self, data_dir: &Path, name: &str) -> Result<PathBuf> {
        let to = self.path(name);
        copy_tree(data_dir, &to)?;
        Ok(to)
    }

    /// Runs a command of this binary in an empty environment, as `token` if given.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, token: Option<&str>, arguments: &[A]) -> Result<Ran> {
        #[expect(clippy::disallowed_methods, reason = "the demo runs this very binary, nothing else")]
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.root).env_clear().stdin(Stdio::null());
        if let Some(token) = token {
            command.env("BARTIZAN_TOKEN", token);
        }
        let output = command.output().context("cannot run this program again")?;
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Serves a data directory on ports of this machine that are free.
    pub(crate) fn serve(&self, data_dir: &Path) -> Result<Served> {
        let data_dir = data_dir.to_string_lossy();
        let somewhere = "127.0.0.1:0";
        let up = ["--data-dir", &*data_dir, "up", "--listen", somewhere, "--inference", somewhere];
        #[expect(clippy::disallowed_methods, reason = "the demo runs this very binary, nothing else")]
        let mut command = Command::new(&self.binary);
        command.args(up).current_dir(&self.root).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run this program again")?;
        let mut told = BufReader::new(child.stderr.take().context("the server has no standard error")?);
        let mut served = Served { child, inference: String::new() };
        let mut line = String::new();
        while !line.contains("predictions are answered at http://") {
            line.clear();
            ensure!(told.read_line(&mut line)? > 0, "the server ended at once");
        }
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        served.inference = address.context("the server does not say where it listens")?.to_owned();
        // Whoever stops reading would make the server wait on its log.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()).is_ok());
        Ok(served)
    }

    /// Runs a command on a data directory that must succeed, and returns its answer as JSON.
    pub(crate) fn ask(&self, data_dir: &Path, token: Option<&str>, arguments: &[&str]) -> Result<Value> {
        let ran = self.on(data_dir, token, arguments)?;
        if ran.code != 0 {
            bail!("`bartizan {}` ended with code {}:\n{}", arguments.join(" "), ran.code, ran.stderr);
        }
        serde_json::from_str(&ran.stdout).with_context(|| {
            format!("`bartizan {}` did not answer in JSON: {}", arguments.join(" "), ran.stdout)
        })
    }

    /// Runs a command on a data directory, whatever comes of it.
    pub(crate) fn on(&self, data_dir: &Path, token: Option<&str>, arguments: &[&str]) -> Result<Ran> {
        let data_dir = data_dir.to_string_lossy().into_owned();
        let mut all = vec!["--data-dir", data_dir.as_str(), "-o", "json"];
        all.extend_from_slice(arguments);
        self.run(token, &all)
    }
}

impl Served {
    /// Asks the server to end, and waits until it has sealed its records.
    pub(crate) fn end(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let ended = self.child.wait().context("the server cannot be waited for")?;
        ensure!(ended.success(), "the server ended badly: {ended}");
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.temporary && fs::remove_dir_all(&self.root).is_err() {
            tracing::warn!(path = %self.root.display(), "the demo's directory could not be removed");
        }
    }
}

impl Ran {
    /// Demands that the command failed with this error id, and returns the id for the evidence.
    pub(crate) fn refused(&self, what: &str, id: &'static str) -> Result<&'static str> {
        ensure!(self.code != 0, "{what} was NOT refused:\n{}", self.stdout);
        ensure!(
            self.stderr.contains(id),
            "{what} was refused, but not with {id} (code {}):\n{}",
            self.code,
            self.stderr
        );
        Ok(id)
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry.context("cannot read a directory")?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}
