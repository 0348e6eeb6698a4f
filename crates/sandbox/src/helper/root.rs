//! A new root directory: what the job may see, each mount read-only, and nothing else.

use std::ffi::CString;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use super::failed;
use crate::isolation::{Fault, Part};
use crate::tree::{self, Bounds};
use crate::wire::{Bind, CodeCopied, Job};

/// Devices that hold nothing and answer to everybody.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Files of `/proc` about the whole machine that no computation asks for.
const MACHINE_FILES: [&str; 8] =
    ["kcore", "key-users", "keys", "kmsg", "latency_stats", "sched_debug", "sysrq-trigger", "timer_list"];
const OLD: &str = "/old";
const NEW: &str = "/new";

/// A new root that has been entered.
#[derive(Debug)]
pub(super) struct NewRoot {
    /// The directory of the output.
    pub(super) output: OwnedFd,
    pub(super) code: Option<CodeCopied>,
}

/// Steps of mounting, which all serve one part.
fn step<E: Into<std::io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Fault {
    failed(Some(Part::MountNamespace), what)
}

/// Makes an empty root in memory, and puts the old one below it.
pub(super) fn begin() -> Result<(), Fault> {
    // INVARIANT: only the first process of a new PID namespace mounts anything; the first stage makes the mount
    // namespace before it, or starts no such process.
    if rustix::process::getpid() != rustix::process::Pid::INIT {
        return Err(step("mounting outside a new namespace")(rustix::io::Errno::PERM));
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(step("making mounts private"))?;
    // The old root goes below a first file system, so that sources in `/tmp` stay reachable.
    memory("/tmp", "mode=0755,size=64k")?;
    make_dir(Path::new("/tmp/old"))?;
    rustix::process::pivot_root("/tmp", "/tmp/old").map_err(step("putting the old root aside"))?;
    rustix::process::chdir("/").map_err(step("going to the new root"))?;
    make_dir(Path::new(NEW))?;
    memory(NEW, "mode=0755,size=1m,nr_inodes=20k")
}

/// Mounts a `/proc` of this PID namespace.
pub(super) fn mount_proc() -> Result<(), Fault> {
    let target = inside("/proc");
    make_dir(&target)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", &target, "proc", flags, None)
        .map_err(failed(Some(Part::PidNamespace), "mounting a /proc of its own"))
}

/// Puts everything in that the job may see, and leaves the old root for good. `owner` owns what can be written.
pub(super) fn furnish(job: &Job, owner: u32) -> Result<NewRoot, Fault> {
    devices()?;
    mask()?;
    scratch(job, owner)?;
    let output = output(job, owner)?;
    for (place, target) in &job.links {
        let place = inside(place);
        place.parent().map_or(Ok(()), make_dir)?;
        symlink(target, &place).map_err(step(format!("linking `{}`", place.display())))?;
    }
    for bind in &job.binds {
        mount_bind(bind)?;
    }
    let code = job.code.as_deref().map(|code| copy_code(code, job)).transpose()?;
    names()?;
    Ok(NewRoot { output, code })
}

/// Makes the new root the only one.
pub(super) fn enter() -> Result<(), Fault> {
    rustix::mount::unmount(OLD, UnmountFlags::DETACH).map_err(step("leaving the old root"))?;
    rustix::process::chdir(NEW).map_err(step("going to the new root"))?;
    rustix::process::pivot_root(".", ".").map_err(step("entering the new root"))?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(step("leaving the empty root"))?;
    rustix::process::chdir("/").map_err(step("going to the root"))?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount_remount("/", flags, c"").map_err(step("making the root read-only"))
}

fn devices() -> Result<(), Fault> {
    for name in DEVICES {
        let (source, target) = (format!("{OLD}/dev/{name}"), inside(&format!("/dev/{name}")));
        make_file(&target)?;
        rustix::mount::mount_bind(source, &target).map_err(step(format!("mounting /dev/{name}")))?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, inside(&format!("/dev/{name}"))).map_err(step(format!("linking /dev/{name}")))?;
    }
    Ok(())
}

/// Puts an empty device over each of [`MACHINE_FILES`].
fn mask() -> Result<(), Fault> {
    let targets = MACHINE_FILES.iter().map(|name| inside(&format!("/proc/{name}")));
    for target in targets.filter(|target| target.exists()) {
        let what = format!("covering `{}`", target.display());
        rustix::mount::mount_bind(format!("{OLD}/dev/null"), &target).map_err(step(what))?;
    }
    Ok(())
}

/// One bounded file system in memory under `/tmp`, `/dev/shm` and the home directory together.
fn scratch(job: &Job, owner: u32) -> Result<(), Fault> {
    let base = inside("/bartizan/.scratch");
    make_dir(&base)?;
    let inodes = (job.limits.scratch_bytes / 4096).clamp(1024, 1 << 20);
    memory(&base, &format!("mode=0711,size={},nr_inodes={inodes}", job.limits.scratch_bytes))?;
    for (name, place) in [("tmp", job.layout.tmp.as_str()), ("shm", "/dev/shm"), ("home", &job.layout.home)] {
        let (source, target) = (base.join(name), inside(place));
        make_dir(&source)?;
        own(&source, owner)?;
        make_dir(&target)?;
        rustix::mount::mount_bind(&source, &target).map_err(step(format!("mounting {place}")))?;
    }
    Ok(())
}

