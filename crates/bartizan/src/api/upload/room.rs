//! The room on the disk that uploads leave to others.

use std::io::{self, Read};
use std::path::PathBuf;

use super::super::App;

/// Bytes that uploads leave free on the disk, so that decisions and quarantines can still be written.
const ROOM_BYTES: u64 = 512 * 1024 * 1024;
/// Bytes between two looks at the disk.
const LOOK_BYTES: u64 = 16 * 1024 * 1024;

/// Content that ends in an error before it fills the disk.
pub(super) struct WithRoom<R> {
    content: R,
    directory: PathBuf,
    unseen: u64,
}

impl App {
    pub(super) fn with_room<R: Read>(&self, content: R) -> WithRoom<R> {
        WithRoom { content, directory: self.data_dir.clone(), unseen: LOOK_BYTES }
    }
}

impl<R: Read> Read for WithRoom<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unseen >= LOOK_BYTES {
            let found = rustix::fs::statvfs(&self.directory)?;
            if found.f_bavail.saturating_mul(found.f_frsize) < ROOM_BYTES {
                let why = format!("less than {ROOM_BYTES} bytes are free, which uploads leave to the ledger");
                return Err(io::Error::new(io::ErrorKind::StorageFull, why));
            }
            self.unseen = 0;
        }
        let count = self.content.read(buffer)?;
        self.unseen = self.unseen.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}
