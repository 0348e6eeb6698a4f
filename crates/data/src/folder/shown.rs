//! What a directory holds, for people.

use std::fmt::Display;

use super::summary::{FolderSummary, Named, Spread};

/// Labels that are shown; the others are counted.
const LABELS: usize = 20;

impl FolderSummary {
    /// A heading, and a line for each thing that is known. Paths and labels are shown.
    pub fn render(&self) -> String {
        let mut text = format!("{} files of {}, {} bytes\n", self.files, self.kind, self.bytes);
        let mut line = |name: &str, told: String| text.push_str(&format!("  {name:<13}{told}\n"));
        line("digest", self.digest.to_string());
        line("formats", counted(self.formats.iter().map(|(name, count)| (*name, *count))));
        let spreads = [
            ("size", self.size.map(|size| size.told("bytes"))),
            ("width", self.width.map(|width| width.told("pixels"))),
            ("height", self.height.map(|height| height.told("pixels"))),
            ("characters", self.characters.map(|characters| characters.told("of a text"))),
            ("entropy", self.entropy.map(|bits| bits.told("thousandths of a bit a character"))),
        ];
        for (name, told) in spreads {
            told.into_iter().for_each(|told| line(name, told));
        }
        if !self.languages.is_empty() {
            line("languages", counted(self.languages.iter().map(|(name, count)| (*name, *count))));
            let words = self.vocabulary.map_or_else(|| "more than are counted".to_owned(), |n| n.to_string());
            line("vocabulary", format!("{words} different words"));
        }
        if self.labelled {
            let mut labels: Vec<(&str, u64)> =
                self.labels.iter().map(|(label, count)| (label.as_str(), *count)).collect();
            labels.sort_by_key(|(label, count)| (std::cmp::Reverse(*count), *label));
            let more = labels.len().saturating_sub(LABELS);
            let told = match (labels.is_empty(), more) {
                (true, _) => "too many different ones to count".to_owned(),
                (false, 0) => counted(labels.into_iter()),
                (false, more) => format!("{}, and {more} more", counted(labels.into_iter().take(LABELS))),
            };
            line("labels", told);
        }
        let faults = [
            ("empty", &self.empty),
            ("truncated", &self.truncated),
            ("damaged", &self.damaged),
            ("not UTF-8", &self.not_utf8),
            ("duplicates", &self.duplicates),
            ("conflicting", &self.conflicting),
            ("unlabelled", &self.unlabelled),
            ("missing", &self.missing),
            ("contradicted", &self.contradicted),
        ];
        for (name, named) in faults.into_iter().filter(|(_, named)| named.count > 0) {
            line(name, named.told());
        }
        text
    }
}

impl<T: Display + PartialEq> Spread<T> {
    fn told(&self, unit: &str) -> String {
        let Self { min, median, max } = self;
        if min == max { format!("{min} {unit}") } else { format!("{min} to {max} {unit}, median {median}") }
    }
}

impl Named {
    fn told(&self) -> String {
        let more = if self.count > self.first.len() as u64 { ", ..." } else { "" };
        format!("{}: {}{more}", self.count, self.first.join(", "))
    }
}

fn counted<'n>(counts: impl Iterator<Item = (&'n str, u64)>) -> String {
    counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
