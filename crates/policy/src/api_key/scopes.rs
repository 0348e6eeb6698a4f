//! Scopes: the actions an API key may be used for at most.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::action::{Access, Action};
use crate::limits::SCOPES_BYTES;

/// A set of actions; never empty.
///
/// Scopes only take away: the principal still needs a role for each action. Patterns are expanded when a key is
/// issued and the actions themselves are stored, so a key gains nothing when a later version adds actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Action>);

/// The text is not a list of scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopesInvalid {
    /// An element names no action.
    #[error(
        "`{text}` is no scope: expected an action such as `model.show`, a group such as `data.*`, or `read`"
    )]
    Unknown {
        /// The offending element, cut to 80 characters.
        text: String,
    },
    /// No element at all.
    #[error("a list of scopes is empty")]
    Empty,
    /// Longer than any sensible list.
    #[error("a list of scopes has {bytes} bytes, more than the {SCOPES_BYTES} allowed")]
    TooLong {
        /// How many bytes there were.
        bytes: usize,
    },
}

impl Scopes {
    /// The scopes that admit `actions`.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(actions: impl IntoIterator<Item = Action>) -> Result<Self, ScopesInvalid> {
        let actions: BTreeSet<Action> = actions.into_iter().collect();
        if actions.is_empty() { Err(ScopesInvalid::Empty) } else { Ok(Self(actions)) }
    }

    /// Whether `other` admits everything that these admit.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether they admit an action.
    pub fn admit(&self, action: Action) -> bool {
        self.0.contains(&action)
    }

    /// The scopes of an enrolment key.
    pub fn enrolment() -> Self {
        Self(BTreeSet::from([Action::KeyClaim]))
    }

    /// Whether they are those of an enrolment key: good for claiming a key of one's own, and for nothing else.
    pub fn enrol(&self) -> bool {
        *self == Self::enrolment()
    }

    /// The actions in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Action> {
        self.0.iter().copied()
    }
}

impl FromStr for Scopes {
    type Err = ScopesInvalid;

    /// Reads elements separated by commas: an action, `PREFIX.*`, or `read` for everything that changes nothing.
    fn from_str(text: &str) -> Result<Self, ScopesInvalid> {
        if text.len() > SCOPES_BYTES {
            return Err(ScopesInvalid::TooLong { bytes: text.len() });
        }
        let mut actions = BTreeSet::new();
        for element in text.split(',').map(str::trim).filter(|element| !element.is_empty()) {
            let matching: Vec<Action> =
                Action::ALL.iter().copied().filter(|action| matches(element, *action)).collect();
            if matching.is_empty() {
                return Err(ScopesInvalid::Unknown { text: element.chars().take(80).collect() });
            }
            actions.extend(matching);
        }
        Self::new(actions)
    }
}

fn matches(element: &str, action: Action) -> bool {
    if element == "read" {
        return action.access() == Access::Read;
    }
    match element.strip_suffix(".*") {
        Some(prefix) => action.id().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => action.id() == element,
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.0.iter().map(|action| action.id()).collect();
        f.write_str(&ids.join(", "))
    }
}

impl Serialize for Scopes {
    /// An array of action ids, sorted as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids: BTreeSet<&str> = self.0.iter().map(|action| action.id()).collect();
        ids.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Action>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
