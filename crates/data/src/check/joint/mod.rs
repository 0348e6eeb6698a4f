//! Rules of rows: keys, expressions and slices, for which columns are looked at side by side.
//!
//! Parts of a table come in any order and from any thread. What a part says is worked out without the others, and taken in
//! when all parts before it have been, so a report does not depend on the number of threads.

mod keys;
mod pick;
mod seen;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use self::keys::PartKeys;
pub(super) use self::keys::{KeyCheck, KeyFound, KeyRule, KeyWant};
use self::pick::picked;
use super::rules::{Counted, Watched};
use super::{Checking, Context};
use crate::expression::{Expression, Truth};
use crate::read::TableRows;
use crate::read::batch::{Column, Lane, Rows};
use crate::schema::{ColumnRules, ExpressionRules, Schema, SliceRules};

/// What is asked of rows, and what was found by now.
pub(super) struct RowChecks<'a> {
    context: &'a Context<'a>,
    /// The columns that are wanted side by side.
    pub(super) wanted: Vec<String>,
    keys: Vec<KeyCheck>,
    /// Each with the places of the columns of `holds` and of `when`.
    expressions: Vec<(&'a ExpressionRules, Vec<usize>, Vec<usize>)>,
    slices: Vec<SliceCheck<'a>>,
    found: Mutex<Found<'a>>,
}

/// A slice, the places of the columns of its condition, and its own columns with their places.
type SliceCheck<'a> = (&'a SliceRules, Vec<usize>, Vec<(&'a ColumnRules, usize)>);

/// What was found in all rows up to some place, and in parts that came too early.
struct Found<'a> {
    next: u64,
    rows: RowsFound<'a>,
    early: BTreeMap<u64, (u64, Part<'a>)>,
}

/// What was found in rows.
pub(super) struct RowsFound<'a> {
    pub(super) keys: Vec<KeyFound>,
    pub(super) expressions: Vec<ExpressionFound<'a>>,
    pub(super) slices: Vec<SliceFound<'a>>,
}

/// In how many rows an expression holds.
pub(super) struct ExpressionFound<'a> {
    pub(super) rules: &'a ExpressionRules,
    /// Rows for which it is known.
    pub(super) known: u64,
    pub(super) broken: Counted,
}

/// The rows of a slice.
pub(super) struct SliceFound<'a> {
    pub(super) rules: &'a SliceRules,
    pub(super) rows: u64,
    pub(super) columns: Vec<Checking<'a>>,
}

/// What one part of the table says.
struct Part<'a> {
    keys: Vec<PartKeys>,
    expressions: Vec<(u64, Counted)>,
    slices: Vec<(u64, Vec<Checking<'a>>)>,
}

