//! Every way out that is tried is closed, and is open outside the sandbox.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::{Place, User, as_each_user, has, lacks, skipped};

/// The attack succeeds outside and fails inside.
fn open_outside_closed_inside(place: &Place, words: &[&str]) {
    let name = words[0];
    has(&place.unconfined(words), &format!("{name}: reached"));
    let inside = place.attacked(words);
    has(&inside, "end: Exited(0)");
    has(&inside, &format!("{name}: denied"));
}

#[test]
fn tcp_and_udp() {
    as_each_user(|place| {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        open_outside_closed_inside(place, &["tcp", &tcp.local_addr().unwrap().to_string()]);
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        open_outside_closed_inside(place, &["udp", &udp.local_addr().unwrap().to_string()]);
        let mut datagram = [0; 16];
        assert_eq!(udp.recv(&mut datagram).unwrap(), 4, "the one from outside");
        assert!(udp.recv(&mut datagram).is_err(), "a second datagram arrived");
    });
}

#[test]
fn names_are_not_resolved() {
    as_each_user(|place| {
        // A name server that sends every question back as its answer.
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, from)) = server.recv_from(&mut packet) {
                if length == 0 || server.send_to(&packet[..length], from).is_err() {
                    return;
                }
            }
        });
        open_outside_closed_inside(place, &["dns", "bartizan.dev", &address]);
        // Ends the server.
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], &address).unwrap();
    });
}

