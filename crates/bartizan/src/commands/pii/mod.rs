//! `data pii`, `data redact`, `data tokenize`, `data detokenize`: personal data in files.

mod report;
mod rewrite;
mod scan;
mod source;
mod tokens;

use bartizan_data::limits::RECOGNISERS_BYTES;
use bartizan_data::pii::{DetectorOptions, Kind, KindSet, Recognisers};

pub(super) use self::scan::scan;
pub(super) use self::tokens::{detokenize, redact, tokenize};
use super::read_text;
use crate::catalog::ids;
use crate::cli::Wanted;
use crate::failure::Failure;

/// What a detector is to be set up with.
fn options(wanted: &Wanted) -> Result<DetectorOptions, Failure> {
    let limit = u64::try_from(RECOGNISERS_BYTES).unwrap_or(u64::MAX);
    let text = wanted.recognisers.as_deref().map(|path| read_text(path, limit)).transpose()?;
    let parsed = text.as_deref().map(Recognisers::parse).transpose();
    let recognisers = parsed.map_err(|error| Failure::of(ids::RECOGNISERS, &error))?;
    let mut kinds = if wanted.kinds.is_empty() { KindSet::ALL } else { KindSet::EMPTY };
    for id in &wanted.kinds {
        match Kind::built_in(id) {
            Some(kind) => kinds = kinds.with(kind),
            None if id == "common" => {
                kinds = KindSet::common().kinds().fold(kinds, KindSet::with);
            }
            None if recognisers.as_ref().is_some_and(|file| file.ids().any(|own| own == id)) => {}
            None => {
                let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
                let what = format!("`{id}` is no kind of personal data");
                return Err(Failure::new(ids::USAGE, what).then(format!("one of: {}", known.join(", "))));
            }
        }
    }
    Ok(DetectorOptions { kinds, min_score: wanted.min_score, recognisers })
}
