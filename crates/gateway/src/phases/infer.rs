//! Which version answers, what it says, and whether that may be said.

use std::num::NonZeroU32;
use std::sync::Arc;

use bartizan_model::{Port, Tensor};
use bartizan_registry::prediction::AnsweredBy;

use crate::endpoint::{Endpoint, Fallback, LoadedVersion, Serving};
use crate::fault::{Fault, Refusal};
use crate::oip::is_finite;
use crate::validate::Fitted;

/// Why the primary did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FallbackReason {
    /// It is stopped.
    Stopped,
    /// It may be served, and could not be loaded, or not be served as its endpoint is set up.
    NotLoaded,
    /// It has no answer for this input.
    NoAnswer,
    /// Its answer holds NaN or infinity.
    NotFinite,
}

impl FallbackReason {
    /// The word that answers and records use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::NotLoaded => "not-loaded",
            Self::NoAnswer => "no-answer",
            Self::NotFinite => "not-finite",
        }
    }
}

/// A route that was taken.
pub(super) struct Routed {
    /// The caller insists on the primary's version: nothing else may answer.
    insists: bool,
}

/// What was said, by whom, and why not by the primary.
pub(super) struct Inferred<'s> {
    said: Said<'s>,
    reason: Option<FallbackReason>,
    insists: bool,
}

enum Said<'s> {
    Version { version: &'s Arc<LoadedVersion>, primary: bool, outputs: Vec<Tensor> },
    Constant(Vec<Tensor>),
    Nothing(Refusal),
}

/// What may be said.
pub(super) struct Answered<'s> {
    by: By<'s>,
    reason: Option<FallbackReason>,
    outputs: Vec<(&'s Port, Tensor)>,
}

enum By<'s> {
    Primary(&'s Arc<LoadedVersion>),
    Fallback(&'s Arc<LoadedVersion>),
    Constant,
    Nobody(Refusal),
}

/// Chooses among the versions of the route; with one primary and no canary there is one choice.
pub(super) fn route(serving: &Serving, version: Option<NonZeroU32>) -> Result<Routed, Refusal> {
    let served = serving.version().version;
    match version {
        Some(wanted) if wanted != served => {
            Err(Refusal::new(Fault::Version, format!("version {wanted} is not served here")))
        }
        wanted => Ok(Routed { insists: wanted.is_some() }),
    }
}

/// Runs the model on the original values, if it may; `sanitise` asks again when it has.
pub(super) fn infer<'s>(
    endpoint: &Endpoint,
    serving: &'s Serving,
    routed: Routed,
    fitted: &Fitted<'_>,
    rejected: Option<Refusal>,
) -> Inferred<'s> {
    let insists = routed.insists;
    if let Some(refusal) = rejected {
        return Inferred { said: Said::Nothing(refusal), reason: None, insists };
    }
    let reason = match serving.primary() {
        Ok(primary) if endpoint.may_infer(primary) => match ask(primary, serving, fitted) {
            Ok(outputs) => {
                let said = Said::Version { version: primary, primary: true, outputs };
                return Inferred { said, reason: None, insists };
            }
            Err(Silent { defect: false }) => FallbackReason::NoAnswer,
            Err(Silent { defect: true }) => {
                let reason = FallbackReason::NoAnswer;
                let said = fall_back(endpoint, serving, fitted, Why { reason, insists, defect: true });
                return Inferred { said, reason: Some(reason), insists };
            }
        },
        Ok(_) => FallbackReason::Stopped,
        Err(why) => why,
    };
    let said = fall_back(endpoint, serving, fitted, Why { reason, insists, defect: false });
    Inferred { said, reason: Some(reason), insists }
}

/// Lets nothing through that was stopped while it was asked, or is not finite: what the primary says falls back, what
/// the fallback says is 503. A model may take long, and a stop must not wait for it.
pub(super) fn sanitise<'s>(
    endpoint: &Endpoint,
    serving: &'s Serving,
    inferred: Inferred<'s>,
    fitted: &Fitted<'_>,
) -> Answered<'s> {
    let Inferred { mut said, mut reason, insists } = inferred;
    if reason.is_none()
        && let Some(why) = said.unfit(endpoint, fitted)
    {
        reason = Some(why);
        said = fall_back(endpoint, serving, fitted, Why { reason: why, insists, defect: false });
    }
    if let Some(why) = said.unfit(endpoint, fitted) {
        said = Said::Nothing(match (why, reason) {
            (FallbackReason::Stopped, _) => {
                Refusal::new(Fault::Unavailable, "it was stopped while it was asked")
            }
            (_, Some(FallbackReason::NoAnswer | FallbackReason::NotFinite)) => {
                let message = "neither the model nor its fallback has a finite answer for these values";
                Refusal::new(Fault::NoAnswer, message)
            }
            // The model may have one, once it is back.
            _ => Refusal::new(Fault::Unavailable, "the fallback has no finite answer for these values"),
        });
    }
    let (by, outputs) = match said {
        Said::Version { version, primary: true, outputs } => (By::Primary(version), outputs),
        Said::Version { version, primary: false, outputs } => (By::Fallback(version), outputs),
        Said::Constant(outputs) => (By::Constant, outputs),
        Said::Nothing(refusal) => (By::Nobody(refusal), Vec::new()),
    };
    let ports = &serving.signature().outputs;
    let wanted = fitted.outputs.iter().filter_map(|index| Some((ports.get(*index)?, outputs.get(*index)?)));
    Answered { by, reason, outputs: wanted.map(|(port, tensor)| (port, tensor.clone())).collect() }
}

