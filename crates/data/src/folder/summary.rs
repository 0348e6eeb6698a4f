//! What a directory holds, after one pass over it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use bartizan_base::{Digest, canonical, sha256};
use serde::Serialize;

use super::image::{NotAnImage, image};
use super::labels::{Labels, LabelsInvalid, labels};
use super::pack::{NotPacked, Unpacked, Unpacker};
use super::text::{Vocabulary, text};
use crate::limits::{FOLDER_EXAMPLES, FOLDER_LABEL_VALUES, FOLDER_LIST_BYTES};

/// What most files of a directory are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderKind {
    /// Images.
    Images,
    /// Texts.
    Texts,
}

impl FolderKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Texts => "texts",
        }
    }
}

impl fmt::Display for FolderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Files of which something holds: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many.
    pub count: u64,
    /// The first paths.
    pub first: Vec<String>,
}

impl Named {
    fn add(&mut self, path: &str) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < FOLDER_EXAMPLES {
            self.first.push(path.to_owned());
        }
    }
}

/// The least, the middle and the greatest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread<T> {
    /// The least.
    pub min: T,
    /// The lower of the two in the middle.
    pub median: T,
    /// The greatest.
    pub max: T,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderSummary {
    /// What most of its files are.
    pub kind: FolderKind,
    /// How many files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// SHA-256 of the canonical list of path, size and SHA-256 of each file, as of a model's manifest.
    pub digest: Digest,
    /// How many files there are of each format of images, `text`, and `binary` for what is neither.
    pub formats: BTreeMap<&'static str, u64>,
    /// Bytes of a file.
    pub size: Option<Spread<u64>>,
    /// Columns of pixels.
    pub width: Option<Spread<u32>>,
    /// Rows of pixels.
    pub height: Option<Spread<u32>>,
    /// Files without a byte.
    pub empty: Named,
    /// Images that end before their end.
    pub truncated: Named,
    /// Files that begin like an image and have a damaged header.
    pub damaged: Named,
    /// Files that another one before them equals byte for byte.
    pub duplicates: Named,
    /// Those among them that have another label.
    pub conflicting: Named,
    /// Texts that are not UTF-8.
    pub not_utf8: Named,
    /// Characters of a text.
    pub characters: Option<Spread<u64>>,
    /// Thousandths of a bit for each character of a text.
    pub entropy: Option<Spread<u64>>,
    /// How many texts seem to be in each language or script; `unknown` for the others.
    pub languages: BTreeMap<&'static str, u64>,
    /// Different words in all texts; absent when there are too many to count.
    pub vocabulary: Option<u64>,
    /// Whether there is a label manifest.
    pub labelled: bool,
    /// How many files have each label; empty when there are too many labels.
    pub labels: BTreeMap<String, u64>,
    /// Files without a label, where there is a manifest.
    pub unlabelled: Named,
    /// Labels for files that are not there.
    pub missing: Named,
    /// Paths that the manifest gives two labels.
    pub contradicted: Named,
}

/// A directory cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum FolderInvalid {
    /// The stream is no packed directory.
    #[error(transparent)]
    Packed(#[from] NotPacked),
    /// The labels cannot be read.
    #[error(transparent)]
    Labels(#[from] LabelsInvalid),
    /// There are no files.
    #[error("there are no files")]
    Empty,
    /// A count has no canonical form.
    #[error("a count is too large")]
    Count(#[from] canonical::EncodeError),
}

/// What is kept of a file until its label is known.
struct Kept {
    size: u64,
    sha256: Digest,
}

#[derive(Serialize)]
struct ManifestFile<'a> {
    path: &'a str,
    sha256: Digest,
    size: u64,
}

#[derive(Serialize)]
struct Manifest<'a> {
    files: Vec<ManifestFile<'a>>,
    format: &'static str,
}

#[derive(Default)]
struct Reading {
    files: BTreeMap<String, Kept>,
    formats: BTreeMap<&'static str, u64>,
    widths: Vec<u32>,
    heights: Vec<u32>,
    characters: Vec<u64>,
    entropies: Vec<u64>,
    languages: BTreeMap<&'static str, u64>,
    vocabulary: Vocabulary,
    empty: Named,
    truncated: Named,
    damaged: Named,
    not_utf8: Named,
    images: u64,
}

/// Reads a packed directory once, and sums up what it holds. One file at a time is in memory.
///
/// # Errors
/// When it cannot be read to its end, or its labels cannot; then nothing is said of it.
pub fn summarise(input: impl Read) -> Result<FolderSummary, FolderInvalid> {
    let mut unpacker = Unpacker::new(input);
    let mut reading = Reading::default();
    let mut manifest = None;
    while let Some(entry) = unpacker.next_entry()? {
        match entry {
            Unpacked::File { path, content } => reading.take(path, &content),
            Unpacked::Labels(bytes) => manifest = Some(labels(&bytes)?),
        }
    }
    reading.finish(manifest)
}

impl Reading {
    fn take(&mut self, path: String, content: &[u8]) {
        let format = match image(content) {
            _ if content.is_empty() => {
                self.empty.add(&path);
                "empty"
            }
            Ok(image) => {
                self.images = self.images.saturating_add(1);
                self.widths.push(image.width);
                self.heights.push(image.height);
                if image.truncated {
                    self.truncated.add(&path);
                }
                image.format.as_str()
            }
            Err(NotAnImage::Header) if !is_text(content) => {
                self.damaged.add(&path);
                "damaged"
            }
            // A text may begin with `BM`, as a bitmap does.
            Err(_) => self.take_text(&path, content),
        };
        let count = self.formats.entry(format).or_default();
        *count = count.saturating_add(1);
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.files.insert(path, Kept { size, sha256: sha256(content) });
    }

