//! Objects on a server: read at any place, never as a mixture of two, and with errors that say what is wrong.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bartizan_store::{RemoteFailed, RemoteFile, RemoteUrl};
use expect_test::expect;

/// What is wrong with a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Another content takes the place of the object after so many requests.
    Replaced(usize),
    /// Ranges are passed over.
    Whole,
    /// Half of what was announced is sent.
    Short,
    /// Another range is sent than was asked for.
    Elsewhere,
    /// The object has no entity tag, and no time either.
    Nameless,
    /// Its entity tag is a weak one, and another content takes its place after two requests.
    Weak,
    /// The status of every answer.
    Status(&'static str),
}

/// A server on this machine that has one object, `/bucket/table.csv`, until it is dropped.
struct Server {
    address: String,
    gets: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Server {
    fn new(content: Vec<u8>, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (content, asked) = (Arc::new(content), Arc::new(AtomicUsize::new(0)));
        let gets = Arc::new(Mutex::new(BTreeMap::new()));
        let counted = Arc::clone(&gets);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (content, asked, gets) = (Arc::clone(&content), Arc::clone(&asked), Arc::clone(&counted));
                thread::spawn(move || serve(&stream.unwrap(), &content, fault, &asked, &gets));
            }
        });
        Self { address, gets }
    }

    fn url(&self) -> RemoteUrl {
        RemoteUrl::parse(&format!("http://{}/bucket/table.csv", self.address)).unwrap()
    }

    fn open(&self) -> Result<RemoteFile, RemoteFailed> {
        RemoteFile::open(&self.url())
    }
}

fn serve(
    stream: &TcpStream,
    content: &[u8],
    fault: Fault,
    asked: &AtomicUsize,
    gets: &Mutex<BTreeMap<String, usize>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut out = stream;
    while let Some(Ok(request)) = lines.next() {
        let mut range = None;
        for line in lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()) {
            let line = line.to_ascii_lowercase();
            if let Some(bounds) = line.strip_prefix("range: bytes=") {
                let (start, end) = bounds.split_once('-').unwrap();
                range = Some((start.parse::<usize>().unwrap(), end.parse::<usize>().unwrap() + 1));
            }
        }
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let replaced = match fault {
            Fault::Replaced(after) => number >= after,
            Fault::Weak => number >= 2,
            _ => false,
        };
        let tag = if replaced { "\"two\"" } else { "\"one\"" };
        let tag = if fault == Fault::Weak { format!("W/{tag}") } else { tag.to_owned() };
        if let Some((start, end)) = range {
            *gets.lock().unwrap().entry(format!("{start}-{end}")).or_default() += 1;
        }
        let (status, (start, end)) = match (fault, range) {
            (Fault::Status(status), _) => (status, (0, 0)),
            (Fault::Whole, _) | (_, None) => ("200 OK", (0, content.len())),
            (Fault::Elsewhere, Some((start, end))) => ("206 Partial Content", (start + 1, end + 1)),
            (_, Some(bounds)) => ("206 Partial Content", bounds),
        };
        let body = content.get(start..end).unwrap_or_default();
        let mut head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\n", body.len());
        if fault != Fault::Nameless {
            head.push_str(&format!("ETag: {tag}\r\nLast-Modified: Mon, 02 Mar 2026 12:00:00 GMT\r\n"));
        }
        if status.starts_with("206") {
            head.push_str(&format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, content.len()));
        }
        let sent = match (request.starts_with("HEAD"), fault) {
            (true, _) => &[][..],
            (false, Fault::Short) => &body[..body.len() / 2],
            (false, _) => body,
        };
        if out.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| out.write_all(sent)).is_err()
            || fault == Fault::Short
        {
            return;
        }
    }
}

