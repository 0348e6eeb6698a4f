//! First looks at a file: what it is when it is not text, and what separates its cells.

use super::{Encoding, Separator};

/// How well-known files that are not CSV begin.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "a gzip archive; decompress it first"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file; save the sheet as CSV"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow IPC file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; decompress it first"),
    (b"BZh", "a bzip2 archive; decompress it first"),
    (b"\xfd7zXZ\0", "an xz archive; decompress it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; decompress it first"),
    (b"\x7fELF", "an ELF program"),
    (b"MZ\x90\0", "a Windows program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF-", "a PDF document"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"{\"", "JSON"),
];

/// What a file that begins like this is, when it is known not to be CSV.
pub(crate) fn recognise(start: &[u8]) -> Option<&'static str> {
    // A header may begin with the letters of a signature: `ORCID`. Those formats go on with bytes that text has not.
    let is_text = !start.iter().take(256).any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    let fits = |signature: &[u8]| {
        let may_be_text = is_text && signature.iter().all(u8::is_ascii_alphanumeric);
        start.starts_with(signature) && !may_be_text
    };
    let known = SIGNATURES.iter().find(|(signature, _)| fits(signature)).map(|(_, name)| *name);
    known.or_else(|| is_json_array(start).then_some("a JSON array; JSON lines are wanted, one object a line"))
}

/// Whether it begins as a list of objects, which a line of CSV hardly does: `[{`, with white space anywhere.
fn is_json_array(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let inner = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    let object = inner.and_then(|inner| inner.strip_prefix(b"{")).map(<[u8]>::trim_ascii_start);
    object.is_some_and(|object| matches!(object.first(), Some(b'"' | b'}') | None))
}

/// What to say of a file that is in another encoding than was stated, as its first bytes show.
pub(super) fn other_encoding(
    start: &[u8],
    stated: Encoding,
    marked: Option<Encoding>,
) -> Option<&'static str> {
    match (marked, stated) {
        (Some(marked), stated) if marked == stated => None,
        (Some(Encoding::Utf16Le), _) => {
            Some("it is UTF-16, as its byte order mark says; name the encoding `utf-16le`")
        }
        (Some(Encoding::Utf16Be), _) => {
            Some("it is UTF-16, as its byte order mark says; name the encoding `utf-16be`")
        }
        // Half of each end of line and of each separator would be a zero.
        (_, Encoding::Utf16Le | Encoding::Utf16Be) if is_narrow(start) => {
            Some("it seems to be UTF-8, not UTF-16; name the encoding `utf-8`")
        }
        _ => None,
    }
}

/// Whether it can be UTF-8, perhaps cut within a character, and not UTF-16.
fn is_narrow(start: &[u8]) -> bool {
    let whole = str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    whole && !start.is_empty() && !start.contains(&0)
}

/// What a file with zero bytes near its start may be.
pub(super) fn recognise_zeros(start: &[u8]) -> &'static str {
    let looks_like = |zero_first: bool| {
        let mut pairs = start.chunks_exact(2).take(32).peekable();
        pairs.peek().is_some()
            && pairs.all(|pair| match pair {
                [first, second] if zero_first => *first == 0 && *second != 0,
                [first, second] => *first != 0 && *second == 0,
                _ => false,
            })
    };
    if looks_like(false) {
        "it seems to be UTF-16 without a byte order mark; name the encoding `utf-16le`"
    } else if looks_like(true) {
        "it seems to be UTF-16 without a byte order mark; name the encoding `utf-16be`"
    } else {
        "it holds zero bytes and is of no known kind"
    }
}

/// What a header line says about its separator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeaderLine {
    /// Whether the line's end was seen.
    pub(super) complete: bool,
    /// The candidate that occurs most often outside quotes, the earlier in the list on a tie; `None` when none
    /// occurs.
    pub(super) separator: Option<Separator>,
}

/// Looks at the first line that is not empty. Quotes count where a cell starts, as for the parser.
pub(super) fn header_line(text: &[u8]) -> HeaderLine {
    const CANDIDATES: [Separator; 4] =
        [Separator::COMMA, Separator::SEMICOLON, Separator::TAB, Separator::PIPE];
    let mut counts = [0_usize; CANDIDATES.len()];
    let (mut quoted, mut cell_starts, mut complete) = (false, true, false);
    for &byte in text.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')) {
        let starts_cell = std::mem::take(&mut cell_starts);
        match byte {
            b'"' if quoted => quoted = false,
            // The second of two quotes within quotes opens them again.
            b'"' if starts_cell => quoted = true,
            b'\r' | b'\n' if !quoted => {
                complete = true;
                break;
            }
            _ if quoted => {}
            _ => {
                for (candidate, count) in CANDIDATES.iter().zip(&mut counts) {
                    if candidate.byte() == byte {
                        *count += 1;
                        cell_starts = true;
                    }
                }
            }
        }
        // A closing quote may be the first of two.
        cell_starts |= byte == b'"' && !quoted;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let separator = CANDIDATES.iter().zip(counts).find(|(_, count)| *count == most && most > 0);
    HeaderLine { complete, separator: separator.map(|(candidate, _)| *candidate) }
}
