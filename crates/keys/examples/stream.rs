//! Encrypts and decrypts a file in the stored stream format, beside Tink; and measures sealing.
//!
//! ```text
//! stream encrypt KEYHEX AADHEX IN OUT
//! stream decrypt KEYHEX AADHEX IN OUT
//! stream bench MEBIBYTES               sealing against SHA-256 alone, on one thread, from and to memory
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Hasher, ProjectId, Timestamp};
use bartizan_keys::stream::{Decryptor, Encryptor};
use bartizan_keys::{FileKeyStore, Keys, OsRandom, Secret};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["encrypt", key, aad, from, to] => encrypt(&secret(key)?, &bytes(aad)?, from, to),
        ["decrypt", key, aad, from, to] => decrypt(&secret(key)?, &bytes(aad)?, from, to),
        ["bench", mebibytes] => bench(mebibytes.parse()?),
        _ => bail!("usage: stream encrypt|decrypt KEYHEX AADHEX IN OUT | stream bench MEBIBYTES"),
    }
}

fn secret(text: &str) -> Result<Secret> {
    let bytes: [u8; 32] = bytes(text)?.try_into().ok().context("the key has not 32 bytes")?;
    Ok(Secret::from_bytes(bytes))
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    hex::decode(text).ok().context("not hexadecimal digits")
}

fn encrypt(key: &Secret, aad: &[u8], from: &str, to: &str) -> Result<()> {
    let mut stream = Encryptor::new(File::create(to)?, key, aad, &mut OsRandom)?;
    stream.copy_from(&mut File::open(from)?, &mut Hasher::new())?;
    stream.finish()?;
    Ok(())
}

fn decrypt(key: &Secret, aad: &[u8], from: &str, to: &str) -> Result<()> {
    let file = File::open(from)?;
    let reader = Box::new(FileReader { len: file.metadata()?.len(), name: from.to_owned(), file });
    let mut stream = Decryptor::open(reader, key, aad)?;
    let mut plain = vec![0; usize::try_from(stream.len())?];
    stream.read_at(0, &mut plain)?;
    fs::write(to, plain)?;
    Ok(())
}

struct FileReader {
    file: File,
    len: u64,
    name: String,
}

impl BlobReader for FileReader {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError> {
        self.file.read_exact_at(buf, offset).map_err(|source| BlobError::new("read", &self.name, source))
    }
}

// Hashes the same bytes alone and while sealing them, three times, and prints the best times.
#[expect(clippy::disallowed_methods, reason = "this measures the crate from outside")]
fn bench(mebibytes: u64) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let rng = &mut OsRandom;
    let root = Box::new(FileKeyStore::create(dir.path(), rng)?);
    let project = ProjectId::from_random([7; 16]);
    let keys = Keys::create(Arc::new(Nowhere), root, project, rng, Timestamp::EPOCH)?;
    let pattern = vec![0x5a; 1 << 20];
    let (mut hashing, mut sealing) = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        let mut source = Repeated { pattern: &pattern, at: 0, left: mebibytes << 20 };
        while let count @ 1.. = source.read(&mut buffer)? {
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
        hasher.finish();
        hashing = hashing.min(start.elapsed().as_secs_f64());

        let start = std::time::Instant::now();
        let mut source = Repeated { pattern: &pattern, at: 0, left: mebibytes << 20 };
        keys.seal(&Nowhere, &mut source, rng, Timestamp::EPOCH)?;
        sealing = sealing.min(start.elapsed().as_secs_f64());
    }
    let ratio = sealing / hashing;
    writeln!(io::stdout(), "SHA-256 alone {hashing:.3} s, sealing {sealing:.3} s, ratio {ratio:.2}")?;
    Ok(())
}

struct Repeated<'a> {
    pattern: &'a [u8],
    at: usize,
    left: u64,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let rest = self.pattern.get(self.at..).unwrap_or_default();
        let count = buf.len().min(rest.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at = (self.at + count) % self.pattern.len();
        self.left -= count as u64;
        Ok(count)
    }
}

// Blobs that forget everything.
struct Nowhere;

impl Blobs for Nowhere {
    fn put(&self, _: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        Ok(())
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(Nowhere))
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        Err(BlobError::new("read", name, io::ErrorKind::NotFound.into()))
    }

    fn list(&self, _: &str, _: Option<&BlobName>, _: usize) -> Result<Vec<BlobName>, BlobError> {
        Ok(Vec::new())
    }

    fn delete(&self, _: &BlobName) -> Result<bool, BlobError> {
        Ok(false)
    }
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Nowhere {
    fn commit(self: Box<Self>, _: &BlobName) -> Result<(), BlobError> {
        Ok(())
    }
}
