//! Folding statements of gateways that stop a version whose stored bytes are damaged.

use bartizan_base::PrincipalId;

use super::{NotAdmitted, State, Stop, edge, version_what};
use crate::statement::{IntegrityV1, VersionState};

impl State {
    pub(super) fn apply_integrity(&mut self, index: u64, body: &IntegrityV1) -> Result<(), NotAdmitted> {
        let refuse = |why| Err(edge(index, version_what(&body.version), why));
        let Some(by) = gateway_principal(&body.gateway) else { return refuse("that is no gateway's id") };
        let Some(found) = self.version(&body.version) else { return refuse("it does not exist") };
        if found.state != body.from || found.body.manifest != body.manifest {
            return refuse("it is another manifest or in another state");
        }
        if found.state_entry() != body.previous {
            return refuse("it does not follow the last change of its state");
        }
        let to = VersionState::Quarantined;
        if !body.from.may_become(to) {
            return refuse("that change of state is not possible");
        }
        if let Some(version) = self.version_mut(&body.version) {
            version.state = to;
            version.state_entries.push(index);
            version.carried_by.clear();
            version.last_reason = Some(body.reason.clone());
            version.last_stop = Some(Stop { by, entry: index, to });
        }
        Ok(())
    }
}

/// A gateway's id in the form of a principal's. There is no such principal: it holds no role, and nobody is
/// responsible for it, so that everybody who may approve may lift what it stopped.
fn gateway_principal(gateway: &str) -> Option<PrincipalId> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut id = [0; 16];
    let (pairs, rest) = gateway.as_bytes().as_chunks::<2>();
    if pairs.len() != id.len() || !rest.is_empty() {
        return None;
    }
    for (to, [high, low]) in id.iter_mut().zip(pairs) {
        *to = digit(*high)? * 16 + digit(*low)?;
    }
    Some(PrincipalId::from_random(id))
}
