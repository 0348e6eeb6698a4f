//! Seccomp: the system calls that a computation needs, and none that reach outside.
//!
//! Two filters, both in force. The first allows what is listed and answers "no such call" to the rest, so that
//! libraries fall back as they do on older kernels, and calls that future kernels add are closed. The second
//! answers "not permitted" to what is refused on purpose.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::isolation::{Fault, Part};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts this process and all that it starts. Without a PID namespace, `grouped` keeps the job in the process
/// group by which it is killed.
pub(super) fn restrict(grouped: bool) -> Result<(), Fault> {
    install(&listed()?).map_err(|error| fault(&error))?;
    install(&refused(grouped)?).map_err(|error| fault(&error))
}

fn install(program: &BpfProgram) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(program)
}

fn fault(error: &dyn std::error::Error) -> Fault {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Fault {
        part: Some(Part::Seccomp),
        step: format!("restricting system calls with seccomp: {cause}"),
        errno: 0,
    }
}

fn listed() -> Result<BpfProgram, Fault> {
    let numbers = COMMON.iter().chain(MACHINE);
    let rules: Rules = numbers.map(|number| (*number, Vec::new())).collect();
    compile(rules, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()), SeccompAction::Allow)
}

fn refused(grouped: bool) -> Result<BpfProgram, Fault> {
    let mut rules: Rules = REFUSED.iter().map(|number| (*number, Vec::new())).collect();
    // New namespaces, one rule for each flag. `clone3`, whose flags no filter sees, is in neither list.
    let namespaces = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    for flag in namespaces {
        let flag = u64::from(flag.unsigned_abs());
        rules.entry(libc::SYS_clone).or_default().push(when(0, SeccompCmpOp::MaskedEq(flag), flag)?);
    }
    // Pairs of connected Unix sockets name nobody; other families and kinds are not needed.
    let unix = u64::from(libc::AF_UNIX.unsigned_abs());
    rules.insert(libc::SYS_socketpair, vec![when(0, SeccompCmpOp::Ne, unix)?]);
    // Devices; pipes and dead sockets are harmless. Capabilities would be needed too.
    for (number, argument) in MAKE_NODE {
        for kind in [libc::S_IFCHR, libc::S_IFBLK] {
            let rule = when(*argument, SeccompCmpOp::MaskedEq(u64::from(libc::S_IFMT)), u64::from(kind))?;
            rules.entry(*number).or_default().push(rule);
        }
    }
    // Typing into, and pasting to, a terminal.
    for command in [TIOCSTI, TIOCLINUX] {
        rules.entry(libc::SYS_ioctl).or_default().push(when(1, SeccompCmpOp::Eq, command)?);
    }
    if grouped {
        rules.insert(libc::SYS_setsid, Vec::new());
        rules.insert(libc::SYS_setpgid, Vec::new());
    }
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.unsigned_abs()))
}

/// The kernel looks at the lower half of these arguments alone, and so does this.
fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, Fault> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| fault(&error))
}

/// A program that also kills whoever calls in the manner of another machine, as 32-bit programs do.
fn compile(rules: Rules, otherwise: SeccompAction, matching: SeccompAction) -> Result<BpfProgram, Fault> {
    let machine = std::env::consts::ARCH.try_into().map_err(|error| fault(&error))?;
    SeccompFilter::new(rules, otherwise, matching, machine)
        .and_then(BpfProgram::try_from)
        .map_err(|error| fault(&error))
}

/// Calls that make a special file, and the place of its kind among their arguments.
#[cfg(target_arch = "x86_64")]
const MAKE_NODE: &[(i64, u8)] = &[(libc::SYS_mknodat, 2), (libc::SYS_mknod, 1)];
/// Calls that make a special file, and the place of its kind among their arguments.
#[cfg(not(target_arch = "x86_64"))]
const MAKE_NODE: &[(i64, u8)] = &[(libc::SYS_mknodat, 2)];

const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;

/// Refused with "not permitted", whatever the first filter says.
#[rustfmt::skip]
const REFUSED: &[i64] = &[
    // Other processes: their memory, registers, file descriptors, advice, comparison.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise, libc::SYS_kcmp,
    // Sockets of any kind; pairs are above.
    libc::SYS_socket, libc::SYS_bind, libc::SYS_connect, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4,
    // What the tree of files looks like.
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_open_tree,
    libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fspick,
    libc::SYS_mount_setattr, libc::SYS_name_to_handle_at, libc::SYS_open_by_handle_at,
    libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_quotactl, libc::SYS_fanotify_init,
    // Namespaces.
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_sethostname, libc::SYS_setdomainname,
    // The kernel's own machinery, where most of its holes have been.
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_bpf,
    libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key,
    libc::SYS_seccomp, libc::SYS_vhangup, libc::SYS_syslog, libc::SYS_acct, libc::SYS_reboot,
    libc::SYS_kexec_load, libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module,
    libc::SYS_lookup_dcookie, libc::SYS_migrate_pages, libc::SYS_move_pages, libc::SYS_nfsservctl,
    // The clock.
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_adjtimex, libc::SYS_clock_adjtime,
];

