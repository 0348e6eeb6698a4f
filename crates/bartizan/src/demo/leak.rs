//! Nothing personal in the ledger: its bytes are searched for everything personal that the demo generated.

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
    if secrets.is_empty() {
        return lines.step("no search for personal data: your file was not generated", "skipped");
    }
    for secret in secrets {
        let found = haystacks.iter().any(|bytes| contains(bytes, secret.as_bytes()));
        ensure!(!found, "the ledger holds `{secret}`");
    }
    let evidence = format!("{} searched in {files} files, {} entries: none", secrets.len(), snapshot.size());
    lines.step("no e-mail address or card number is in the ledger", &evidence)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        let Some(tail) = rest.get(at..) else { return false };
        if tail.starts_with(needle) {
            return true;
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    false
}
