//! JUnit XML, in the form that Jenkins, GitLab and GitHub read: a suite for each file, a case for each rule.
//!
//! There is no standard. This keeps to what the schema of Jenkins' xUnit plugin (`junit-10.xsd`) and the readers of the
//! others have in common: `testsuites`, `testsuite` with `properties`, `testcase` with `failure`, `error`, `skipped` and
//! `system-out`.

use std::fmt::Write as _;

use super::suite::{Case, NO_VERDICT, Standing, Suite, Told};
use crate::check::Outcome;
use crate::limits::REPORT_BYTES;
use crate::schema::Severity;

/// Writes suites as one document of [`REPORT_BYTES`] at most, where cases that hold are left out first; a property says how many.
///
/// A rule that blocks and is broken fails, one that warns passes and says so in `system-out`. A rule that was not tried is an
/// `error` where it leaves the file without a verdict, and `skipped` where the file is refused anyway.
pub fn write(suites: &[Suite]) -> String {
    let room = REPORT_BYTES / suites.len().max(1);
    let written: Vec<Written> = suites.iter().map(|suite| of_suite(suite, room)).collect();
    let sum = |count: fn(&Counts) -> usize| written.iter().map(|one| count(&one.counts)).sum::<usize>();
    let task = suites.first().map_or("data", |suite| suite.task);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    put(
        &mut text,
        format_args!(
            "<testsuites name=\"bartizan {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n",
            escaped(task),
            sum(|counts| counts.tests),
            sum(|counts| counts.failures),
            sum(|counts| counts.errors),
            sum(|counts| counts.skipped)
        ),
    );
    written.iter().for_each(|one| text.push_str(&one.text));
    text.push_str("</testsuites>\n");
    text
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

struct Written {
    counts: Counts,
    text: String,
}

fn of_suite(suite: &Suite, room: usize) -> Written {
    let mut counts = Counts::default();
    let (mut cases, mut left_out) = (String::new(), 0_usize);
    // What must be seen comes first, so that it is never what there is no room for.
    let grave = |case: &&Case| case.rule == NO_VERDICT || !matches!(case.standing, Standing::Kept);
    let ordered = suite.cases.iter().filter(grave).chain(suite.cases.iter().filter(|case| !grave(case)));
    for case in ordered {
        let text = of_case(suite, case);
        if cases.len() + text.len() > room.saturating_sub(8 * 1024) {
            left_out += 1;
            continue;
        }
        counts.tests += 1;
        match &case.standing {
            Standing::Found(Told { severity: Severity::Block, .. }) => counts.failures += 1,
            Standing::NotRun(_) if suite.outcome == Outcome::Error => counts.errors += 1,
            Standing::NotRun(_) | Standing::Moot(_) => counts.skipped += 1,
            Standing::Kept | Standing::Found(_) => {}
        }
        cases.push_str(&text);
    }
    let Counts { tests, failures, errors, skipped } = counts;
    let at =
        suite.at.map(|at| format!(" timestamp=\"{}\"", without_zone(&at.to_string()))).unwrap_or_default();
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\"{at}>\n",
            escaped(&suite.name)
        ),
    );
    text.push_str("    <properties>\n");
    let left_out = (left_out > 0).then(|| ("cases-left-out", left_out.to_string()));
    for (name, value) in suite.facts.iter().chain(left_out.iter()) {
        put(&mut text, format_args!("      <property name=\"{name}\" value=\"{}\"/>\n", escaped(value)));
    }
    text.push_str("    </properties>\n");
    text.push_str(&cases);
    text.push_str("  </testsuite>\n");
    Written { counts, text }
}

fn of_case(suite: &Suite, case: &Case) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
            escaped(&suite.name),
            escaped(&case.title())
        ),
    );
    match &case.standing {
        Standing::Kept => {
            text.push_str("/>\n");
            return text;
        }
        Standing::Found(told) if told.severity == Severity::Block => put(
            &mut text,
            format_args!(
                ">\n      <failure message=\"{}\" type=\"{}\">{}</failure>\n",
                escaped(&told.message),
                case.rule,
                escaped(&details(told))
            ),
        ),
        Standing::Found(told) => {
            let warning = format!("warning: {}{}", told.message, details(told));
            put(&mut text, format_args!(">\n      <system-out>{}</system-out>\n", escaped(&warning)));
        }
        Standing::NotRun(why) if suite.outcome == Outcome::Error => put(
            &mut text,
            format_args!(
                ">\n      <error message=\"{}\" type=\"{}\">{0}</error>\n",
                escaped(why),
                escaped(case.rule)
            ),
        ),
        Standing::NotRun(why) | Standing::Moot(why) => {
            put(&mut text, format_args!(">\n      <skipped message=\"{}\"/>\n", escaped(why)));
        }
    }
    text.push_str("    </testcase>\n");
    text
}

/// Counts and rows, a line for each.
fn details(told: &Told) -> String {
    let mut text = String::new();
    if let Some(count) = told.count {
        put(&mut text, format_args!("\ncount {count}"));
    }
    if let Some((share, limit)) = told.share {
        put(&mut text, format_args!("\nshare {share:.6}, at most {limit:.6}"));
    }
    for (row, shape) in &told.rows {
        put(&mut text, format_args!("\nrow {row}"));
        if let Some(shape) = shape {
            put(&mut text, format_args!(": {shape}"));
        }
    }
    text
}

/// `2026-03-01T12:00:00`, as ISO 8601 without a zone, which is what readers of this form parse; it is UTC.
fn without_zone(at: &str) -> &str {
    at.split_once(['.', 'Z']).map_or(at, |(seconds, _)| seconds)
}

/// Text for XML, in content and attributes. What XML has no character for was made visible before.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    text.write_fmt(what).ok();
}