    fn take_text(&mut self, path: &str, content: &[u8]) -> &'static str {
        if content.contains(&0) {
            return "binary";
        }
        let facts = text(content, &mut self.vocabulary);
        if !facts.utf8 {
            self.not_utf8.add(path);
        }
        self.characters.push(facts.characters);
        self.entropies.push(thousandths(facts.entropy));
        let language = self.languages.entry(facts.language.unwrap_or("unknown")).or_default();
        *language = language.saturating_add(1);
        "text"
    }

    fn finish(self, manifest: Option<Labels>) -> Result<FolderSummary, FolderInvalid> {
        if self.files.is_empty() {
            return Err(FolderInvalid::Empty);
        }
        let listed =
            self.files.iter().map(|(path, kept)| ManifestFile { path, sha256: kept.sha256, size: kept.size });
        let document = Manifest { files: listed.collect(), format: "bartizan-manifest-v1" };
        let digest = sha256(&canonical::to_bytes_within(&document, FOLDER_LIST_BYTES)?);
        let (labelled, manifest) = (manifest.is_some(), manifest.unwrap_or_default());
        let (mut duplicates, mut conflicting, mut unlabelled) =
            (Named::default(), Named::default(), Named::default());
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut first: BTreeMap<Digest, Option<&String>> = BTreeMap::new();
        for (path, kept) in &self.files {
            let label = manifest.of.get(path);
            match label {
                Some(label) => {
                    let count = counts.entry(label.clone()).or_default();
                    *count = count.saturating_add(1);
                }
                None if labelled => unlabelled.add(path),
                None => {}
            }
            // Files without a byte are alike in nothing.
            if kept.size == 0 {
                continue;
            }
            match first.get(&kept.sha256) {
                Some(before) => {
                    duplicates.add(path);
                    if label.is_some() && before.is_some() && *before != label {
                        conflicting.add(path);
                    }
                }
                None => {
                    first.insert(kept.sha256, label);
                }
            }
        }
        let mut missing = Named::default();
        manifest.of.keys().filter(|path| !self.files.contains_key(*path)).for_each(|path| missing.add(path));
        let mut contradicted = Named::default();
        manifest.contradicted.iter().for_each(|path| contradicted.add(path));
        let files = u64::try_from(self.files.len()).unwrap_or(u64::MAX);
        let kind =
            if self.images.saturating_mul(2) >= files { FolderKind::Images } else { FolderKind::Texts };
        Ok(FolderSummary {
            kind,
            files,
            bytes: self.files.values().fold(0, |sum, kept| sum.saturating_add(kept.size)),
            digest,
            formats: self.formats,
            size: spread(self.files.values().map(|kept| kept.size).collect()),
            width: spread(self.widths),
            height: spread(self.heights),
            empty: self.empty,
            truncated: self.truncated,
            damaged: self.damaged,
            duplicates,
            conflicting,
            not_utf8: self.not_utf8,
            characters: spread(self.characters),
            entropy: spread(self.entropies),
            languages: self.languages,
            vocabulary: self.vocabulary.len().and_then(|words| u64::try_from(words).ok()),
            labelled,
            labels: if counts.len() <= FOLDER_LABEL_VALUES { counts } else { BTreeMap::new() },
            unlabelled,
            missing,
            contradicted,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    characters: Option<Spread<u64>>,
    conflicting: u64,
    contradicted: u64,
    damaged: u64,
    digest: Digest,
    duplicates: u64,
    empty: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entropy: Option<Spread<u64>>,
    files: u64,
    format: &'static str,
    formats: &'a BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<Spread<u32>>,
    kind: &'static str,
    labels: Vec<(&'a str, u64)>,
    languages: &'a BTreeMap<&'static str, u64>,
    missing: u64,
    not_utf8: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Spread<u64>>,
    truncated: u64,
    unlabelled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<Spread<u32>>,
}

impl FolderSummary {
    /// The stored form `bartizan-folder-summary-v1`: canonical JSON.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(&Stored {
            bytes: self.bytes,
            characters: self.characters,
            conflicting: self.conflicting.count,
            contradicted: self.contradicted.count,
            damaged: self.damaged.count,
            digest: self.digest,
            duplicates: self.duplicates.count,
            empty: self.empty.count,
            entropy: self.entropy,
            files: self.files,
            format: "bartizan-folder-summary-v1",
            formats: &self.formats,
            height: self.height,
            kind: self.kind.as_str(),
            labels: self.labels.iter().map(|(label, count)| (label.as_str(), *count)).collect(),
            languages: &self.languages,
            missing: self.missing.count,
            not_utf8: self.not_utf8.count,
            size: self.size,
            truncated: self.truncated.count,
            unlabelled: self.unlabelled.count,
            vocabulary: self.vocabulary,
            width: self.width,
        })
    }
}

/// Whether bytes that a header of an image could not be read from are a text.
fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an entropy lies between 0 and 21 bits"
)]
fn thousandths(bits: f64) -> u64 {
    (bits * 1000.0).round() as u64
}

fn spread<T: Copy + Ord>(mut values: Vec<T>) -> Option<Spread<T>> {
    values.sort_unstable();
    let median = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(Spread { min: *values.first()?, median, max: *values.last()? })
}
