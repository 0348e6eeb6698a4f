//! What a clean directory looks like, as a TOML file that people read and edit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::image::ImageFormat;
use super::summary::{FolderKind, FolderSummary, Spread};
use crate::limits::{FOLDER_LABEL_VALUES, SCHEMA_BYTES};
use crate::schema::Severity;

/// What a clean directory looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderSchema {
    /// What most of its files are.
    pub kind: FolderKind,
    /// The formats that files may have.
    pub formats: Vec<String>,
    /// The least and the greatest width of an image, in pixels.
    pub width: Option<(u64, u64)>,
    /// The least and the greatest height.
    pub height: Option<(u64, u64)>,
    /// The least and the greatest length of a text, in characters.
    pub characters: Option<(u64, u64)>,
    /// The languages that texts may be in; any when there are none.
    pub languages: Vec<String>,
    /// The share of files that may be damaged: truncated, without a readable header, empty, not UTF-8.
    pub max_damaged: f64,
    /// The share of files that may equal another one.
    pub max_duplicates: f64,
    /// The labels with their shares; none when files have no labels.
    pub labels: Option<FolderLabels>,
    /// What a violation means.
    pub severity: Severity,
}

/// The labels of a directory.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderLabels {
    /// Each label with its share of the files that have one; empty when there are too many.
    pub shares: Vec<(String, f64)>,
    /// Files that the shares were counted over.
    pub counted: u64,
    /// How far a share may move, in addition to what chance explains.
    pub tolerance: f64,
    /// The share of files that may lack a label.
    pub max_unlabelled: f64,
}

