//! Signs and verifies a directory in the OpenSSF Model Signing format, beside the Python tool.
//!
//! ```text
//! oms sign DIR KEY.pem OUT [IGNORED...]     IGNORED: paths below DIR; OUT is ignored when it lies below DIR
//! oms verify DIR PUB.pem BUNDLE
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_base::{Digest, Hasher};
use bartizan_keys::oms::{self, FileDigest};
use bartizan_keys::{PublicKey, SigningKey};

// What the Python tool leaves out unless told otherwise.
const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["sign", dir, key, out, ignored @ ..] => sign(Path::new(dir), key, Path::new(out), ignored),
        ["verify", dir, key, bundle] => verify(Path::new(dir), key, bundle),
        _ => bail!("usage: oms sign DIR KEY.pem OUT [IGNORED...] | oms verify DIR PUB.pem BUNDLE"),
    }
}

fn sign(dir: &Path, key: &str, out: &Path, ignored: &[&str]) -> Result<()> {
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(key)?).context("cannot read the private key")?;
    let mut ignore_paths: Vec<&str> = GIT_PATHS.into_iter().chain(ignored.iter().copied()).collect();
    if let Ok(inside) = out.strip_prefix(dir) {
        ignore_paths.push(inside.to_str().context("the bundle's path is not UTF-8")?);
    }
    let dir = dir.canonicalize()?;
    let name = dir.file_name().and_then(|name| name.to_str()).context("the directory has no name")?;
    let files = files(&dir, &|path| ignore_paths.contains(&path))?;
    fs::write(out, oms::sign(name, &files, &ignore_paths, &key)?)?;
    Ok(())
}

fn verify(dir: &Path, key: &str, bundle: &str) -> Result<()> {
    let key = PublicKey::from_pem(&fs::read_to_string(key)?).context("cannot read the public key")?;
    let manifest = oms::verify(&fs::read(bundle)?, &key).context("the bundle does not verify")?;
    let manifest = manifest.get();
    manifest.matches(&files(dir, &|path| manifest.ignores(path))?).context("the model differs")?;
    writeln!(io::stdout(), "{} {} files, root {}", manifest.name, manifest.files.len(), manifest.root)?;
    Ok(())
}

// Every file below `dir`, except `ignored` paths and what lies below them.
fn files(dir: &Path, ignored: &dyn Fn(&str) -> bool) -> Result<Vec<FileDigest>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(dir.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().context("a file name is not UTF-8")?;
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if ignored(&path) {
                continue;
            } else if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(FileDigest { digest: digest(&entry.path())?, path });
            } else {
                bail!("`{path}` is neither a file nor a directory");
            }
        }
    }
    Ok(found)
}

fn digest(path: &Path) -> Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
    }
    Ok(hasher.finish())
}
