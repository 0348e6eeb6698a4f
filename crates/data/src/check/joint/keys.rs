//! Keys: whether two rows have the same values, and how many different ones there are.
//!
//! Of each key a hash of 128 bits is kept, and the row that it was first seen in. Among a hundred million different keys the
//! chance that any two share a hash is below 2^-75; whoever makes two collide on purpose gets a finding that need not be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;

use crate::cell::Value;
use crate::check::rules::Counted;
use crate::check::tables::spelling;
use crate::limits::KEY_VALUES;
use crate::profile::ColumnType;
use crate::read::TableRows;
use crate::schema::{DistinctRules, KeyRules, PassOver, Schema, Severity};
use crate::sketch::hash;

/// One key that is counted, and for what.
pub(in crate::check) struct KeyCheck {
    pub(in crate::check) names: Vec<String>,
    pub(in crate::check) wants: Vec<KeyWant>,
    pass_over: PassOver,
    columns: Vec<(usize, ColumnType)>,
}

/// What is asked of a key.
pub(in crate::check) struct KeyWant {
    pub(in crate::check) what: KeyRule,
    pub(in crate::check) severity: Severity,
    /// Whether it is a rule of the column that is the key.
    pub(in crate::check) of_column: bool,
}

pub(in crate::check) enum KeyRule {
    /// The share of rows that may share theirs with others.
    Unique(f64),
    /// How many different ones there are.
    Distinct(DistinctRules),
}

/// The keys that were found.
#[derive(Default)]
pub(in crate::check) struct KeyFound {
    /// By the key's hash, the row it was first seen in, and whether it was seen again.
    seen: HashMap<u128, (u64, bool), foldhash::fast::RandomState>,
    /// Rows with a key.
    pub(in crate::check) rows: u64,
    /// Rows whose key another row has too.
    pub(in crate::check) repeated: Counted,
    /// More different keys than are remembered: nothing is known.
    pub(in crate::check) too_many: bool,
}

/// The hashes of the keys of some rows, `None` for a row that is passed over.
pub(super) type PartKeys = Vec<Option<u128>>;

/// The keys that a schema asks about.
pub(super) fn of(schema: &Schema, environment: Option<&str>, wanted: &[String]) -> Vec<KeyCheck> {
    let mut checks: Vec<KeyCheck> = Vec::new();
    let mut add = |names: &[String], pass_over: PassOver, want: KeyWant| {
        if !schema.has_all(names.iter().map(String::as_str), environment) {
            return;
        }
        if let Some(known) = checks.iter_mut().find(|one| one.names == names && one.pass_over == pass_over) {
            known.wants.push(want);
            return;
        }
        let column = |name: &String| {
            let place = wanted.iter().position(|known| known == name)?;
            Some((place, schema.column(name)?.kind))
        };
        let columns = names.iter().filter_map(column).collect();
        checks.push(KeyCheck { names: names.to_vec(), wants: vec![want], pass_over, columns });
    };
    for column in &schema.columns {
        let name = std::slice::from_ref(&column.name);
        let wants = [
            column.max_repeated.map(|share| (KeyRule::Unique(share), column.severity_of("unique"))),
            column.distinct.map(|distinct| (KeyRule::Distinct(distinct), column.severity_of("distinct"))),
        ];
        for (what, severity) in wants.into_iter().flatten() {
            add(name, PassOver::AnyMissing, KeyWant { what, severity, of_column: true });
        }
    }
    for KeyRules { columns, pass_over, max_repeated, severity } in &schema.keys {
        let what = KeyRule::Unique(*max_repeated);
        add(columns, *pass_over, KeyWant { what, severity: *severity, of_column: false });
    }
    checks
}

impl KeyCheck {
    pub(super) fn part(&self, rows: &TableRows<'_>) -> PartKeys {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|(place, kind)| (rows.columns.get(*place).copied().flatten(), *kind))
            .collect();
        let mut bytes = Vec::new();
        let key = |at: usize| {
            bytes.clear();
            let mut missing = 0;
            for (column, kind) in &columns {
                let cell = column.map(|column| column.cell(at)).filter(|cell| cell.value != Value::Null);
                let Some(cell) = cell else {
                    missing += 1;
                    bytes.push(0);
                    continue;
                };
                let text = spelling(&cell, *kind);
                // With its length before it, no text can be taken for the end of one and the start of another.
                bytes.push(1);
                bytes.extend_from_slice(&text.len().to_le_bytes());
                bytes.extend_from_slice(&text);
            }
            let passed_over = match self.pass_over {
                PassOver::AnyMissing => missing > 0,
                PassOver::AllMissing => missing == columns.len(),
            };
            (!passed_over).then(|| hash_of(&bytes))
        };
        (0..rows.count).map(key).collect()
    }
}

fn hash_of(bytes: &[u8]) -> u128 {
    let mut other = FixedState::with_seed(0x1F83_D9AB_FB41_BD6B).build_hasher();
    other.write(bytes);
    (u128::from(hash::of_bytes(bytes)) << 64) | u128::from(other.finish())
}

impl KeyFound {
    /// Nothing yet, noting up to so many rows.
    pub(super) fn listing(listed: usize) -> Self {
        Self { repeated: Counted::listing(listed), ..Self::default() }
    }

    /// Different keys.
    pub(in crate::check) fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }

    pub(super) fn take_in(&mut self, keys: PartKeys, first: u64) {
        for (row, key) in (first..).zip(keys) {
            let Some(key) = key else { continue };
            self.rows += 1;
            if self.too_many {
                continue;
            }
            match self.seen.entry(key) {
                Entry::Vacant(place) => {
                    place.insert((row, false));
                }
                Entry::Occupied(mut place) => {
                    let (before, again) = place.get_mut();
                    if !*again {
                        // The first of them is one of those that come more than once.
                        self.repeated.count += 1;
                        self.repeated.list(*before);
                    }
                    *again = true;
                    self.repeated.row(row, || format!("as in row {before}"));
                }
            }
            if self.seen.len() > KEY_VALUES {
                self.too_many = true;
                self.seen = HashMap::default();
            }
        }
    }
}
