//! What a verified proof says of the deliveries of a data set: who signed them, and what they were made from.

use bartizan_base::VersionRef;

use super::verify::Verdict;
use crate::state::State;
use crate::statement::{Act, DerivedV1, FromSource, PartV1};

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
    let counts = state.sources().get(&source).is_some_and(|found| found.counts(key, entry));
    if !counts {
        let since =
            state.sources().get(&source).and_then(|found| found.key(key)?.revoked).unwrap_or_default();
        verdict.proven.push(format!(
            "the signature of part {digest} of {version} does not count: key {key} of source {source} is revoked from \
             entry {since} on"
        ));
        return;
    }
    if signature.form.over_digest() {
        let when = signature.at.map(|at| format!(", which says that it did so on {at}")).unwrap_or_default();
        verdict.proven.push(format!(
            "part {digest} of {version} was signed by key {key}, which the project trusts as source {source}'s{when}"
        ));
    } else {
        verdict.asserted.push(format!(
            "by the server: that key {key}, which the project trusts as source {source}'s, signed the bytes of part \
             {digest} of {version}; whoever has them can check it"
        ));
    }
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
