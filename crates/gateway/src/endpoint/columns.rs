//! What the inputs of an endpoint are for beside being asked, and which columns of the data they are.
//!
//! One may say whom a prediction is about; some are not kept, some group.

use std::collections::BTreeSet;

use bartizan_base::canonical;
use bartizan_model::{ElementType, Port, Signature};
use serde::{Deserialize, Serialize};

use crate::limits::{COLUMNS, NAME_BYTES, SLICE_BYTES, SLICES};
use crate::validate::{BoundsInvalid, named_for};

/// The `format` of the document.
const FORMAT: &str = "bartizan-endpoint-columns-v1";
/// Inputs of a model that an error names.
const NAMED: usize = 32;

/// What inputs are for, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The input that says whom a prediction is about, when no header does.
    pub subject: Option<String>,
    /// Inputs whose values are not recorded.
    pub withheld: BTreeSet<String>,
    /// Inputs whose value, when all rows of a request agree on it, is a slice tag of the record.
    pub slices: BTreeSet<String>,
    /// The columns of the training data that the inputs hold: those of the first input in their order, then those of the
    /// second, and so on. Empty where each input is one column and has its name.
    pub order: Vec<String>,
}

/// Names that cannot be used so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsInvalid {
    /// The bytes are no document of this format.
    #[error("the document does not say what columns are for")]
    Document,
    /// Too many names.
    #[error("{count} columns are named, and {most} may be")]
    TooMany {
        /// How many.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// A name that is empty or too long.
    #[error("the name of a column has 1 to {most} bytes")]
    Name {
        /// The most bytes.
        most: usize,
    },
    /// A slice tag would record what is not to be recorded, or whom a prediction is about.
    #[error("`{name}` cannot group predictions: its values are withheld, or say whom a prediction is about")]
    Contradictory {
        /// The column.
        name: String,
    },
    /// A column that would be in two places.
    #[error("`{name}` is named twice among the columns of the inputs")]
    Twice {
        /// The column.
        name: String,
    },
    /// Other columns than the inputs have.
    #[error(transparent)]
    Order(#[from] BoundsInvalid),
    /// The model has no such input.
    #[error("the model has no input `{name}`; it has {inputs}")]
    Unknown {
        /// The column.
        name: String,
        /// Those that it has.
        inputs: String,
    },
    /// An input whose values name nobody.
    #[error(
        "`{name}` cannot say whom a prediction is about: it is {element}, and a text or whole number can"
    )]
    Subject {
        /// The column.
        name: String,
        /// What it holds.
        element: ElementType,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    order: Vec<String>,
    slices: BTreeSet<String>,
    subject: Option<String>,
    withheld: BTreeSet<String>,
}

impl Columns {
    /// Whether no input is for anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks what can be checked without a model.
    ///
    /// # Errors
    /// When names are too many, too long or contradict each other.
    pub fn check(&self) -> Result<(), ColumnsInvalid> {
        let (count, slices, order) = (self.names().count(), self.slices.len(), self.order.len());
        for (count, most) in [(count, COLUMNS), (slices, SLICES), (order, COLUMNS)] {
            if count > most {
                return Err(ColumnsInvalid::TooMany { count, most });
            }
        }
        for (mut names, most) in [
            (Box::new(self.names().chain(&self.order)) as Box<dyn Iterator<Item = &String>>, NAME_BYTES),
            (Box::new(self.slices.iter()), SLICE_BYTES),
        ] {
            if names.any(|name| name.is_empty() || name.len() > most) {
                return Err(ColumnsInvalid::Name { most });
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(name) = self.order.iter().find(|name| !seen.insert(*name)) {
            return Err(ColumnsInvalid::Twice { name: name.clone() });
        }
        let shown = |name: &&String| self.withheld.contains(*name) || self.subject.as_ref() == Some(*name);
        match self.slices.iter().find(shown) {
            Some(name) => Err(ColumnsInvalid::Contradictory { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Checks them against what a model takes, as somebody says what its columns are for.
    ///
    /// # Errors
    /// As [`Columns::check_served`], and when the model lacks any of the inputs.
    pub fn check_for(&self, signature: &Signature) -> Result<(), ColumnsInvalid> {
        self.check_served(signature)?;
        match self.names().find(|name| signature.inputs.iter().all(|port| port.name != **name)) {
            Some(name) => Err(unknown(name, signature)),
            None => Ok(()),
        }
    }

    /// Checks that a model can be served with them. What a model lacks is withheld and groups predictions all the same:
    /// there is nothing of it to record. Whom a prediction is about, and which columns the inputs hold, has to be known.
    ///
    /// # Errors
    /// As [`Columns::check`], and when the subject's input is not there or cannot name anybody, or other columns are named
    /// than the inputs have.
    pub fn check_served(&self, signature: &Signature) -> Result<(), ColumnsInvalid> {
        self.check()?;
        if !self.order.is_empty() {
            named_for(&self.order, signature)?;
        }
        let Some(name) = &self.subject else { return Ok(()) };
        let port = signature.inputs.iter().find(|port| port.name == *name);
        match port.ok_or_else(|| unknown(name, signature))?.element {
            element @ (ElementType::F32 | ElementType::F64 | ElementType::Bool) => {
                Err(ColumnsInvalid::Subject { name: name.clone(), element })
            }
            ElementType::I32 | ElementType::I64 | ElementType::Text => Ok(()),
        }
    }

    /// The document that keeps them.
    ///
    /// # Errors
    /// When it has no canonical form, which should not be.
    pub fn to_document(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let Self { subject, withheld, slices, order } = self.clone();
        canonical::to_bytes(&Document { format: FORMAT.to_owned(), order, slices, subject, withheld })
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When it is none, or as [`Columns::check`].
    pub fn from_document(bytes: &[u8]) -> Result<Self, ColumnsInvalid> {
        let read: Document = canonical::from_bytes(bytes).map_err(|_| ColumnsInvalid::Document)?;
        let Document { format, order, slices, subject, withheld } = read;
        if format != FORMAT {
            return Err(ColumnsInvalid::Document);
        }
        let columns = Self { subject, withheld, slices, order };
        columns.check()?;
        Ok(columns)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.subject.iter().chain(&self.withheld).chain(&self.slices)
    }
}

fn unknown(name: &str, signature: &Signature) -> ColumnsInvalid {
    ColumnsInvalid::Unknown { name: name.to_owned(), inputs: listed(&signature.inputs) }
}

/// The names of the first inputs.
fn listed(ports: &[Port]) -> String {
    let mut named: Vec<String> = ports.iter().take(NAMED).map(|port| format!("`{}`", port.name)).collect();
    if let Some(more) = ports.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}
