//! What a hostile program tries, each printing `reached` when it got through and `denied` when not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

pub(crate) fn attack(name: &str, arguments: &[&str]) -> ExitCode {
    match (name, arguments) {
        ("tcp", [address]) => say("tcp", TcpStream::connect(address)),
        ("udp", [address]) => {
            say("udp", UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"data", address)));
        }
        ("dns", [host, server]) => say("dns", ask_for_address(host, server)),
        ("unix", [path]) => say("unix", UnixStream::connect(path)),
        ("abstract", [name]) => {
            let address = SocketAddr::from_abstract_name(name).unwrap();
            say("abstract", UnixStream::connect_addr(&address));
        }
        ("environment", [marker]) => say("environment", find_marker(marker)),
        ("memory", []) => say("memory", open_memory()),
        ("write", [path]) => write_everywhere(Path::new(path)),
        ("print-environment", []) => std::env::vars().for_each(|(name, value)| println!("{name}={value}")),
        ("list", paths) => paths.iter().for_each(|path| list(path)),
        ("fork", []) => fork_without_end(),
        ("fill", paths) => paths.iter().for_each(|path| fill(Path::new(path))),
        ("sleep", [seconds]) => std::thread::sleep(Duration::from_secs(seconds.parse().unwrap())),
        ("hold", [mebibytes, processes]) => hold(mebibytes.parse().unwrap(), processes.parse().unwrap()),
        ("shout", [mebibytes]) => shout(mebibytes.parse().unwrap()),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn say<T>(what: &str, result: io::Result<T>) {
    match result {
        Ok(_) => println!("{what}: reached"),
        Err(error) => println!("{what}: denied ({error})"),
    }
}

/// Asks a name server for an address, as a resolver does (RFC 1035), and waits for its answer.
fn ask_for_address(host: &str, server: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut question = vec![0xb2, 0x71, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.split('.') {
        question.push(u8::try_from(label.len()).unwrap());
        question.extend(label.bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    socket.send_to(&question, server)?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer)?;
    if answer.get(..2) == question.get(..2) && length >= question.len() {
        return Ok(());
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Looks for a value in the environment of every process but this one.
fn find_marker(marker: &str) -> io::Result<()> {
    let own = std::process::id().to_string();
    for entry in fs::read_dir("/proc")?.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name == own) {
            continue;
        }
        let bytes = fs::read(entry.path().join("environ")).unwrap_or_default();
        if String::from_utf8_lossy(&bytes).contains(marker) {
            return Ok(());
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Opens the memory of any process but this one.
fn open_memory() -> io::Result<()> {
    let own = std::process::id().to_string();
    let others = fs::read_dir("/proc")?.flatten().filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name != own && name.parse::<u32>().is_ok())
    });
    for entry in others {
        if OpenOptions::new().read(true).write(true).open(entry.path().join("mem")).is_ok() {
            return Ok(());
        }
    }
    Err(io::ErrorKind::PermissionDenied.into())
}

fn write_everywhere(path: &Path) {
    say("append", OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(b"x")));
    say("truncate", File::create(path));
    say("rename", fs::rename(path, path.with_extension("moved")));
    say("remove", fs::remove_file(path));
    say("beside", File::create(path.with_extension("new")));
}

fn list(path: &str) {
    let names = fs::read_dir(path).map(|entries| {
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    });
    match names {
        Ok(names) => println!("{path}: {}", names.join(" ")),
        Err(error) => println!("{path}: {error}"),
    }
}

fn fork_without_end() {
    let own = std::env::current_exe().unwrap();
    let mut started = 0u32;
    loop {
        #[expect(clippy::disallowed_methods, reason = "this is what must be contained")]
        let child = Command::new(&own).args(["attack", "fork"]).spawn();
        match child {
            Ok(_) => started += 1,
            Err(_) if started > 0 => {
                println!("forks denied");
                started = 0;
            }
            Err(_) => {}
        }
    }
}

fn fill(path: &Path) {
    let block = vec![1; 1 << 20];
    for number in 0.. {
        let written = File::create(path.join(format!("{number}")))
            .and_then(|mut file| (0..64).try_for_each(|_| file.write_all(&block)));
        if let Err(error) = written {
            println!("{}: full at file {number} ({error})", path.display());
            return;
        }
        if number == 1000 {
            println!("{}: never full", path.display());
            return;
        }
    }
}

/// Holds memory in several processes at once, each within its own limit.
fn hold(mebibytes: usize, processes: usize) {
    let own = std::env::current_exe().unwrap();
    for _ in 1..processes {
        #[expect(clippy::disallowed_methods, reason = "this is what must be contained")]
        let child = Command::new(&own).args(["attack", "hold", &mebibytes.to_string(), "1"]).spawn();
        drop(child);
    }
    let held = vec![1u8; mebibytes << 20];
    std::thread::sleep(Duration::from_secs(15));
    println!("held {}", held.len());
}

fn shout(mebibytes: usize) {
    let line = [b'x'; 1023];
    let mut out = io::stdout().lock();
    for number in 0..mebibytes * 1024 {
        out.write_all(&line).unwrap();
        out.write_all(b"\n").unwrap();
        if number == 0 {
            out.flush().unwrap();
        }
    }
    let mut nothing = String::new();
    io::stdin().read_to_string(&mut nothing).unwrap();
    println!("end of {mebibytes} MiB, standard input {} bytes", nothing.len());
}
