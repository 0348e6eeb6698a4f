//! Expectations of each value of a column.

use serde_json::Value;

use super::Done;
use crate::expectations::build::Builder;
use crate::expectations::condition::{literal, name, text_literal};
use crate::expectations::suite::{Expectation, plain};
use crate::expectations::types;
use crate::limits::DOMAIN_VALUES;
use crate::pattern::Pattern;
use crate::profile::ColumnType;
use crate::schema::{Domain, PatternRules, Range, Severity};
use crate::text;

fn column(of: &Expectation) -> Result<&str, String> {
    of.column().ok_or_else(|| "it names no column".to_owned())
}

fn everywhere(of: &Expectation) -> bool {
    of.get("row_condition").is_none()
}

pub(super) fn null(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    builder.expression(of, place, &format!("{} is null", name(column(of)?)), of.tolerated()?)
}

pub(super) fn not_null(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let tolerated = of.tolerated()?;
    let least = ((1.0 - tolerated) * 1e12).round() / 1e12;
    let put = everywhere(of)
        && builder.slot(of, "presence", |column| {
            let free = column.min_present == 0.0;
            column.min_present = if free { least } else { column.min_present };
            free
        })?;
    if put {
        return Ok(Done::whole(format!("`min_present = {least}`")));
    }
    builder.expression(of, place, &format!("{} is not null", name(column(of)?)), tolerated)
}

pub(super) fn unique(builder: &mut Builder, of: &Expectation) -> Result<Done, String> {
    if !everywhere(of) {
        return Err("values are unique in a whole column, not in some of its rows".to_owned());
    }
    let tolerated = of.tolerated()?;
    builder.kind(column(of)?)?;
    let put = builder.slot(of, "unique", |column| {
        let free = column.max_repeated.is_none();
        column.max_repeated = column.max_repeated.or(Some(tolerated));
        free
    })?;
    if put {
        Ok(Done::whole(format!("`max_repeated = {tolerated}`")))
    } else {
        Err("the column is unique already".to_owned())
    }
}

/// Values as the cells of a column of that type spell them; those that mean no value are left out.
pub(super) fn spelled(values: &[Value], kind: ColumnType) -> Result<Vec<String>, String> {
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        out.push(match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => {
                let mut written = Vec::new();
                match (number.as_i64(), number.as_f64()) {
                    (Some(integer), _) => text::integer(&mut written, integer),
                    (None, Some(float)) => text::float(&mut written, float),
                    (None, None) => return Err("a value is too large a number".to_owned()),
                }
                String::from_utf8_lossy(&written).into_owned()
            }
            Value::Array(_) | Value::Object(_) => return Err("a value is a list or an object".to_owned()),
        });
    }
    let strange = values.iter().find(|value| match kind {
        ColumnType::String => !value.is_string() && !value.is_null(),
        _ if kind.is_number() => !value.is_number() && !value.is_null(),
        _ => false,
    });
    match strange {
        Some(_) => Err(format!("its values are not of the column's type, {kind}")),
        None => Ok(out),
    }
}

pub(super) fn in_set(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let tolerated = of.tolerated()?;
    let kind = builder.kind(column(of)?)?;
    let values = of.list("value_set").ok_or_else(|| "its `value_set` is not a list".to_owned())?;
    let mut spelled = spelled(values, kind)?;
    spelled.sort_unstable();
    spelled.dedup();
    if spelled.len() > DOMAIN_VALUES {
        return Err(format!("its `value_set` has more than {DOMAIN_VALUES} values"));
    }
    let simple = !matches!(kind, ColumnType::Date | ColumnType::Timestamp);
    let count = spelled.len();
    let put = simple
        && everywhere(of)
        && builder.slot(of, "domain", |column| {
            let free = column.domain.is_none();
            if free {
                column.domain = Some(Domain { values: spelled, max_unseen: tolerated });
            }
            free
        })?;
    if put {
        return Ok(Done::whole(format!("`domain` of {count} values")));
    }
    listed(builder, of, place, "")
}

pub(super) fn not_in_set(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    listed(builder, of, place, "not ")
}

fn listed(builder: &mut Builder, of: &Expectation, place: usize, not: &str) -> Result<Done, String> {
    let values = of.list("value_set").ok_or_else(|| "its `value_set` is not a list".to_owned())?;
    let values: Result<Vec<String>, String> =
        values.iter().filter(|value| !value.is_null()).map(literal).collect();
    let values = values?;
    if values.is_empty() {
        return Err("its `value_set` is empty".to_owned());
    }
    let holds = format!("{} {not}in ({})", name(column(of)?), values.join(", "));
    builder.expression(of, place, &holds, of.tolerated()?)
}

