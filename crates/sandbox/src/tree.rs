//! Trees of files by their content: listed without following a link, opened beneath their root, hashed, copied.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_base::{Digest, Hasher, canonical};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use serde::Serialize;

use crate::limits::{
    CODE_BYTES, CODE_FILES, ENVIRONMENT_BYTES, ENVIRONMENT_DEPTH, ENVIRONMENT_FILES, INPUT_BYTES,
    INPUT_FILES, REFUSALS, TREE_DEPTH, TREE_LIST_BYTES, TREE_PATH_BYTES,
};
use crate::report::{Hashed, OutputFile, Refusal, RefusalReason};

/// Threads that hash one tree at most, and the files that each takes at a time.
const HASHERS: usize = 4;
const HASH_BATCH: usize = 128;

/// How large a tree may be, whether its files may have further names, and what else may be in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) depth: usize,
    pub(crate) hard_links: bool,
    /// Symbolic links are listed with where they lead, and names need only be UTF-8: for trees that nobody copies.
    pub(crate) as_installed: bool,
}

impl Bounds {
    pub(crate) const CODE: Self = Self { hard_links: true, ..Self::output(CODE_FILES, CODE_BYTES) };
    pub(crate) const INPUT: Self = Self { hard_links: true, ..Self::output(INPUT_FILES, INPUT_BYTES) };
    pub(crate) const ENVIRONMENT: Self = Self {
        files: ENVIRONMENT_FILES,
        bytes: ENVIRONMENT_BYTES,
        depth: ENVIRONMENT_DEPTH,
        hard_links: true,
        as_installed: true,
    };

    pub(crate) const fn output(files: u64, bytes: u64) -> Self {
        Self { files, bytes, depth: TREE_DEPTH, hard_links: false, as_installed: false }
    }
}

/// The tree cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum TreeRefused {
    /// An entry that is not taken; the first of them.
    #[error("`{}` is {}", .0.path, .0.reason)]
    Entry(Refusal),
    /// The tree is neither a file nor a directory.
    #[error("neither a file nor a directory")]
    Kind,
    /// Its files changed while they were read.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// Which.
        path: String,
    },
    /// Its list of files is larger than anyone should read.
    #[error("the list of files is too large")]
    List,
    /// It cannot be read or copied.
    #[error("`{path}` cannot be read or copied")]
    Io {
        /// Which of its entries.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What must not change about a file while a job has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    node: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            node: (found.dev(), found.ino()),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// A tree that was hashed, and how to see whether it is still the same.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) hashed: Hashed,
    /// Device and inode of its root.
    pub(crate) node: (u64, u64),
    root: File,
    stamps: Vec<(String, Stamp)>,
    links: Vec<(String, String)>,
}

impl Taken {
    /// The paths of its files, ascending.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.stamps.iter().map(|(path, _)| path.as_str())
    }

    /// The first file that is no longer what was hashed.
    pub(crate) fn changed(&self, bounds: &Bounds) -> Option<String> {
        let whole = self.root.metadata().is_ok_and(|found| found.is_file());
        if whole {
            let same =
                Stamp::of(&self.root).is_ok_and(|now| self.stamps.iter().all(|(_, then)| *then == now));
            return if same { None } else { Some(".".to_owned()) };
        }
        let Ok(listing) = list(self.root.as_fd(), bounds) else { return Some(".".to_owned()) };
        if let Some(refusal) = listing.refused.first() {
            return Some(refusal.path.clone());
        }
        if listing.links != self.links {
            let now = listing.links.iter().find(|link| !self.links.contains(link));
            let changed = now.or_else(|| self.links.iter().find(|link| !listing.links.contains(link)));
            return changed.map(|(path, _)| path.clone());
        }
        let mut then = self.stamps.iter();
        for (path, _) in &listing.files {
            let now = open_beneath(self.root.as_fd(), path).and_then(|file| Stamp::of(&file));
            match (then.next(), now) {
                (Some((old_path, old)), Ok(now)) if old_path == path && *old == now => {}
                _ => return Some(path.clone()),
            }
        }
        then.next().map(|(path, _)| path.clone())
    }
}

/// The regular files of a tree with their sizes, ascending by path, and what else there is.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<(String, u64)>,
    /// Symbolic links and where they lead, ascending by path; empty where they are refused.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) bytes: u64,
    /// At most [`REFUSALS`] of what was refused.
    pub(crate) refused: Vec<Refusal>,
    pub(crate) refused_count: u64,
    entries: u64,
}

