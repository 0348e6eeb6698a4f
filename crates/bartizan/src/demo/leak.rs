//! Nothing personal in the ledger: its bytes are searched for everything personal that the demo generated.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use bartizan_keys::{TrustFile, dsse};
use bartizan_ledger::LedgerReader;
use bartizan_registry::proof::trusted_log;
use bartizan_store::DataDir;

use super::Lines;
use super::attacks::for_each_file;
use super::story::Story;

/// Searches the ledger's files, and the decoded payload of every entry.
pub(crate) fn search(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let mut haystacks: Vec<Vec<u8>> = Vec::new();
    let mut failed = None;
    for_each_file(&story.data.join("ledger"), &mut |path, _| match fs::read(path) {
        Ok(bytes) => haystacks.push(bytes),
        Err(error) => failed = Some(error),
    })?;
    if let Some(error) = failed {
        return Err(error).context("the ledger cannot be read");
    }
    let files = haystacks.len();
    let trust = TrustFile::parse(&fs::read(&story.trust).context("the trust file is gone")?)?;
    let ledger = DataDir::open(&story.data).context("cannot open the data directory")?.ledger()?;
    let snapshot = LedgerReader::new(std::sync::Arc::new(ledger), trusted_log(&trust)?).snapshot()?;
    for entry in snapshot.entries(0..snapshot.size()) {
        let envelope = dsse::Envelope::parse(&entry?.bytes)?;
        haystacks.push(envelope.payload().to_vec());
    }
    let secrets = story.secrets();
    ensure!(
        secrets.iter().all(|secret| secret.len() >= BEGINNING),
        "a generated secret is too short to search for"
    );
    if secrets.is_empty() {
        return lines.step("no search for personal data: your file was not generated", "skipped");
    }
    let index = by_beginning(secrets);
    for bytes in &haystacks {
        let found = find(bytes, &index);
        ensure!(found.is_none(), "the ledger holds `{}`", found.unwrap_or_default());
    }
    let evidence = format!("{} searched in {files} files, {} entries: none", secrets.len(), snapshot.size());
    lines.step("no e-mail address or card number is in the ledger", &evidence)
}

/// So many bytes at the beginning of a secret are looked up at once; all secrets are longer.
const BEGINNING: usize = 8;

/// The secrets by their first bytes, so that one pass over the ledger looks for all of them.
fn by_beginning(secrets: &[String]) -> HashMap<&[u8], Vec<&str>> {
    let mut index: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for secret in secrets {
        let beginning = secret.as_bytes().get(..BEGINNING).unwrap_or(secret.as_bytes());
        index.entry(beginning).or_default().push(secret);
    }
    index
}

/// The first secret that is somewhere in the bytes.
fn find<'a>(bytes: &[u8], index: &HashMap<&[u8], Vec<&'a str>>) -> Option<&'a str> {
    bytes.windows(BEGINNING).enumerate().find_map(|(at, beginning)| {
        let here = bytes.get(at..)?;
        index.get(beginning)?.iter().find(|secret| here.starts_with(secret.as_bytes())).copied()
    })
}

#[cfg(test)]
mod tests;
