//! The TOML form of what is asked of rows: keys, expressions, slices; and of the reference profile.

use serde::{Deserialize, Serialize};

use super::column::{Column, read_column, write_column};
use super::{SchemaInvalid, block, named, ordered_rows, severity, share, twice, value};
use crate::expression;
use crate::limits::{COLUMNS, ROW_COLUMNS, ROW_RULES};
use crate::profile::ColumnType;
use crate::schema::{
    ColumnRules, ExpressionRules, KeyRules, PassOver, ReferenceProfile, RowRules, Schema, SliceRules,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reference {
    profile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    columns: Vec<String>,
    #[serde(default = "any_missing")]
    pass_over: String,
    #[serde(default)]
    max_repeated: f64,
    #[serde(default = "block")]
    severity: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expression {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    holds: String,
    #[serde(default)]
    max_broken: f64,
    #[serde(default = "block")]
    severity: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slice {
    name: String,
    when: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_rows: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_rows: Option<u64>,
    #[serde(default = "block")]
    severity: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    column: Vec<Column>,
}

fn any_missing() -> String {
    PassOver::AnyMissing.as_str().to_owned()
}

pub(super) fn write_reference(reference: &ReferenceProfile) -> Reference {
    let hex = |digest: bartizan_base::Digest| digest.to_string().trim_start_matches("sha256:").to_owned();
    let (profile, level) = (reference.profile.clone(), Some(reference.level));
    Reference { profile, sha256: reference.sha256.map(hex), level }
}

pub(super) fn write_key(key: &KeyRules) -> Key {
    Key {
        columns: key.columns.clone(),
        pass_over: key.pass_over.as_str().to_owned(),
        max_repeated: key.max_repeated,
        severity: key.severity.to_string(),
    }
}

pub(super) fn write_expression(rules: &ExpressionRules) -> Expression {
    Expression {
        name: rules.name.clone(),
        when: rules.when.as_ref().map(|when| when.as_str().to_owned()),
        holds: rules.holds.as_str().to_owned(),
        max_broken: rules.max_broken,
        severity: rules.severity.to_string(),
    }
}

pub(super) fn write_slice(slice: &SliceRules) -> Slice {
    Slice {
        name: slice.name.clone(),
        when: slice.when.as_str().to_owned(),
        min_rows: slice.rows.min,
        max_rows: slice.rows.max,
        severity: slice.severity.to_string(),
        column: slice.columns.iter().map(|column| write_column(column, false)).collect(),
    }
}

pub(super) fn read_reference(reference: Reference) -> Result<ReferenceProfile, SchemaInvalid> {
    let place = || "[reference]".to_owned();
    // No path has a control character that somebody meant.
    if reference.profile.is_empty() || reference.profile.chars().any(char::is_control) {
        return Err(value(place(), "`profile` is the name of a file"));
    }
    let sha256 = reference.sha256.map(|text| text.parse()).transpose();
    let sha256 = sha256.map_err(|error: bartizan_base::DigestInvalid| value(place(), error))?;
    let level = reference.level.unwrap_or(ReferenceProfile::LEVEL);
    if !(level > 0.0 && level < 1.0) {
        return Err(value(place(), "`level` is a chance above 0 and below 1"));
    }
    Ok(ReferenceProfile { profile: reference.profile, sha256, level })
}

/// Reads what is asked of rows into a schema whose columns are known.
pub(super) fn read(
    schema: &mut Schema,
    keys: Vec<Key>,
    expressions: Vec<Expression>,
    slices: Vec<Slice>,
) -> Result<(), SchemaInvalid> {
    for (what, count) in
        [("[[key]]", keys.len()), ("[[expression]]", expressions.len()), ("[[slice]]", slices.len())]
    {
        if count > ROW_RULES {
            return Err(value(what, format!("more than {ROW_RULES}")));
        }
    }
    schema.keys = keys.into_iter().map(|key| read_key(schema, key)).collect::<Result<_, _>>()?;
    let expressions = expressions.into_iter().map(|one| read_expression(schema, one));
    schema.expressions = expressions.collect::<Result<_, _>>()?;
    schema.slices = slices.into_iter().map(|slice| read_slice(schema, slice)).collect::<Result<_, _>>()?;
    let expressions = schema.expressions.iter().map(|one| one.name.as_str());
    if let Some(twice) = twice(expressions) {
        return Err(value(format!("expression `{twice}`"), "it is there twice"));
    }
    if let Some(twice) = twice(schema.slices.iter().map(|one| one.name.as_str())) {
        return Err(value(format!("slice `{twice}`"), "it is there twice"));
    }
    if schema.row_columns(None).len() > ROW_COLUMNS {
        let why = format!("keys, expressions and slices name more than {ROW_COLUMNS} columns");
        return Err(value("rules of rows", why));
    }
    Ok(())
}

fn type_of(schema: &Schema, name: &str) -> Option<ColumnType> {
    schema.column(name).map(|column| column.kind)
}

fn read_key(schema: &Schema, key: Key) -> Result<KeyRules, SchemaInvalid> {
    let place = || "[[key]]".to_owned();
    if key.columns.is_empty() || twice(key.columns.iter().map(String::as_str)).is_some() {
        return Err(value(place(), "`columns` names at least one column, none twice"));
    }
    if let Some(name) = key.columns.iter().find(|name| name.contains("[]") || type_of(schema, name).is_none())
    {
        return Err(value(place(), format!("there is no column `{name}` with one value in each row")));
    }
    let pass_over = match key.pass_over.as_str() {
        "any-missing" => PassOver::AnyMissing,
        "all-missing" => PassOver::AllMissing,
        _ => return Err(value(place(), "`pass_over` is `any-missing` or `all-missing`")),
    };
    Ok(KeyRules {
        columns: key.columns,
        pass_over,
        max_repeated: share(key.max_repeated, place)?,
        severity: severity(&key.severity, place)?,
    })
}

fn read_expression(schema: &Schema, one: Expression) -> Result<ExpressionRules, SchemaInvalid> {
    named(&one.name, || "[[expression]]".to_owned())?;
    let place = || format!("expression `{}`", one.name);
    let parsed = |text: &str| {
        let parsed = expression::Expression::parse(text, &|name| type_of(schema, name));
        parsed.map_err(|error| value(place(), error))
    };
    Ok(ExpressionRules {
        when: one.when.as_deref().map(parsed).transpose()?,
        holds: parsed(&one.holds)?,
        max_broken: share(one.max_broken, place)?,
        severity: severity(&one.severity, place)?,
        name: one.name,
    })
}

fn read_slice(schema: &Schema, slice: Slice) -> Result<SliceRules, SchemaInvalid> {
    named(&slice.name, || "[[slice]]".to_owned())?;
    let name = slice.name;
    let place = || format!("slice `{name}`");
    let when = expression::Expression::parse(&slice.when, &|name| type_of(schema, name));
    let when = when.map_err(|error| value(place(), error))?;
    let rows = RowRules { min: slice.min_rows, max: slice.max_rows };
    ordered_rows(rows, &place())?;
    if slice.column.len() > COLUMNS {
        return Err(value(place(), format!("more than {COLUMNS} columns")));
    }
    let read = |column| read_slice_column(schema, column, &name);
    let columns = slice.column.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = twice(columns.iter().map(|column| column.name.as_str())) {
        return Err(value(place(), format!("column `{twice}` is there twice")));
    }
    if columns.is_empty() && rows == RowRules::default() {
        return Err(value(place(), "it asks for nothing: `min_rows`, `max_rows` or a `[[slice.column]]`"));
    }
    let severity = severity(&slice.severity, place)?;
    Ok(SliceRules { when, rows, columns, severity, name })
}

fn read_slice_column(schema: &Schema, column: Column, slice: &str) -> Result<ColumnRules, SchemaInvalid> {
    let name = column.name().to_owned();
    let place = || format!("slice `{slice}`, column `{}`", name.chars().take(80).collect::<String>());
    let kind = type_of(schema, &name).filter(|_| !name.contains("[]"));
    let kind = kind.ok_or_else(|| value(place(), "there is no such column with one value in each row"))?;
    let rules = read_column(column, Some(kind)).map_err(|error| match error {
        SchemaInvalid::Value { place, why } => value(format!("slice `{slice}`, {place}"), why),
        other => other,
    })?;
    let elsewhere = rules.optional
        || !rules.environments.is_empty()
        || rules.max_repeated.is_some()
        || rules.distinct.is_some()
        || rules.drift.is_some()
        || rules.freshness.is_some();
    if elsewhere {
        let why = "`optional`, `environments`, `max_repeated`, `distinct`, `drift` and `freshness` are for the whole \
                   column, not for a slice";
        return Err(value(place(), why));
    }
    Ok(rules)
}
