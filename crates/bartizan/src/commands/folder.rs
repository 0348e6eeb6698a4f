//! Directories of images or texts on their way to a data set: packed while they are sent.

use std::io::{self, PipeReader, Read};
use std::path::Path;
use std::thread::JoinHandle;

use bartizan_data::folder::{PackFailed, Packer};

use super::tree::{self, ModelFile};
use super::{file_failure, read_bytes};
use crate::catalog::ids;
use crate::failure::Failure;

/// Bytes of a label manifest.
const LABELS_BYTES: u64 = 64 * 1024 * 1024;

/// A directory whose files were looked at, and its labels.
pub(super) struct Folder {
    files: Vec<ModelFile>,
    labels: Option<Vec<u8>>,
}

/// Lists a directory: regular files and nothing else. A label manifest that lies in it is none of its files.
pub(super) fn list(path: &Path, labels: Option<&Path>) -> Result<Folder, Failure> {
    let files = tree::list_up_to(path, labels, bartizan_data::limits::FOLDER_FILES)?;
    for file in &files {
        bartizan_data::folder::check_path(&file.path).map_err(|error| Failure::of(ids::FILE, &error))?;
    }
    let labels = labels.map(|path| read_bytes(path, LABELS_BYTES)).transpose()?;
    Ok(Folder { files, labels })
}

impl Folder {
    /// Bytes of its files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The packed directory, made while it is read.
    pub(super) fn pack(self) -> Result<Packed, Failure> {
        let (reader, writer) = io::pipe().map_err(|error| file_failure(Path::new("a pipe"), &error))?;
        let packing = std::thread::spawn(move || {
            let mut packer = Packer::new(io::BufWriter::new(writer));
            for file in &self.files {
                let opened = file.open().map_err(|failure| PackFailed::Io(io::Error::other(failure.what)))?;
                packer.file(&file.path, file.bytes, opened)?;
            }
            packer
                .finish(self.labels.as_deref())?
                .into_inner()
                .map(drop)
                .map_err(|error| PackFailed::Io(error.into()))
        });
        Ok(Packed { reader, packing: Some(packing) })
    }
}

/// A packed directory on its way. What breaks off while it is made is an error, and never an end.
pub(super) struct Packed {
    reader: PipeReader,
    packing: Option<JoinHandle<Result<(), PackFailed>>>,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(packing) = self.packing.take()
        {
            match packing.join() {
                Ok(Ok(())) => {}
                Ok(Err(PackFailed::Io(error))) => return Err(error),
                Ok(Err(failed)) => return Err(io::Error::other(failed)),
                Err(_) => return Err(io::Error::other("packing the directory broke off")),
            }
        }
        Ok(count)
    }
}
