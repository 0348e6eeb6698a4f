//! How jobs end: by themselves, by a signal, by a limit; and that nothing of them is left.

use std::fs;
use std::time::{Duration, Instant};

use bartizan_sandbox::limits;
use serde_json::json;

use crate::support::{CROWD, Place, anybody_says, as_each_user, has, lacks};

#[test]
fn by_itself_or_by_a_signal() {
    as_each_user(|place| {
        has(&place.script("exit 7"), "end: Exited(7)");
        has(&place.script("kill -SEGV $$"), "end: Signalled(11)");
        assert!(!place.output().exists(), "a job that failed has published");
        let said = place.drive(&json!({ "command": ["/no/such/program"] }));
        has(
            &said,
            "failed: the job could not be started: starting `/no/such/program`: No such file or directory",
        );
    });
}

#[test]
fn when_the_time_is_over_though_it_ignores_signals() {
    as_each_user(|place| {
        let word = format!("8641{}", std::process::id());
        let mut order = json!({
            "command": ["/bin/sh", "-c", format!("trap '' TERM HUP INT; (setsid sleep {word} &); echo started; while true; do sleep {word}; done")]
        });
        order["wall_millis"] = json!(1000);
        let start = Instant::now();
        let said = place.drive(&order);
        // Not by the last resort, which comes later.
        assert!(start.elapsed() < Duration::from_secs(limits::KILL_SECONDS));
        has(&said, "end: TimedOut");
        has(&said, "output: withheld");
        has(&said, "started");
        assert!(!anybody_says(&word), "something of the job is alive");
    });
}

#[test]
fn with_all_that_it_started() {
    as_each_user(|place| {
        let word = format!("8642{}", std::process::id());
        let said = place.script(&format!("setsid sleep {word} & nohup sleep {word} & exit 0"));
        has(&said, "end: Exited(0)");
        assert!(!anybody_says(&word), "a child of the job is alive");
    });
}

#[test]
fn when_the_parent_is_killed() {
    as_each_user(|place| {
        let word = format!("8643{}", std::process::id());
        let mut parent = start(place, &word);
        assert!((0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            let parents = fs::read_dir("/proc").unwrap().flatten();
            parents
                .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
                .any(|line| line.starts_with(b"sleep"))
        }));
        parent.kill().unwrap();
        parent.wait().unwrap();
        assert!(!anybody_says(&word), "the job outlives its parent");
    });
}

fn start(place: &Place, word: &str) -> std::process::Child {
    use std::io::Write as _;
    let order = json!({ "command": ["/usr/bin/sleep", word], "output": place.output() });
    let mut command = place.command(&["drive"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    child
}

#[test]
fn forking_without_end() {
    let _alone = CROWD.lock();
    as_each_user(|place| {
        let mut order = place.attack(&["fork"]);
        order["wall_millis"] = json!(2000);
        let said = place.drive(&order);
        has(&said, "end: TimedOut");
        has(&said, "forks denied");
        assert!(
            !anybody_says(&format!("{} attack", place.tester().display()).replace(' ', "\0")),
            "forks are alive"
        );
    });
}

#[test]
fn filling_the_disk() {
    as_each_user(|place| {
        let said = place.attacked(&["fill", "/bartizan/out", "/tmp", "/dev/shm", "/bartizan/home", "/"]);
        has(&said, "/bartizan/out: full at file 0 (No space left");
        // Three places, one budget.
        for path in ["/tmp", "/dev/shm", "/bartizan/home"] {
            has(&said, &format!("{path}: full at file 0 (No space left"));
        }
        has(&said, "/: full at file 0 (");
        lacks(&said, "never full");
        let said =
            place.script("i=0; while touch $BARTIZAN_OUT/$i; do i=$((i+1)); done 2>/dev/null; echo $i");
        has(&said, "32");
    });
}

#[test]
fn holding_too_much_memory() {
    as_each_user(|place| {
        let mut order = place.attack(&["hold", "300", "1"]);
        order["memory_bytes"] = json!(200 << 20);
        let said = place.drive(&order);
        // One process is refused the memory and aborts.
        has(&said, "end: Signalled(6)");
        let mut order = place.attack(&["hold", "120", "4"]);
        order["memory_bytes"] = json!(200 << 20);
        has(&place.drive(&order), "end: OutOfMemory");
    });
}

#[test]
fn a_long_log_is_hashed_whole_and_kept_in_part() {
    as_each_user(|place| {
        let said = place.attacked(&["shout", "20"]);
        has(&said, "end: Exited(0)");
        has(&said, "end of 20 MiB, standard input 0 bytes");
        let length = (20 << 20) + "end of 20 MiB, standard input 0 bytes\n".len();
        let mut log = vec![b'x'; 20 << 20];
        log.iter_mut().skip(1023).step_by(1024).for_each(|byte| *byte = b'\n');
        log.extend(b"end of 20 MiB, standard input 0 bytes\n");
        has(&said, &format!("log: {length} bytes, {}", bartizan_base::sha256(&log)));
        assert!(said.len() < 80_000, "{} bytes of log were kept", said.len());
    });
}

#[test]
fn using_too_much_of_the_processor() {
    as_each_user(|place| {
        let mut order = json!({ "command": ["/bin/sh", "-c", "while :; do :; done"] });
        order["cpu_seconds"] = json!(1);
        let said = place.drive(&order);
        // The limit that nobody may pass is the limit that one is warned of.
        has(&said, "end: Signalled(9)");
        has(&said, "output: withheld");
    });
}

#[test]
fn the_kernel_knows_the_limits() {
    as_each_user(|place| {
        let said = place.script("tr -s ' ' < /proc/self/limits");
        for line in [
            "Max cpu time 60 60",
            "Max data size 1073741824 1073741824",
            "Max open files 1024 1024",
            "Max file size 1073741824 1073741824",
            "Max core file size 0 0",
            "Max locked memory 65536 65536",
            "Max nice priority 0 0",
            "Max realtime priority 0 0",
        ] {
            has(&said, line);
        }
    });
}