impl Listing {
    fn refuse(&mut self, path: &str, reason: RefusalReason) {
        self.refused_count += 1;
        if self.refused.len() < REFUSALS {
            self.refused.push(Refusal { path: path.to_owned(), reason });
        }
    }
}

/// Lists a directory and all below it, following no link. Stops at the first entry beyond `bounds.files`.
pub(crate) fn list(root: BorrowedFd<'_>, bounds: &Bounds) -> io::Result<Listing> {
    let mut listing = Listing::default();
    walk(root, "", 1, bounds, &mut listing)?;
    listing.files.sort_unstable();
    listing.links.sort_unstable();
    if listing.bytes > bounds.bytes {
        listing.refuse(".", RefusalReason::Size);
    }
    Ok(listing)
}

/// Returns `false` when there are too many entries to go on.
fn walk(
    directory: BorrowedFd<'_>,
    prefix: &str,
    depth: usize,
    bounds: &Bounds,
    listing: &mut Listing,
) -> io::Result<bool> {
    let mut directories = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let path = format!("{prefix}{}", name.to_string_lossy());
        listing.entries += 1;
        if listing.entries > bounds.files {
            listing.refuse(&path, RefusalReason::Count);
            return Ok(false);
        }
        if !name.to_str().is_ok_and(|name| bounds.as_installed || portable(name))
            || path.len() > TREE_PATH_BYTES
        {
            listing.refuse(&path, RefusalReason::Name);
            continue;
        }
        let Ok(found) = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
            listing.refuse(&path, RefusalReason::Unreadable);
            continue;
        };
        match judge(&found, bounds) {
            Ok(Kind::Directory) => directories.push((name.to_owned(), path)),
            Ok(Kind::File(bytes)) => {
                listing.bytes = listing.bytes.saturating_add(bytes);
                listing.files.push((path, bytes));
            }
            Ok(Kind::Link) => {
                match rustix::fs::readlinkat(directory, name, Vec::new()).map(CString::into_string) {
                    Ok(Ok(target)) => listing.links.push((path, target)),
                    Ok(Err(_)) => listing.refuse(&path, RefusalReason::Name),
                    Err(_) => listing.refuse(&path, RefusalReason::Unreadable),
                }
            }
            Err(reason) => listing.refuse(&path, reason),
        }
    }
    for (name, path) in directories {
        if depth == bounds.depth {
            listing.refuse(&path, RefusalReason::Depth);
            continue;
        }
        let Ok(below) = open_dir(directory, &*name) else {
            listing.refuse(&path, RefusalReason::Unreadable);
            continue;
        };
        if !walk(below.as_fd(), &format!("{path}/"), depth + 1, bounds, listing)? {
            return Ok(false);
        }
    }
    Ok(true)
}

enum Kind {
    Directory,
    File(u64),
    Link,
}

fn judge(found: &Stat, bounds: &Bounds) -> Result<Kind, RefusalReason> {
    match FileType::from_raw_mode(found.st_mode) {
        FileType::Directory => Ok(Kind::Directory),
        FileType::RegularFile if found.st_nlink > 1 && !bounds.hard_links => Err(RefusalReason::HardLink),
        FileType::RegularFile => Ok(Kind::File(u64::try_from(found.st_size).unwrap_or(0))),
        FileType::Symlink if bounds.as_installed => Ok(Kind::Link),
        FileType::Symlink => Err(RefusalReason::SymbolicLink),
        _ => Err(RefusalReason::Special),
    }
}

/// The names that `docs/formats/manifest.md` has a place for.
fn portable(name: &str) -> bool {
    !name.chars().any(|letter| matches!(letter, '\\' | ':' | '/') || letter.is_control())
}

