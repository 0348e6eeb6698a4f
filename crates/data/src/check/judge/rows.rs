//! Rules of rows: keys, expressions, slices.

use std::collections::HashSet;

use super::{Judge, percent, plan, share_of, whole};
use crate::check::Context;
use crate::check::joint::{ExpressionFound, KeyCheck, KeyFound, KeyRule, KeyWant, SliceFound};
use crate::check::report::{Finding, Rule};
use crate::schema::{DistinctRules, Severity, as_f64};

/// A column that is not in the file and has to be, so that what names it cannot run.
fn absent<'n>(
    context: &Context<'_>,
    there: &HashSet<&str>,
    mut names: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    names.find(|name| {
        !there.contains(name) && context.schema.column(name).is_none_or(|column| !column.optional)
    })
}

/// A column that is not in the file, and may be absent.
fn lacked<'n>(there: &HashSet<&str>, mut names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names.find(|name| !there.contains(name))
}

impl Judge {
    pub(super) fn keys(
        &mut self,
        context: &Context<'_>,
        there: &HashSet<&str>,
        keys: &[KeyCheck],
        found: &[KeyFound],
    ) {
        for (key, found) in keys.iter().zip(found) {
            let single = match key.names.as_slice() {
                [name] => Some(name),
                _ => None,
            };
            let named = format!("`{}`", key.names.join("`, `"));
            let gone = single.is_some_and(|name| !there.contains(name.as_str()));
            let missing = absent(context, there, key.names.iter().map(String::as_str));
            // Without one of its columns no row may be left that has a key.
            let lacked = lacked(there, key.names.iter().map(String::as_str)).filter(|_| found.rows == 0);
            self.named = if single.is_none() { Some(key.names.join(", ")) } else { None };
            for want in &key.wants {
                let rule = match want.what {
                    KeyRule::Unique(_) => Rule::Unique,
                    KeyRule::Distinct(_) => Rule::Distinct,
                };
                if want.of_column && gone {
                    // That the column is not there was said, or it is optional and nothing is asked of it.
                    continue;
                }
                if let Some(missing) = missing {
                    self.not_run(
                        single,
                        rule,
                        format!("the key {named} has no column `{missing}` in the file"),
                    );
                } else if let Some(lacked) = lacked {
                    self.asks_nothing(single, rule, lacked);
                } else if found.too_many {
                    let bytes = context.options.key_bytes;
                    let why = format!(
                        "{named} has more different values than there is room for in the {bytes} bytes that keys may take"
                    );
                    self.not_run(single, rule, why);
                } else {
                    self.run(single, rule);
                    self.key(single, &named, want, found);
                }
            }
        }
        self.named = None;
    }

    fn key(&mut self, single: Option<&String>, named: &str, want: &KeyWant, found: &KeyFound) {
        let severity = &want.severity;
        match &want.what {
            KeyRule::Unique(allowed) => {
                let share = share_of(found.repeated.count, found.rows);
                if share > *allowed {
                    let what = if single.is_some() {
                        "values come".to_owned()
                    } else {
                        format!("keys {named} come")
                    };
                    let message = format!(
                        "{} of the {what} more than once, at most {} may",
                        percent(share),
                        percent(*allowed)
                    );
                    let finding = whole(single, Rule::Unique, *severity, message);
                    let examples = found.repeated.examples.clone();
                    let mut rows = found.repeated.rows.clone();
                    rows.sort_unstable();
                    self.find(Finding {
                        count: found.repeated.count,
                        share,
                        limit: *allowed,
                        examples,
                        rows,
                        ..finding
                    });
                }
            }
            KeyRule::Distinct(rules) => self.distinct(single, rules, *severity, found),
        }
    }

