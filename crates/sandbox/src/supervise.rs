//! The parent's side of a running job: its log, its messages, its time, and its end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::helper::OUTER;
use crate::limits::{KILL_SECONDS, SETUP_SECONDS};
use crate::log::Tail;
use crate::report::{End, Hashed, Log, Usage};
use crate::wire::{self, Message, Orders, Status};

/// What a helper that has ended said, and what its job wrote.
#[derive(Debug)]
pub(crate) struct Supervised {
    pub(crate) messages: Vec<Message>,
    pub(crate) log: Log,
    /// The directory of the output, when the helper handed it over.
    pub(crate) output: Option<OwnedFd>,
    timed_out: bool,
}

/// How a job ended, and what is known of how it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) usage: Usage,
    pub(crate) code: Option<Hashed>,
    pub(crate) landlock_abi: u32,
}

/// Messages that a helper has reason to send; each part twice, and four more.
const MESSAGES: usize = 32;

impl Supervised {
    /// How the job ended; `None` when it was never started or nobody can say.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let mut code = None;
        let mut landlock_abi = 0;
        let mut ready = false;
        let mut ended = None;
        for message in &self.messages {
            match message {
                Message::Ready { code: copied } => {
                    ready = true;
                    code = copied.map(|code| Hashed {
                        digest: code.digest,
                        files: code.files,
                        bytes: code.bytes,
                    });
                }
                Message::Landlock { abi } => landlock_abi = *abi,
                Message::Ended { status, user_micros, system_micros, peak_bytes } => {
                    let end = match status {
                        Status::Exited(code) => End::Exited(*code),
                        Status::Signalled(signal) => End::Signalled(*signal),
                        Status::OutOfMemory => End::OutOfMemory,
                    };
                    let usage = Usage {
                        user: Duration::from_micros(*user_micros),
                        system: Duration::from_micros(*system_micros),
                        peak_bytes: *peak_bytes,
                    };
                    ended = Some((end, usage));
                }
                Message::Tried { .. } | Message::Failed(_) => {}
            }
        }
        let (end, usage) = match (ended, self.timed_out && ready) {
            // The time was over, whatever the job's last word was.
            (_, true) => (End::TimedOut, Usage::default()),
            (Some(ended), false) => ended,
            (None, false) => return None,
        };
        Some(Outcome { end, usage, code, landlock_abi })
    }
}

/// A helper that is running. Dropped early, it and its job are killed.
struct Helper {
    child: Child,
    socket: OwnedFd,
    log: OwnedFd,
}

impl Helper {
    /// Kills it. The death of the first stage takes the second, and with namespaces the job, with it; without,
    /// the job is in the first stage's process group.
    fn kill(&mut self) {
        if let Ok(leader) = pid_of(&self.child) {
            rustix::process::kill_process_group(leader, rustix::process::Signal::KILL).unwrap_or_default();
        }
        // Fails when it has ended, which is well.
        drop(self.child.kill());
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill();
            drop(self.child.wait());
        }
    }
}

/// Starts a helper and stays with it to its end. The time for the job starts when the helper says that it is ready.
pub(crate) fn supervise(program: &Path, orders: &Orders, wall: Duration) -> io::Result<Supervised> {
    let mut helper = start(program, orders)?;
    let end = rustix::process::pidfd_open(pid_of(&helper.child)?, PidfdFlags::empty())?;
    let clock = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    wake_after(&clock, Duration::from_secs(SETUP_SECONDS))?;
    let mut tail = Tail::default();
    let (mut messages, mut output) = (Vec::new(), None);
    let (mut timed_out, mut hung_up, mut log_open) = (false, false, true);
    loop {
        let mut watched = vec![PollFd::new(&end, PollFlags::IN), PollFd::new(&clock, PollFlags::IN)];
        if !hung_up {
            watched.push(PollFd::new(&helper.socket, PollFlags::IN));
        }
        if log_open {
            watched.push(PollFd::new(&helper.log, PollFlags::IN));
        }
        match rustix::event::poll(&mut watched, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let fired: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        let ended = fired.first() == Some(&true);
        if log_open {
            log_open = drain(&helper.log, &mut tail, ended)?;
        }
        while !hung_up {
            match wire::receive(helper.socket.as_fd()) {
                Ok(Some((message, attached))) => {
                    if matches!(message, Message::Ready { .. }) {
                        wake_after(&clock, wall)?;
                        output = attached;
                    }
                    messages.push(message);
                }
                Ok(None) => hung_up = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if messages.len() > MESSAGES {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        if ended {
            break;
        }
        if fired.get(1) == Some(&true) {
            if timed_out {
                // It does not react.
                helper.kill();
            } else {
                timed_out = true;
                rustix::net::shutdown(&helper.socket, Shutdown::Write)?;
            }
            wake_after(&clock, Duration::from_secs(KILL_SECONDS))?;
        }
    }
    helper.child.wait()?;
    Ok(Supervised { messages, log: tail.finish(), output, timed_out })
}

fn start(program: &Path, orders: &Orders) -> io::Result<Helper> {
    let stdin = wire::seal(orders)?;
    let flags = SocketFlags::CLOEXEC;
    let (socket, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    let (log, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    for ours in [&socket, &log] {
        rustix::io::ioctl_fionbio(ours, true)?;
    }
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = Command::new(program);
    let child = command
        .arg(OUTER)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(stdin))
        .stdout(theirs)
        .stderr(write);
    let child = child.spawn()?;
    Ok(Helper { child, socket, log })
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    let number = i32::try_from(child.id()).ok();
    number.and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Takes what is in the pipe: some of it while the job runs, all of it when it has ended. `false` when closed.
fn drain(log: &OwnedFd, tail: &mut Tail, all: bool) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match rustix::io::read(log, &mut buffer) {
            Ok(0) => return Ok(false),
            Ok(read) => tail.push(buffer.get(..read).unwrap_or_default()),
            Err(Errno::AGAIN) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if !all {
            return Ok(true);
        }
    }
}

fn wake_after(clock: &OwnedFd, pause: Duration) -> io::Result<()> {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    // A timer of zero would be none.
    let pause = pause.max(Duration::from_millis(1));
    let value = Timespec {
        tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(pause.subsec_nanos()),
    };
    let timer = Itimerspec { it_interval: zero, it_value: value };
    rustix::time::timerfd_settime(clock, TimerfdTimerFlags::empty(), &timer)?;
    Ok(())
}
