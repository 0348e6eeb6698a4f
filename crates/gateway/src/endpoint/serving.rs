//! What serves at one moment: a primary, a fallback that fits it, and the bounds of their inputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_base::VersionRef;
use bartizan_model::{Dimension, Port, Signature};

use super::columns::{Columns, ColumnsInvalid};
use super::constant::Constant;
use super::loaded::LoadedVersion;
use crate::limits::ELEMENTS;
use crate::phases::FallbackReason;
use crate::phases::Head;
use crate::validate::{Bounds, Compared, OutOfBounds};

/// What answers when the primary may not or cannot. Every route names one.
#[derive(Debug)]
pub enum Fallback {
    /// Another version, loaded and verified like the primary.
    Version(Arc<LoadedVersion>),
    /// The same answer for every row.
    Constant(Constant),
    /// Nothing: 503.
    Unavailable,
}

/// A version that an endpoint is routed to and that is not there.
#[derive(Debug, Clone)]
pub struct Absent {
    /// The version.
    pub version: VersionRef,
    /// Why it is not there, which every answer says.
    pub why: FallbackReason,
    /// The size of the ledger at which that is known.
    pub tree_size: u64,
}

/// A primary with all that belongs to it. It never changes: an [`Endpoint`](super::Endpoint) replaces it whole.
///
/// The primary may be absent: what answers instead then says what a request must bring.
#[derive(Debug)]
pub struct Serving {
    version: VersionRef,
    primary: Result<Arc<LoadedVersion>, FallbackReason>,
    signature: Signature,
    fallback: Fallback,
    bounds: Option<(Bounds, OutOfBounds)>,
    columns: Columns,
    most_rows: usize,
    /// Bytes of a request's body at least, and for each row.
    fixed_bytes: usize,
    row_bytes: usize,
    tree_size: u64,
    route: Option<u64>,
    confirmed: Confirmed,
}

/// The last moment at which this was known to be what the ledger says.
#[derive(Debug)]
struct Confirmed {
    tree_size: AtomicU64,
    at_ms: AtomicU64,
}

/// Parts that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServingInvalid {
    /// A fallback that takes other inputs.
    #[error("the fallback {fallback} does not take the inputs of {primary}")]
    Inputs {
        /// The primary.
        primary: VersionRef,
        /// The fallback.
        fallback: VersionRef,
    },
    /// A fallback that gives other outputs.
    #[error("the fallback {fallback} does not give the outputs of {primary}")]
    Outputs {
        /// The primary.
        primary: VersionRef,
        /// The fallback.
        fallback: VersionRef,
    },
    /// A fallback that would be stopped together with the primary.
    #[error("the fallback {fallback} has the very files of {primary}")]
    Same {
        /// The primary.
        primary: VersionRef,
        /// The fallback.
        fallback: VersionRef,
    },
    /// Neither a primary nor a fallback.
    #[error("{primary} is not there, and nothing answers instead")]
    Nothing {
        /// The primary.
        primary: VersionRef,
    },
    /// A constant that was checked against another signature.
    #[error("the constant answer was checked against another model than {primary}")]
    Constant {
        /// The primary.
        primary: VersionRef,
    },
    /// Columns that are for something, and that the model does not have.
    #[error(transparent)]
    Columns(#[from] ColumnsInvalid),
    /// Bounds that were made for another signature.
    #[error("the training bounds were made for another model than {primary}")]
    Bounds {
        /// The primary.
        primary: VersionRef,
    },
}

