//! Folding statements about erasures of what is recorded of a person.

use bartizan_base::{Digest, ErasureId, PrincipalId, Timestamp};
use imbl::{OrdMap, Vector};

use super::{Coverage, NotAdmitted, State, edge};
use crate::deed::Deed;
use crate::statement::{ErasedSegment, ErasureStep, ErasureV1, Private, StatementRef};

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The statement that orders it.
    pub statement: StatementRef,
    /// Who ordered it.
    pub by: PrincipalId,
    /// When.
    pub at: Timestamp,
    /// Whom it is about, and why.
    pub document: Private,
    /// The number of the last segment of each gateway that was stated before.
    pub segments: OrdMap<String, u64>,
    /// Segments that could not be read when it was carried out.
    pub unread: Vector<(String, u64)>,
    /// Records that it takes.
    pub records: u64,
    /// The entry that says that it is done.
    pub finished: Option<u64>,
}

/// Records of a segment that an erasure takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The erasure.
    pub erasure: ErasureId,
    /// The entry that names them.
    pub entry: u64,
    /// The root of the segment, as that entry has it.
    pub root: Digest,
    /// Their positions as ranges, first and last, ascending.
    pub records: Vec<(u32, u32)>,
}

impl State {
    /// All erasures.
    pub fn erasures(&self) -> &OrdMap<ErasureId, Erasure> {
        &self.erasures
    }

    /// What erasures take of a segment.
    pub fn erased_of(&self, gateway: &str, segment: u64) -> impl Iterator<Item = &Erased> {
        self.erased.get(&(gateway.to_owned(), segment)).into_iter().flatten()
    }

    /// What took the personal part of a record, if the ledger says so.
    pub fn erased(&self, gateway: &str, segment: u64, index: u32) -> Option<&Erased> {
        let holds =
            |erased: &&Erased| erased.records.iter().any(|(first, last)| (*first..=*last).contains(&index));
        self.erased_of(gateway, segment).find(holds)
    }

    /// Whether what took records is done: until then, they may be readable.
    pub fn is_finished(&self, erased: &Erased) -> bool {
        self.erasures.get(&erased.erasure).is_some_and(|erasure| erasure.finished.is_some())
    }

    pub(super) fn apply_erasure(&mut self, at: StatementRef, body: &ErasureV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let refuse = |why| edge(index, body.erasure, why);
        if let ErasureStep::Ordered { document, act } = &body.step {
            let project = self.project().map(|project| project.id);
            let project = project.ok_or_else(|| refuse("there is no project"))?;
            self.consume(index, act, &Deed::predictions_erase(project))?;
            let erasure = Erasure {
                statement: at,
                by: act.by,
                at: body.at,
                document: document.clone(),
                segments: self.segments.iter().map(|(id, last)| (id.clone(), last.number)).collect(),
                unread: Vector::new(),
                records: 0,
                finished: None,
            };
            return match self.erasures.insert(body.erasure, erasure) {
                None => Ok(()),
                Some(_) => Err(refuse("an erasure is ordered once")),
            };
        }
        let mut erasure = self.erasures.get(&body.erasure).cloned();
        let erasure = erasure.as_mut().filter(|found| found.finished.is_none());
        let erasure = erasure.ok_or_else(|| refuse("it was not ordered, or is done"))?;
        match &body.step {
            ErasureStep::Ordered { .. } => {}
            ErasureStep::Finished {} => erasure.finished = Some(index),
            ErasureStep::Records { gateway, segments } => {
                let stated = |segment: &ErasedSegment| {
                    self.segment_root(gateway, segment.number) == Some(segment.root)
                };
                let whole = self.coverage == Coverage::Whole;
                let ascend = segments.is_sorted_by(|a, b| a.number < b.number);
                if segments.is_empty() || !ascend || !segments.iter().all(well_formed) {
                    return Err(refuse("its segments and records do not ascend"));
                }
                if whole && !segments.iter().all(stated) {
                    return Err(refuse("it names a segment that no entry states"));
                }
                for ErasedSegment { number, root, records } in segments {
                    let place = (gateway.clone(), *number);
                    if records.is_empty() {
                        erasure.unread.push_back(place);
                        continue;
                    }
                    let count = |(first, last): &(u32, u32)| u64::from(last - first) + 1;
                    erasure.records += records.iter().map(count).sum::<u64>();
                    let erased =
                        Erased { erasure: body.erasure, entry: index, root: *root, records: records.clone() };
                    self.erased.entry(place).or_default().push_back(erased);
                }
            }
        }
        self.erasures.insert(body.erasure, erasure.clone());
        Ok(())
    }
}

fn well_formed(segment: &ErasedSegment) -> bool {
    segment.records.iter().all(|(first, last)| first <= last)
        && segment.records.is_sorted_by(|before, after| before.1 < after.0)
}
