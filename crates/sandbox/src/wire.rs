//! What parent and helper tell each other: orders in a sealed file, messages over a socket pair.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read as _, Seek as _, SeekFrom, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bartizan_base::Digest;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::{Deserialize, Serialize};

use crate::isolation::{Fault, Part};
use crate::limits::{MESSAGE_BYTES, ORDERS_BYTES};

/// What a helper is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Orders {
    /// With namespaces, or with Landlock and seccomp alone.
    pub(crate) namespaces: bool,
    /// Require Landlock to work.
    pub(crate) landlock: bool,
    /// Require seccomp to work.
    pub(crate) seccomp: bool,
    /// The user and group, outside, to become when the helper is started by root.
    pub(crate) job_user: u32,
    /// What to run; without it, the helper only tries all parts and says which work.
    pub(crate) job: Option<Job>,
}

/// What a helper is to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    /// What to mount, parents before children.
    pub(crate) binds: Vec<Bind>,
    /// Symbolic links to make at the root, as (where, to what).
    pub(crate) links: Vec<(String, String)>,
    /// The code to copy, when there are namespaces.
    pub(crate) code: Option<String>,
    /// Where things are, as the job sees it.
    pub(crate) layout: Layout,
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) limits: JobLimits,
}

/// Something to mount read-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bind {
    /// Canonical path outside.
    pub(crate) source: String,
    /// Path inside.
    pub(crate) target: String,
    /// Device and inode that must be there: what was looked at, and hashed.
    pub(crate) node: (u64, u64),
    /// Whether it is an input, which the job must be able to open.
    pub(crate) input: bool,
}

/// Paths as the job sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) code: String,
    pub(crate) home: String,
    pub(crate) tmp: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobLimits {
    pub(crate) cpu_seconds: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) processes: u64,
    pub(crate) open_files: u64,
    pub(crate) file_bytes: u64,
    pub(crate) scratch_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) output_files: u64,
}

/// What a helper says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// A part was tried; to be said in answer to orders without a job.
    Tried { part: Part, fault: Option<Fault> },
    /// Landlock's version.
    Landlock { abi: u32 },
    /// The sandbox cannot be built, or the command not be started.
    Failed(Fault),
    /// The sandbox is there and the command about to start. With namespaces, the directory of the output comes
    /// along as a file descriptor.
    Ready { code: Option<CodeCopied> },
    /// The command has ended, and everything it started is dead, or dies with the helper that says so.
    Ended { status: Status, user_micros: u64, system_micros: u64, peak_bytes: u64 },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct CodeCopied {
    pub(crate) digest: Digest,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Exited(i32),
    Signalled(i32),
    OutOfMemory,
}

/// Writes orders to a file in memory that nobody can change any more.
pub(crate) fn seal(orders: &Orders) -> Result<OwnedFd, std::io::Error> {
    let bytes = serde_json::to_vec(orders)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > ORDERS_BYTES {
        return Err(Errno::TOOBIG.into());
    }
    let fd = rustix::fs::memfd_create("orders", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(fd);
    file.write_all(&bytes)?;
    file.seek(SeekFrom::Start(0))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// Reads the orders from standard input, and leaves it as it was for the next stage.
pub(crate) fn orders(input: OwnedFd) -> Result<Orders, std::io::Error> {
    let mut file = File::from(input);
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    (&mut file).take(ORDERS_BYTES).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Sends one message, and a file descriptor with it.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    message: &Message,
    attached: Option<BorrowedFd<'_>>,
) -> Result<(), std::io::Error> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<BorrowedFd<'_>> = attached.into_iter().collect();
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::NOBUFS.into());
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one message; `None` when the other side is gone.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<Option<(Message, Option<OwnedFd>)>, std::io::Error> {
    let mut bytes = vec![0; MESSAGE_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        socket.as_fd(),
        &mut [IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    );
    let length = match received {
        Ok(received) => received.bytes,
        Err(Errno::CONNRESET) => 0,
        Err(errno) => return Err(errno.into()),
    };
    let mut attached = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            attached = fds.last();
        }
    }
    match bytes.get(..length) {
        None | Some([]) => Ok(None),
        Some(text) => Ok(Some((serde_json::from_slice(text)?, attached))),
    }
}
