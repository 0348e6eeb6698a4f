//! Keys: whether two rows have the same values, and how many different ones there are.
//!
//! Of each key a hash of 128 bits is kept, and the row that it was first seen in. Among a hundred million different keys the
//! chance that any two share a hash is below 2^-75; whoever makes two collide on purpose gets a finding that need not be.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;

use super::seen::{Hash, NONE, Repeated, Seen};
use crate::cell::Value;
use crate::check::rules::Counted;
use crate::check::tables::class;
use crate::expression::time_in;
use crate::number::Number;
use crate::profile::ColumnType;
use crate::read::TableRows;
use crate::read::batch::{Cell, Lane};
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
pub(in crate::check) struct KeyFound {
    seen: Seen,
    /// Rows with a key.
    pub(in crate::check) rows: u64,
    /// Rows whose key another row has too.
    pub(in crate::check) repeated: Counted,
    /// More different keys than are remembered: nothing is known.
    pub(in crate::check) too_many: bool,
}

/// The hashes of the keys of some rows, [`NONE`] for a row that is passed over.
pub(super) type PartKeys = Vec<Hash>;

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
        if let [(Some(column), kind)] = columns.as_slice()
            && let Some(keys) = of_lane(&column.lane, *kind)
        {
            return keys;
        }
        let mut bytes = Vec::new();
        let key = |at: usize| {
            bytes.clear();
            let mut missing = 0;
            for (column, kind) in &columns {
                let cell = column.map(|column| column.cell(at)).filter(|cell| cell.value != Value::Null);
                match cell {
                    Some(cell) => write_key(&mut bytes, &cell, *kind),
                    None => {
                        missing += 1;
                        bytes.push(MISSING);
                    }
                }
            }
            let passed_over = match self.pass_over {
                PassOver::AnyMissing => missing > 0,
                PassOver::AllMissing => missing == columns.len(),
            };
            if passed_over { NONE } else { hash_of(&bytes) }
        };
        (0..rows.count).map(key).collect()
    }
}

/// The keys of one column, where its layout allows for a way that does not look at each cell.
fn of_lane(lane: &Lane<'_>, kind: ColumnType) -> Option<PartKeys> {
    match lane {
        Lane::Integers(values, nulls) if class(kind) == ColumnType::Float => {
            let key = |(at, value): (usize, &i64)| match nulls {
                Some(nulls) if nulls.is_null(at) => NONE,
                _ => hash_of_integer(*value),
            };
            Some(values.iter().enumerate().map(key).collect())
        }
        Lane::Dictionary { keys, nulls, values } if values.len() <= keys.len() => {
            let mut bytes = Vec::new();
            let mut of = |at: usize| {
                let cell = values.cell(at);
                bytes.clear();
                write_key(&mut bytes, &cell, kind);
                if cell.value == Value::Null { NONE } else { hash_of(&bytes) }
            };
            let each: PartKeys = (0..values.len()).map(&mut of).collect();
            let key = |(at, key): (usize, &i32)| match nulls {
                Some(nulls) if nulls.is_null(at) => NONE,
                _ => usize::try_from(*key).ok().and_then(|key| each.get(key)).copied().unwrap_or(NONE),
            };
            Some(keys.iter().enumerate().map(key).collect())
        }
        _ => None,
    }
}

// What stands before a value of a key, so that no value can be taken for another or for none.
const MISSING: u8 = 0;
const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const NUMBER: u8 = 3;
const TIME: u8 = 4;
const LONG: u8 = 5;

/// Writes a value by what it is for a column of a type: equal values are written alike, whatever format they came in.
fn write_key(bytes: &mut Vec<u8>, cell: &Cell<'_>, kind: ColumnType) {
    let mut integer = |integer: i64| {
        bytes.push(INTEGER);
        bytes.extend_from_slice(&integer.to_le_bytes());
    };
    match (class(kind), cell.value) {
        (ColumnType::Float, _) => match Number::in_cell(cell) {
            Some(Number::Integer(value)) => return integer(value),
            Some(Number::Double(bits)) => {
                bytes.push(NUMBER);
                return bytes.extend_from_slice(&bits.to_le_bytes());
            }
            Some(Number::Long(digits)) => {
                bytes.push(LONG);
                bytes.extend_from_slice(&digits.len().to_le_bytes());
                return bytes.extend_from_slice(&digits);
            }
            None => {}
        },
        (ColumnType::Timestamp, _) => {
            if let Some(nanos) = time_in(cell) {
                bytes.push(TIME);
                return bytes.extend_from_slice(&nanos.to_le_bytes());
            }
        }
        (ColumnType::Boolean, _) => {
            if let Some(truth) = cell.truth() {
                return integer(truth.into());
            }
        }
        _ => {}
    }
    let text = cell.text();
    bytes.push(TEXT);
    bytes.extend_from_slice(&text.len().to_le_bytes());
    bytes.extend_from_slice(&text);
}

fn hash_of(bytes: &[u8]) -> Hash {
    // A lone integer, however it came.
    if let [INTEGER, value @ ..] = bytes
        && let Ok(value) = <[u8; 8]>::try_from(value)
    {
        return hash_of_integer(i64::from_le_bytes(value));
    }
    let mut other = FixedState::with_seed(0x1F83_D9AB_FB41_BD6B).build_hasher();
    other.write(bytes);
    // One in 2^128 would be taken for none.
    [hash::of_bytes(bytes), other.finish().max(1)]
}

/// No two integers have the same.
fn hash_of_integer(value: i64) -> Hash {
    let mixed = hash::of_i64(value);
    [mixed, mixed.rotate_left(32) | 1]
}

impl KeyFound {
    /// Nothing yet, noting up to so many rows, for one of so many keys.
    pub(super) fn listing(listed: usize, keys: usize) -> Self {
        Self { seen: Seen::one_of(keys), rows: 0, repeated: Counted::listing(listed), too_many: false }
    }

    /// Different keys.
    pub(in crate::check) fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Bytes that it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.seen.bytes()
    }

    /// Takes in the keys of rows from `first` on, in so many bytes.
    pub(super) fn take_in(&mut self, keys: &[Hash], first: u64, room: usize) {
        self.rows += keys.iter().filter(|key| **key != NONE).count() as u64;
        if !self.too_many {
            let Self { seen, repeated, .. } = self;
            let fits = seen.take_in(keys, first, room, |one| note(repeated, &one));
            self.forget_unless(fits);
        }
    }

    /// Places what was gathered: all rows were taken in.
    pub(super) fn finish(&mut self, room: usize) {
        let Self { seen, repeated, .. } = self;
        let fits = seen.place_all(room, |one| note(repeated, &one));
        self.forget_unless(fits);
    }

    fn forget_unless(&mut self, fits: bool) {
        if !fits {
            self.too_many = true;
            self.seen = Seen::one_of(1);
        }
    }
}

fn note(repeated: &mut Counted, one: &Repeated) {
    if !one.again {
        // The first of them is one of those that come more than once.
        repeated.count += 1;
        repeated.list(one.before);
    }
    repeated.row(one.row, || format!("as in row {}", one.before));
}
