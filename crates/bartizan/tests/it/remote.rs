//! URLs that cannot be read: what is said of each, how it ends, and what comes next.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use expect_test::expect;

use crate::bench::Bench;

const TABLE: &str = "id,amount\n1,2\n2,3\n3,4\n";

#[derive(Clone, Copy)]
enum Server {
    /// The status of every answer.
    Status(&'static str),
    /// All is sent, whatever part is asked for.
    Whole,
    /// Another object is there after the first answer.
    Replaced,
}

/// Serves for as long as the process runs; says where.
fn serve(server: Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let asked = Arc::clone(&asked);
            thread::spawn(move || answer(&stream, server, &asked));
        }
    });
    format!("http://{address}/table.csv")
}

fn answer(stream: &TcpStream, server: Server, asked: &AtomicUsize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut out = stream;
    while let Some(Ok(request)) = lines.next() {
        let headers: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let ranged = headers.iter().any(|line| line.to_ascii_lowercase().starts_with("range:"));
        let before = asked.fetch_add(1, Ordering::SeqCst);
        let end = TABLE.len() - 1;
        let (status, body, tag) = match server {
            Server::Status(status) => (status, "", "one"),
            Server::Replaced if ranged => {
                ("206 Partial Content", TABLE, if before > 0 { "two" } else { "one" })
            }
            Server::Replaced | Server::Whole => ("200 OK", TABLE, "one"),
        };
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"{tag}\"\r\n", body.len());
        if status.starts_with("206") {
            head.push_str(&format!("Content-Range: bytes 0-{end}/{}\r\n", TABLE.len()));
        }
        let body = if request.starts_with("HEAD") { "" } else { body };
        if out.write_all(format!("{head}\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The exit code and all that is said, with the server called HOST.
fn told(bench: &Bench, url: &str) -> String {
    let ran = bench.shown(&["data", "profile", url]);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    let host = url.split('/').nth(2).unwrap();
    let said = if host.contains(':') { ran.stderr.replace(host, "HOST") } else { ran.stderr };
    // Systems number it differently.
    let said = said.split(" (os error").collect::<Vec<_>>();
    let said = said.join("").replace(" 111)", "").replace(" 61)", "");
    format!("{}\n{}\n", ran.code, said.trim_end())
}

#[test]
fn each_failure_of_a_url_has_its_exit_code_and_its_next_step() {
    let bench = Bench::new();
    let mut said = String::new();
    for status in ["404 Not Found", "401 Unauthorized", "403 Forbidden"] {
        said.push_str(&told(&bench, &serve(Server::Status(status))));
    }
    for url in [
        "http://127.0.0.1:1/table.csv",
        "ftp://example.org/table.csv",
        "https://example.org/table.csv?x=1",
        "https://example.org/folder/",
        "s3://bucket",
        "s3://bucket/table.csv?x=1",
    ] {
        said.push_str(&told(&bench, url));
    }
    expect![[r#"
        2
        error[BZ-0320]: there is no `http://HOST/table.csv`
          next:    mend the URL, or ask its owner where the file is
        3
        error[BZ-0324]: `http://HOST/table.csv` may not be read without credentials, and none are sent to web servers
          next:    fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe
        3
        error[BZ-0324]: `http://HOST/table.csv` may not be read without credentials, and none are sent to web servers
          next:    fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe
        5
        error[BZ-0325]: `http://HOST/table.csv` cannot be read
          because: Connection refused
          next:    see whether the server answers, then repeat the command
        2
        error[BZ-0320]: `ftp://example.org/table.csv` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
          next:    fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe
        2
        error[BZ-0320]: `https://example.org/table.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
          next:    fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe
        2
        error[BZ-0320]: `https://example.org/folder/` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
          next:    name one file of the server, https://HOST/PATH
        2
        error[BZ-0320]: `s3://bucket` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
          next:    write the URL as docs/sources.md lists them
        2
        error[BZ-0320]: `s3://bucket/table.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
          next:    leave that out of the URL, and set what the tools of the store read from the environment; docs/sources.md lists it
    "#]].assert_eq(&said);
}

#[test]
fn what_goes_wrong_later_is_no_fault_of_the_file() {
    let bench = Bench::new();
    // Nor of the disk of the project that it is added to.
    let project = Bench::with_project();
    let url = serve(Server::Whole);
    let said = project.refused(&["data", "add", "feed", &url, "--source", "web"], 1, "BZ-0311");
    assert!(said.contains("sends all of the object") && said.contains("such as curl"), "{said}");
    assert!(!said.contains("make room"), "{said}");
    let said: String =
        [Server::Whole, Server::Replaced].iter().map(|server| told(&bench, &serve(*server))).collect();
    expect![[r#"
        1
        error[BZ-0311]: `http://HOST/table.csv`: cannot read the file
          because: the server sends all of the object where a part of it is asked for
          next:    fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe
        1
        error[BZ-0311]: `http://HOST/table.csv`: cannot read the file
          because: the object changed while it was read
          next:    repeat the command once nobody writes to the object any more
    "#]].assert_eq(&said);
}

#[test]
fn a_server_in_trouble_is_told_once() {
    let bench = Bench::new();
    let said = told(&bench, &serve(Server::Status("500 Internal Server Error")));
    expect![[r#"
        5
        error[BZ-0325]: `http://HOST/table.csv` cannot be read
          because: Server returned non-2xx status code: 500 Internal Server Error
          next:    see whether the server answers, then repeat the command
    "#]]
    .assert_eq(&said);
}
