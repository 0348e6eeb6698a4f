//! A directory as one stream of bytes that follows from its files and from nothing else.
//!
//! It is a tar archive in ustar format (POSIX.1-1988) with sorted paths, mode 0644, no owner and no time.
//! Files lie below `files/`, the label manifest, if there is one, is `labels.csv` after them. Whoever reads it takes
//! exactly what a writer of this module makes: every header is made anew and compared, so equal directories have equal
//! bytes, and nothing hides between them.

use std::io::{self, Read, Write};

use crate::limits::{FOLDER_FILE_BYTES, FOLDER_FILES, FOLDER_LABELS_BYTES, FOLDER_PATH_BYTES};

const BLOCK: usize = 512;
const FILES: &str = "files/";
const LABELS: &str = "labels.csv";

/// A path that no archive of a directory holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path of a file in a data set: {why}")]
pub struct PathInvalid {
    /// The path, cut.
    pub path: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A directory cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackFailed {
    /// A path is not possible.
    #[error(transparent)]
    Path(#[from] PathInvalid),
    /// Files do not come in the order of their paths.
    #[error("`{path}` does not come after the file before it")]
    Order {
        /// The path, cut.
        path: String,
    },
    /// There are too many files, or one is too large.
    #[error(
        "a directory has at most {FOLDER_FILES} files of {FOLDER_FILE_BYTES} bytes, and labels of {FOLDER_LABELS_BYTES}"
    )]
    TooLarge,
    /// A file has another length than was said.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The path, cut.
        path: String,
    },
    /// Reading or writing failed.
    #[error("a file cannot be read or written")]
    Io(#[from] io::Error),
}

/// A stream is no packed directory.
#[derive(Debug, thiserror::Error)]
pub enum NotPacked {
    /// It begins like something else.
    #[error("it does not begin like a packed directory")]
    Other,
    /// It ends too early.
    #[error("it ends in the middle of `{path}`")]
    Cut {
        /// The file, cut.
        path: String,
    },
    /// Something in it is not what a writer makes.
    #[error("after `{path}` it is not what a writer makes: {why}")]
    Damaged {
        /// The file before, cut.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
}

/// Whether bytes begin like a packed directory.
pub fn is_packed(head: &[u8]) -> bool {
    let magic = head.get(257..262) == Some(b"ustar");
    magic && (head.starts_with(FILES.as_bytes()) || head.starts_with(LABELS.as_bytes()))
}

/// Checks the path of a file: relative, with `/` between names, none of them empty, `.` or `..`, without control
/// characters and backslashes, and as long as the format has room for.
///
/// # Errors
/// When it is another one.
pub fn check_path(path: &str) -> Result<(), PathInvalid> {
    let refuse = |why| Err(PathInvalid { path: cut(path), why });
    if path.len() > FOLDER_PATH_BYTES {
        return refuse("it is too long");
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return refuse("it holds a control character or a backslash");
    }
    if path.split('/').any(|name| name.is_empty() || name == "." || name == "..") {
        return refuse("a name in it is empty, `.` or `..`");
    }
    if header(&format!("{FILES}{path}"), 0).is_none() {
        return refuse("a name in it is too long");
    }
    Ok(())
}

/// Writes a directory, file by file in the order of their paths as bytes.
#[derive(Debug)]
pub struct Packer<W> {
    to: W,
    last: String,
    count: usize,
}

impl<W: Write> Packer<W> {
    /// Begins.
    pub fn new(to: W) -> Self {
        Self { to, last: String::new(), count: 0 }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When its path is not possible or out of order, it is too large, or has another length than `size`.
    pub fn file(&mut self, path: &str, size: u64, content: impl Read) -> Result<(), PackFailed> {
        check_path(path)?;
        self.count = self.count.saturating_add(1);
        if size > FOLDER_FILE_BYTES || self.count > FOLDER_FILES {
            return Err(PackFailed::TooLarge);
        }
        if path <= self.last.as_str() && self.count > 1 {
            return Err(PackFailed::Order { path: cut(path) });
        }
        path.clone_into(&mut self.last);
        self.entry(&format!("{FILES}{path}"), size, content)
    }

    /// Writes the label manifest, if there is one, and ends.
    ///
    /// # Errors
    /// When it is too large, or writing fails.
    pub fn finish(mut self, labels: Option<&[u8]>) -> Result<W, PackFailed> {
        if let Some(labels) = labels {
            let size = u64::try_from(labels.len()).unwrap_or(u64::MAX);
            if labels.len() > FOLDER_LABELS_BYTES {
                return Err(PackFailed::TooLarge);
            }
            self.entry(LABELS, size, labels)?;
        }
        self.to.write_all(&[0; 2 * BLOCK])?;
        Ok(self.to)
    }

    fn entry(&mut self, name: &str, size: u64, content: impl Read) -> Result<(), PackFailed> {
        let header = header(name, size).ok_or(PackFailed::TooLarge)?;
        self.to.write_all(&header)?;
        // One byte more, to see that there is none.
        let copied = io::copy(&mut content.take(size.saturating_add(1)), &mut self.to)?;
        if copied != size {
            return Err(PackFailed::Changed { path: cut(name.strip_prefix(FILES).unwrap_or(name)) });
        }
        self.to.write_all(padding(size).get(..).unwrap_or_default())?;
        Ok(())
    }
}

/// One thing in a packed directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpacked {
    /// A file and its content.
    File {
        /// Its path.
        path: String,
        /// Its content.
        content: Vec<u8>,
    },
    /// The label manifest.
    Labels(Vec<u8>),
}

/// Reads a packed directory.
#[derive(Debug)]
pub struct Unpacker<R> {
    from: R,
    last: String,
    count: usize,
    ended: bool,
}

impl<R: Read> Unpacker<R> {
    /// Begins.
    pub fn new(from: R) -> Self {
        Self { from, last: String::new(), count: 0, ended: false }
    }

