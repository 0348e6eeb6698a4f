//! The deliveries, looked at: who signed them, whether they changed, what personal data is in them.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use anyhow::{Context, Result, ensure};
use bartizan_keys::{OsRandom, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng as _;
use serde_json::Value;

use super::Lines;
use super::stage::Ran;
use super::story::{Story, text};

/// What the source of the second delivery is called.
pub(crate) const FEED: &str = "settlement feed";

/// The head of an Ed25519 private key in PKCS#8 (RFC 8410 section 7), which 32 bytes of seed follow.
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A source gets a key, which sam trusts for it, and signs a file; returns where the signature is.
pub(crate) fn signed(story: &Story<'_>, file: &str, lines: &mut Lines<'_>) -> Result<String> {
    let mut seed = [0; 32];
    OsRandom.fill_bytes(&mut seed);
    let der = STANDARD.encode([&ED25519_PKCS8[..], &seed].concat());
    let private = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    let public = SigningKey::from_pkcs8_pem(&private).context("the source has no key")?.public().pem();
    let place = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    story.stage.write_secret("feed.key", private.as_bytes())?;
    let key = place(story.stage.path("feed.key"));
    let public = place(story.stage.write("feed.pem", public.as_bytes())?);
    let signature = place(story.stage.path("second.csv.sig"));
    let sign = ["data", "sign", file, "--key", &key, "--dataset", "transactions", "--out", &signature];
    let ran = story.stage.run(None, &sign)?;
    ensure!(ran.code == 0, "the source could not sign:\n{}", ran.stderr);
    let named = story.ask(Some(&story.auditor), &["data", "source", "add", FEED, "--key", &public])?;
    lines.step("sam names a source, and the key that it signs with", &text(&named, "source")?)?;
    Ok(signature)
}

/// The signed delivery comes with a byte changed.
pub(crate) fn tampered_on_the_way(story: &Story<'_>, signature: &str, lines: &mut Lines<'_>) -> Result<()> {
    let mut bytes = std::fs::read(story.stage.path("second.csv")).context("the delivery cannot be read")?;
    let digit = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit());
    let digit = digit.context("the delivery has no digit")?;
    *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    let file = story.stage.write("second-changed.csv", &bytes)?.to_string_lossy().into_owned();
    let add = ["data", "add", "transactions", &file, "--source", FEED, "--signature", signature, "--extend"];
    let refused = story.stage.on(&story.data, Some(&story.engineer), &add)?;
    lines.step(
        "the same with one digit changed on its way: `data add`",
        refused.refused("a changed delivery", "BZ-0315")?,
    )
}

/// Compares deliveries, writes a page about the poisoned one, and finds personal data.
pub(crate) fn look(story: &Story<'_>, schema: &str, lines: &mut Lines<'_>) -> Result<()> {
    let drift = |file: &str| {
        let ran = story.stage.run(None, &["-o", "json", "data", "drift", "clean.csv", file])?;
        drifted(&ran)
    };
    // Of somebody's own file nobody knows whether its halves are alike, and in a small one a twentieth is nothing.
    let generated = !story.secrets().is_empty();
    let (changed, compared) = drift("second.csv")?;
    ensure!(!generated || changed.is_empty(), "a clean delivery drifts: {}", changed.join(", "));
    lines.step("the second delivery is held against the first: `data drift`", &said(&changed, compared))?;
    let (changed, compared) = drift("poisoned.csv")?;
    ensure!(!generated || !changed.is_empty(), "the poisoned delivery does not drift");
    lines.step("  and the poisoned one", &said(&changed, compared))?;
    let page = ["data", "check", "poisoned.csv", "--schema", schema, "--report", "poisoned.html"];
    let ran = story.stage.run(None, &page)?;
    ensure!(ran.code == 1, "the poisoned delivery passes its check (code {}):\n{}", ran.code, ran.stderr);
    let size = std::fs::metadata(story.stage.path("poisoned.html")).context("no page was written")?.len();
    let evidence = format!("poisoned.html, {} KiB, asks nobody for anything", size.div_ceil(1024));
    lines.step("a page says what is wrong with it", &evidence)?;
    if !generated {
        return Ok(());
    }
    let redacted = story.stage.run(None, &["data", "redact", "second.csv", "--out", "redacted.csv"])?;
    ensure!(redacted.code == 0, "the delivery was not redacted:\n{}", redacted.stderr);
    let (before, after) = (personal(story, "second.csv")?, personal(story, "redacted.csv")?);
    ensure!(before > 0 && after == 0, "{before} e-mail addresses and cards before, {after} after");
    lines.step(
        "what is personal in it is found, and taken out: `data redact`",
        &format!("{before}, then {after}"),
    )
}

/// Which models saw what the signed source delivered.
pub(crate) fn impact(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let told = story.ask(Some(&story.approver), &["lineage", "impact", "--source", FEED])?;
    let models = told["models"].as_array().map(Vec::as_slice).unwrap_or_default();
    let models: Vec<&str> = models.iter().filter_map(|model| model["version"].as_str()).collect();
    ensure!(!models.is_empty(), "no model saw what the source delivered: {told}");
    lines.step("which models saw that source's data: `lineage impact`", &models.join(", "))
}

/// The columns that drift, and how many comparisons there were.
fn drifted(ran: &Ran) -> Result<(Vec<String>, usize)> {
    ensure!(ran.code == 0 || ran.code == 1, "`data drift` gives no verdict:\n{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).context("`data drift` did not answer in JSON")?;
    let columns = told["comparisons"][0]["report"]["columns"].as_array().context("nothing was compared")?;
    let drifts = columns.iter().filter(|column| column["verdict"] == "drift");
    let names = drifts.filter_map(|column| column["column"].as_str().map(str::to_owned)).collect();
    Ok((names, columns.len()))
}

fn said(changed: &[String], compared: usize) -> String {
    if changed.is_empty() {
        return format!("no drift in {compared} comparisons");
    }
    format!("drift in {} of {compared} comparisons: {}", changed.len(), changed.join(", "))
}

/// How many e-mail addresses and card numbers are found in a file.
fn personal(story: &Story<'_>, file: &str) -> Result<u64> {
    let ran = story.stage.run(None, &["-o", "json", "data", "pii", "scan", file])?;
    let told: Value = serde_json::from_str(&ran.stdout)
        .with_context(|| format!("`data pii scan` did not answer in JSON:\n{}", ran.stderr))?;
    let found = |kind: &str| told["findings"][kind].as_u64().unwrap_or_default();
    Ok(found("email").saturating_add(found("card")))
}
