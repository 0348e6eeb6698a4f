//! The binary as a server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::bench::Bench;

/// `bartizan up`, killed when it is dropped.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) inference: String,
}

impl Up {
    pub(crate) fn start(bench: &Bench) -> Self {
        let somewhere = "127.0.0.1:0";
        let up = ["up", "--listen", somewhere, "--inference", somewhere];
        let mut child = bench.command(&up).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut address = || {
            // What it says of a log that was cut off comes before.
            let mut said = String::new();
            loop {
                let mut line = String::new();
                assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it listened: {said}");
                assert!(!line.contains('\u{1b}'), "colours are for terminals: {line:?}");
                said.push_str(&line);
                let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
                if let Some(address) = address {
                    return address.to_owned();
                }
            }
        };
        let (api, inference) = (address(), address());
        // Whoever stops reading would make the server block on its log.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()).is_ok());
        Self { address: api, inference, child }
    }

    /// Sends raw bytes and returns the first line of the answer.
    pub(crate) fn raw(&self, request: &str) -> String {
        self.whole(request).lines().next().unwrap_or_default().to_owned()
    }

    /// Sends raw bytes and returns the whole answer.
    pub(crate) fn whole(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        answer
    }
}

impl Up {
    /// Asks it to end, and returns how long it took.
    pub(crate) fn end(&mut self) -> Duration {
        let begun = Instant::now();
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