#[test]
fn unix_sockets_by_path_and_abstract() {
    as_each_user(|place| {
        let path = place.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let words = ["unix", path.to_str().unwrap()];
        open_outside_closed_inside(place, &words);
        // Also when the socket is in a directory that the job was given.
        let mut order = place.attack(&words);
        order["read_only"] = json!([place.path()]);
        has(&place.drive(&order), "unix: denied");

        let name = format!("bartizan-{:?}-{}", place.user, std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _listener = UnixListener::bind_addr(&address).unwrap();
        open_outside_closed_inside(place, &["abstract", &name]);
    });
}

#[test]
fn the_environment_of_the_parent() {
    as_each_user(|place| {
        let secret = [("BARTIZAN_TOKEN", "swordfish")];
        let printed = place.drive_with(&place.attack(&["print-environment"]), &secret);
        has(&printed, "BARTIZAN_OUT=");
        lacks(&printed, "swordfish");
        let marker = "swordf1sh";
        let mut sleeper = place
            .command(&["attack", "sleep", "60"])
            .env("BARTIZAN_TOKEN", marker)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        open_outside_closed_inside(place, &["environment", marker]);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    });
}

#[test]
fn the_memory_of_other_processes() {
    as_each_user(|place| {
        let mut sleeper = place.command(&["attack", "sleep", "60"]).stdout(Stdio::null()).spawn().unwrap();
        // A machine may keep a user's processes from each other without us; root's it does not.
        if place.user == User::Root || place.unconfined(&["memory"]).contains("reached") {
            open_outside_closed_inside(place, &["memory"]);
        } else {
            eprintln!(
                "SKIPPED in part for {:?}: this machine closes the memory of others itself",
                place.user
            );
            has(&place.attacked(&["memory"]), "memory: denied");
        }
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        // There is nobody to be seen but the sandbox's own first process and the job.
        let list = place.attacked(&["list", "/proc"]);
        let line = list.lines().find(|line| line.starts_with("/proc: ")).unwrap();
        let numbers = line.split(' ').filter(|name| name.parse::<u32>().is_ok());
        assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2"]);
    });
}

#[test]
fn writing_inputs_code_and_system() {
    as_each_user(|place| {
        let input = place.write("data/rows.csv", "a,b\n1,2\n");
        let code = place.write("code/main.sh", "true\n");
        for path in [
            "/bartizan/in/rows/rows.csv",
            "/bartizan/code/main.sh",
            "/usr/bin/env",
            "/etc/passwd",
            "/etc/ld.so.cache",
        ] {
            let mut order = place.attack(&["write", path]);
            order["inputs"] = json!({ "rows": input.parent().unwrap() });
            order["code"] = json!(code.parent().unwrap());
            let said = place.drive(&order);
            for way in ["append", "truncate", "rename", "remove", "beside"] {
                has(&said, &format!("{way}: denied"));
            }
        }
        assert_eq!(fs::read_to_string(&input).unwrap(), "a,b\n1,2\n");
        let outside = place.unconfined(&["write", input.to_str().unwrap()]);
        has(&outside, "append: reached");
        has(&outside, "rename: reached");
    });
}

#[test]
fn the_rest_of_the_machine() {
    as_each_user(|place| {
        let home = place.write("home/secret", "key");
        let said = place.attacked(&[
            "list",
            "/",
            "/root",
            "/home",
            "/sys",
            "/etc",
            home.parent().unwrap().to_str().unwrap(),
        ]);
        has(&said, "/: bartizan");
        for path in ["/root", "/sys", "/home"] {
            has(&said, &format!("{path}: No such file"));
        }
        lacks(&said, "secret");
        lacks(&said, "shadow");
    });
}

/// A system call by number and arguments, and the error that is to come.
///
/// The arguments are such that the kernel itself has another answer, or none: success, `EFAULT` for an address that is
/// none (1), `EBADF` for a descriptor that is none (-1), `EINVAL`, `ENOTTY`. So each line fails without the filter, also
/// for a user who would not be permitted what he asks for. The last four are the exceptions: they are checked for
/// permission before anything else.
const CALLS: [(&str, i64, &str, i32); 50] = [
    ("ptrace", libc::SYS_ptrace, "0, 0, 0, 0", libc::EPERM),
    ("process_vm_readv", libc::SYS_process_vm_readv, "$$, 0, 0, 0, 0, 0", libc::EPERM),
    ("process_vm_writev", libc::SYS_process_vm_writev, "$$, 0, 0, 0, 0, 0", libc::EPERM),
    ("process_madvise", libc::SYS_process_madvise, "-1, 0, 0, 0, 0", libc::EPERM),
    ("pidfd_getfd", libc::SYS_pidfd_getfd, "-1, 0, 0", libc::EPERM),
    ("kcmp", libc::SYS_kcmp, "$$, $$, 2, 0, 0", libc::EPERM),
    ("mount", libc::SYS_mount, "1, 1, 1, 0, 1", libc::EPERM),
    ("umount2", libc::SYS_umount2, "$tmp, 256", libc::EPERM),
    ("chroot", libc::SYS_chroot, "$none", libc::EPERM),
    ("open_tree", libc::SYS_open_tree, "-100, $tmp, 0", libc::EPERM),
    ("fsconfig", libc::SYS_fsconfig, "-1, 0, 0, 0, 0", libc::EPERM),
    ("mount_setattr", libc::SYS_mount_setattr, "-1, $tmp, 1, 0, 0", libc::EPERM),
    ("name_to_handle_at", libc::SYS_name_to_handle_at, "-100, 1, 1, 1, 0", libc::EPERM),
    ("unshare", libc::SYS_unshare, "0x10000000", libc::EPERM),
    ("setns", libc::SYS_setns, "-1, 0", libc::EPERM),
    ("clone of a user namespace", libc::SYS_clone, "0x10000011, 0, 0, 0, 0", libc::EPERM),
    ("clone3", libc::SYS_clone3, "0, 0", libc::ENOSYS),
    ("io_uring_setup", libc::SYS_io_uring_setup, "1, $room", libc::EPERM),
    ("io_uring_enter", libc::SYS_io_uring_enter, "-1, 0, 0, 0, 0, 0", libc::EPERM),
    ("io_uring_register", libc::SYS_io_uring_register, "-1, 0, 0, 0", libc::EPERM),
    ("keyctl", libc::SYS_keyctl, "0, -3, 0", libc::EPERM),
    ("add_key", libc::SYS_add_key, "$user, $none, $none, 4, -3", libc::EPERM),
    ("request_key", libc::SYS_request_key, "1, 1, 0, 0", libc::EPERM),
    ("bpf", libc::SYS_bpf, "0, $room, 100000", libc::EPERM),
    ("perf_event_open", libc::SYS_perf_event_open, "1, 0, -1, -1, 0", libc::EPERM),
    ("userfaultfd", libc::SYS_userfaultfd, "1", libc::EPERM),
    ("seccomp", libc::SYS_seccomp, "2, 0, 1", libc::EPERM),
    ("socket for streams", libc::SYS_socket, "2, 1, 0", libc::EPERM),
    ("socket for datagrams", libc::SYS_socket, "2, 2, 0", libc::EPERM),
    ("socket of Unix", libc::SYS_socket, "1, 1, 0", libc::EPERM),
    ("socket of the kernel", libc::SYS_socket, "16, 3, 0", libc::EPERM),
    ("socketpair of another family", libc::SYS_socketpair, "2, 1, 0, $room", libc::EPERM),
    ("bind", libc::SYS_bind, "-1, 0, 0", libc::EPERM),
    ("connect", libc::SYS_connect, "-1, 0, 0", libc::EPERM),
    ("listen", libc::SYS_listen, "-1, 0", libc::EPERM),
    ("accept", libc::SYS_accept, "-1, 0, 0", libc::EPERM),
    ("clock_settime", libc::SYS_clock_settime, "0, 1", libc::EPERM),
    ("move_pages", libc::SYS_move_pages, "$$, 0, 0, 0, 0, 1", libc::EPERM),
    ("typing into a terminal", libc::SYS_ioctl, "0, 0x5412, $room", libc::EPERM),
    ("pasting to a terminal", libc::SYS_ioctl, "0, 0x541c, $room", libc::EPERM),
    ("memfd_create", libc::SYS_memfd_create, "$none, 0", libc::ENOSYS),
    ("shmget", libc::SYS_shmget, "0, 4096, 0600", libc::ENOSYS),
    ("semget", libc::SYS_semget, "0, 1, 0600", libc::ENOSYS),
    ("msgget", libc::SYS_msgget, "0, 0600", libc::ENOSYS),
    ("mq_open", libc::SYS_mq_open, "1, 0, 0, 0", libc::ENOSYS),
    ("vmsplice", libc::SYS_vmsplice, "-1, 0, 0, 0", libc::ENOSYS),
    ("a call of the future", 4000, "0", libc::ENOSYS),
    ("pivot_root", libc::SYS_pivot_root, "$tmp, $tmp", libc::EPERM),
    ("fsopen", libc::SYS_fsopen, "$tmpfs, 0", libc::EPERM),
    ("the same with short addresses", 0x4000_0000 + 521, "0, 0, 0, 0", libc::ENOSYS),
];

#[test]
fn system_calls() {
    let perl = Path::new("/usr/bin/perl");
    if !perl.exists() {
        skipped("system calls: no /usr/bin/perl, which makes them by number without unsafe code");
        return;
    }
    let mut script =
        "my ($none, $tmp, $tmpfs, $user, $room) = ('none', '/tmp', 'tmpfs', 'user', \"\\0\" x 256);\n"
            .to_owned();
    for (name, number, arguments, _) in CALLS {
        script.push_str(&format!(
            "$! = 0; syscall({number}, {arguments}); print '{name}: ', $! + 0, \"\\n\";\n"
        ));
    }
    script.push_str("print 'pair: ', (socketpair(A, B, 1, 1, 0) ? 'works' : $!), \"\\n\";\n");
    as_each_user(|place| {
        let said = place.drive(&json!({ "command": [perl, "-e", script] }));
        for (name, _, _, errno) in CALLS {
            has(&said, &format!("{name}: {errno}"));
        }
        // What computations need is not closed with the rest.
        has(&said, "pair: works");
    });
}

#[test]
fn what_the_parent_has_open() {
    as_each_user(|place| {
        let secret = place.write("secret", "swordfish");
        // As a careless parent has it: not closed on exec, and with a habit of closing directories to others.
        let mut parent = Command::new("/bin/sh");
        let script =
            format!("exec 7<{}; umask 077; exec {} drive", secret.display(), place.tester().display());
        parent.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let order = json!({
            "command": ["/bin/sh", "-c", "ls /proc/self/fd; cat <&7; cat /proc/1/fd/7; ls $HOME && echo done"],
            "output": place.path().join("out"),
        });
        let mut parent = place.given_to(parent).spawn().unwrap();
        parent.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let said = String::from_utf8(parent.wait_with_output().unwrap().stdout).unwrap();
        has(&said, "done");
        lacks(&said, "swordfish");
    });
}

#[test]
fn files_about_the_whole_machine() {
    as_each_user(|place| {
        let said = place.script("for f in /proc/k*; do test -c $f && echo covered $f; done; true");
        for name in ["kcore", "keys", "key-users", "kmsg"].map(|name| format!("/proc/{name}")) {
            if Path::new(&name).exists() {
                has(&said, &format!("covered {name}"));
            }
        }
    });
}

#[test]
fn each_layer_is_there_beneath_the_others() {
    as_each_user(|place| {
        let said = place.script(
            "cat /proc/self/mountinfo; for n in user mnt pid ipc net; do readlink /proc/self/ns/$n; done",
        );
        let mounts: Vec<(&str, &str)> = said
            .lines()
            .filter(|line| line.contains(" - "))
            .filter_map(|line| {
                let mut words = line.split(' ').skip(4);
                Some((words.next()?, words.next()?))
            })
            .collect();
        let points: Vec<&str> = mounts.iter().map(|(point, _)| *point).collect();
        assert!(points.contains(&"/") && points.contains(&"/usr"), "{said}");
        let writable = ["/tmp", "/dev/shm", "/bartizan/.scratch", "/bartizan/home", "/bartizan/out"];
        for (point, options) in mounts {
            if point.starts_with("/proc") || (point.starts_with("/dev/") && point != "/dev/shm") {
                continue;
            }
            assert_eq!(options.starts_with("ro,"), !writable.contains(&point), "{point}: {options}");
            assert!(options.contains("nosuid") && options.contains("nodev"), "{point}: {options}");
        }
        for name in ["user", "mnt", "pid", "ipc", "net"] {
            let outside = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
            has(&said, &format!("{name}:["));
            lacks(&said, outside.to_str().unwrap());
        }
    });
}

#[test]
fn privileges() {
    as_each_user(|place| {
        let said = place.script("cat /proc/self/status; cat /proc/self/uid_map");
        for line in
            ["CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
        {
            has(&said, line);
        }
        // As nobody of importance, inside and outside, and as nobody else.
        let map = said.lines().find(|line| line.starts_with("      1000")).unwrap();
        let map: Vec<&str> = map.split_whitespace().collect();
        assert_ne!(map[1], "0", "the job is root outside");
        assert_eq!(map[2], "1");
    });
}

#[test]
fn the_terminal_and_the_first_process() {
    as_each_user(|place| {
        let said = place.script(
            "(echo x > /dev/tty) 2>&1 | grep -c dev/tty; \
             kill -9 1; kill -STOP 1; kill -TERM 1; sleep 0.1; echo alive; \
             (cat /proc/1/environ; ls /proc/1/fd) 2>&1 | grep -c denied",
        );
        has(&said, "alive");
        has(&said, "2");
        has(&said, "end: Exited(0)");
    });
}

#[test]
fn scratch_is_private() {
    as_each_user(|place| {
        let name = format!("bartizan-{:?}-{}", place.user, std::process::id());
        let places = ["/tmp", "/dev/shm"].map(|folder| Path::new(folder).join(&name));
        for path in &places {
            fs::write(path, "outside").unwrap();
        }
        let said = place.script(&format!(
            "for d in /tmp /dev/shm $HOME; do test -e $d/{name} && echo seen; echo inside > $d/{name}-job && echo kept; done"
        ));
        lacks(&said, "seen");
        assert_eq!(said.lines().filter(|line| *line == "kept").count(), 3, "{said}");
        for path in &places {
            assert!(!path.with_file_name(format!("{name}-job")).exists(), "{}", path.display());
            fs::remove_file(path).unwrap();
        }
        // What one job leaves there, the next does not find.
        lacks(&place.script("ls /tmp /dev/shm $HOME"), "-job");
    });
}