/// Allowed on every machine.
#[rustfmt::skip]
const COMMON: &[i64] = &[
    // Files and directories.
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_preadv, libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2, libc::SYS_openat, libc::SYS_openat2,
    libc::SYS_close, libc::SYS_close_range, libc::SYS_lseek, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx,
    libc::SYS_statfs, libc::SYS_fstatfs, libc::SYS_getdents64, libc::SYS_faccessat, libc::SYS_faccessat2,
    libc::SYS_readlinkat, libc::SYS_getcwd, libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_mkdirat, libc::SYS_unlinkat,
    libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_symlinkat, libc::SYS_mknodat, libc::SYS_fchmod,
    libc::SYS_fchmodat, SYS_FCHMODAT2, libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_umask, libc::SYS_truncate,
    libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fadvise64, libc::SYS_utimensat, libc::SYS_fsync,
    libc::SYS_fdatasync, libc::SYS_syncfs, libc::SYS_flock, libc::SYS_fcntl,
    libc::SYS_ioctl, libc::SYS_dup, libc::SYS_dup3, libc::SYS_pipe2, libc::SYS_splice, libc::SYS_tee,
    libc::SYS_sendfile, libc::SYS_copy_file_range, libc::SYS_readahead,
    libc::SYS_getxattr, libc::SYS_lgetxattr, libc::SYS_fgetxattr, libc::SYS_listxattr, libc::SYS_llistxattr,
    libc::SYS_flistxattr, libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, libc::SYS_removexattr,
    libc::SYS_lremovexattr, libc::SYS_fremovexattr, libc::SYS_inotify_init1, libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    // Memory.
    libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_brk,
    libc::SYS_msync, libc::SYS_mincore, libc::SYS_mlock, libc::SYS_mlock2, libc::SYS_munlock, libc::SYS_mlockall,
    libc::SYS_munlockall, libc::SYS_membarrier, libc::SYS_mbind, libc::SYS_get_mempolicy, libc::SYS_set_mempolicy,
    libc::SYS_pkey_mprotect, libc::SYS_pkey_alloc, libc::SYS_pkey_free,
    // Shared memory and semaphores are in `/dev/shm`, where they are bounded. Those of System V, queues, and files in
    // memory without a name would be charged to nobody: a set of semaphores alone is megabytes of the kernel's memory.
    // Processes, threads and signals.
    libc::SYS_clone, libc::SYS_execve, libc::SYS_execveat, libc::SYS_exit, libc::SYS_exit_group, libc::SYS_wait4,
    libc::SYS_waitid, libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal, libc::SYS_getpid, libc::SYS_getppid, libc::SYS_gettid, libc::SYS_getpgid,
    libc::SYS_setpgid, libc::SYS_getsid, libc::SYS_setsid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_getgroups, libc::SYS_getresuid, libc::SYS_getresgid, libc::SYS_setuid,
    libc::SYS_setgid, libc::SYS_setreuid, libc::SYS_setregid, libc::SYS_setresuid, libc::SYS_setresgid,
    libc::SYS_setgroups, libc::SYS_setfsuid, libc::SYS_setfsgid, libc::SYS_capget, libc::SYS_capset,
    libc::SYS_prctl, libc::SYS_set_tid_address, libc::SYS_set_robust_list, libc::SYS_get_robust_list,
    libc::SYS_rseq, libc::SYS_futex, SYS_FUTEX_WAITV, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigpending, libc::SYS_rt_sigreturn, libc::SYS_rt_sigsuspend, libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo, libc::SYS_sigaltstack, libc::SYS_restart_syscall,
    libc::SYS_prlimit64, libc::SYS_getrusage, libc::SYS_times,
    libc::SYS_getpriority, libc::SYS_setpriority, libc::SYS_ioprio_get, libc::SYS_ioprio_set,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_setaffinity, libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler, libc::SYS_sched_setscheduler, libc::SYS_sched_setparam, libc::SYS_sched_getattr,
    libc::SYS_sched_setattr, libc::SYS_sched_get_priority_max, libc::SYS_sched_get_priority_min,
    libc::SYS_sched_rr_get_interval, libc::SYS_getcpu,
    // Waiting and time.
    libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2, libc::SYS_eventfd2, libc::SYS_signalfd4, libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime, libc::SYS_timerfd_gettime, libc::SYS_nanosleep, libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_gettimeofday, libc::SYS_getitimer,
    libc::SYS_setitimer, libc::SYS_timer_create, libc::SYS_timer_settime, libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun, libc::SYS_timer_delete,
    // The machine.
    libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getrandom,
    // Connected pairs of sockets, and what is done with them.
    libc::SYS_socketpair, libc::SYS_sendto, libc::SYS_recvfrom, libc::SYS_sendmsg, libc::SYS_recvmsg,
    libc::SYS_sendmmsg, libc::SYS_recvmmsg, libc::SYS_shutdown, libc::SYS_getsockname, libc::SYS_getpeername,
    libc::SYS_getsockopt, libc::SYS_setsockopt,
    // For installing the second filter, which closes it.
    libc::SYS_seccomp,
];

/// The same on every machine; not yet named by libc everywhere.
const SYS_FCHMODAT2: i64 = 452;
const SYS_FUTEX_WAITV: i64 = 449;

/// Calls that have a name, or exist at all, only on this machine, most of them older forms of those above.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const MACHINE: &[i64] = &[
    libc::SYS_open, libc::SYS_creat, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink,
    libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_unlink, libc::SYS_rename, libc::SYS_link, libc::SYS_symlink, libc::SYS_mknod,
    libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat,
    libc::SYS_getdents, libc::SYS_dup2, libc::SYS_pipe, libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_create,
    libc::SYS_epoll_wait, libc::SYS_eventfd, libc::SYS_signalfd, libc::SYS_inotify_init, libc::SYS_fork,
    libc::SYS_vfork, libc::SYS_getpgrp, libc::SYS_pause, libc::SYS_alarm, libc::SYS_time, libc::SYS_arch_prctl,
    libc::SYS_renameat, libc::SYS_getrlimit, libc::SYS_setrlimit, libc::SYS_sync_file_range,
];

/// The same calls where they have the numbers of the kernel's generic table, which libc does not name everywhere:
/// `renameat`, `sync_file_range`, `getrlimit`, `setrlimit`.
#[cfg(not(target_arch = "x86_64"))]
const MACHINE: &[i64] = &[38, 84, 163, 164];
