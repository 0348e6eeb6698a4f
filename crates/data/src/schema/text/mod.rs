//! The TOML form of a schema; see `docs/formats/schema-toml.md`.

mod column;
mod tables;

use serde::{Deserialize, Serialize};

use self::column::{Column, read_column, write_column};
use self::tables::{Expression, Key, Reference, Slice};
use super::{CsvRules, LabelRules, RowRules, Schema, Severity};
use crate::csv::NullTokens;
use crate::limits::{COLUMNS, ENVIRONMENTS, LABELS, RULE_NAME_BYTES, SCHEMA_BYTES};

const FORMAT: &str = "bartizan-schema-v1";

/// The text is not a schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaInvalid {
    /// More bytes than a schema may have.
    #[error("the schema has {bytes} bytes, more than the {SCHEMA_BYTES} allowed")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not TOML, or not of this shape.
    #[error("the schema does not parse")]
    Text(#[source] NotToml),
    /// A format of another version.
    #[error("the schema has format `{format}`, not `{FORMAT}`")]
    Format {
        /// What it says.
        format: String,
    },
    /// A value that cannot be meant.
    #[error("in the schema, {place}: {why}")]
    Value {
        /// Where.
        place: String,
        /// What is wrong.
        why: String,
    },
}

/// Where a text is not the TOML of a schema. It quotes no line of the text: lines may be long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct NotToml {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
    /// What is wrong there, cut to 400 characters.
    pub what: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unexpected_columns: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environments: Vec<String>,
    csv: Csv,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Rows>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
    #[serde(default)]
    column: Vec<Column>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key: Vec<Key>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expression: Vec<Expression>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slice: Vec<Slice>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Csv {
    separator: String,
    encoding: String,
    null: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    column: String,
    counted: u64,
    tolerance: f64,
    #[serde(default = "block")]
    severity: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shares: Vec<Share>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    value: String,
    share: f64,
}

fn block() -> String {
    Severity::Block.as_str().to_owned()
}

impl Schema {
    /// The TOML text, the same for equal schemas.
    ///
    /// # Errors
    /// Never for a schema that was inferred or parsed: those hold what TOML can write.
    pub fn to_toml(&self) -> Result<String, SchemaInvalid> {
        let file = File {
            format: FORMAT.to_owned(),
            csv: Csv {
                separator: self.csv.separator.to_string(),
                encoding: self.csv.encoding.to_string(),
                null: self.csv.null.tokens().to_vec(),
            },
            unexpected_columns: match self.unexpected_columns {
                None => Some("allow".to_owned()),
                Some(Severity::Warn) => Some("warn".to_owned()),
                // What is meant when nothing is said.
                Some(Severity::Block) => None,
            },
            environments: self.environments.clone(),
            rows: Some(Rows { min: self.rows.min, max: self.rows.max }),
            reference: self.reference.as_ref().map(tables::write_reference),
            label: self.label.as_ref().map(write_label),
            column: self.columns.iter().map(|rules| write_column(rules, true)).collect(),
            key: self.keys.iter().map(tables::write_key).collect(),
            expression: self.expressions.iter().map(tables::write_expression).collect(),
            slice: self.slices.iter().map(tables::write_slice).collect(),
        };
        toml::to_string(&file).map_err(|error| value("text", error))
    }

    /// Reads a schema and checks that every rule in it can be meant.
    ///
    /// # Errors
    /// When it is too large, does not parse, holds an unknown key, or a rule cannot be meant.
    pub fn parse(text: &str) -> Result<Self, SchemaInvalid> {
        if text.len() > SCHEMA_BYTES {
            return Err(SchemaInvalid::TooLarge { bytes: text.len() });
        }
        let file: File = toml::from_str(text).map_err(|error| SchemaInvalid::Text(not_toml(text, &error)))?;
        if file.format != FORMAT {
            return Err(SchemaInvalid::Format { format: plain(&file.format, 80) });
        }
        if file.column.is_empty() || file.column.len() > COLUMNS {
            return Err(value("[[column]]", format!("1 to {COLUMNS} columns make a schema")));
        }
        let rows = file.rows.map_or(RowRules::default(), |rows| RowRules { min: rows.min, max: rows.max });
        ordered_rows(rows, "[rows]")?;
        let environments = environments(file.environments)?;
        let unexpected_columns = match file.unexpected_columns.as_deref() {
            None | Some("block") => Some(Severity::Block),
            Some("warn") => Some(Severity::Warn),
            Some("allow") => None,
            Some(_) => return Err(value("`unexpected_columns`", "it is `block`, `warn` or `allow`")),
        };
        let csv = CsvRules {
            separator: file.csv.separator.parse().map_err(|error| value("[csv]", error))?,
            encoding: file.csv.encoding.parse().map_err(|error| value("[csv]", error))?,
            null: NullTokens::new(&file.csv.null).map_err(|error| value("[csv]", error))?,
        };
        let columns = file.column.into_iter().map(|column| read_column(column, None));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = twice(columns.iter().map(|column| column.name.as_str())) {
            return Err(value(format!("column `{twice}`"), "it is there twice"));
        }
        for column in &columns {
            if let Some(other) = column.environments.iter().find(|one| !environments.contains(one)) {
                let why = format!("`{other}` is not among the `environments` at the top");
                return Err(value(format!("column `{}`", column.name), why));
            }
        }
        let label = file.label.map(read_label).transpose()?;
        if let Some(label) = &label
            && !columns.iter().any(|column| column.name == label.column)
        {
            return Err(value("[label]", format!("there is no column `{}`", label.column)));
        }
        let reference = file.reference.map(tables::read_reference).transpose()?;
        if reference.is_none()
            && let Some(column) = columns.iter().find(|column| column.drift.is_some())
        {
            let why = "`drift` needs `[reference]`, which names the profile to compare with";
            return Err(value(format!("column `{}`", column.name), why));
        }
        let mut schema = Self {
            csv,
            rows,
            unexpected_columns,
            environments,
            reference,
            label,
            columns,
            keys: Vec::new(),
            expressions: Vec::new(),
            slices: Vec::new(),
        };
        tables::read(&mut schema, file.key, file.expression, file.slice)?;
        Ok(schema)
    }
}

