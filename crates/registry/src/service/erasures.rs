//! Erasing what is recorded of a person: ordered by somebody who may, carried out by the gateway, and stated.

use bartizan_base::{Blobs, ErasureId, canonical};
use bartizan_keys::Keys;
use bartizan_keys::subjects::SubjectTag;
use bartizan_policy::{ProjectWide, op};
use serde::{Deserialize, Serialize};

use super::{Caller, Failed, Registry};
use crate::limits::{ERASED_RANGES, ERASED_SEGMENTS, TEXT_BYTES};
use crate::proof::read_private;
use crate::state::Erasure;
use crate::statement::{ErasedSegment, ErasureStep, ErasureV1, Statement};

const FORMAT: &str = "bartizan-erasure-v1";

/// Whom an erasure is about, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    reason: String,
    /// The subject's tag, 64 hexadecimal digits.
    subject: String,
}

impl Registry {
    /// Refuses, on the record, whoever may not erase by what is known now: it comes before looking for what there is
    /// to erase.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn ask_to_erase(&self, caller: &Caller) -> Result<(), Failed> {
        self.ask_early(caller, op::PredictionsErase, ProjectWide).await
    }

    /// States that everything personal that is recorded of a person is to be destroyed. Nothing is destroyed yet, but
    /// from now on it will be, whatever happens to this process.
    ///
    /// # Errors
    /// When the caller may not, or the ledger cannot be written.
    pub async fn order_erasure(
        &self,
        caller: &Caller,
        subject: SubjectTag,
        reason: String,
    ) -> Result<ErasureId, Failed> {
        if reason.trim().is_empty() || reason.len() > TEXT_BYTES {
            return Err(Failed::invalid("reason", format!("it is empty or longer than {TEXT_BYTES} bytes")));
        }
        let writer = self.stopping_writer().await?;
        let allowed = writer.allow(caller, op::PredictionsErase, ProjectWide).await?;
        let document = Document { format: FORMAT.to_owned(), reason, subject: subject.to_string() };
        let bytes = canonical::to_bytes(&document).map_err(|error| Failed::Sign(Box::new(error)))?;
        let document = writer.seal_document(bytes).await?;
        let mut random = [0; 16];
        (self.inner.random)().fill_bytes(&mut random);
        let erasure = ErasureId::from_random(random);
        let step = ErasureStep::Ordered { document, act: writer.act(&allowed) };
        writer.append(vec![Statement::about(ErasureV1 { erasure, step, at: writer.now() })]).await?;
        Ok(erasure)
    }

    /// Whom an erasure is about.
    ///
    /// # Errors
    /// When there is no such erasure, or its document cannot be read.
    pub async fn subject_of_erasure(&self, erasure: ErasureId) -> Result<SubjectTag, Failed> {
        let found = self.state().erasures().get(&erasure).cloned();
        let found = found.ok_or_else(|| Failed::not_found("erasure", erasure))?;
        self.blocking(move |inner| subject_of(&inner.keys, inner.blobs.as_ref(), &found)).await
    }

    /// Names records that an erasure takes, in as many statements as it takes.
    ///
    /// # Errors
    /// When the erasure is done, or the ledger cannot be written.
    pub async fn state_erased(
        &self,
        erasure: ErasureId,
        gateway: &str,
        segments: Vec<ErasedSegment>,
    ) -> Result<(), Failed> {
        let writer = self.stopping_writer().await?;
        let about = |segments| {
            let step = ErasureStep::Records { gateway: gateway.to_owned(), segments };
            Statement::about(ErasureV1 { erasure, step, at: writer.now() })
        };
        let statements: Vec<Statement> = portions(segments).into_iter().map(about).collect();
        if statements.is_empty() {
            return Ok(());
        }
        writer.append(statements).await.map(|_| ())
    }

    /// States that an erasure is done.
    ///
    /// # Errors
    /// When it was done before, or the ledger cannot be written.
    pub async fn state_erasure_finished(&self, erasure: ErasureId) -> Result<(), Failed> {
        let writer = self.stopping_writer().await?;
        let step = ErasureStep::Finished {};
        writer.append(vec![Statement::about(ErasureV1 { erasure, step, at: writer.now() })]).await.map(|_| ())
    }
}

/// Whom an erasure is about, as its document says.
///
/// # Errors
/// When the document cannot be read.
pub fn subject_of(keys: &Keys, blobs: &dyn Blobs, erasure: &Erasure) -> Result<SubjectTag, Failed> {
    let (bytes, _) = read_private(keys, blobs, &erasure.document)?;
    let document: Document =
        canonical::from_bytes(&bytes).map_err(|error| Failed::invalid("stored erasure", error))?;
    document.subject.parse().map_err(|error| Failed::invalid("stored erasure", error))
}

/// Divides segments into what one statement holds.
fn portions(segments: Vec<ErasedSegment>) -> Vec<Vec<ErasedSegment>> {
    let mut portions: Vec<Vec<ErasedSegment>> = Vec::new();
    let (mut count, mut ranges) = (ERASED_SEGMENTS, 0);
    for ErasedSegment { number, root, records } in segments {
        let mut parts: Vec<Vec<(u32, u32)>> = records.chunks(ERASED_RANGES).map(<[_]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        // The parts of one segment go into statements of their own: in one, segments ascend.
        let several = parts.len() > 1;
        for records in parts {
            if several || count >= ERASED_SEGMENTS || ranges + records.len() > ERASED_RANGES {
                portions.push(Vec::new());
                (count, ranges) = (0, 0);
            }
            count += 1;
            ranges += records.len();
            if let Some(portion) = portions.last_mut() {
                portion.push(ErasedSegment { number, root, records });
            }
        }
        if several {
            count = ERASED_SEGMENTS;
        }
    }
    portions
}

#[cfg(test)]
mod tests;