/// Nine MiB and a bit: three blocks.
fn content() -> Vec<u8> {
    (0..9 * 1024 * 1024 + 17_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn an_object_reads_like_a_file() {
    let content = content();
    let server = Server::new(content.clone(), Fault::None);
    let mut file = server.open().unwrap();
    assert_eq!((file.length(), file.version()), (content.len() as u64, "\"one\""));
    let mut read = Vec::new();
    file.read_to_end(&mut read).unwrap();
    assert!(read == content);
    // Each block was asked for once.
    let gets = server.gets.lock().unwrap().clone();
    assert_eq!(gets.values().copied().collect::<Vec<_>>(), [1, 1, 1], "{gets:?}");

    // As Parquet is read: from its end, then here and there.
    let mut tail = [0; 8];
    file.seek(SeekFrom::End(-8)).unwrap();
    file.read_exact(&mut tail).unwrap();
    assert_eq!(tail[..], content[content.len() - 8..]);
    for at in [0_usize, 4 * 1024 * 1024 - 3, 17, 8 * 1024 * 1024, 5_000_000] {
        let mut some = vec![0; 100_000];
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.read_exact(&mut some).unwrap();
        assert!(some[..] == content[at..][..100_000], "at {at}");
    }
    file.seek(SeekFrom::Start(u64::MAX)).unwrap();
    assert_eq!(file.read(&mut tail).unwrap(), 0);
    file.seek(SeekFrom::Start(0)).unwrap();
    file.seek(SeekFrom::Current(-1)).unwrap_err();
}

#[test]
fn an_empty_object_has_an_end() {
    let server = Server::new(Vec::new(), Fault::None);
    let mut read = Vec::new();
    server.open().unwrap().read_to_end(&mut read).unwrap();
    assert!(read.is_empty());
}

#[test]
fn what_changes_or_ends_early_is_no_file() {
    let read = |fault| {
        let server = Server::new(content(), fault);
        let mut file = server.open().unwrap();
        let error = file.read_to_end(&mut Vec::new()).unwrap_err();
        error.to_string().replace(&server.address, "HOST")
    };
    expect!["the object changed while it was read"].assert_eq(&read(Fault::Replaced(2)));
    expect!["the object changed while it was read"].assert_eq(&read(Fault::Weak));
    expect!["the server does not answer for a part of the object"].assert_eq(&read(Fault::Elsewhere));
    expect!["the server sends all of the object where a part of it is asked for"]
        .assert_eq(&read(Fault::Whole));
    expect!["the server does not answer for a part of the object"].assert_eq(&read(Fault::Short));
}

#[test]
fn an_object_that_is_not_there_or_forbidden_is_said_to_be() {
    let open = |status| {
        let server = Server::new(content(), Fault::Status(status));
        server.open().unwrap_err().to_string().replace(&server.address, "HOST")
    };
    expect!["there is no `http://HOST/bucket/table.csv`"].assert_eq(&open("404 Not Found"));
    let denied = open("403 Forbidden");
    expect![
        "`http://HOST/bucket/table.csv` may not be read without credentials, and none are sent to web servers"
    ]
    .assert_eq(&denied);
    let nameless = Server::new(content(), Fault::Nameless);
    assert!(matches!(nameless.open(), Err(RemoteFailed::Unpinned(_))));
    let nobody = RemoteUrl::parse("http://127.0.0.1:1/bucket/table.csv").unwrap();
    expect!["`http://127.0.0.1:1/bucket/table.csv` cannot be read"]
        .assert_eq(&RemoteFile::open(&nobody).unwrap_err().to_string());
}

#[test]
fn places_are_told_from_paths() {
    let parsed = |text: &str| match RemoteUrl::parse(text) {
        Ok(url) => format!("{url} -> {}", url.file_name()),
        Err(error) => error.to_string(),
    };
    let texts = [
        "s3://bucket/a/b.parquet",
        "s3a://bucket/b.csv",
        "gs://bucket/b.csv",
        "az://container/b.csv",
        "abfss://container@account.dfs.core.windows.net/b.csv",
        "https://example.org/b.csv",
        "s3://bucket/folder/",
        "s3://bucket",
        "file:///etc/passwd",
        "memory:///b.csv",
        "ftp://example.org/b.csv",
        "https://user:secret@example.org/b.csv",
        "https://example.org/b.csv?X-Amz-Signature=secret",
        "https://example.org/b.csv#secret",
        "s3://",
        "abfss://container:secret@account.dfs.core.windows.net/b.csv",
        "s3://user:se@secret@bucket/b.csv",
        "s3://user:secret/@bucket/b.csv",
        "https://bucket.s3.us-east-1.amazonaws.com/b.csv",
    ];
    let said: String = texts.iter().map(|text| format!("{}\n", parsed(text))).collect();
    assert!(!said.contains("secret"));
    expect![[r#"
        s3://bucket/a/b.parquet -> b.parquet
        s3a://bucket/b.csv -> b.csv
        gs://bucket/b.csv -> b.csv
        az://container/b.csv -> b.csv
        abfss://container@account.dfs.core.windows.net/b.csv -> b.csv
        https://example.org/b.csv -> b.csv
        `s3://bucket/folder/` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `s3://bucket` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `file:///etc/passwd` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `memory:///b.csv` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `ftp://example.org/b.csv` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `https://...@example.org/b.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
        `https://example.org/b.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
        `https://example.org/b.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
        `s3://` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        `abfss://...@account.dfs.core.windows.net/b.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
        `s3://...@bucket/b.csv` has a user, a query or a fragment, which would stay in the history of the shell and in reports
        `s3://...@bucket/b.csv` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path
        https://bucket.s3.us-east-1.amazonaws.com/b.csv -> b.csv
    "#]].assert_eq(&said);

    let meant = |text: &&&str| RemoteUrl::is_meant_by(text);
    let paths = ["-", "a.csv", "/a/b.csv", "C://b.csv", "./s3:/b.csv", "://b.csv"];
    assert_eq!(paths.iter().filter(meant).count(), 0);
    assert_eq!(texts.iter().filter(meant).count(), texts.len());
}
