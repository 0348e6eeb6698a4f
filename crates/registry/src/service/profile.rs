//! Who a principal is in the world: a private document, encrypted, never in the ledger in clear.

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::limits::PROFILE_TEXT_BYTES;

/// Name and logins of a principal, format `bartizan-principal-profile-v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What people call it; unique within the project.
    pub name: String,
    /// The operating-system user that may act as it by opening the data directory; `local:` is not written.
    pub local_user: Option<String>,
    /// Where to reach it.
    pub email: Option<String>,
}

impl Profile {
    /// Looks at the texts.
    ///
    /// # Errors
    /// When one is empty, too long, or holds control characters.
    pub fn check(&self) -> Result<(), Failed> {
        for text in [Some(&self.name), self.local_user.as_ref(), self.email.as_ref()].into_iter().flatten() {
            if text.is_empty() || text.len() > PROFILE_TEXT_BYTES || text.chars().any(char::is_control) {
                let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
                return Err(Failed::invalid(
                    format!("`{shown}`"),
                    format!("a name is 1 to {PROFILE_TEXT_BYTES} bytes without control characters"),
                ));
            }
        }
        Ok(())
    }

    /// The stored form.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Failed> {
        self.check()?;
        canonical::to_bytes(self).map_err(|error| Failed::Sign(Box::new(error)))
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        canonical::from_bytes(bytes).ok()
    }
}
