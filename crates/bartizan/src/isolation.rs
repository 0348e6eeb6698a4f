//! What full isolation lacks on this machine, as a failure whose next step brings it.

use bartizan_sandbox::Probe;

use crate::failure::Failure;

/// The failure that says which parts are missing and why, with what would bring all of them as the next step.
pub(crate) fn missing(id: &'static str, probe: &Probe) -> Failure {
    let mut failure = Failure::new(id, "this machine does not give full isolation");
    failure.why = probe.missing.iter().map(|one| format!("{}: {}", one.part, one.reason)).collect();
    failure.then(remedy(probe))
}

/// What would bring the parts that are missing: each step once, in the order of the parts.
pub(crate) fn remedy(probe: &Probe) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for one in &probe.missing {
        if !steps.contains(&one.remedy.as_str()) {
            steps.push(&one.remedy);
        }
    }
    steps.join("; then ")
}
