//! The parts that isolation is made of: which are there, why one is not, and what would bring it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One part of the isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// User namespace: the job has no capability over anything outside, and none inside.
    UserNamespace,
    /// Mount namespace: the job sees only what was mounted for it, and what it writes is bounded in total.
    MountNamespace,
    /// PID namespace with its own `/proc`: the job sees and signals only itself, and dies as a whole.
    PidNamespace,
    /// IPC namespace: System V and POSIX queues, segments and semaphores of its own.
    IpcNamespace,
    /// Network namespace without any interface.
    NetworkNamespace,
    /// Landlock: files by path, and on newer kernels TCP, abstract sockets and signals.
    Landlock,
    /// Seccomp: only listed system calls, no sockets.
    Seccomp,
}

impl Part {
    /// All parts, in the order in which they are put in place.
    pub const ALL: [Self; 7] = [
        Self::UserNamespace,
        Self::MountNamespace,
        Self::PidNamespace,
        Self::IpcNamespace,
        Self::NetworkNamespace,
        Self::Landlock,
        Self::Seccomp,
    ];

    /// The namespaces, which are used all together or not at all.
    pub(crate) const NAMESPACES: [Self; 5] = [
        Self::UserNamespace,
        Self::MountNamespace,
        Self::PidNamespace,
        Self::IpcNamespace,
        Self::NetworkNamespace,
    ];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserNamespace => "user namespace",
            Self::MountNamespace => "mount namespace",
            Self::PidNamespace => "PID namespace",
            Self::IpcNamespace => "IPC namespace",
            Self::NetworkNamespace => "network namespace",
            Self::Landlock => "Landlock",
            Self::Seccomp => "seccomp",
        })
    }
}

/// How a job was isolated. No new privileges, a cleared environment, rlimits, the time limit and the kill of the
/// whole job are always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// Every [`Part`].
    Full,
    /// Some parts were missing, and the plan allowed it.
    Reduced {
        /// Which, without repetition, in the order of [`Part::ALL`].
        missing: Vec<Part>,
    },
}

/// What this machine gives to this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The parts that are missing, in the order of [`Part::ALL`].
    pub missing: Vec<Missing>,
    /// The version of Landlock's interface, 0 without Landlock.
    pub landlock_abi: u32,
}

impl Probe {
    /// How a job will be isolated. Namespaces work together only: with one missing, none is used.
    pub fn isolation(&self) -> Isolation {
        let absent = |part: &Part| self.missing.iter().any(|missing| missing.part == *part);
        let no_namespaces = Part::NAMESPACES.iter().any(absent);
        let unused = |part: &Part| no_namespaces && Part::NAMESPACES.contains(part);
        let missing: Vec<Part> = Part::ALL.into_iter().filter(|part| absent(part) || unused(part)).collect();
        if missing.is_empty() { Isolation::Full } else { Isolation::Reduced { missing } }
    }
}

/// A part that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The part.
    pub part: Part,
    /// What failed, and why, in words.
    pub reason: String,
    /// The command that would enable it, or what to change where no command can.
    pub remedy: String,
}

/// A step of a helper that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// The part that is missing without this step, unless it is about this one plan.
    pub(crate) part: Option<Part>,
    /// What was tried.
    pub(crate) step: String,
    /// The operating system's error number, or 0.
    pub(crate) errno: i32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        if self.errno == 0 {
            Ok(())
        } else {
            write!(f, ": {}", std::io::Error::from_raw_os_error(self.errno))
        }
    }
}

/// What of this machine bears on why a part is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// `kernel.unprivileged_userns_clone` is 0 (Debian's switch).
    pub(crate) clone_forbidden: bool,
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1 (Ubuntu 23.10 and later).
    pub(crate) apparmor_restricts: bool,
    /// `user.max_user_namespaces` is 0.
    pub(crate) no_user_namespaces: bool,
    /// Inside a container of Docker, Podman or Kubernetes.
    pub(crate) in_container: bool,
    /// The path of the helper's executable, for a profile that names it.
    pub(crate) executable: String,
}

/// Says why a part is missing and what would bring it.
pub(crate) fn explain(part: Part, fault: &Fault, facts: &Facts) -> Missing {
    let sysctl = |name: &str, value: &str| format!("sudo sysctl -w {name}={value}");
    let (why, remedy) = match part {
        Part::Landlock if fault.errno == libc::ENOSYS => (
            "the kernel was built without Landlock, or a container's filter hides it",
            "use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK=y".to_owned(),
        ),
        Part::Landlock => (
            "Landlock was not turned on when the machine started",
            "add `landlock` to the list after `lsm=` on the kernel's command line (see \
             `cat /sys/kernel/security/lsm`) and start the machine again"
                .to_owned(),
        ),
        Part::Seccomp => {
            ("the kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER=y".to_owned())
        }
        _ if facts.no_user_namespaces => {
            ("user namespaces are limited to none", sysctl("user.max_user_namespaces", "10000"))
        }
        _ if facts.clone_forbidden => {
            ("only root may make user namespaces here", sysctl("kernel.unprivileged_userns_clone", "1"))
        }
        _ if facts.apparmor_restricts => (
            "AppArmor keeps programs without a profile from using user namespaces (Ubuntu 23.10 and later)",
            apparmor_profile(&facts.executable),
        ),
        _ if facts.in_container => (
            "the container that this runs in forbids it",
            "start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined \
             --security-opt systempaths=unconfined`"
                .to_owned(),
        ),
        _ if fault.errno == libc::EINVAL => (
            "the kernel was built without it",
            "use a kernel with CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_IPC_NS and CONFIG_NET_NS".to_owned(),
        ),
        _ => (
            "something between this program and the kernel forbids it",
            format!(
                "sudo sh -c 'dmesg | grep -i denied | tail' shows what; {} may help",
                sysctl("user.max_user_namespaces", "10000")
            ),
        ),
    };
    Missing { part, reason: format!("{why} ({fault})"), remedy }
}

/// The command that gives one program, and no other, a profile that permits user namespaces.
fn apparmor_profile(executable: &str) -> String {
    format!(
        "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bartizan \"{executable}\" \
         flags=(unconfined) {{ userns, }}\\n' | sudo tee /etc/apparmor.d/bartizan && \
         sudo apparmor_parser -r /etc/apparmor.d/bartizan"
    )
}

#[cfg(test)]
mod tests;
