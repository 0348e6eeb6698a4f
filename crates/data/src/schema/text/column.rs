//! The TOML form of what is asked of one column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SchemaInvalid, block, named, severity, share, value};
use crate::limits::{COLUMN_NAME_BYTES, DOMAIN_VALUES, PATTERNS, QUANTILE_BOUNDS};
use crate::pattern::Pattern;
use crate::profile::ColumnType;
use crate::schema::{
    Bounds, ColumnRules, DistinctRules, Domain, DriftRules, FreshnessRules, PatternRules, Range,
    ReferenceRules, Severity, StatisticsRules,
};

/// The ids of the rules of a column, which may have a severity each.
const COLUMN_RULES: [&str; 14] = [
    "missing-column",
    "type",
    "presence",
    "range",
    "domain",
    "length",
    "pattern",
    "unique",
    "distinct",
    "statistics",
    "drift",
    "freshness",
    "references",
    "no-pii",
];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    name: String,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environments: Vec<String>,
    #[serde(default)]
    min_present: f64,
    #[serde(default = "block")]
    severity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_length: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length_outside: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_repeated: Option<f64>,
    #[serde(default, skip_serializing_if = "is_false")]
    no_pii: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    every_value: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<RangeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<DomainText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<PatternText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distinct: Option<DistinctText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statistics: Option<StatisticsText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<DriftText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freshness: Option<FreshnessText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    references: Option<ReferencesText>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    severities: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(default)]
    max_outside: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainText {
    #[serde(default)]
    max_unseen: f64,
    values: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternText {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    matches: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excludes: Vec<String>,
    #[serde(default)]
    max_unmatched: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DistinctText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_share: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundsText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuantileText {
    at: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatisticsText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<BoundsText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stdev: Option<BoundsText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<BoundsText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least: Option<BoundsText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greatest: Option<BoundsText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quantiles: Vec<QuantileText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DriftText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statistic: Option<String>,
    limit: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreshnessText {
    max_age: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferencesText {
    table: String,
    column: String,
    #[serde(default)]
    max_missing: f64,
}

impl Column {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// `with_type` is false in slices, where the type is that of the column as a whole.
pub(super) fn write_column(column: &ColumnRules, with_type: bool) -> Column {
    let bounds =
        |bounds: Option<Bounds>| bounds.map(|bounds| BoundsText { min: bounds.min, max: bounds.max });
    let texts = |patterns: &[Pattern]| patterns.iter().map(|one| one.as_str().to_owned()).collect();
    let StatisticsRules { mean, stdev, sum, least, greatest, quantiles } = &column.statistics;
    let statistics = StatisticsText {
        mean: bounds(*mean),
        stdev: bounds(*stdev),
        sum: bounds(*sum),
        least: bounds(*least),
        greatest: bounds(*greatest),
        quantiles: quantiles
            .iter()
            .map(|(at, of)| QuantileText { at: *at, min: of.min, max: of.max })
            .collect(),
    };
    Column {
        name: column.name.clone(),
        kind: with_type.then(|| column.kind.to_string()),
        optional: column.optional,
        environments: column.environments.clone(),
        min_present: column.min_present,
        severity: column.severity.to_string(),
        min_length: column.min_length,
        max_length: column.max_length,
        max_length_outside: (column.max_length_outside != 0.0).then_some(column.max_length_outside),
        max_repeated: column.max_repeated,
        no_pii: column.no_pii,
        every_value: column.every_value,
        range: column.range.map(|range| RangeText {
            min: finite(range.min),
            max: finite(range.max),
            max_outside: range.max_outside,
        }),
        domain: column
            .domain
            .as_ref()
            .map(|domain| DomainText { max_unseen: domain.max_unseen, values: domain.values.clone() }),
        pattern: column.pattern.as_ref().map(|pattern| PatternText {
            matches: texts(&pattern.matches),
            excludes: texts(&pattern.excludes),
            max_unmatched: pattern.max_unmatched,
        }),
        distinct: column.distinct.map(|of| DistinctText {
            min: of.min,
            max: of.max,
            min_share: of.min_share,
            max_share: of.max_share,
        }),
        statistics: (!column.statistics.is_empty()).then_some(statistics),
        drift: column.drift.map(|drift| DriftText {
            statistic: drift.statistic.map(|statistic| statistic.to_string()),
            limit: drift.limit,
        }),
        freshness: column.freshness.map(|of| FreshnessText { max_age: of.max_age.to_string() }),
        references: column.references.as_ref().map(|of| ReferencesText {
            table: of.table.clone(),
            column: of.column.clone(),
            max_missing: of.max_missing,
        }),
        severities: column.severities.iter().map(|(rule, of)| (rule.clone(), of.to_string())).collect(),
    }
}

/// `whole` is the column that this is a slice of.
pub(super) fn read_column(column: Column, whole: Option<ColumnType>) -> Result<ColumnRules, SchemaInvalid> {
    let name = column.name;
    let shown: String = name.chars().take(80).collect();
    let place = || format!("column `{shown}`");
    let wrong = |why: String| value(place(), why);
    if name.trim().is_empty() || name.len() > COLUMN_NAME_BYTES || name.chars().any(char::is_control) {
        let why = format!("a name is 1 to {COLUMN_NAME_BYTES} bytes, not blank, without control characters");
        return Err(wrong(why));
    }
    let kind: ColumnType = match (column.kind, whole) {
        (Some(kind), None) => kind.parse().map_err(|error| value(place(), error))?,
        (None, Some(kind)) => kind,
        (None, None) => return Err(wrong("`type` is missing".to_owned())),
        (Some(_), Some(_)) => return Err(wrong("its `type` is said once, and not in a slice".to_owned())),
    };
    let numbers = kind.is_number();
    if column.range.is_some() && !numbers {
        return Err(wrong(format!("`range` is for numbers, and the type is `{kind}`")));
    }
    if column.statistics.is_some() && !(numbers || kind == ColumnType::List) {
        return Err(wrong(format!("`statistics` are of numbers, and the type is `{kind}`")));
    }
    let timed = matches!(kind, ColumnType::Date | ColumnType::Timestamp);
    if column.freshness.is_some() && !timed {
        return Err(wrong(format!("`freshness` is for days and instants, and the type is `{kind}`")));
    }
    let drifts = numbers || matches!(kind, ColumnType::String | ColumnType::Boolean);
    if column.drift.is_some() && !drifts {
        return Err(wrong(format!(
            "`drift` is for numbers, text and truth values, and the type is `{kind}`"
        )));
    }
    let of_values = [
        ("domain", column.domain.is_some()),
        ("min_length", column.min_length.is_some()),
        ("max_length", column.max_length.is_some()),
        ("pattern", column.pattern.is_some()),
        ("references", column.references.is_some()),
        ("no_pii", column.no_pii),
    ];
    if kind == ColumnType::List
        && let Some((rule, _)) = of_values.into_iter().find(|(_, there)| *there)
    {
        return Err(wrong(format!(
            "`{rule}` is about values, and those of a list are in the column `{shown}[]`"
        )));
    }
    if name.contains("[]") && (column.max_repeated.is_some() || column.distinct.is_some()) {
        return Err(wrong("`max_repeated` and `distinct` need one value in each row".to_owned()));
    }
    if let (Some(min), Some(max)) = (column.min_length, column.max_length)
        && min > max
    {
        return Err(wrong("`min_length` is above `max_length`".to_owned()));
    }
    if let Some(rule) = column.severities.keys().find(|rule| !COLUMN_RULES.contains(&rule.as_str())) {
        let rule: String = rule.chars().take(40).collect();
        return Err(wrong(format!("`{rule}` in `severities` is no rule: {}", COLUMN_RULES.join(", "))));
    }
    let severities = column.severities.into_iter().map(|(rule, text)| Ok((rule, severity(&text, place)?)));
    let severities: Result<BTreeMap<String, Severity>, SchemaInvalid> = severities.collect();
    for environment in &column.environments {
        named(environment, place)?;
    }
    Ok(ColumnRules {
        kind,
        optional: column.optional,
        environments: column.environments,
        min_present: share(column.min_present, place)?,
        range: column.range.map(|range| read_range(&range, place)).transpose()?,
        domain: column.domain.map(|domain| read_domain(domain, place)).transpose()?,
        min_length: column.min_length,
        max_length: column.max_length,
        max_length_outside: share(column.max_length_outside.unwrap_or(0.0), place)?,
        pattern: column.pattern.map(|pattern| read_pattern(&pattern, place)).transpose()?,
        max_repeated: column.max_repeated.map(|of| share(of, place)).transpose()?,
        distinct: column.distinct.map(|of| read_distinct(&of, place)).transpose()?,
        statistics: column
            .statistics
            .map_or(Ok(StatisticsRules::default()), |of| read_statistics(of, place))?,
        drift: column.drift.map(|drift| read_drift(&drift, kind, place)).transpose()?,
        freshness: column.freshness.map(|of| read_freshness(&of, place)).transpose()?,
        references: column.references.map(|of| read_references(of, place)).transpose()?,
        no_pii: column.no_pii,
        every_value: column.every_value,
        severity: severity(&column.severity, place)?,
        severities: severities?,
        name,
    })
}

fn read_range(range: &RangeText, place: impl Fn() -> String) -> Result<Range, SchemaInvalid> {
    bounds(range.min, range.max, "range", &place)?;
    Ok(Range {
        min: range.min.unwrap_or(f64::NEG_INFINITY),
        max: range.max.unwrap_or(f64::INFINITY),
        max_outside: share(range.max_outside, place)?,
    })
}

/// Bounds that say something.
fn bounds(
    min: Option<f64>,
    max: Option<f64>,
    what: &str,
    place: &impl Fn() -> String,
) -> Result<Bounds, SchemaInvalid> {
    let finite = [min, max].into_iter().flatten().all(f64::is_finite);
    let ordered = min.zip(max).is_none_or(|(min, max)| min <= max);
    if min.is_none() && max.is_none() || !finite || !ordered {
        let why = format!("`{what}` needs `min`, `max` or both, finite numbers with `min` not above `max`");
        return Err(value(place(), why));
    }
    Ok(Bounds { min, max })
}

fn read_domain(domain: DomainText, place: impl Fn() -> String) -> Result<Domain, SchemaInvalid> {
    if domain.values.len() > DOMAIN_VALUES {
        return Err(value(place(), format!("more than {DOMAIN_VALUES} values in `domain`")));
    }
    let mut values = domain.values;
    values.sort_unstable();
    values.dedup();
    Ok(Domain { values, max_unseen: share(domain.max_unseen, place)? })
}

fn read_pattern(pattern: &PatternText, place: impl Fn() -> String) -> Result<PatternRules, SchemaInvalid> {
    let count = pattern.matches.len() + pattern.excludes.len();
    if count == 0 || count > PATTERNS {
        return Err(value(place(), format!("`pattern` needs 1 to {PATTERNS} of `matches` and `excludes`")));
    }
    let compiled = |texts: &[String]| -> Result<Vec<Pattern>, SchemaInvalid> {
        texts.iter().map(|text| Pattern::new(text).map_err(|error| value(place(), error))).collect()
    };
    Ok(PatternRules {
        matches: compiled(&pattern.matches)?,
        excludes: compiled(&pattern.excludes)?,
        max_unmatched: share(pattern.max_unmatched, &place)?,
    })
}

fn read_distinct(of: &DistinctText, place: impl Fn() -> String) -> Result<DistinctRules, SchemaInvalid> {
    let DistinctText { min, max, min_share, max_share } = *of;
    let counts = min.is_some() || max.is_some();
    if !counts && min_share.is_none() && max_share.is_none() {
        return Err(value(place(), "`distinct` needs `min`, `max`, `min_share` or `max_share`"));
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(value(place(), "`distinct` has `min` above `max`"));
    }
    for one in [min_share, max_share].into_iter().flatten() {
        share(one, &place)?;
    }
    if min_share.zip(max_share).is_some_and(|(min, max)| min > max) {
        return Err(value(place(), "`distinct` has `min_share` above `max_share`"));
    }
    Ok(DistinctRules { min, max, min_share, max_share })
}

fn read_statistics(of: StatisticsText, place: impl Fn() -> String) -> Result<StatisticsRules, SchemaInvalid> {
    let read =
        |of: Option<BoundsText>, what: &str| of.map(|of| bounds(of.min, of.max, what, &place)).transpose();
    if of.quantiles.len() > QUANTILE_BOUNDS {
        return Err(value(place(), format!("more than {QUANTILE_BOUNDS} `quantiles`")));
    }
    let mut quantiles = Vec::with_capacity(of.quantiles.len());
    for one in &of.quantiles {
        quantiles.push((share(one.at, &place)?, bounds(one.min, one.max, "quantiles", &place)?));
    }
    let rules = StatisticsRules {
        mean: read(of.mean, "mean")?,
        stdev: read(of.stdev, "stdev")?,
        sum: read(of.sum, "sum")?,
        least: read(of.least, "least")?,
        greatest: read(of.greatest, "greatest")?,
        quantiles,
    };
    if rules.is_empty() {
        return Err(value(place(), "`statistics` bounds nothing"));
    }
    Ok(rules)
}

fn read_drift(
    drift: &DriftText,
    kind: ColumnType,
    place: impl Fn() -> String,
) -> Result<DriftRules, SchemaInvalid> {
    let statistic = drift.statistic.as_deref().map(str::parse::<crate::drift::Statistic>).transpose();
    let statistic = statistic.map_err(|error| value(place(), error))?;
    if !kind.is_number() && statistic.is_some_and(crate::drift::Statistic::is_ordered) {
        return Err(value(place(), "the statistic of `drift` needs numbers, which have an order"));
    }
    if !(drift.limit.is_finite() && drift.limit >= 0.0) {
        return Err(value(place(), "the `limit` of `drift` is a number, not below 0"));
    }
    Ok(DriftRules { statistic, limit: drift.limit })
}

fn read_freshness(of: &FreshnessText, place: impl Fn() -> String) -> Result<FreshnessRules, SchemaInvalid> {
    let max_age = of.max_age.parse().map_err(|error: crate::schema::AgeInvalid| value(place(), error))?;
    Ok(FreshnessRules { max_age })
}

fn read_references(of: ReferencesText, place: impl Fn() -> String) -> Result<ReferenceRules, SchemaInvalid> {
    named(&of.table, &place)?;
    named(&of.column, &place)?;
    Ok(ReferenceRules { table: of.table, column: of.column, max_missing: share(of.max_missing, place)? })
}
