//! What happened: how the job was isolated, what it was given, how it ended, what it left.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bartizan_base::{Digest, Name, Timestamp};

use crate::isolation::Isolation;
use crate::plan::Limits;

/// Everything that is known about a job that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it was isolated.
    pub isolation: Isolation,
    /// The version of Landlock's interface, 0 without Landlock: from 4 on it also denies TCP, from 6 on also
    /// abstract sockets and signals.
    pub landlock_abi: u32,
    /// The command as it was run.
    pub command: Vec<String>,
    /// The whole environment that it had.
    pub environment: BTreeMap<String, String>,
    /// The code that it was given.
    pub code: Option<Hashed>,
    /// The inputs that it was given, by name.
    pub inputs: BTreeMap<Name, Hashed>,
    /// The Python virtual environment that it had.
    pub venv: Option<Environment>,
    /// What of this machine was mounted read-only beside them: system libraries, a virtual environment, and what
    /// the plan named. Listed; of them only what is in `venv` is hashed.
    pub mounts: Vec<String>,
    /// What it was allowed to use.
    pub limits: Limits,
    /// The user id, outside, that it ran as.
    pub uid: u32,
    /// When it was started, by the caller's clock.
    pub started: Timestamp,
    /// When it had ended, by the caller's clock.
    pub ended: Timestamp,
    /// How it ended.
    pub end: End,
    /// What it used; all zero when the job was killed.
    pub usage: Usage,
    /// What it wrote to standard output and standard error.
    pub log: Log,
    /// What it left.
    pub output: Output,
}

/// A Python virtual environment as a job had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Where it is.
    pub root: PathBuf,
    /// What it consists of outside of the system's own directories: itself, then programs and libraries of the
    /// installation that it rests on.
    pub installed: Vec<Installed>,
    /// The packages in it, as `NAME VERSION`, ascending; at most [`PACKAGES`](crate::limits::PACKAGES).
    pub packages: Vec<String>,
}

/// A directory of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Where it is, with links resolved.
    pub path: PathBuf,
    /// Its content before the job started, which was the same after it had ended; the digest is over its list of files
    /// and links in the form of `docs/formats/environment.md`.
    pub hashed: Hashed,
}

/// A file or tree by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// Of a file, the SHA-256 of its bytes; of a directory, of its list of files in the form of
    /// `docs/formats/manifest.md`.
    pub digest: Digest,
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The command ended by itself, with this status.
    Exited(i32),
    /// A signal ended the command; also when it broke a limit that the kernel enforces.
    Signalled(i32),
    /// Killed because its time was over.
    TimedOut,
    /// Killed because its processes held more memory together than they may.
    OutOfMemory,
}

/// What a job used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// CPU time in its own code, of all processes that were waited for.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// The largest resident size of one process, in bytes.
    pub peak_bytes: u64,
}

/// What a job wrote to standard output and standard error, in the order it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// How many bytes it was.
    pub bytes: u64,
    /// SHA-256 of all of them.
    pub digest: Digest,
    /// The last of them. They come from untrusted code: escape control characters before showing them.
    pub tail: Vec<u8>,
}

/// What a job left at `$BARTIZAN_OUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The job succeeded and left only regular files; they are now at the place that the plan named.
    Published {
        /// Digest, count and size of the whole.
        whole: Hashed,
        /// The files, ascending by path.
        files: Vec<OutputFile>,
    },
    /// The job left something that is not taken, so nothing was.
    Refused {
        /// What, at most [`REFUSALS`](crate::limits::REFUSALS) of them.
        entries: Vec<Refusal>,
        /// How many there were.
        count: u64,
    },
    /// The job did not end with status 0, so nothing was looked at.
    Withheld,
}

/// A file that a job left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its path, relative, with `/` between segments.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// An entry of a tree that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its path, with replacement characters where it is not UTF-8.
    pub path: String,
    /// Why.
    pub reason: RefusalReason,
}

/// Why an entry of a tree is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// A symbolic link.
    #[error("a symbolic link")]
    SymbolicLink,
    /// A file with a second name.
    #[error("a file with more than one name")]
    HardLink,
    /// A device, pipe or socket.
    #[error("a device, pipe or socket")]
    Special,
    /// A name that is not UTF-8, or that means something else elsewhere: too long, `\`, `:`, control characters.
    #[error("a name that is not portable")]
    Name,
    /// Too deep.
    #[error("nested too deeply")]
    Depth,
    /// One more file or directory than there may be.
    #[error("one more than there may be")]
    Count,
    /// One byte more than there may be together.
    #[error("more bytes than there may be together")]
    Size,
    /// It cannot be opened, or not as what it was a moment before.
    #[error("not readable as the file it was a moment before")]
    Unreadable,
}