impl Said<'_> {
    /// Why this may not be said. What nobody asked for does not matter, and constants were looked at when they were
    /// checked.
    fn unfit(&self, endpoint: &Endpoint, fitted: &Fitted<'_>) -> Option<FallbackReason> {
        let Said::Version { version, outputs, .. } = self else {
            let says = matches!(self, Said::Constant(_));
            return (says && endpoint.is_retired()).then_some(FallbackReason::Stopped);
        };
        if !endpoint.may_infer(version) {
            return Some(FallbackReason::Stopped);
        }
        let finite = fitted.outputs.iter().filter_map(|index| outputs.get(*index)).all(is_finite);
        (!finite).then_some(FallbackReason::NotFinite)
    }
}

/// A version said nothing.
struct Silent {
    /// This program is at fault, and neither the model nor the values.
    defect: bool,
}

/// Why the primary does not answer.
#[derive(Clone, Copy)]
struct Why {
    reason: FallbackReason,
    /// The caller wants this very version.
    insists: bool,
    /// This program is at fault.
    defect: bool,
}

fn fall_back<'s>(endpoint: &Endpoint, serving: &'s Serving, fitted: &Fitted<'_>, why: Why) -> Said<'s> {
    let Why { reason, insists, defect } = why;
    let ours = || Said::Nothing(Refusal::new(Fault::Defect, "the model could not be run"));
    let nothing = |message: &str| Said::Nothing(Refusal::new(Fault::Unavailable, message));
    let never = |message: &str| Said::Nothing(Refusal::new(Fault::NoAnswer, message));
    let by_values = !defect && matches!(reason, FallbackReason::NoAnswer | FallbackReason::NotFinite);
    if endpoint.is_retired() {
        return nothing("the endpoint was taken out of service");
    }
    if insists && by_values {
        return never(
            "this version has no finite answer for these values; ask without a version for the fallback",
        );
    }
    if insists {
        return nothing("this version cannot answer now; ask without a version for the fallback");
    }
    match serving.fallback() {
        Fallback::Version(version) if endpoint.may_infer(version) => match ask(version, serving, fitted) {
            Ok(outputs) => Said::Version { version, primary: false, outputs },
            Err(silent) if silent.defect || defect => ours(),
            Err(_) if by_values => never("neither the model nor its fallback has an answer for these values"),
            Err(_) => nothing("the fallback has no answer for these values"),
        },
        Fallback::Version(_) if by_values => {
            nothing("the model has no finite answer for these values, and its fallback is stopped")
        }
        Fallback::Version(_) => nothing("the model and its fallback are stopped"),
        Fallback::Constant(constant) => match constant.answer(fitted.rows) {
            Ok(outputs) => Said::Constant(outputs),
            Err(_) => {
                let message = "the constant answer is too large for so many rows: send fewer";
                Said::Nothing(Refusal::new(Fault::TooLarge, message))
            }
        },
        Fallback::Unavailable if defect => ours(),
        Fallback::Unavailable => match reason {
            FallbackReason::Stopped => nothing("the model is stopped, and there is no fallback"),
            FallbackReason::NotLoaded => nothing("the model is not loaded, and there is no fallback"),
            FallbackReason::NoAnswer => {
                never("the model has no answer for these values, and there is no fallback")
            }
            FallbackReason::NotFinite => {
                never("the model's answer for these values is not finite, and there is no fallback")
            }
        },
    }
}

/// What a version says, in the order of the primary's outputs.
fn ask(version: &LoadedVersion, serving: &Serving, fitted: &Fitted<'_>) -> Result<Vec<Tensor>, Silent> {
    let signature = serving.signature();
    let names = signature.inputs.iter().map(|port| port.name.as_str());
    let inputs: Vec<(&str, Tensor)> = names.zip(fitted.inputs.iter().cloned()).collect();
    let outputs = version.model().run(&inputs).map_err(|failed| Silent { defect: failed.is_defect() })?;
    let own = version.signature();
    let of = |port: &Port| {
        let index = own.outputs.iter().position(|other| other.name == port.name)?;
        outputs.get(index).cloned()
    };
    signature.outputs.iter().map(of).collect::<Option<_>>().ok_or(Silent { defect: true })
}

impl Answered<'_> {
    /// The version that answered.
    pub(super) fn version(&self) -> Option<&Arc<LoadedVersion>> {
        match &self.by {
            By::Primary(version) | By::Fallback(version) => Some(version),
            By::Constant | By::Nobody(_) => None,
        }
    }

    /// The word for who answered.
    pub(super) fn answered_by(&self) -> AnsweredBy {
        match &self.by {
            By::Primary(_) => AnsweredBy::Primary,
            By::Fallback(_) => AnsweredBy::Fallback,
            By::Constant => AnsweredBy::Constant,
            By::Nobody(_) => AnsweredBy::Nobody,
        }
    }

    /// Why it was not the primary.
    pub(super) fn reason(&self) -> Option<FallbackReason> {
        self.reason
    }

    /// Why there is no answer.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        if let By::Nobody(refusal) = &self.by { Some(refusal) } else { None }
    }

    pub(super) fn status(&self) -> u16 {
        self.refusal().map_or(200, |refusal| refusal.fault.status())
    }

    /// The outputs that were wanted.
    pub(super) fn outputs(&self) -> &[(&Port, Tensor)] {
        &self.outputs
    }
}