impl Serving {
    /// Puts a primary, its fallback and its training bounds together.
    ///
    /// # Errors
    /// When the fallback is not one for this primary, or the bounds are another model's.
    pub fn new(
        primary: Arc<LoadedVersion>,
        fallback: Fallback,
        bounds: Option<(Bounds, OutOfBounds)>,
    ) -> Result<Self, ServingInvalid> {
        let version = || primary.version().clone();
        let (mut most_rows, mut tree_size) = (primary.model().most_rows(), primary.tree_size());
        match &fallback {
            Fallback::Version(other) => {
                let fallback = || other.version().clone();
                if other.manifest() == primary.manifest() {
                    return Err(ServingInvalid::Same { primary: version(), fallback: fallback() });
                }
                if !same_inputs(primary.signature(), other.signature()) {
                    return Err(ServingInvalid::Inputs { primary: version(), fallback: fallback() });
                }
                if !same_outputs(primary.signature(), other.signature()) {
                    return Err(ServingInvalid::Outputs { primary: version(), fallback: fallback() });
                }
                most_rows = most_rows.min(other.model().most_rows());
                tree_size = tree_size.min(other.tree_size());
            }
            Fallback::Constant(constant) if !constant.is_for(primary.signature()) => {
                return Err(ServingInvalid::Constant { primary: version() });
            }
            Fallback::Constant(_) | Fallback::Unavailable => {}
        }
        if bounds.as_ref().is_some_and(|(bounds, _)| !bounds.are_for(primary.signature())) {
            return Err(ServingInvalid::Bounds { primary: version() });
        }
        let (version, signature) = (version(), primary.signature().clone());
        let (fixed_bytes, row_bytes) = least_bytes(&signature);
        Ok(Self {
            version,
            primary: Ok(primary),
            signature,
            fallback,
            bounds,
            columns: Columns::default(),
            most_rows,
            fixed_bytes,
            row_bytes,
            tree_size,
            route: None,
            confirmed: Confirmed::at(tree_size),
        })
    }

    /// Puts together what answers while the version that is routed to may not be loaded, or cannot. The inputs and
    /// outputs are those of the fallback.
    ///
    /// # Errors
    /// When there is no fallback, or the bounds are another model's.
    pub fn without_primary(
        absent: Absent,
        fallback: Fallback,
        bounds: Option<(Bounds, OutOfBounds)>,
    ) -> Result<Self, ServingInvalid> {
        let Absent { version, why, tree_size } = absent;
        let (signature, most_rows, tree_size) = match &fallback {
            Fallback::Version(other) => {
                (other.signature().clone(), other.model().most_rows(), tree_size.min(other.tree_size()))
            }
            Fallback::Constant(constant) => (constant.signature().clone(), ELEMENTS, tree_size),
            Fallback::Unavailable => return Err(ServingInvalid::Nothing { primary: version }),
        };
        if bounds.as_ref().is_some_and(|(bounds, _)| !bounds.are_for(&signature)) {
            return Err(ServingInvalid::Bounds { primary: version });
        }
        let (fixed_bytes, row_bytes) = least_bytes(&signature);
        Ok(Self {
            version,
            primary: Err(why),
            signature,
            fallback,
            bounds,
            columns: Columns::default(),
            most_rows,
            fixed_bytes,
            row_bytes,
            tree_size,
            route: None,
            confirmed: Confirmed::at(tree_size),
        })
    }

    /// The same, with columns that are for something. What answers instead of a primary that is not there answers with
    /// whatever columns: a request that does not say whom it is about, where that is to be known, is refused for itself.
    ///
    /// # Errors
    /// When the primary cannot be [served with them](Columns::check_served).
    pub fn with_columns(self, columns: Columns) -> Result<Self, ServingInvalid> {
        if self.primary.is_ok() {
            columns.check_served(&self.signature)?;
        }
        Ok(Self { columns, ..self })
    }

    /// What its columns are for.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The version that is routed to, whether it is there or not.
    pub fn version(&self) -> &VersionRef {
        &self.version
    }

    /// The version that answers.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn primary(&self) -> Result<&Arc<LoadedVersion>, FallbackReason> {
        self.primary.as_ref().map_err(|why| *why)
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What answers instead.
    pub fn fallback(&self) -> &Fallback {
        &self.fallback
    }

    /// The bounds of training, and what becomes of a request outside them.
    pub fn bounds(&self) -> Option<&(Bounds, OutOfBounds)> {
        self.bounds.as_ref()
    }