    /// The next file, or the label manifest; `None` at the end, after which there is nothing more.
    ///
    /// # Errors
    /// When the stream is not what a [`Packer`] writes.
    pub fn next_entry(&mut self) -> Result<Option<Unpacked>, NotPacked> {
        let damaged = |last: &str, why| NotPacked::Damaged { path: cut(last), why };
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        if block == [0; BLOCK] {
            let mut rest = [0; BLOCK];
            self.fill(&mut rest)?;
            let more = self.from.read(&mut [0]).map_err(NotPacked::Read)?;
            return match (rest == [0; BLOCK], more) {
                (true, 0) => Ok(None),
                _ => Err(damaged(&self.last, "it does not end where it says")),
            };
        }
        let first = self.count == 0 && !self.ended;
        let other = |why| if first { NotPacked::Other } else { damaged(&self.last, why) };
        let (name, size) = parsed(&block).ok_or_else(|| other("a header is none"))?;
        if header(&name, size).as_ref() != Some(&block) {
            return Err(other("a header is written otherwise"));
        }
        if self.ended {
            return Err(damaged(&self.last, "something comes after the labels"));
        }
        if name == LABELS {
            self.ended = true;
            let fits = usize::try_from(size).is_ok_and(|size| size <= FOLDER_LABELS_BYTES);
            if !fits {
                return Err(damaged(&self.last, "the labels are too large"));
            }
            return self.content(size, LABELS).map(Unpacked::Labels).map(Some);
        }
        let path = name.strip_prefix(FILES).ok_or_else(|| other("it is no file of a directory"))?.to_owned();
        check_path(&path).map_err(|invalid| other(invalid.why))?;
        self.count = self.count.saturating_add(1);
        if self.count > FOLDER_FILES || size > FOLDER_FILE_BYTES {
            return Err(damaged(&self.last, "there are too many files, or one is too large"));
        }
        if path <= self.last && self.count > 1 {
            return Err(damaged(&self.last, "the next one does not come after it"));
        }
        let content = self.content(size, &path)?;
        self.last.clone_from(&path);
        Ok(Some(Unpacked::File { path, content }))
    }

    fn content(&mut self, size: u64, path: &str) -> Result<Vec<u8>, NotPacked> {
        let mut content = Vec::new();
        let read = (&mut self.from).take(size).read_to_end(&mut content).map_err(NotPacked::Read)?;
        if u64::try_from(read).ok() != Some(size) {
            return Err(NotPacked::Cut { path: cut(path) });
        }
        let mut pad = padding(size);
        self.from.read_exact(&mut pad).map_err(|_| NotPacked::Cut { path: cut(path) })?;
        if pad.iter().any(|byte| *byte != 0) {
            return Err(NotPacked::Damaged { path: cut(path), why: "its padding is not empty" });
        }
        Ok(content)
    }

    fn fill(&mut self, block: &mut [u8]) -> Result<(), NotPacked> {
        let first = self.count == 0 && !self.ended;
        self.from.read_exact(block).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof if first => NotPacked::Other,
            io::ErrorKind::UnexpectedEof => NotPacked::Cut { path: cut(&self.last) },
            _ => NotPacked::Read(error),
        })
    }
}

fn padding(size: u64) -> Vec<u8> {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    vec![0; if over == 0 { 0 } else { BLOCK - over }]
}

/// The one header that a file of that name and size has; `None` when the format has no room for it.
fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    let (prefix, rest) = if name.len() <= 100 {
        ("", name)
    } else {
        // The name is cut at the last slash that leaves room for both halves.
        let cuts = name.match_indices('/').map(|(at, _)| at).filter(|at| *at <= 155);
        let at = cuts.rev().find(|at| name.len() - at - 1 <= 100)?;
        (name.get(..at)?, name.get(at + 1..)?)
    };
    if size >= 1 << 33 {
        return None;
    }
    let mut block = [0; BLOCK];
    let mut put = |offset: usize, bytes: &[u8]| {
        block.get_mut(offset..offset + bytes.len()).map(|field| field.copy_from_slice(bytes))
    };
    put(0, rest.as_bytes())?;
    put(100, b"0000644\0")?;
    put(108, b"0000000\0")?;
    put(116, b"0000000\0")?;
    put(124, format!("{size:011o}\0").as_bytes())?;
    put(136, b"00000000000\0")?;
    put(148, b"        ")?;
    put(156, b"0")?;
    put(257, b"ustar\x0000")?;
    put(345, prefix.as_bytes())?;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let checksum = format!("{sum:06o}\0 ");
    block.get_mut(148..156)?.copy_from_slice(checksum.as_bytes());
    Some(block)
}

/// Name and size of a header, which may still say other things than one of ours does.
fn parsed(block: &[u8; BLOCK]) -> Option<(String, u64)> {
    let text = |from: usize, length: usize| {
        let field = block.get(from..from.checked_add(length)?)?;
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        std::str::from_utf8(field.get(..end)?).ok()
    };
    let (rest, prefix) = (text(0, 100)?, text(345, 155)?);
    let size = u64::from_str_radix(text(124, 12)?, 8).ok()?;
    let name = if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}/{rest}") };
    Some((name, size))
}

fn cut(path: &str) -> String {
    path.chars().take(120).collect()
}