impl<'a> RowChecks<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let Context { schema, environment, .. } = context;
        let schema: &'a Schema = schema;
        let wanted = schema.row_columns(*environment);
        let place = |name: &str| wanted.iter().position(|known| known == name);
        let places = |expression: &Expression| expression.columns().filter_map(place).collect::<Vec<_>>();
        let keys = keys::of(schema, *environment, &wanted);
        let expression = |rules: &'a ExpressionRules| {
            (rules, places(&rules.holds), rules.when.as_ref().map(places).unwrap_or_default())
        };
        let expressions = context.expressions().map(expression).collect();
        let slices = context
            .slices()
            .map(|rules| {
                let columns = rules.columns.iter().filter_map(|rules| Some((rules, place(&rules.name)?)));
                (rules, places(&rules.when), columns.collect())
            })
            .collect();
        let mut checks = Self {
            context,
            wanted,
            keys,
            expressions,
            slices,
            found: Mutex::new(Found {
                next: 1,
                rows: RowsFound { keys: Vec::new(), expressions: Vec::new(), slices: Vec::new() },
                early: BTreeMap::new(),
            }),
        };
        let found = RowsFound {
            keys: checks
                .keys
                .iter()
                .map(|_| KeyFound::listing(context.listed(), checks.keys.len()))
                .collect(),
            expressions: checks
                .expressions
                .iter()
                .map(|(rules, ..)| ExpressionFound {
                    rules,
                    known: 0,
                    broken: Counted::listing(context.listed()),
                })
                .collect(),
            slices: checks
                .slices
                .iter()
                .map(|(rules, _, columns)| SliceFound { rules, rows: 0, columns: checks.fresh(columns) })
                .collect(),
        };
        checks.found.get_mut().unwrap_or_else(PoisonError::into_inner).rows = found;
        checks
    }

    fn fresh(&self, columns: &[(&'a ColumnRules, usize)]) -> Vec<Checking<'a>> {
        let width = self.wanted.len();
        let fresh = |(rules, _): &(&'a ColumnRules, usize)| Checking {
            // Nobody asks for the profile of a slice but rules about figures.
            unprofiled: rules.statistics.is_empty(),
            ..self.context.checking(&rules.name, width, Some(rules))
        };
        columns.iter().map(fresh).collect()
    }

    pub(super) fn rows(&self, rows: &TableRows<'_>) {
        let part = self.part(rows);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.early.insert(rows.first, (rows.count as u64, part));
        let Found { next, rows, early } = &mut *found;
        while let Some((count, part)) = early.remove(next) {
            self.take_in(rows, part, *next);
            *next += count;
        }
    }

    fn part(&self, rows: &TableRows<'_>) -> Part<'a> {
        let keys = self.keys.iter().map(|key| key.part(rows)).collect();
        let expressions = self.expressions.iter().map(|(rules, places, when_places)| {
            let mut broken = Counted::listing(self.context.listed());
            let mut known = 0;
            let when = rules.when.as_ref().map(|when| truths(when, when_places, rows));
            for (at, truth) in truths(&rules.holds, places, rows).into_iter().enumerate() {
                let asked = when.as_ref().is_none_or(|when| when.get(at) == Some(&Truth::Yes));
                known += u64::from(asked && truth != Truth::Unknown);
                if asked && truth == Truth::No {
                    broken.row(rows.first + at as u64, String::new);
                }
            }
            (known, broken)
        });
        let expressions = expressions.collect();
        let slices = self.slices.iter().map(|(rules, places, columns)| {
            let when = truths(&rules.when, places, rows);
            let within = (0_usize..).zip(when).filter(|(_, truth)| *truth == Truth::Yes);
            let within: Vec<usize> = within.map(|(at, _)| at).collect();
            let mut states = self.fresh(columns);
            if !within.is_empty() {
                for ((_, place), state) in columns.iter().zip(&mut states) {
                    let column = rows.columns.get(*place).copied().flatten();
                    let nothing = Column { rows: Rows::From(rows.first), lane: Lane::Nulls(rows.count) };
                    let column = column.unwrap_or(&nothing);
                    picked(column, &within, rows.first, |column| self.context.observe(state, column));
                }
            }
            (within.len() as u64, states)
        });
        Part { keys, expressions, slices: slices.collect() }
    }

    fn take_in(&self, found: &mut RowsFound<'a>, part: Part<'a>, first: u64) {
        let mut parts = part.keys.into_iter();
        in_turn(&mut found.keys, self.context.options.key_bytes, |found, room| {
            if let Some(part) = parts.next() {
                found.take_in(&part, first, room);
            }
        });
        for (found, (known, broken)) in found.expressions.iter_mut().zip(part.expressions) {
            found.known += known;
            found.broken.merge(broken);
        }
        for (found, (rows, columns)) in found.slices.iter_mut().zip(part.slices) {
            found.rows += rows;
            for (mine, theirs) in found.columns.iter_mut().zip(columns) {
                self.context.merge(mine, theirs);
            }
        }
    }

    /// What was found in the end.
    pub(super) fn finish(self) -> (Vec<KeyCheck>, RowsFound<'a>) {
        let room = self.context.options.key_bytes;
        let mut rows = self.found.into_inner().unwrap_or_else(PoisonError::into_inner).rows;
        in_turn(&mut rows.keys, room, KeyFound::finish);
        (self.keys, rows)
    }
}

/// Does something with each key, which has those of so many bytes that the others do not take.
fn in_turn(keys: &mut [KeyFound], bytes: usize, mut each: impl FnMut(&mut KeyFound, usize)) {
    let mut taken: usize = keys.iter().map(KeyFound::bytes).sum();
    for key in keys {
        taken -= key.bytes();
        each(key, bytes.saturating_sub(taken));
        taken += key.bytes();
    }
}

fn truths(expression: &Expression, places: &[usize], rows: &TableRows<'_>) -> Vec<Truth> {
    let columns: Vec<_> = places.iter().map(|place| rows.columns.get(*place).copied().flatten()).collect();
    expression.eval(&columns, rows.count)
}

impl<'a> Context<'a> {
    /// The expressions of the environment.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &'a ExpressionRules> {
        let (schema, environment) = (self.schema, self.environment);
        schema.expressions.iter().filter(move |one| schema.has_all(one.columns(), environment))
    }

    /// The slices of the environment.
    pub(super) fn slices(&self) -> impl Iterator<Item = &'a SliceRules> {
        let (schema, environment) = (self.schema, self.environment);
        schema.slices.iter().filter(move |one| {
            let named = one.columns.iter().map(|column| column.name.as_str());
            schema.has_all(one.when.columns().chain(named), environment)
        })
    }

    pub(super) fn observe(&self, state: &mut Checking<'a>, column: &Column<'_>) {
        use crate::read::Sink as _;
        if !state.unprofiled {
            self.profiler.observe(&mut state.profiling, column);
        }
        if let Some(watched) = &mut state.watched {
            Watched::observe(watched, column);
        }
    }

    pub(super) fn merge(&self, state: &mut Checking<'a>, after: Checking<'a>) {
        use crate::read::Sink as _;
        if !state.unprofiled {
            self.profiler.merge(&mut state.profiling, after.profiling);
        }
        if let (Some(mine), Some(theirs)) = (&mut state.watched, after.watched) {
            mine.merge(theirs);
        }
    }
}
