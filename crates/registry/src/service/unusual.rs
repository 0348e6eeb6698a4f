//! Whether deliveries are like those that the same source made to the same data set before.

use bartizan_base::{Name, SourceId, canonical};
use bartizan_data::Profile;
use bartizan_data::unusual::{Delivered, Unusual, compare};
use serde::{Deserialize, Serialize};

use super::{Failed, Inner};
use crate::proof::read_private;
use crate::state::State;
use crate::statement::FromSource;

/// The format of the line in the findings of a data set version that says in what its deliveries are unusual.
const FORMAT: &str = "bartizan-unusual-v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    deliveries: Vec<OfDelivery>,
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfDelivery {
    findings: Vec<Unusual>,
    /// Which one, from 1.
    number: u64,
    source: SourceId,
}

/// A delivery that is about to be stated.
pub(super) struct New {
    pub(super) from: Option<FromSource>,
    pub(super) delivered: Delivered,
    pub(super) columns: Vec<String>,
}

/// What was found of all deliveries.
#[derive(Default)]
pub(super) struct Found {
    /// Comparisons that were made.
    pub(super) checks: u64,
    /// For people.
    pub(super) lines: Vec<String>,
    /// The line that goes into the findings; none when there is nothing to say.
    pub(super) document: Option<Vec<u8>>,
}

impl Inner {
    /// Compares deliveries with those before. What the sources before delivered is in the statements, but for the
    /// columns, which are in the profile of the last version that each of them delivered to.
    pub(super) fn unusual(&self, state: &State, name: &Name, new: &[New]) -> Result<Found, Failed> {
        let mut found = Found::default();
        let mut deliveries = Vec::new();
        for (number, one) in (1_u64..).zip(new) {
            let Some(from) = &one.from else { continue };
            let (history, last) = history(state, name, from.source);
            let before = last.and_then(|profile| {
                let (bytes, _) = read_private(&self.keys, self.blobs.as_ref(), profile).ok()?;
                let profile = Profile::from_bytes(&bytes).ok()?;
                Some(profile.columns().iter().map(|column| column.name().to_owned()).collect::<Vec<_>>())
            });
            let columns = before.as_ref().map(|before| (before.as_slice(), one.columns.as_slice()));
            let compared = compare(&history, &one.delivered, columns);
            found.checks = found.checks.saturating_add(u64::try_from(compared.checks).unwrap_or(u64::MAX));
            if compared.unusual.is_empty() {
                continue;
            }
            let lines = compared.unusual.iter().map(|unusual| said(number, unusual));
            found.lines.extend(lines);
            deliveries.push(OfDelivery { findings: compared.unusual, number, source: from.source });
        }
        if !deliveries.is_empty() {
            let line = Line { deliveries, format: FORMAT.to_owned() };
            let line = canonical::to_bytes(&line).map_err(|error| Failed::Sign(Box::new(error)))?;
            found.document = Some(line);
        }
        Ok(found)
    }
}

/// What a source delivered to a data set so far, and the profile of the last version among it.
fn history<'a>(
    state: &'a State,
    name: &Name,
    source: SourceId,
) -> (Vec<Delivered>, Option<&'a crate::statement::Private>) {
    let (mut history, mut last) = (Vec::new(), None);
    for dataset in state.datasets().get(name).into_iter().flat_map(|versions| versions.values()) {
        let parts = dataset.body.parts.iter();
        for part in parts.filter(|part| part.from.as_ref().is_some_and(|from| from.source == source)) {
            history.push(Delivered {
                at: part.time,
                rows: part.rows,
                bytes: part.bytes,
                writer: part.writer.to_string(),
            });
            last = Some(&dataset.body.profile);
        }
    }
    (history, last)
}

fn said(number: u64, unusual: &Unusual) -> String {
    let respect = match unusual.respect {
        bartizan_data::unusual::Respect::Rows => "rows",
        bartizan_data::unusual::Respect::Bytes => "bytes",
        bartizan_data::unusual::Respect::Timing => "timing",
        bartizan_data::unusual::Respect::Writer => "writer",
        bartizan_data::unusual::Respect::Columns => "columns",
    };
    format!(
        "  warn   (source)                  unusual-{respect:<9}  delivery {number}: {} (of {} before)",
        unusual.message, unusual.history
    )
}

/// What findings say of how deliveries are unusual, in words.
pub(super) fn read(findings: &str) -> Vec<String> {
    let lines = findings.lines().filter_map(|line| canonical::from_bytes::<Line>(line.as_bytes()).ok());
    let deliveries = lines.filter(|line| line.format == FORMAT).flat_map(|line| line.deliveries);
    deliveries
        .flat_map(|delivery| {
            let number = delivery.number;
            delivery.findings.into_iter().map(move |unusual| {
                format!("delivery {number}: {} (of {} before)", unusual.message, unusual.history)
            })
        })
        .collect()
}