/// Opens a regular file of a tree, never through a link and never outside it.
pub(crate) fn open_beneath(root: BorrowedFd<'_>, path: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Removes a directory and all below it, however deep, following no link.
///
/// Each directory below is brought up beside its parent before that is removed, so neither the stack nor the open
/// files of this process grow with the depth. Nobody may be writing there any more.
pub(crate) fn remove(root: &Path) -> io::Result<()> {
    let base = open_dir(rustix::fs::CWD, root)?;
    let mut brought_up = 0_u64;
    loop {
        let names = entries(base.as_fd())?;
        if names.is_empty() {
            return fs::remove_dir(root);
        }
        for name in names {
            if !is_dir(base.as_fd(), &name)? {
                rustix::fs::unlinkat(&base, &name, AtFlags::empty())?;
                continue;
            }
            let directory = open_dir(base.as_fd(), &name)?;
            for inner in entries(directory.as_fd())? {
                if is_dir(directory.as_fd(), &inner)? {
                    rustix::fs::renameat(&directory, &inner, &base, format!(".removed-{brought_up}"))?;
                    brought_up += 1;
                } else {
                    rustix::fs::unlinkat(&directory, &inner, AtFlags::empty())?;
                }
            }
            rustix::fs::unlinkat(&base, &name, AtFlags::REMOVEDIR)?;
        }
    }
}

fn open_dir(at: BorrowedFd<'_>, path: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at, path, flags, Mode::empty())?)
}

fn entries(directory: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether this is a directory, which is then open to its owner.
fn is_dir(at: BorrowedFd<'_>, name: &CStr) -> io::Result<bool> {
    let found = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_dir = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    if is_dir && found.st_mode & 0o700 != 0o700 {
        rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(is_dir)
}

/// Hashes a file, or a directory and all below it.
pub(crate) fn take(path: &Path, bounds: &Bounds) -> Result<Taken, TreeRefused> {
    let root = open_root(path)?;
    let found = root.metadata().map_err(io_at("."))?;
    let node = (found.dev(), found.ino());
    if found.is_file() {
        let before = Stamp::of(&root).map_err(io_at("."))?;
        let (digest, bytes) = pass(&root, &mut io::sink(), bounds.bytes).map_err(io_at("."))?;
        let after = Stamp::of(&root).map_err(io_at("."))?;
        if before != after || bytes != before.bytes {
            return Err(TreeRefused::Changed { path: ".".to_owned() });
        }
        let stamps = vec![(".".to_owned(), after)];
        let hashed = Hashed { digest, files: 1, bytes };
        return Ok(Taken { hashed, node, root, stamps, links: Vec::new() });
    }
    let listing = listed(&root, bounds)?;
    let (files, stamps): (Vec<_>, Vec<_>) = hash_all(&root, &listing.files)?.into_iter().unzip();
    let stamps = files.iter().map(|file: &OutputFile| file.path.clone()).zip(stamps).collect();
    let hashed = whole_with(&files, bounds.as_installed.then_some(listing.links.as_slice()))?;
    Ok(Taken { hashed, node, root, stamps, links: listing.links })
}

/// Hashes the files of a tree by a few threads: it may be an environment of a hundred thousand of them.
fn hash_all(root: &File, files: &[(String, u64)]) -> Result<Vec<(OutputFile, Stamp)>, TreeRefused> {
    let batches: Vec<&[(String, u64)]> = files.chunks(HASH_BATCH).collect();
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(HASHERS);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            let first = batch.first().map(|(path, _)| path.as_str());
            let hashed =
                batch.iter().map(|(path, bytes)| hash(root, path, *bytes)).collect::<Result<Vec<_>, _>>()?;
            done.push((first, hashed));
        }
        Ok::<_, TreeRefused>(done)
    };
    let mut done = Vec::with_capacity(batches.len());
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers.min(batches.len())).map(|_| scope.spawn(work)).collect();
        done.extend(work()?);
        for other in others {
            let gone = |_| io_at(".")(io::Error::other("a thread that hashes ended"));
            done.extend(other.join().map_err(gone)??);
        }
        Ok::<_, TreeRefused>(())
    })?;
    done.sort_unstable_by_key(|(first, _)| *first);
    Ok(done.into_iter().flat_map(|(_, hashed)| hashed).collect())
}

fn hash(root: &File, path: &str, bytes: u64) -> Result<(OutputFile, Stamp), TreeRefused> {
    let file = open_beneath(root.as_fd(), path).map_err(io_at(path))?;
    let before = Stamp::of(&file).map_err(io_at(path))?;
    let (digest, read) = pass(&file, &mut io::sink(), bytes).map_err(io_at(path))?;
    let after = Stamp::of(&file).map_err(io_at(path))?;
    if read != bytes || before.bytes != bytes || after != before {
        return Err(TreeRefused::Changed { path: path.to_owned() });
    }
    Ok((OutputFile { path: path.to_owned(), bytes, digest }, after))
}

