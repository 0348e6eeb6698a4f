//! Who can ask and under which regime: roles, tiers, kinds of principal, and the person behind each.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bartizan_base::{IdInvalid, PrincipalId};
use serde::{Deserialize, Serialize};

/// The text is not one of a closed list of words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: expected one of {expected}")]
pub struct WordUnknown {
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What was expected, for example `role`.
    pub what: &'static str,
    /// The words that exist, separated by commas.
    pub expected: String,
}

/// A closed list of words: an enum whose variants are spelled the same in text, in Cedar and in stored formats.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for this value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::role::WordUnknown;

            fn from_str(text: &str) -> Result<Self, $crate::role::WordUnknown> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $crate::role::WordUnknown {
                    text: text.chars().take(80).collect(),
                    what: $what,
                    expected: [$($word),+].join(", "),
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use words;

words!(
    /// A built-in role, held within one project.
    Role, "role" {
        /// Sees assets and the ledger.
        Viewer = "viewer",
        /// Checks and adds data, takes out ordinary models.
        DataScientist = "data-scientist",
        /// Also imports models, sets ordinary aliases, puts versions in quarantine.
        MlEngineer = "ml-engineer",
        /// Approves versions and sets guarded aliases.
        Approver = "approver",
        /// Reads everything, the audit log included, and changes nothing.
        Auditor = "auditor",
        /// Puts versions in quarantine, withdraws access, erases.
        Security = "security",
        /// Manages the project and its users; approves nothing in tier release.
        Admin = "admin",
    }
);

/// The roles that a principal holds in one project.
pub type Roles = BTreeSet<Role>;

words!(
    /// How strictly a project is run.
    Tier, "tier" {
        /// One person may do everything, on one machine; proofs say `self-approved`.
        Explore = "explore",
        /// Duties are separated between persons.
        Release = "release",
    }
);

words!(
    /// What kind of thing asks.
    PrincipalKind, "kind of principal" {
        /// A human being.
        Person = "person",
        /// A program with an API key; a person is responsible for it.
        Service = "service",
        /// A job that its platform vouches for; a person is responsible for it.
        Workload = "workload",
    }
);

words!(
    /// Whether a principal may act at all.
    Standing, "standing" {
        /// It may.
        Active = "active",
        /// The principal itself is disabled.
        Disabled = "disabled",
        /// The person responsible for it is disabled.
        PersonDisabled = "person-disabled",
    }
);

/// The id of a human being, as opposed to a service or workload; what separation of duties compares.
///
/// Take it from [`PrincipalFacts::responsible`](crate::PrincipalFacts::responsible) or from the record of a
/// principal that is known to be a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(PrincipalId);

impl PersonId {
    /// States that `id` is the id of a person.
    pub const fn new(id: PrincipalId) -> Self {
        Self(id)
    }

    /// The id as that of a principal.
    pub const fn principal(self) -> PrincipalId {
        self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for PersonId {
    type Err = IdInvalid;

    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        text.parse().map(Self)
    }
}
