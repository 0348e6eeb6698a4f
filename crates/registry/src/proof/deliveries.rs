//! What a verified proof says of the deliveries of a data set: who signed them, and what they were made from.

use bartizan_base::VersionRef;

use super::verify::Verdict;
use crate::state::State;
use crate::statement::{Act, DatasetV1, DerivedV1, FromSource, PartV1, Standing};

/// Says who signed a part, and how far that is proven: a signature over the digest is checked by every verifier, one
/// over the bytes was checked by the server that had them.
pub(super) fn about_source(
    verdict: &mut Verdict,
    state: &State,
    (version, entry): (&VersionRef, u64),
    part: &PartV1,
    from: &FromSource,
) {
    let (digest, source) = (part.digest.short(), from.source);
    let Some(signature) = &from.signature else {
        verdict.asserted.push(format!(
            "by {}: that part {digest} of {version} is from source {source}, which did not sign it",
            part.writer
        ));
        return;
    };
    let key = signature.key;
    let found = state.sources().get(&source);
    let revoked = found.and_then(|found| found.key(key)?.revoked);
    if !found.is_some_and(|found| found.counts(key, entry)) {
        let since = revoked.unwrap_or_default();
        verdict.proven.push(format!(
            "the signature of part {digest} of {version} does not count: key {key} of source {source} is revoked from \
             entry {since} on"
        ));
        return;
    }
    // What was trusted then need not be now, and who relies on the delivery has to hear of it.
    let mut since = revoked.map(|from| format!(" (revoked from entry {from} on)")).unwrap_or_default();
    if found.is_some_and(|found| found.standing == Standing::Disabled) {
        since.push_str(" (source disabled)");
    }
    let trusted =
        format!("which the project trusted as source {source}'s when entry {entry} accepted it{since}");
    if signature.form.over_digest() {
        let when = signature.at.map(|at| format!(", which says that it did so on {at}")).unwrap_or_default();
        verdict.proven.push(format!("part {digest} of {version} was signed by key {key}, {trusted}{when}"));
    } else {
        verdict.asserted.push(format!(
            "by the server: that key {key}, {trusted}, signed the bytes of part {digest} of {version}; whoever has them \
             can check it"
        ));
    }
}

/// Says what it is worth that a version takes signed deliveries alone. The demand is about what is added from then on,
/// so that of the version as a whole it is proven only when every part that it holds has a signature that counts and
/// that every verifier checks.
pub(super) fn about_demand(verdict: &mut Verdict, state: &State, version: &VersionRef, body: &DatasetV1) {
    if !body.require_signature {
        return;
    }
    if all_signed(state, version) {
        verdict.proven.push(format!("{version} takes no delivery that its source has not signed"));
    } else {
        verdict
            .asserted
            .push(format!("by the server: that it demanded a signature for each part that {version} adds"));
    }
}

/// Whether every part of a version, those that it extends included, has a signature over its digest that counts.
fn all_signed(state: &State, version: &VersionRef) -> bool {
    let mut next = Some(version);
    while let Some(version) = next {
        let Some(found) = state.dataset(version) else { return false };
        let entry = found.statement.entry;
        let proven = |from: &FromSource| {
            let source = state.sources().get(&from.source);
            from.signature.as_ref().is_some_and(|signature| {
                signature.form.over_digest()
                    && source.is_some_and(|source| source.counts(signature.key, entry))
            })
        };
        if !found.body.parts.iter().all(|part| part.from.as_ref().is_some_and(proven)) {
            return false;
        }
        next = match &found.body.extends {
            // An earlier one, so that this comes to an end whatever somebody wrote.
            Some(extended) if extended.version.version < version.version => Some(&extended.version),
            Some(_) => return false,
            None => None,
        };
    }
    true
}

/// Says what data was made from, by whose word.
pub(super) fn about_derived(verdict: &mut Verdict, version: &VersionRef, act: &Act, derived: &DerivedV1) {
    let from: Vec<String> = derived.from.iter().map(|from| from.version.to_string()).collect();
    let from = from.join(", ");
    verdict.asserted.push(format!("by {}: that what {version} adds was made from {from}", act.by));
    if let Some(run) = &derived.run {
        verdict.proven.push(format!(
            "{}, which {version} names as what made it, was given {from} (entry {})",
            run.run, run.statement.entry
        ));
    }
}