    /// How much of a request is compared with the training data.
    pub fn compared(&self) -> Compared<'_> {
        self.bounds.as_ref().map_or(Compared::Nothing(&[]), |(bounds, _)| bounds.compared())
    }

    /// The most rows of one request, which the fallback takes too.
    pub fn most_rows(&self) -> usize {
        self.most_rows
    }

    /// Notes the entry of the ledger that routes the endpoint to this.
    pub fn routed_by(mut self, entry: u64) -> Self {
        self.route = Some(entry);
        self
    }

    /// The entry of the ledger that routes the endpoint to this.
    pub const fn route(&self) -> Option<u64> {
        self.route
    }

    /// Says that this is what the ledger of so many entries says, route and states alike, as of `now`, a time since the
    /// same moment as that of requests. Whoever says so has [stopped](super::Endpoint::stop) before what may not be served.
    pub fn confirm(&self, tree_size: u64, now: Duration) {
        self.confirmed.at_ms.store(millis(now), Ordering::Relaxed);
        self.confirmed.tree_size.fetch_max(tree_size, Ordering::Release);
    }

    /// The ledger that this was last known to follow. An answer that is given after it was read is one that a ledger of
    /// that size allows: whatever a later entry stops was stopped before this grew.
    pub fn head(&self, now: Duration) -> Head {
        let tree_size = self.confirmed.tree_size.load(Ordering::Acquire);
        let at_ms = self.confirmed.at_ms.load(Ordering::Relaxed);
        Head { tree_size, age_ms: millis(now).saturating_sub(at_ms) }
    }

    /// Elementary steps of the models for a request of so many bytes, at most.
    pub fn steps_at_most(&self, bytes: usize) -> u64 {
        let rows =
            bytes.saturating_sub(self.fixed_bytes).checked_div(self.row_bytes).unwrap_or(self.most_rows);
        let rows = u64::try_from(rows.clamp(1, self.most_rows.max(1))).unwrap_or(u64::MAX);
        let steps = self.versions().map(|version| version.model().steps().at(rows));
        steps.fold(0, u64::saturating_add)
    }

    /// The size of the ledger that its evidence is from: the smaller where primary and fallback differ.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// The versions in it.
    pub fn versions(&self) -> impl Iterator<Item = &Arc<LoadedVersion>> {
        let fallback = match &self.fallback {
            Fallback::Version(version) => Some(version),
            Fallback::Constant(_) | Fallback::Unavailable => None,
        };
        self.primary.iter().chain(fallback)
    }
}

impl Confirmed {
    fn at(tree_size: u64) -> Self {
        Self { tree_size: AtomicU64::new(tree_size), at_ms: AtomicU64::new(0) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Bytes that a body takes at least beside its elements, and for each row: an element is a digit and a comma.
fn least_bytes(signature: &Signature) -> (usize, usize) {
    const INPUT: usize = r#"{"name":"","shape":[],"datatype":"FP32","data":"#.len();
    let elements = |port: &Port| {
        let fixed = port.shape.iter().map(|dimension| match dimension {
            Dimension::Fixed(length) => *length,
            Dimension::Rows => 1,
            // It may be as short as nothing.
            Dimension::Open => 0,
        });
        let rows = port.shape.contains(&Dimension::Rows);
        fixed.fold(usize::from(rows), usize::saturating_mul)
    };
    let fixed = signature.inputs.iter().map(|port| INPUT.saturating_add(port.name.len()));
    let row = signature.inputs.iter().map(elements).fold(0, usize::saturating_add);
    (fixed.fold(0, usize::saturating_add), row.saturating_mul(2))
}

/// The same names, types and shapes, in any order.
fn same_inputs(one: &Signature, other: &Signature) -> bool {
    let there =
        |port: &Port| other.inputs.iter().any(|theirs| same(port, theirs) && port.shape == theirs.shape);
    one.inputs.len() == other.inputs.len() && one.inputs.iter().all(there)
}

/// The same names and types with as many dimensions, in any order.
fn same_outputs(one: &Signature, other: &Signature) -> bool {
    let there = |port: &Port| other.outputs.iter().any(|theirs| same(port, theirs));
    one.outputs.len() == other.outputs.len() && one.outputs.iter().all(there)
}

fn same(one: &Port, other: &Port) -> bool {
    one.name == other.name && one.element == other.element && one.shape.len() == other.shape.len()
}