/// Copies a file into a directory, or a directory's content, and hashes what it copies.
pub(crate) fn copy(source: &Path, target: &Path, bounds: &Bounds) -> Result<Hashed, TreeRefused> {
    let root = open_root(source)?;
    let found = root.metadata().map_err(io_at("."))?;
    if found.is_file() {
        let name = source.file_name().and_then(|name| name.to_str()).unwrap_or("code").to_owned();
        let mut copy = create(&target.join(&name), &root).map_err(io_at(&name))?;
        let (digest, bytes) = pass(&root, &mut copy, bounds.bytes).map_err(io_at(&name))?;
        return Ok(Hashed { digest, files: 1, bytes });
    }
    each(&root, bounds, |path, file, bytes| {
        let place = target.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let (digest, read) = pass(file, &mut create(&place, file)?, bytes)?;
        Ok((read == bytes).then_some(digest))
    })
}

fn open_root(path: &Path) -> Result<File, TreeRefused> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let root = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(io_at("."))?;
    let kind = root.metadata().map_err(io_at("."))?.file_type();
    if kind.is_file() || kind.is_dir() { Ok(root) } else { Err(TreeRefused::Kind) }
}

fn create(place: &Path, like: &File) -> io::Result<File> {
    let mode = if like.metadata()?.mode() & 0o111 == 0 { 0o644 } else { 0o755 };
    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(place)
}

fn io_at(path: &str) -> impl FnOnce(io::Error) -> TreeRefused {
    let path = path.to_owned();
    move |source| TreeRefused::Io { path, source }
}

/// Lists a tree in which nothing is refused.
fn listed(root: &File, bounds: &Bounds) -> Result<Listing, TreeRefused> {
    let mut listing = list(root.as_fd(), bounds).map_err(io_at("."))?;
    if listing.refused.is_empty() {
        Ok(listing)
    } else {
        Err(TreeRefused::Entry(listing.refused.swap_remove(0)))
    }
}

/// Runs `take` on every file of a tree; it returns the digest, or `None` when the file changed meanwhile.
fn each(
    root: &File,
    bounds: &Bounds,
    mut take: impl FnMut(&str, &File, u64) -> io::Result<Option<Digest>>,
) -> Result<Hashed, TreeRefused> {
    let listing = listed(root, bounds)?;
    let mut files = Vec::with_capacity(listing.files.len());
    for (path, bytes) in listing.files {
        let file = open_beneath(root.as_fd(), &path).map_err(io_at(&path))?;
        let digest = take(&path, &file, bytes).map_err(io_at(&path))?;
        let digest = digest.ok_or_else(|| TreeRefused::Changed { path: path.clone() })?;
        files.push(OutputFile { path, bytes, digest });
    }
    whole(&files)
}

/// Reads a file to its end, or one byte beyond `most`, and writes it to `copy`. Returns digest and bytes read.
pub(crate) fn pass(file: &File, copy: &mut impl Write, most: u64) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let mut reader = file.take(most.saturating_add(1));
    let most_at_once = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX).min(128 * 1024);
    let mut buffer = vec![0; most_at_once];
    let mut bytes = 0u64;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        hasher.update(chunk);
        copy.write_all(chunk)?;
        bytes += u64::try_from(read).unwrap_or(0);
    }
    if bytes > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok((hasher.finish(), bytes))
}

/// The digest over a list of files, ascending by path, in the form of `docs/formats/manifest.md`.
pub(crate) fn whole(files: &[OutputFile]) -> Result<Hashed, TreeRefused> {
    whole_with(files, None)
}

/// As [`whole`], or with links in the form of `docs/formats/environment.md`.
fn whole_with(files: &[OutputFile], links: Option<&[(String, String)]>) -> Result<Hashed, TreeRefused> {
    #[derive(Serialize)]
    struct Entry<'f> {
        path: &'f str,
        sha256: Digest,
        size: u64,
    }
    #[derive(Serialize)]
    struct Link<'f> {
        path: &'f str,
        target: &'f str,
    }
    #[derive(Serialize)]
    struct Document<'f> {
        files: Vec<Entry<'f>>,
        format: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        links: Option<Vec<Link<'f>>>,
    }
    let entries = files.iter().map(|file| Entry { path: &file.path, sha256: file.digest, size: file.bytes });
    let document = Document {
        files: entries.collect(),
        format: if links.is_none() { "bartizan-manifest-v1" } else { "bartizan-environment-v1" },
        links: links.map(|links| links.iter().map(|(path, target)| Link { path, target }).collect()),
    };
    let bytes = canonical::to_bytes_within(&document, TREE_LIST_BYTES).map_err(|_| TreeRefused::List)?;
    Ok(Hashed {
        digest: bartizan_base::sha256(&bytes),
        files: u64::try_from(files.len()).unwrap_or(u64::MAX),
        bytes: files.iter().map(|file| file.bytes).fold(0, u64::saturating_add),
    })
}