pub(super) fn between(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let tolerated = of.tolerated()?;
    let kind = builder.kind(column(of)?)?;
    let (min, max) = (of.get("min_value"), of.get("max_value"));
    if min.is_none() && max.is_none() {
        return Err("it has no bounds".to_owned());
    }
    let (strict_min, strict_max) = (of.flag("strict_min"), of.flag("strict_max"));
    let (least, greatest) = (min.and_then(Value::as_f64), max.and_then(Value::as_f64));
    let numbers = least.is_some() == min.is_some() && greatest.is_some() == max.is_some();
    if least.zip(greatest).is_some_and(|(least, greatest)| least > greatest) {
        return Err("its `min_value` is above its `max_value`".to_owned());
    }
    let put = kind.is_number()
        && numbers
        && !(strict_min || strict_max)
        && everywhere(of)
        && builder.slot(of, "range", |column| {
            let free = column.range.is_none();
            if free {
                let (min, max) = (least.unwrap_or(f64::NEG_INFINITY), greatest.unwrap_or(f64::INFINITY));
                column.range = Some(Range { min, max, max_outside: tolerated });
            }
            free
        })?;
    if put {
        builder.needs_type(column(of)?, of.severity);
        return Ok(Done::whole("`range`".to_owned()));
    }
    let name = name(column(of)?);
    let mut parts = Vec::new();
    for (bound, sign) in
        [(min, if strict_min { ">" } else { ">=" }), (max, if strict_max { "<" } else { "<=" })]
    {
        if let Some(bound) = bound {
            parts.push(format!("{name} {sign} {}", literal(bound)?));
        }
    }
    builder.expression(of, place, &parts.join(" and "), tolerated)
}

