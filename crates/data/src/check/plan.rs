//! How many checks a schema asks for, counted apart from those that run.

use std::collections::HashSet;

use super::{Context, Rule};
use crate::schema::{ColumnRules, LabelRules};

/// The checks that are planned for a table with these columns.
pub(super) fn planned(context: &Context<'_>, header: &HashSet<&str>) -> usize {
    let schema = context.schema;
    let unexpected_columns = usize::from(schema.unexpected_columns.is_some());
    let columns: usize = context
        .columns()
        .map(|rules| {
            let absent = rules.optional && !header.contains(rules.name.as_str());
            1 + if absent { 0 } else { of_column(rules).len() }
        })
        .sum();
    let rows = usize::from(schema.rows.min.is_some()) + usize::from(schema.rows.max.is_some());
    let keys = schema.keys.iter();
    let keys = keys
        .filter(|key| schema.has_all(key.columns.iter().map(String::as_str), context.environment))
        .count();
    let slices: usize = context
        .slices()
        .map(|slice| 1 + slice.columns.iter().map(|rules| of_column(rules).len()).sum::<usize>())
        .sum();
    let label = context.label().map_or(0, |label| of_label(label).len());
    let environment = usize::from(!context.environment_is_known());
    unexpected_columns + columns + rows + keys + context.expressions().count() + slices + label + environment
}

/// The checks of a column that is there.
pub(super) fn of_column(rules: &ColumnRules) -> Vec<Rule> {
    let counts = [
        (Rule::Type, 1),
        (Rule::Presence, 1),
        (Rule::Range, usize::from(rules.range.is_some())),
        (Rule::Domain, usize::from(rules.domain.is_some())),
        (Rule::Length, usize::from(rules.min_length.is_some() || rules.max_length.is_some())),
        (Rule::Pattern, usize::from(rules.pattern.is_some())),
        (Rule::Unique, usize::from(rules.max_repeated.is_some())),
        (Rule::Distinct, usize::from(rules.distinct.is_some())),
        (Rule::Statistics, rules.statistics.len()),
        (Rule::Drift, usize::from(rules.drift.is_some())),
        (Rule::Freshness, usize::from(rules.freshness.is_some())),
        (Rule::References, usize::from(rules.references.is_some())),
        (Rule::NoPii, usize::from(rules.no_pii)),
    ];
    counts.into_iter().flat_map(|(rule, count)| std::iter::repeat_n(rule, count)).collect()
}

/// The checks of the label.
pub(super) fn of_label(label: &LabelRules) -> Vec<Rule> {
    let shares = label.shares.len();
    let unseen = usize::from(shares > 0);
    std::iter::repeat_n(Rule::LabelUnseen, unseen)
        .chain(std::iter::repeat_n(Rule::LabelShare, shares))
        .collect()
}
