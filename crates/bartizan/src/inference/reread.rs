//! Reading what is served again: what is stored of it must still be what was approved.
//!
//! ```text
//!   every routed version, round after round, at a bounded rate --> same: nothing
//!                                                              '--> changed or missing, twice: quarantine, stated
//!                                                                   in the ledger; `follow` stops it there
//! ```
//!
//! A disk or a file server that does not answer holds up only the version that is stored there.

mod readings;

use std::collections::BTreeSet;
use std::time::Duration;

use bartizan_base::VersionRef;
use bartizan_registry::statement::{Damage, Routed};
use bartizan_registry::{Reread, StoredPart};

use self::readings::{PATIENCE, Readings, Steps, Went};
use super::Gateway;
use super::follow::{is_active, may_be_served};
use crate::failure::Failure;

/// Bytes that are read in a second: far less than a disk gives, and about one hundredth of a processor.
const BYTES_PER_SECOND: u64 = 8 * 1024 * 1024;
/// The time between two rounds. With the rate it bounds how long damage goes unseen: 10 s for models of 40 MiB
/// together.
const PAUSE: Duration = Duration::from_secs(5);
/// The time until the first round, and until the next after one in which nothing was served.
const BEGIN: Duration = Duration::from_secs(1);

impl Gateway {
    /// Reads what is served again, until it is dropped by whoever runs it.
    pub(super) async fn keep_rereading(&self) {
        let (mut failing, mut readings) = (BTreeSet::new(), Readings::new());
        loop {
            let versions = self.routed_versions();
            let pause = if versions.is_empty() { BEGIN } else { PAUSE };
            failing.retain(|version| versions.contains(version));
            readings.retain(&versions);
            for version in versions {
                let begin = |steps| self.reread_version(version.clone(), steps);
                // Not being able to read says nothing about what is stored. It is said once, until it is over.
                match readings.go_on(&version, begin).await {
                    Went::Ended(Ok(())) => {
                        failing.remove(&version);
                    }
                    Went::Ended(Err(failure)) => {
                        if failing.insert(version.clone()) {
                            tracing::warn!(%version, id = failure.id, what = failure.what, why = ?failure.why, "a version that is served cannot be read again");
                        }
                    }
                    Went::Hangs => {
                        tracing::warn!(%version, patience_s = PATIENCE.as_secs(), "nothing comes from the storage of a version that is served; the others are read on");
                    }
                    Went::HangsStill => {}
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// The versions that endpoints in service are routed to, or fall back to, and that may be served.
    fn routed_versions(&self) -> BTreeSet<VersionRef> {
        let state = self.registry.state();
        let active = state.endpoints().values().filter(|stated| is_active(stated));
        let routed =
            active.flat_map(|stated| stated.body.primary.iter().chain(&stated.body.fallback.version));
        let versions = routed.map(|Routed { version, .. }| version);
        versions.filter(|version| may_be_served(&state, version)).cloned().collect()
    }

    async fn reread_version(&self, version: VersionRef, steps: Steps) -> Result<(), Failure> {
        let parts = match self.registry.stored_parts(&version).await? {
            Ok(parts) => parts,
            Err(_) => match self.registry.stored_parts(&version).await? {
                Ok(parts) => parts,
                Err(damage) => return self.stop_damaged(&version, "the manifest", None, damage).await,
            },
        };
        steps.take();
        for part in parts {
            // Once more, because memory and cables fail too.
            if self.reread_part(&part, &steps).await?.is_some()
                && let Some(damage) = self.reread_part(&part, &steps).await?
            {
                return self.stop_damaged(&version, &part.name, part.file, damage).await;
            }
        }
        Ok(())
    }

    async fn reread_part(&self, part: &StoredPart, steps: &Steps) -> Result<Option<Damage>, Failure> {
        let mut open = match self.registry.open_stored(part).await? {
            Ok(open) => open,
            Err(damage) => return Ok(Some(damage)),
        };
        steps.take();
        loop {
            let read = self.registry.reread(open).await?;
            steps.take();
            match read {
                Reread::More(rest, bytes) => {
                    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                    let micros = bytes.saturating_mul(1_000_000).div_ceil(BYTES_PER_SECOND);
                    tokio::time::sleep(Duration::from_micros(micros)).await;
                    open = *rest;
                }
                Reread::Whole => return Ok(None),
                Reread::Damaged(damage) => return Ok(Some(damage)),
            }
        }
    }

    async fn stop_damaged(
        &self,
        version: &VersionRef,
        part: &str,
        file: Option<bartizan_base::Digest>,
        damage: Damage,
    ) -> Result<(), Failure> {
        if self.registry.stop_damaged(&self.id(), version, (part, file), damage).await? {
            tracing::error!(%version, part, %damage, "what is stored of a version that is served is damaged: it is in quarantine");
        }
        Ok(())
    }
}
