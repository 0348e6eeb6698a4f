//! Whether the records on disk are those that the ledger states: all there, whole, and erased only as ordered.

use std::collections::BTreeMap;

use bartizan_base::{Digest, ErasureId};
use bartizan_keys::subjects::SubjectTag;
use bartizan_registry::state::State;
use bartizan_store::records::{CheckedLogs, MissingRecords, ReadFailed, Records};
use serde_json::{Value, json};

use crate::catalog::ids;
use crate::failure::Failure;

/// Defects that are told one by one.
const TOLD: usize = 20;

/// What a check of all records found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    segments: u64,
    records: u64,
    erased: u64,
    erasing: u64,
    /// Logs and records that no segment has yet.
    logs: u64,
    unsealed: u64,
    not_covered: Vec<String>,
    defects: u64,
    told: Vec<String>,
    /// The id of the worst kind of defect.
    worst: Option<&'static str>,
}

/// What a check knows of the ledger.
pub(crate) trait Ledger {
    /// The state as it was last read.
    fn state(&self) -> &State;

    /// Reads what was stated since; `false` when that is nothing.
    fn advance(&mut self) -> Result<bool, Failure>;

    /// Whom an erasure is about, if its document can be read.
    fn subject(&self, erasure: ErasureId) -> Option<SubjectTag>;
}

/// Reads every segment that the ledger states again.
pub(crate) fn check(records: &Records, gateway: &str, ledger: &mut impl Ledger) -> Result<Report, Failure> {
    let mut report = Report::default();
    // Keys are read from here on: what was erased before is gone, and what is erased meanwhile may be seen or not.
    let begun = ledger.state().clone();
    let stated = stated(&begun, gateway);
    report.find_unlisted(records, &stated)?;
    for (number, root) in &stated {
        report.segments += 1;
        match records.check(*number) {
            Ok(checked) if checked.root != *root => {
                let what =
                    format!("segment {number}: its records lead to another root than the ledger states");
                report.note(ids::RECORD_DAMAGED, what);
            }
            Ok(checked) => {
                report.records += checked.count;
                report.erased += u64::try_from(checked.gone.len()).unwrap_or(u64::MAX);
                report.find_undone(&begun, gateway, *number, &checked.gone);
                report.find_lost(ledger, gateway, *number, checked.gone)?;
            }
            Err(ReadFailed::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                report.note(ids::DESTROYED_EVIDENCE, format!("segment {number}: its file is gone"));
            }
            Err(error @ ReadFailed::Damaged { .. }) => {
                report.note(ids::RECORD_DAMAGED, format!("segment {number}: {error}"));
            }
            Err(error) => return Err(super::unread(&error)),
        }
    }
    Ok(report)
}

/// The root of each segment of a gateway that the ledger states.
pub(crate) fn stated(state: &State, gateway: &str) -> BTreeMap<u64, Digest> {
    let prefix = format!("segment/{gateway}/");
    let number = |name: &str| name.strip_prefix(&prefix)?.parse().ok();
    state.logged().iter().filter_map(|logged| Some((number(&logged.name)?, logged.subject))).collect()
}

impl Report {
    fn note(&mut self, id: &'static str, what: String) {
        self.defects += 1;
        // What a backup does not mend is said before damage, which it does.
        self.worst = self.worst.max(Some(id));
        if self.told.len() < TOLD {
            self.told.push(what);
        }
    }

    /// Segments that are listed and not stated, though later ones are, and the other way round.
    fn find_unlisted(&mut self, records: &Records, stated: &BTreeMap<u64, Digest>) -> Result<(), Failure> {
        let last = stated.keys().next_back().copied().unwrap_or(0);
        let (mut before, mut listed) = (None, Vec::new());
        loop {
            let page = records.segments(before, 1024).map_err(|error| super::unread(&error))?;
            let Some(least) = page.last() else { break };
            before = Some(least.number);
            listed.extend(page.iter().map(|info| (info.number, info.root)));
        }
        let listed: BTreeMap<u64, Digest> = listed.into_iter().collect();
        for number in listed.keys().filter(|number| **number <= last && !stated.contains_key(*number)) {
            self.note(ids::RECORD_DAMAGED, format!("segment {number}: no statement names it"));
        }
        for number in stated.keys().filter(|number| !listed.contains_key(*number)) {
            self.note(ids::RECORD_DAMAGED, format!("segment {number}: the list of segments leaves it out"));
        }
        Ok(())
    }

    /// Records that were erased and can be read all the same.
    fn find_undone(&mut self, state: &State, gateway: &str, segment: u64, gone: &[(u32, SubjectTag)]) {
        let done = |id| state.erasures().get(&id).is_some_and(|erasure| erasure.finished.is_some());
        for erased in state.erased_of(gateway, segment).filter(|erased| done(erased.erasure)) {
            let indexes = erased.records.iter().flat_map(|(first, last)| *first..=*last);
            for index in indexes.filter(|index| gone.binary_search_by_key(index, |gone| gone.0).is_err()) {
                let erasure = erased.erasure;
                let what = format!(
                    "segment {segment}, record {index}: erasure {erasure} took it, and it can be read again"
                );
                self.note(ids::NOT_ERASED, what);
            }
        }
    }

