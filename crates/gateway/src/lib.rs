//! The phases of a prediction in their fixed order: bytes and facts in, an answer and its record out.
//!
//! ```text
//!   Released<ModelVersion>, bytes --load--> LoadedVersion --\
//!   a schema of training data ------------> Bounds ----------+--> Serving --> Endpoint <--swap, stop--
//!   values -------------------------------> Constant -------/                    |
//!                                                                                v
//!   body, who asks, time, randomness ------------------------------> predict: parse, validate, route,
//!                                                                    infer, sanitise, redact, record, answer
//!                                                                                |
//!      Refused: a status and a body  <-------------------------------------------+
//!      Made  --record(log)--> Answer: given out only for its record  <-----------'
//! ```
//!
//! It opens no socket and no file, reads no clock, knows no HTTP beyond a status, does not authenticate and does not
//! authorise: who asks and the decision that allowed it are facts that come in and are recorded. It also does not
//! follow the ledger; whoever does calls [`Endpoint::stop`] and [`Endpoint::swap`].
//!
//! Modules in reading order: [`oip`] (the protocol), [`validate`] (requests against a model and its training),
//! `endpoint` (what answers), `phases` (the order), `record` (what is kept), `recorded` (read
//! back), `replay` (a record against its model),
//! `fault` (why not), `id`.

mod endpoint;
mod fault;
mod id;
pub mod limits;
pub mod oip;
mod phases;
mod record;
mod recorded;
mod replay;
pub mod validate;

pub use crate::endpoint::{
    Absent, Columns, ColumnsInvalid, Constant, ConstantInvalid, Endpoint, Fallback, LoadFailed,
    LoadedVersion, Serving, ServingInvalid, Settings, StoredInvalid, SwapRefused, model_file,
};
pub use crate::fault::{Fault, Refusal};
pub use crate::id::PredictionId;
pub use crate::phases::{
    Answer, Caller, FallbackReason, Head, Made, Phase, PredictRequest, Prediction, RecordFailed, Refused,
    Timings, predict,
};
pub use crate::record::{Groups, Placement};
pub use crate::recorded::{RecordedInput, RecordedInvalid, RecordedOutput, RecordedTensor};
pub use crate::replay::{ReplayFailed, Replayed, replay};