/// A column as the only one of a text.
pub(super) fn column_toml(rules: &super::ColumnRules) -> Result<String, SchemaInvalid> {
    #[derive(Serialize)]
    struct One {
        column: [Column; 1],
    }
    toml::to_string(&One { column: [write_column(rules, true)] }).map_err(|error| value("text", error))
}

fn ordered_rows(rows: RowRules, place: &str) -> Result<(), SchemaInvalid> {
    match (rows.min, rows.max) {
        (Some(min), Some(max)) if min > max => Err(value(place, "`min` is above `max`")),
        _ => Ok(()),
    }
}

fn environments(names: Vec<String>) -> Result<Vec<String>, SchemaInvalid> {
    let place = "`environments`";
    if names.len() > ENVIRONMENTS {
        return Err(value(place, format!("more than {ENVIRONMENTS}")));
    }
    for name in &names {
        named(name, || place.to_owned())?;
    }
    match twice(names.iter().map(String::as_str)) {
        Some(twice) => Err(value(place, format!("`{twice}` is there twice"))),
        None => Ok(names),
    }
}

/// Holds the name of a rule or an environment to what can be shown.
fn named(name: &str, place: impl Fn() -> String) -> Result<(), SchemaInvalid> {
    if name.trim().is_empty() || name.len() > RULE_NAME_BYTES || name.chars().any(char::is_control) {
        let why = format!("a name is 1 to {RULE_NAME_BYTES} bytes, not blank, without control characters");
        return Err(value(place(), why));
    }
    Ok(())
}

/// A name that is there twice, cut to 80 characters.
fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    let mut names = names;
    names.find(|name| !seen.insert(*name)).map(|twice| twice.chars().take(80).collect())
}

fn write_label(label: &LabelRules) -> Label {
    let share = |(value, share): &(String, f64)| Share { value: value.clone(), share: *share };
    Label {
        column: label.column.clone(),
        counted: label.counted,
        tolerance: label.tolerance,
        severity: label.severity.to_string(),
        shares: label.shares.iter().map(share).collect(),
    }
}

fn read_label(label: Label) -> Result<LabelRules, SchemaInvalid> {
    let place = || "[label]".to_owned();
    if label.shares.len() > LABELS {
        return Err(value(place(), format!("more than {LABELS} shares")));
    }
    let shares = label
        .shares
        .into_iter()
        .map(|one| Ok((one.value, share(one.share, place)?)))
        .collect::<Result<Vec<_>, SchemaInvalid>>()?;
    if let Some(twice) = twice(shares.iter().map(|(value, _)| value.as_str())) {
        return Err(value(place(), format!("the share of `{twice}` is there twice")));
    }
    // Of no rows any share is by chance, so that none could ever be found to have moved.
    if label.counted == 0 && !shares.is_empty() {
        return Err(value(place(), "`counted` is 0, but there are shares"));
    }
    Ok(LabelRules {
        column: label.column,
        shares,
        counted: label.counted,
        tolerance: share(label.tolerance, place)?,
        severity: severity(&label.severity, place)?,
    })
}

fn share(share: f64, place: impl Fn() -> String) -> Result<f64, SchemaInvalid> {
    if (0.0..=1.0).contains(&share) {
        return Ok(share);
    }
    Err(value(place(), format!("`{share}` is not a share between 0 and 1")))
}

fn severity(text: &str, place: impl Fn() -> String) -> Result<Severity, SchemaInvalid> {
    let shown: String = text.chars().take(40).collect();
    text.parse().map_err(|()| value(place(), format!("`{shown}` is not a severity: `block` or `warn`")))
}

fn not_toml(text: &str, error: &toml::de::Error) -> NotToml {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    NotToml {
        line: 1 + before.matches('\n').count(),
        column: 1 + before.chars().count() - before.get(..line_start).unwrap_or_default().chars().count(),
        what: plain(error.message(), 400),
    }
}

/// Both texts may quote the file.
fn value(place: impl Into<String>, why: impl ToString) -> SchemaInvalid {
    SchemaInvalid::Value { place: plain(&place.into(), 200), why: plain(&why.to_string(), 400) }
}

/// What may quote a file must not be long, and not speak to a terminal.
fn plain(text: &str, most: usize) -> String {
    let harmless = |character: char| match character {
        '\n' => ' ',
        other if other.is_control() => '\u{fffd}',
        other => other,
    };
    text.chars().take(most).map(harmless).collect()
}
