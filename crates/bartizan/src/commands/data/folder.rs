//! Directories of images or texts, looked at where they are: packed as for a delivery, read, and stored nowhere.

use std::path::Path;

use bartizan_data::folder::{FolderSchema, FolderSummary, check_folder, summarise};
use bartizan_data::{Outcome, Tier};
use serde_json::json;

use super::SCHEMA_BYTES;
use super::put::{Kind, may_replace, put};
use crate::catalog::ids;
use crate::commands::{Work, folder, read_text};
use crate::failure::Failure;
use crate::out::Format;

/// A directory, and its labels.
#[derive(Clone, Copy)]
pub(super) struct Folder<'a> {
    pub(super) path: &'a Path,
    pub(super) labels: Option<&'a Path>,
}

impl<'a> Folder<'a> {
    /// What is named, if it is a directory; nothing when it is a table, which has its labels in a column.
    pub(super) fn of(path: &'a Path, labels: Option<&'a Path>) -> Result<Option<Self>, Failure> {
        if path.is_dir() {
            return Ok(Some(Self { path, labels }));
        }
        match labels {
            None => Ok(None),
            Some(_) => {
                let what =
                    format!("`--labels` is for directories, and `{}` is not a directory", path.display());
                Err(Failure::new(ids::USAGE, what))
            }
        }
    }

    /// Refuses options that say nothing of a directory.
    pub(super) fn refuse(&self, options: &[(&str, bool)]) -> Result<(), Failure> {
        let Some((option, _)) = options.iter().find(|(_, given)| *given) else { return Ok(()) };
        let what = format!("`{option}` is for tables, and `{}` is a directory", self.path.display());
        Err(Failure::new(ids::USAGE, what))
    }

    fn summary(&self, work: &Work) -> Result<FolderSummary, Failure> {
        let folder = folder::list(self.path, self.labels)?;
        let progress = work.out.progress(&format!("reading {}", self.path.display()), folder.bytes());
        let packed = folder.pack()?;
        summarise(progress.follow(packed)).map_err(|error| {
            let mut failure = Failure::of(ids::DELIVERY, &error);
            failure.what = format!("`{}` cannot be read: {}", self.path.display(), failure.what);
            failure
        })
    }

    /// `data profile`.
    pub(super) fn profile(&self, work: &Work) -> Result<u8, Failure> {
        let summary = self.summary(work)?;
        let bytes = summary.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        show(work, &summary.render(), &bytes)?;
        Ok(0)
    }

    /// `data check`.
    pub(super) fn check(&self, work: &Work, schema: &Path, tier: Tier) -> Result<u8, Failure> {
        let text = read_text(schema, SCHEMA_BYTES)?;
        let rules = FolderSchema::parse(&text).map_err(|error| {
            let mut failure = Failure::of(ids::SCHEMA, &error);
            failure.why.insert(0, format!("in `{}`", schema.display()));
            failure
        })?;
        let report = check_folder(self.summary(work)?, &rules, tier);
        let bytes = report.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        show(work, &report.render(), &bytes)?;
        Ok(u8::from(report.outcome != Outcome::Valid))
    }

    /// `data schema infer`.
    pub(super) fn infer(&self, work: &Work, out: Option<&Path>) -> Result<u8, Failure> {
        out.map(|path| may_replace(path, Kind::Schema, "--out")).transpose()?;
        let rules = FolderSchema::infer(&self.summary(work)?).and_then(|rules| rules.to_toml());
        let text = rules.map_err(|error| Failure::of(ids::SCHEMA, &error))?;
        match out {
            None if work.out.format == Format::Table => work.deliver(None, text.as_bytes()),
            None => work.answer(&json!({ "schema": text })),
            Some(path) => {
                put(path, text.as_bytes())?;
                work.answer(&json!({ "file": path.display().to_string(), "bytes": text.len() }))
            }
        }
    }
}

fn show(work: &Work, text: &str, document: &[u8]) -> Result<(), Failure> {
    let printed = match work.out.format {
        Format::Table => work.out.lines(text),
        Format::Json | Format::Jsonl => work.out.exact(&format!("{}\n", String::from_utf8_lossy(document))),
    };
    printed.map_err(|error| Failure::of(ids::FILE, &error))
}