/// A text is no schema of a directory.
#[derive(Debug, thiserror::Error)]
pub enum FolderSchemaInvalid {
    /// It is too large.
    #[error("a schema has at most {SCHEMA_BYTES} bytes")]
    TooLarge,
    /// Not TOML of the expected shape.
    #[error("not a schema of a directory")]
    Toml(#[from] toml::de::Error),
    /// It cannot be written.
    #[error("the schema cannot be written")]
    Write(#[from] toml::ser::Error),
    /// There is nothing that a schema could be inferred from.
    #[error("no file of the directory is sound, so that no schema can be inferred from it")]
    NothingSound,
    /// A value that cannot be meant.
    #[error("`{key}`: {why}")]
    Value {
        /// Where.
        key: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

const FORMAT: &str = "bartizan-folder-schema-v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    kind: String,
    severity: String,
    formats: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<WireRange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<WireRange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    characters: Option<WireRange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    languages: Vec<String>,
    max_damaged: f64,
    max_duplicates: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<WireLabels>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRange {
    min: u64,
    max: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLabels {
    counted: u64,
    tolerance: f64,
    max_unlabelled: f64,
    #[serde(default)]
    shares: BTreeMap<String, f64>,
}

impl FolderSchema {
    /// The schema that a directory fits: what it holds, with room for what another delivery may differ in. Sizes may be
    /// half as small and twice as large; what is damaged or equal may be so as often as it is.
    ///
    /// # Errors
    /// When no file is sound: the schema would have no format, and take nothing but damage from then on.
    pub fn infer(summary: &FolderSummary) -> Result<Self, FolderSchemaInvalid> {
        let share = |count: u64| count as f64 / (summary.files as f64).max(1.0);
        let room =
            |found: Option<Spread<u64>>| found.map(|found| (found.min / 2, found.max.saturating_mul(2)));
        let pixels = |found: Option<Spread<u32>>| {
            found.map(|found| (u64::from(found.min / 2).max(1), u64::from(found.max).saturating_mul(2)))
        };
        let images = summary.kind == FolderKind::Images;
        let labelled: u64 = summary.labels.values().sum();
        let labels = summary.labelled.then(|| FolderLabels {
            shares: summary
                .labels
                .iter()
                .map(|(label, count)| (label.clone(), *count as f64 / (labelled as f64).max(1.0)))
                .collect(),
            counted: labelled,
            tolerance: 0.05,
            max_unlabelled: share(summary.unlabelled.count),
        });
        let sound = |format: &&&str| !["empty", "damaged"].contains(*format);
        let formats: Vec<String> =
            summary.formats.keys().filter(sound).map(|format| (*format).to_owned()).collect();
        if formats.is_empty() {
            return Err(FolderSchemaInvalid::NothingSound);
        }
        let seen = summary.languages.keys().filter(|language| **language != "unknown");
        Ok(Self {
            kind: summary.kind,
            formats,
            width: pixels(summary.width).filter(|_| images),
            height: pixels(summary.height).filter(|_| images),
            characters: room(summary.characters).filter(|_| !images),
            languages: if images {
                Vec::new()
            } else {
                seen.map(|language| (*language).to_owned()).collect()
            },
            // A file that cannot be read is no use of a directory, however many there are of it.
            max_damaged: 0.0,
            max_duplicates: share(summary.duplicates.count),
            labels,
            severity: Severity::Block,
        })
    }

    /// Whether a text says of itself that it is the schema of a directory, and not of a table.
    pub fn claims(text: &str) -> bool {
        text.lines().take(20).any(|line| line.replace([' ', '"', '\''], "") == format!("format={FORMAT}"))
    }

    /// Reads the TOML.
    ///
    /// # Errors
    /// When it is something else, or a value cannot be meant.
    pub fn parse(text: &str) -> Result<Self, FolderSchemaInvalid> {
        if text.len() > SCHEMA_BYTES {
            return Err(FolderSchemaInvalid::TooLarge);
        }
        let wire: Wire = toml::from_str(text)?;
        let value = |key, why| FolderSchemaInvalid::Value { key, why };
        if wire.format != FORMAT {
            return Err(value("format", "it is of another format"));
        }
        let kind = match wire.kind.as_str() {
            "images" => FolderKind::Images,
            "texts" => FolderKind::Texts,
            _ => return Err(value("kind", "it is `images` or `texts`")),
        };
        let severity = wire.severity.parse().map_err(|()| value("severity", "it is `warn` or `block`"))?;
        let known = |format: &String| {
            format.parse::<ImageFormat>().is_ok() || ["text", "binary"].contains(&format.as_str())
        };
        if wire.formats.is_empty() || !wire.formats.iter().all(known) {
            return Err(value(
                "formats",
                "they are of png, jpeg, gif, webp, bmp, text, binary, at least one",
            ));
        }
        let share = |key, share: f64| {
            if (0.0..=1.0).contains(&share) {
                Ok(share)
            } else {
                Err(value(key, "a share lies between 0 and 1"))
            }
        };
        let range = |key, range: Option<WireRange>| match range {
            Some(WireRange { min, max }) if min > max => Err(value(key, "`min` is greater than `max`")),
            range => Ok(range.map(|range| (range.min, range.max))),
        };
        let labels = match wire.labels {
            None => None,
            Some(WireLabels { counted, tolerance, max_unlabelled, shares }) => {
                if shares.len() > FOLDER_LABEL_VALUES {
                    return Err(value("labels.shares", "there are too many labels"));
                }
                for one in shares.values() {
                    share("labels.shares", *one)?;
                }
                Some(FolderLabels {
                    shares: shares.into_iter().collect(),
                    counted,
                    tolerance: share("labels.tolerance", tolerance)?,
                    max_unlabelled: share("labels.max_unlabelled", max_unlabelled)?,
                })
            }
        };
        Ok(Self {
            kind,
            formats: wire.formats,
            width: range("width", wire.width)?,
            height: range("height", wire.height)?,
            characters: range("characters", wire.characters)?,
            languages: wire.languages,
            max_damaged: share("max_damaged", wire.max_damaged)?,
            max_duplicates: share("max_duplicates", wire.max_duplicates)?,
            labels,
            severity,
        })
    }

    /// Writes the TOML.
    ///
    /// # Errors
    /// When a number has no TOML.
    pub fn to_toml(&self) -> Result<String, FolderSchemaInvalid> {
        let range = |range: Option<(u64, u64)>| range.map(|(min, max)| WireRange { min, max });
        let labels = self.labels.as_ref().map(|labels| WireLabels {
            counted: labels.counted,
            tolerance: labels.tolerance,
            max_unlabelled: labels.max_unlabelled,
            shares: labels.shares.iter().cloned().collect(),
        });
        Ok(toml::to_string(&Wire {
            format: FORMAT.to_owned(),
            kind: self.kind.as_str().to_owned(),
            severity: self.severity.as_str().to_owned(),
            formats: self.formats.clone(),
            width: range(self.width),
            height: range(self.height),
            characters: range(self.characters),
            languages: self.languages.clone(),
            max_damaged: self.max_damaged,
            max_duplicates: self.max_duplicates,
            labels,
        })?)
    }
}