pub(super) fn lengths(
    builder: &mut Builder,
    of: &Expectation,
    place: usize,
    min: Option<u64>,
    max: Option<u64>,
) -> Result<Done, String> {
    let tolerated = of.tolerated()?;
    if min.is_none() && max.is_none() || min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err("it has no bounds that are lengths".to_owned());
    }
    builder.kind(column(of)?)?;
    let put = everywhere(of)
        && builder.slot(of, "length", |column| {
            let free = column.min_length.is_none() && column.max_length.is_none();
            if free {
                (column.min_length, column.max_length) = (min, max);
                column.max_length_outside = tolerated;
            }
            free
        })?;
    if put {
        return Ok(Done::whole("`min_length`, `max_length`".to_owned()));
    }
    let name = name(column(of)?);
    let parts = [
        min.map(|min| format!("length({name}) >= {min}")),
        max.map(|max| format!("length({name}) <= {max}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    builder.expression(of, place, &parts.join(" and "), tolerated)
}

pub(super) fn of_type(builder: &mut Builder, of: &Expectation) -> Result<Done, String> {
    if of.tolerated()? > 0.0 || !everywhere(of) {
        return Err("a type holds for all values of a column".to_owned());
    }
    let names = match (of.text("type_"), of.texts("type_list")) {
        (Some(one), _) => vec![one],
        (None, Some(list)) => list,
        (None, None) => return Err("it names no type".to_owned()),
    };
    let kind = types::widest(&names).ok_or_else(|| {
        format!("no type here is `{}`", names.iter().map(|name| plain(name)).collect::<Vec<_>>().join("`, `"))
    })?;
    let severity = of.severity;
    let column = builder.column(column(of)?)?;
    if column.kind != kind {
        return Err(format!("other expectations say that the column is of type {}", column.kind));
    }
    if severity == Severity::Block {
        column.severities.remove("type");
    }
    let mut done = Done::whole(format!("`type = \"{kind}\"`"));
    let unknown: Vec<String> =
        names.iter().filter(|name| types::named(name).is_none()).map(|name| plain(name)).collect();
    if !unknown.is_empty() {
        let shown: Vec<&str> = unknown.iter().take(5).map(String::as_str).collect();
        done = done.but(&format!("no type here is `{}`", shown.join("` or `")));
    }
    Ok(match kind {
        ColumnType::String => done.but("a column of text may hold what reads as a number"),
        _ => done.but("a type is what values say, not what another program stored them as"),
    })
}

pub(super) fn matching(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let tolerated = of.tolerated()?;
    let (texts, like) = match (
        of.text("regex"),
        of.texts("regex_list"),
        of.text("like_pattern"),
        of.texts("like_pattern_list"),
    ) {
        (Some(one), ..) => (vec![one.to_owned()], false),
        (_, Some(list), ..) => (list.into_iter().map(str::to_owned).collect(), false),
        (_, _, Some(one), _) => (vec![like_regex(one)], true),
        (.., Some(list)) => (list.into_iter().map(like_regex).collect(), true),
        _ => (
            vec![strftime_regex(of.text("strftime_format").ok_or_else(|| "it has no pattern".to_owned())?)?],
            false,
        ),
    };
    let patterns: Result<Vec<Pattern>, _> = texts.iter().map(|text| Pattern::new(text)).collect();
    let patterns = patterns.map_err(|error| error.to_string())?;
    if patterns.is_empty() || patterns.len() > 16 {
        return Err("it has no pattern, or more than 16".to_owned());
    }
    let excludes = of.kind.contains("_not_match");
    let all = !excludes && of.kind.ends_with("_list") && of.text("match_on") == Some("all");
    builder.kind(column(of)?)?;
    let put = everywhere(of)
        && !(all && patterns.len() > 1)
        && builder.slot(of, "pattern", |column| {
            let free = column.pattern.is_none();
            if free {
                let (matches, excludes) =
                    if excludes { (Vec::new(), patterns) } else { (patterns, Vec::new()) };
                column.pattern = Some(PatternRules { matches, excludes, max_unmatched: tolerated });
            }
            free
        })?;
    let done = if put {
        Done::whole("`pattern`".to_owned())
    } else {
        let name = name(column(of)?);
        let parts: Vec<String> =
            texts.iter().map(|text| format!("matches({name}, {})", text_literal(text))).collect();
        let joined = parts.join(if all { " and " } else { " or " });
        let holds = if excludes { format!("not ({joined})") } else { joined };
        builder.expression(of, place, &holds, tolerated)?
    };
    Ok(if of.text("strftime_format").is_some() {
        done.but("the pattern does not know how many days a month has")
    } else if like {
        done.but("some databases take no account of case in LIKE")
    } else {
        done
    })
}

/// LIKE as a regular expression: `%` is any text, `_` any character, and a backslash takes what follows literally.
fn like_regex(pattern: &str) -> String {
    let (mut out, mut letters) = ("(?s)^".to_owned(), pattern.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => escape(&mut out, letters.next().unwrap_or('\\')),
            other => escape(&mut out, other),
        }
    }
    out.push('$');
    out
}

fn escape(out: &mut String, letter: char) {
    if !letter.is_alphanumeric() && letter != '_' && letter.is_ascii() {
        out.push('\\');
    }
    out.push(letter);
}

/// What a format of `strptime` takes, as a regular expression.
fn strftime_regex(format: &str) -> Result<String, String> {
    let (mut out, mut letters) = ("^".to_owned(), format.chars());
    while let Some(letter) = letters.next() {
        if letter != '%' {
            escape(&mut out, letter);
            continue;
        }
        let directive = letters.next().unwrap_or('%');
        out.push_str(match directive {
            'Y' => r"\d{4}",
            'y' => r"\d{2}",
            'm' => "(?:1[0-2]|0?[1-9])",
            'd' => "(?:3[01]|[12][0-9]|0?[1-9])",
            'H' => "(?:2[0-3]|[01]?[0-9])",
            'I' => "(?:1[0-2]|0?[1-9])",
            'M' => "[0-5]?[0-9]",
            'S' => "(?:6[01]|[0-5]?[0-9])",
            'f' => "[0-9]{1,6}",
            'j' => "(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0?[1-9])",
            'p' => "(?i:am|pm)",
            'b' => "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
            'B' => {
                "(?i:january|february|march|april|may|june|july|august|september|october|november|december)"
            }
            'a' => "(?i:mon|tue|wed|thu|fri|sat|sun)",
            'A' => "(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
            'z' => r"(?:Z|[+-]\d{2}:?[0-5]\d)",
            '%' => "%",
            other => return Err(format!("its format has the directive `%{}`", plain(&other.to_string()))),
        });
    }
    out.push('$');
    Ok(out)
}
