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
use crate::config::edits;
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
            None => return Err(unknown(id, recognisers.as_ref())),
        }
    }
    Ok(DetectorOptions { kinds, min_score: wanted.min_score, recognisers })
}

/// Refuses a kind that is neither built in nor added by the file of recognisers.
fn known(id: &str, recognisers: Option<&Recognisers>) -> Result<(), Failure> {
    if Kind::built_in(id).is_some() || recognisers.is_some_and(|file| file.ids().any(|own| own == id)) {
        return Ok(());
    }
    Err(unknown(id, recognisers))
}

fn unknown(id: &str, recognisers: Option<&Recognisers>) -> Failure {
    let own = recognisers.into_iter().flat_map(Recognisers::ids);
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).chain(own).collect();
    // A part of the id, as in `ssn` for `us-ssn`, means more than few letters in between.
    let part = |kind: &str| kind.split('-').any(|part| part == id);
    let nearest = known.iter().min_by_key(|kind| (!part(kind), edits(kind, id)));
    let far = |kind: &&&str| part(kind) || edits(kind, id) <= 1 + id.len() / 3;
    let meant = nearest.filter(far).map(|kind| format!("; did you mean `{kind}`?"));
    let what = format!("`{id}` is no kind of personal data{}", meant.unwrap_or_default());
    Failure::new(ids::USAGE, what).then(format!("one of: {}", known.join(", ")))
}