    fn distinct(
        &mut self,
        column: Option<&String>,
        rules: &DistinctRules,
        severity: Severity,
        found: &KeyFound,
    ) {
        let (count, share) = (found.distinct(), share_of(found.distinct(), found.rows));
        let DistinctRules { min, max, min_share, max_share } = *rules;
        let few = min.filter(|min| count < *min).map(|min| ("at least", min));
        let many = max.filter(|max| count > *max).map(|max| ("at most", max));
        let shares = [
            min_share.filter(|min| share < *min).map(|min| ("at least", min)),
            max_share.filter(|max| share > *max).map(|max| ("at most", max)),
        ];
        let by_count = few.or(many).map(|(bound, limit)| {
            (format!("{count} different values where {bound} {limit} are expected"), as_f64(limit))
        });
        let by_share = shares.into_iter().flatten().next().map(|(bound, limit)| {
            let (share, bounded) = (percent(share), percent(limit));
            (
                format!("{count} different values are {share} of all, where {bound} {bounded} is expected"),
                limit,
            )
        });
        if let Some((message, limit)) = by_count.or(by_share) {
            let finding = whole(column, Rule::Distinct, severity, message);
            self.find(Finding { count, share, limit, ..finding });
        }
    }

    pub(super) fn expressions(
        &mut self,
        context: &Context<'_>,
        there: &HashSet<&str>,
        found: &[ExpressionFound<'_>],
    ) {
        for ExpressionFound { rules, known, broken } in found {
            self.named = Some(rules.name.clone());
            if let Some(missing) = absent(context, there, rules.columns()) {
                let why = format!("`{}` names column `{missing}`, which is not in the file", rules.name);
                self.not_run(None, Rule::Expression, why);
                continue;
            }
            if let Some(lacked) = lacked(there, rules.columns()).filter(|_| *known == 0) {
                self.asks_nothing(None, Rule::Expression, lacked);
                continue;
            }
            if *known == 0 {
                let since = format!("`{}` is neither true nor false in any row", rules.name);
                self.nothing_asked(None, Rule::Expression, &since);
                continue;
            }
            self.run(None, Rule::Expression);
            let share = share_of(broken.count, *known);
            if share > rules.max_broken {
                let message = format!(
                    "`{}` does not hold in {} of the rows, at most {} may be so",
                    rules.name,
                    percent(share),
                    percent(rules.max_broken)
                );
                let finding = whole(None, Rule::Expression, rules.severity, message);
                let examples = broken.examples.clone();
                self.find(Finding {
                    count: broken.count,
                    share,
                    limit: rules.max_broken,
                    examples,
                    rows: broken.rows.clone(),
                    ..finding
                });
            }
        }
        self.named = None;
    }

    pub(super) fn slices(
        &mut self,
        context: &Context<'_>,
        there: &HashSet<&str>,
        found: Vec<SliceFound<'_>>,
    ) {
        for SliceFound { rules, rows, columns } in found {
            let named = rules.columns.iter().map(|column| column.name.as_str());
            self.slice = Some(rules.name.clone());
            self.named = Some(rules.name.clone());
            let none = lacked(there, rules.when.columns()).filter(|_| rows == 0);
            match absent(context, there, rules.when.columns().chain(named)) {
                Some(missing) => {
                    let why = format!("column `{missing}` is not in the file");
                    self.not_run(None, Rule::Slice, why);
                }
                None => {
                    match none {
                        Some(lacked) => self.asks_nothing(None, Rule::Slice, lacked),
                        None => {
                            self.run(None, Rule::Slice);
                            let bounds = (rules.rows.min, rules.rows.max);
                            self.too_few_or_many(Rule::Slice, rules.severity, rows, bounds);
                        }
                    }
                    self.named = Some(format!("slice {}", rules.name));
                    for (column, rules) in columns.iter().zip(&rules.columns) {
                        let own = lacked(there, std::iter::once(rules.name.as_str()));
                        match none.or(own) {
                            Some(lacked) => plan::of_column(rules)
                                .into_iter()
                                .for_each(|rule| self.asks_nothing(Some(&rules.name), rule, lacked)),
                            None => self.checked(context, column, rows),
                        }
                    }
                }
            }
            (self.slice, self.named) = (None, None);
        }
    }
}
