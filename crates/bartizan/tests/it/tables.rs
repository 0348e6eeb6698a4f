//! Files in other forms than text, and a server to read them from.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Made by `tests/tables/make.py`.
pub(crate) const PARQUET: &[u8] = include_bytes!("../tables/people.parquet");
pub(crate) const ARROW: &[u8] = include_bytes!("../tables/people.arrow");

/// A gzip member (RFC 1952) of stored blocks (RFC 1951, 3.2.4).
pub(crate) fn in_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = bytes.chunks(60_000).collect();
    for (at, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(at + 1 == blocks.len()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xedb8_8320))
    });
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

/// A zstd frame (RFC 8878, 3.1.1) of raw blocks, behind which so many blocks of 128 KiB repeat one byte.
pub(crate) fn in_zstd(bytes: &[u8], repeated: usize) -> Vec<u8> {
    const BLOCK: usize = 128 * 1024;
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    let head = |last: bool, kind: usize, length: usize| {
        u32::try_from(usize::from(last) | (kind << 1) | (length << 3)).unwrap().to_le_bytes()
    };
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
    for (at, block) in blocks.iter().enumerate() {
        out.extend(&head(repeated == 0 && at + 1 == blocks.len(), 0, block.len())[..3]);
        out.extend_from_slice(block);
    }
    for at in 0..repeated {
        out.extend(&head(at + 1 == repeated, 1, BLOCK)[..3]);
        out.push(b'x');
    }
    out
}

/// Serves one object by whatever name for as long as the process runs; says where.
pub(crate) fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let content = content.clone();
            thread::spawn(move || answer(&stream, &content));
        }
    });
    format!("http://{address}/bucket")
}

fn answer(stream: &TcpStream, content: &[u8]) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut out = stream;
    while let Some(Ok(request)) = lines.next() {
        let headers: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let range = headers.iter().find_map(|line| {
            let line = line.to_ascii_lowercase();
            let (start, end) = line.strip_prefix("range: bytes=")?.split_once('-')?;
            Some((start.parse::<usize>().unwrap(), end.parse::<usize>().unwrap() + 1))
        });
        let (start, end) = range.unwrap_or((0, content.len()));
        let body = content.get(start..end).unwrap_or_default();
        let mut head = format!(
            "HTTP/1.1 {}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\nETag: \"one\"\r\nLast-Modified: Mon, 02 Mar 2026 12:00:00 GMT\r\n",
            if range.is_some() { "206 Partial Content" } else { "200 OK" },
            body.len()
        );
        if range.is_some() {
            head.push_str(&format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, content.len()));
        }
        let body = if request.starts_with("HEAD") { &[][..] } else { body };
        if out.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| out.write_all(body)).is_err() {
            return;
        }
    }
}