fn output(job: &Job, owner: u32) -> Result<OwnedFd, Fault> {
    let target = inside(&job.layout.output);
    make_dir(&target)?;
    // The directory itself takes one inode.
    let inodes = job.limits.output_files + 1;
    // Nothing that was left may be run by mistake where it is looked at.
    memory(&target, &format!("mode=0700,size={},nr_inodes={inodes}", job.limits.output_bytes))?;
    own(&target, owner)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(&target, flags, Mode::empty()).map_err(step("opening the output"))
}

fn mount_bind(bind: &Bind) -> Result<(), Fault> {
    let (source, target) = (below(OLD, &bind.source), inside(&bind.target));
    let what = |what: &str| format!("{what} `{}`", bind.source);
    let is_dir = fs::symlink_metadata(&source).map_err(step(what("finding")))?.is_dir();
    if is_dir {
        make_dir(&target)?
    } else {
        make_file(&target)?
    }
    rustix::mount::mount_bind_recursive(&source, &target).map_err(step(what("mounting")))?;
    // Somebody who may write above it could have put something else there since it was looked at.
    same(bind, &fs::metadata(&target).map_err(step(what("finding")))?)?;
    // At once: making the next mount point must not be able to reach through this one.
    harden(&target)
}

/// Refuses what is not what was looked at when the orders were written.
pub(super) fn same(bind: &Bind, there: &fs::Metadata) -> Result<(), Fault> {
    if bind.node == (there.dev(), there.ino()) {
        return Ok(());
    }
    let what = if bind.input { "hashed" } else { "looked at" };
    Err(Fault { part: None, step: format!("`{}` is no longer what was {what}", bind.source), errno: 0 })
}

/// Makes read-only what was mounted at `target`, with all that was mounted below it, and keeps the flags it came with.
fn harden(target: &Path) -> Result<(), Fault> {
    let table =
        fs::read_to_string(format!("{OLD}/proc/self/mountinfo")).map_err(step("reading the mounts"))?;
    let mut found = false;
    for line in table.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(point), Some(options)) = (fields.next(), fields.next()) else { continue };
        let point = PathBuf::from(unescape(point));
        if !point.starts_with(target) {
            continue;
        }
        let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        for option in options.split(',') {
            flags |= match option {
                "noexec" => MountFlags::NOEXEC,
                "noatime" => MountFlags::NOATIME,
                "nodiratime" => MountFlags::NODIRATIME,
                "relatime" => MountFlags::RELATIME,
                _ => MountFlags::empty(),
            };
        }
        let what = format!("making `{}` read-only", point.display());
        rustix::mount::mount_remount(&point, flags, c"").map_err(step(what))?;
        found = true;
    }
    if found {
        return Ok(());
    }
    Err(Fault { part: None, step: format!("finding the mount `{}`", target.display()), errno: 0 })
}

/// Undoes the octal escapes of spaces, tabs, line ends and backslashes (proc(5), `mountinfo`).
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

fn copy_code(source: &str, job: &Job) -> Result<CodeCopied, Fault> {
    let target = inside(&job.layout.code);
    make_dir(&target)?;
    memory(&target, "mode=0755")?;
    let hashed = tree::copy(&below(OLD, source), &target, &Bounds::CODE).map_err(|refused| Fault {
        part: None,
        step: format!("copying the code `{source}`: {refused}"),
        errno: 0,
    })?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount_remount(&target, flags, c"").map_err(step("making the code read-only"))?;
    Ok(CodeCopied { digest: hashed.digest, files: hashed.files, bytes: hashed.bytes })
}

/// The few files that programs ask for users, groups and hosts.
fn names() -> Result<(), Fault> {
    for (path, text) in [
        (
            "/etc/passwd",
            "job:x:1000:1000:job:/bartizan/home:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        ("/etc/group", "job:x:1000:\nnogroup:x:65534:\n"),
        ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ] {
        let path = inside(path);
        path.parent().map_or(Ok(()), make_dir)?;
        fs::write(&path, text).map_err(step(format!("writing `{}`", path.display())))?;
    }
    Ok(())
}

fn memory(target: impl AsRef<Path>, options: &str) -> Result<(), Fault> {
    let target = target.as_ref();
    let what = || format!("mounting memory at `{}`", target.display());
    let data = CString::new(options).map_err(step(what()))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount("tmpfs", target, "tmpfs", flags, data.as_c_str()).map_err(step(what()))
}

fn make_dir(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(step(format!("making `{}`", path.display())))
}

fn make_file(path: &Path) -> Result<(), Fault> {
    path.parent().map_or(Ok(()), make_dir)?;
    match fs::File::create_new(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(step(format!("making `{}`", path.display()))(error))
        }
        _ => Ok(()),
    }
}

fn own(path: &Path, owner: u32) -> Result<(), Fault> {
    chown(path, Some(owner), Some(owner)).map_err(step(format!("giving away `{}`", path.display())))
}

/// Where a path of the job is while its root is being built.
fn inside(path: &str) -> PathBuf {
    below(NEW, path)
}

fn below(root: &str, path: &str) -> PathBuf {
    PathBuf::from(format!("{root}/{}", path.trim_start_matches('/')))
}
