//! Checking the claim that a prediction was recorded: the record in its segment, and what served it at that time.

use bartizan_base::VersionRef;
use bartizan_ledger::segment::{Group, RecordProof, Revealed, Shown};

use super::format::RecordClaim;
use super::refused::ProofRefused;
use crate::prediction::{AnsweredBy, RecordEnvelope};
use crate::state::{Endpoint, Erased, State};
use crate::statement::{SegmentV1, Standing, VersionState};

/// A prediction whose record is proven to be in a segment that the ledger names.
#[derive(Debug)]
pub struct ProvenPrediction {
    /// What the record says of itself.
    pub envelope: RecordEnvelope,
    /// The segment that it is in.
    pub segment: SegmentV1,
    /// The entry that states the segment.
    pub segment_entry: u64,
    /// Its digest, its place in the segment, and the groups that are shown.
    pub revealed: Revealed,
    /// How the version that answered stands at the end of the proof; none when no version answered.
    pub stands_now: Option<String>,
}

/// A claim that was read, and of which nothing is believed yet.
pub(super) struct Claimed {
    proof: RecordProof,
    envelope: RecordEnvelope,
}

const fn refuse(why: &'static str) -> ProofRefused {
    ProofRefused::Record { why }
}

impl Claimed {
    /// Reads the record's proof and its envelope.
    pub(super) fn read(claim: &RecordClaim) -> Result<Self, ProofRefused> {
        let proof = RecordProof::parse(claim.record.as_bytes()).map_err(ProofRefused::RecordProof)?;
        let [Shown::Revealed(envelope), ..] = proof.groups() else {
            return Err(refuse("its envelope is hidden"));
        };
        let envelope = RecordEnvelope::parse(&envelope.bytes).map_err(ProofRefused::RecordEnvelope)?;
        if envelope.id != claim.prediction {
            return Err(refuse("it is the record of another prediction"));
        }
        Ok(Self { proof, envelope })
    }

    /// The size of the ledger that the gateway obeyed when it answered, as the record says.
    pub(super) const fn tree_size(&self) -> u64 {
        self.envelope.tree_size
    }

    /// The endpoint that was asked.
    pub(super) const fn envelope(&self) -> &RecordEnvelope {
        &self.envelope
    }

    /// Checks that the record is in the segment that an entry states, and that its place there is the one it names.
    pub(super) fn in_segment(
        self,
        entry: u64,
        segment: Option<SegmentV1>,
    ) -> Result<ProvenPrediction, ProofRefused> {
        let Self { proof, envelope } = self;
        let segment = segment.ok_or_else(|| refuse("the entry that it names states no segment"))?;
        let revealed = proof.verify(&segment.root, segment.count).map_err(ProofRefused::NotInSegment)?;
        if (envelope.gateway.as_str(), envelope.epoch) != (segment.gateway.as_str(), segment.epoch) {
            return Err(refuse("it names another gateway or epoch than the segment"));
        }
        let offset = envelope.sequence.checked_sub(segment.first);
        // Sequence numbers may have been lost before it, and none was given out twice.
        let most = revealed.index().saturating_add(segment.lost);
        if offset.is_none_or(|offset| offset < revealed.index() || offset > most) {
            return Err(refuse("its sequence number does not fit its place in the segment"));
        }
        if envelope.tree_size > entry {
            return Err(refuse("it knows entries that came after its segment"));
        }
        Ok(ProvenPrediction { envelope, segment, segment_entry: entry, revealed, stands_now: None })
    }
}

/// Checks that the endpoint answered as the statements up to the record's tree size let it.
pub(super) fn served(then: &State, envelope: &RecordEnvelope) -> Result<(), ProofRefused> {
    let endpoint = then.endpoints().get(&envelope.endpoint);
    let endpoint = endpoint.filter(|found| found.body.standing == Standing::Active);
    let endpoint = endpoint.ok_or_else(|| refuse("the endpoint was not in service at that tree size"))?;
    match envelope.answered_by {
        AnsweredBy::Nobody => Ok(()),
        AnsweredBy::Constant if endpoint.body.fallback.constant.is_some() => Ok(()),
        AnsweredBy::Constant => Err(refuse("the endpoint had no constant answer at that tree size")),
        AnsweredBy::Primary | AnsweredBy::Fallback => routed_to(then, endpoint, envelope),
    }
}

fn routed_to(then: &State, endpoint: &Endpoint, envelope: &RecordEnvelope) -> Result<(), ProofRefused> {
    let routed = match envelope.answered_by {
        AnsweredBy::Primary => &endpoint.body.primary,
        _ => &endpoint.body.fallback.version,
    };
    let named = (envelope.model.as_ref(), envelope.manifest);
    if routed.as_ref().map(|routed| (Some(&routed.version), Some(routed.manifest))) != Some(named) {
        return Err(refuse("the endpoint was not routed to that version at that tree size"));
    }
    let found = named.0.and_then(|version| then.version(version));
    match found {
        Some(found) if then.releasable(found) => Ok(()),
        Some(found) if found.state == VersionState::Approved && then.stopped_twin(found).is_some() => {
            Err(refuse(
                "the files of the version that answered were stopped under another name at that tree size",
            ))
        }
        _ => Err(refuse("the version that answered was not approved at that tree size")),
    }
}

/// Checks that what was taken of the record by an erasure is not shown, and that the erasure means this record.
pub(super) fn erased_as_stated(state: &State, proven: &ProvenPrediction) -> Result<(), ProofRefused> {
    let Some(erased) = proven.erased(state) else { return Ok(()) };
    if erased.root != proven.segment.root {
        return Err(refuse("an erasure names another segment by the number of its segment"));
    }
    let shows = Group::ALL.into_iter().any(|group| group.is_personal() && proven.group(group).is_some());
    if shows && state.is_finished(erased) {
        return Err(refuse("what it shows was erased, as an entry says"));
    }
    Ok(())
}

impl ProvenPrediction {
    /// What took the personal part of the record, if the ledger says so.
    pub(super) fn erased<'a>(&self, state: &'a State) -> Option<&'a Erased> {
        let index = u32::try_from(self.revealed.index()).ok()?;
        state.erased(&self.segment.gateway, self.segment.number, index)
    }

    /// The version that answered.
    pub const fn version(&self) -> Option<&VersionRef> {
        self.envelope.model.as_ref()
    }

    /// The bytes of a group, where the proof shows it.
    pub fn group(&self, group: Group) -> Option<&[u8]> {
        self.revealed.group(group)
    }
}
