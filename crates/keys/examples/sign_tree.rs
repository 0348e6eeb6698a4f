//! `sign_tree TREE BUNDLE`: hashes the files of a directory on all cores and signs them; for `bench/import`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bartizan_base::{Digest, Hasher};
use bartizan_keys::{Algorithm, OsRandom, SigningKey, oms};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(tree), Some(bundle)) = (arguments.next(), arguments.next()) else {
        return Err("usage: sign_tree TREE BUNDLE".into());
    };
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&tree)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    paths.sort();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hashed = hash(path).map(|digest| (path.clone(), digest));
                    if let Ok(mut done) = done.lock() {
                        done.push(hashed);
                    }
                }
            });
        }
    });
    let mut files = Vec::new();
    for hashed in done.into_inner()? {
        let (path, digest) = hashed?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name is not UTF-8")?;
        files.push(oms::FileDigest { path: name.to_owned(), digest });
    }
    let key = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut OsRandom)?;
    fs::write(bundle, oms::sign("tree", &files, &[], &key)?)?;
    Ok(())
}

fn hash(path: &Path) -> std::io::Result<Digest> {
    let (mut file, mut hasher) = (File::open(path)?, Hasher::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
            return Ok(hasher.finish());
        };
        hasher.update(chunk);
    }
}
