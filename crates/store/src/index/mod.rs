//! The index of the ledger: rows that follow from statements, to be found quickly and never to be believed.
//!
//! ```text
//!   ledger --fold (registry)--> Snapshot --replace--> tables      `ledger rebuild`
//!                                 |  first_difference
//!                               Snapshot <--read----- tables      at start, before a promotion
//!   new statements --fold--> Delta --apply--> tables              while running
//! ```
//!
//! One database holds one project.

pub mod aliases;
pub mod api_keys;
pub mod approvals;
pub mod datasets;
pub mod entries;
pub mod head;
pub mod lineage;
pub mod models;
pub mod principals;
pub mod roles;
pub mod signing_keys;
pub(crate) mod table;

use std::cmp::Ordering;

use self::aliases::Alias;
use self::api_keys::ApiKey;
use self::approvals::Approval;
use self::datasets::Dataset;
use self::entries::Entry;
pub use self::head::Head;
use self::lineage::Edge;
use self::models::Model;
use self::principals::Principal;
use self::roles::Role;
use self::signing_keys::SigningKey;
use self::table::Table;
use crate::db::{DbError, Tx};

/// Rows of every table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Ledger entries.
    pub entries: Vec<Entry>,
    /// Principals.
    pub principals: Vec<Principal>,
    /// Roles.
    pub roles: Vec<Role>,
    /// API keys.
    pub api_keys: Vec<ApiKey>,
    /// Signing keys.
    pub signing_keys: Vec<SigningKey>,
    /// Dataset versions.
    pub datasets: Vec<Dataset>,
    /// Lineage edges.
    pub lineage: Vec<Edge>,
    /// Model versions.
    pub models: Vec<Model>,
    /// Aliases.
    pub aliases: Vec<Alias>,
    /// Approvals.
    pub approvals: Vec<Approval>,
}

/// Everything the index says at one tree size. Each table is ascending by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The tree that it was made from.
    pub head: Head,
    /// The rows.
    pub tables: Tables,
}

/// What new ledger entries change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// The tree that the change starts from.
    pub from: Head,
    /// The tree that it leads to.
    pub to: Head,
    /// Rows that are new or have changed, in any order.
    pub put: Tables,
    /// Rows that are gone, in any order; only their keys matter. Removed before others are put.
    pub removed: Tables,
}

/// The first thing in which the index and the ledger disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The key of the row, its parts joined by `/`; empty for the head.
    pub key: String,
    /// What the index has there.
    pub index: String,
    /// What follows from the ledger.
    pub ledger: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, key, index, ledger } = self;
        write!(f, "table `{table}`, row `{key}`: the index has {index}, the ledger says {ledger}")
    }
}

/// A change could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyFailed {
    /// The index is not at the tree that the change starts from; nothing was changed.
    #[error(
        "the index is at tree size {} with root `{}`, the change starts from size {} with root `{}`",
        present.applied_size, present.applied_root, expected.applied_size, expected.applied_root
    )]
    HeadMoved {
        /// Where the index is.
        present: Head,
        /// Where the change starts from.
        expected: Head,
    },
    /// The database failed.
    #[error("cannot change the index")]
    Db(#[from] DbError),
}

/// Calls a macro with the name of every table.
macro_rules! each_table {
    ($step:ident) => {
        $step!(entries);
        $step!(principals);
        $step!(roles);
        $step!(api_keys);
        $step!(signing_keys);
        $step!(datasets);
        $step!(lineage);
        $step!(models);
        $step!(aliases);
        $step!(approvals);
    };
}

/// Reads the whole index.
///
/// # Errors
/// When the database fails or holds a value that no column can have.
pub async fn read(tx: &mut Tx) -> Result<Snapshot, DbError> {
    let mut tables = Tables::default();
    macro_rules! step {
        ($table:ident) => {
            tables.$table = table::all(tx).await?;
        };
    }
    each_table!(step);
    Ok(Snapshot { head: head::get(tx).await?, tables })
}

/// Replaces the whole index.
///
/// # Errors
/// When the database fails, or a row refers to one that is not there.
pub async fn replace(tx: &mut Tx, snapshot: &Snapshot) -> Result<(), DbError> {
    macro_rules! step {
        ($table:ident) => {
            table::replace(tx, &snapshot.tables.$table).await?;
        };
    }
    each_table!(step);
    head::set(tx, &snapshot.head).await
}

/// Applies what new ledger entries change.
///
/// # Errors
/// When the index is not where the change starts from, the database fails, or a row refers to one that is not
/// there.
pub async fn apply(tx: &mut Tx, delta: &Delta) -> Result<(), ApplyFailed> {
    let present = head::get(tx).await?;
    if present != delta.from {
        return Err(ApplyFailed::HeadMoved { present, expected: delta.from.clone() });
    }
    macro_rules! step {
        ($table:ident) => {
            table::remove(tx, &delta.removed.$table).await?;
            table::upsert(tx, &delta.put.$table).await?;
        };
    }
    each_table!(step);
    Ok(head::set(tx, &delta.to).await?)
}

impl Tables {
    /// Puts every table into ascending order, as [`read`] returns it.
    pub fn sort(&mut self) {
        macro_rules! step {
            ($table:ident) => {
                self.$table.sort_unstable();
            };
        }
        each_table!(step);
    }
}

impl Snapshot {
    /// The first thing in which this snapshot, read from the index, differs from one made from the ledger.
    pub fn first_difference(&self, ledger: &Self) -> Option<Difference> {
        if self.head != ledger.head {
            return Some(Difference {
                table: "head",
                key: String::new(),
                index: format!("{:?}", self.head),
                ledger: format!("{:?}", ledger.head),
            });
        }
        macro_rules! step {
            ($table:ident) => {
                let difference = first_difference(&self.tables.$table, &ledger.tables.$table);
                if difference.is_some() {
                    return difference;
                }
            };
        }
        each_table!(step);
        None
    }
}

/// Walks two tables by key. They are sorted already when they come from [`read`] or [`Tables::sort`], which
/// makes sorting them here cheap; when they do not, the answer is right all the same.
fn first_difference<T: Table>(index: &[T], ledger: &[T]) -> Option<Difference> {
    let (mut index, mut ledger) = (sorted(index), sorted(ledger));
    loop {
        let (left, right) = match (index.next(), ledger.next()) {
            (None, None) => return None,
            (left, None) => (left, None),
            (None, right) => (None, right),
            (Some(left), Some(right)) => match left.key().cmp(&right.key()) {
                Ordering::Less => (Some(left), None),
                Ordering::Greater => (None, Some(right)),
                Ordering::Equal => (Some(left), Some(right)),
            },
        };
        if left != right {
            let shown = |row: Option<&T>| row.map_or("nothing".to_owned(), |row| format!("{row:?}"));
            let key = left.or(right).map(|row| table::key_text(&row.key())).unwrap_or_default();
            return Some(Difference { table: T::NAME, key, index: shown(left), ledger: shown(right) });
        }
    }
}

fn sorted<T: Ord>(rows: &[T]) -> impl Iterator<Item = &T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort();
    rows.into_iter()
}
