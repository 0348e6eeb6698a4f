//! Folding statements about segments of prediction records.

use bartizan_base::Digest;
use bartizan_ledger::limits::SEGMENT_RECORDS;

use super::{Coverage, NotAdmitted, State, edge};
use crate::statement::{SegmentV1, StatementRef};

/// The last segment of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSegment {
    /// The statement.
    pub statement: StatementRef,
    /// Its number.
    pub number: u64,
    /// Its epoch.
    pub epoch: u64,
    /// The sequence number after its last.
    pub next: u64,
    /// Its root.
    pub root: Digest,
    /// Records in all segments of the gateway so far.
    pub records: u64,
}

impl State {
    /// A segment follows the one before of its gateway, and its sequence numbers those of that one: nothing can be
    /// left out, put in later or counted twice.
    pub(super) fn apply_segment(&mut self, at: StatementRef, body: &SegmentV1) -> Result<(), NotAdmitted> {
        let what = || format!("segment {} of gateway {}", body.number, body.gateway);
        let id = body.gateway.len() == 32
            && body.gateway.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
        if !id {
            return Err(edge(at.entry, what(), "that is no gateway's id"));
        }
        let most = u64::try_from(SEGMENT_RECORDS).unwrap_or(u64::MAX);
        let sequences = body.count.saturating_add(body.lost);
        let next = body.first.checked_add(sequences).filter(|_| sequences <= most && body.first > 0);
        let next = next.ok_or_else(|| edge(at.entry, what(), "no segment has these sequence numbers"))?;
        let last = self.segments.get(&body.gateway).copied();
        if self.coverage == Coverage::Whole {
            let follows = match last {
                None => body.previous.is_none() && body.first == 1,
                Some(last) => {
                    let first = if body.epoch == last.epoch { last.next } else { 1 };
                    body.previous == Some(last.root)
                        && body.number > last.number
                        && body.epoch >= last.epoch
                        && body.first == first
                }
            };
            if !follows {
                return Err(edge(at.entry, what(), "it does not follow the gateway's segment before"));
            }
        }
        let records = last.map_or(0, |last| last.records).saturating_add(body.count);
        let SegmentV1 { number, epoch, root, .. } = *body;
        let last = LastSegment { statement: at, number, epoch, next, root, records };
        self.segments.insert(body.gateway.clone(), last);
        self.stated_segments.entry(body.gateway.clone()).or_default().push_back((body.number, at.entry));
        Ok(())
    }

    /// The root of a segment of a gateway, if an entry states it.
    pub(super) fn segment_root(&self, gateway: &str, number: u64) -> Option<Digest> {
        let entry = self.segment_entry(gateway, number)?;
        self.logged.get(usize::try_from(entry).ok()?).map(|logged| logged.subject)
    }

    /// The entry that states a segment of a gateway.
    pub fn segment_entry(&self, gateway: &str, number: u64) -> Option<u64> {
        let stated = self.stated_segments.get(gateway)?;
        // Numbers rise with entries.
        let at = stated.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        stated.get(at).map(|(_, entry)| *entry)
    }
}