    /// Records that cannot be read, though no erasure took them.
    fn find_lost(
        &mut self,
        ledger: &mut impl Ledger,
        gateway: &str,
        segment: u64,
        mut gone: Vec<(u32, SubjectTag)>,
    ) -> Result<(), Failure> {
        gone.retain(|(index, _)| ledger.state().erased(gateway, segment, *index).is_none());
        // What was erased while the segment was read was ordered before.
        if !gone.is_empty() && ledger.advance()? {
            gone.retain(|(index, _)| ledger.state().erased(gateway, segment, *index).is_none());
        }
        if gone.is_empty() {
            return Ok(());
        }
        // Only an erasure that is under way, or could not read a segment, takes what it does not name.
        let (mut under_way, mut unseen) = (Vec::new(), Vec::new());
        let place = (gateway.to_owned(), segment);
        for (id, erasure) in ledger.state().erasures() {
            if erasure.finished.is_none() {
                under_way.extend(ledger.subject(*id));
            } else if erasure.unread.contains(&place) {
                unseen.extend(ledger.subject(*id));
            }
        }
        for (index, about) in gone {
            if under_way.contains(&about) {
                self.erasing += 1;
            } else if !unseen.contains(&about) {
                let what = format!(
                    "segment {segment}, record {index}: what is personal cannot be read, and no erasure took it"
                );
                self.note(ids::DESTROYED_EVIDENCE, what);
            }
        }
        Ok(())
    }

    /// What the logs hold that the ledger states no segment of yet.
    pub(crate) fn find_unsealed(
        &mut self,
        checked: &CheckedLogs,
        gateway: &str,
        ledger: &mut impl Ledger,
    ) -> Result<(), Failure> {
        ledger.advance()?;
        let stated = stated(ledger.state(), gateway);
        for log in checked.logs.iter().filter(|log| !stated.contains_key(&log.number)) {
            self.logs += 1;
            self.unsealed += log.records;
            if let Some(error) = &log.damage {
                self.note(ids::RECORD_DAMAGED, format!("log {}: {error}", log.number));
            }
            if log.gone.is_empty() {
                continue;
            }
            // Keys of a log go with the erasure of any person in it, and theirs alone are not kept elsewhere.
            let erasures: Vec<ErasureId> = ledger.state().erasures().keys().copied().collect();
            let erased: Vec<_> = erasures.into_iter().filter_map(|id| ledger.subject(id)).collect();
            let lost = log.gone.iter().filter(|about| !erased.contains(about)).count();
            if lost > 0 {
                let what = format!(
                    "log {}: the keys of {lost} of the people in it are gone, and no erasure took them",
                    log.number
                );
                self.note(ids::DESTROYED_EVIDENCE, what);
            }
        }
        for MissingRecords { epoch, after, before } in &checked.missing {
            let what = match before {
                Some(before) => format!(
                    "the records of epoch {epoch} from sequence number {after} up to {before} are in no log and no segment"
                ),
                None => format!(
                    "the log of epoch {epoch} is gone, with whatever was in it from sequence number {after} on"
                ),
            };
            self.note(ids::DESTROYED_EVIDENCE, what);
        }
        self.not_covered.push(
            "records that are not sealed yet rest on the log alone: nothing else would show that the end of a log was \
             cut off, but a receipt with a higher sequence number"
                .to_owned(),
        );
        let epoch = checked.epoch;
        if epoch > 0 && !checked.holds_epoch() {
            self.not_covered.push(format!(
                "epoch {epoch}: it has neither a log nor a segment, so its log was never made, or is gone; a receipt of \
                 that epoch would show that it was there"
            ));
        }
        Ok(())
    }

    /// What was found, or the failure that it amounts to.
    pub(crate) fn verdict(&self) -> Result<Value, Failure> {
        let Some(worst) = self.worst else {
            return Ok(json!({
                "segments": self.segments,
                "records": self.records,
                "erased": self.erased,
                "beingErased": self.erasing,
                "unsealed": { "logs": self.logs, "records": self.unsealed },
                "notCovered": self.not_covered,
            }));
        };
        let what = format!(
            "the records of predictions have {} defects in {} segments and {} logs",
            self.defects, self.segments, self.logs
        );
        let mut failure = Failure::new(worst, what);
        failure.why.clone_from(&self.told);
        if self.defects > u64::try_from(self.told.len()).unwrap_or(u64::MAX) {
            failure.why.push("and more".to_owned());
        }
        Err(failure)
    }
}
