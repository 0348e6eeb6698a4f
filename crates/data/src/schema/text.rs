//! The TOML form of a schema; see `docs/formats/schema-toml.md`.

use serde::{Deserialize, Serialize};

use super::{ColumnRules, CsvRules, Domain, LabelRules, Range, RowRules, Schema, Severity};
use crate::csv::NullTokens;
use crate::limits::{COLUMN_NAME_BYTES, COLUMNS, DOMAIN_VALUES, LABELS, SCHEMA_BYTES};
use crate::profile::ColumnType;

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
    csv: Csv,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Rows>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
    #[serde(default)]
    column: Vec<Column>,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    min_present: f64,
    #[serde(default = "block")]
    severity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<RangeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<DomainText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeText {
    min: f64,
    max: f64,
    max_outside: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainText {
    max_unseen: f64,
    values: Vec<String>,
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
            rows: Some(Rows { min: self.rows.min, max: self.rows.max }),
            label: self.label.as_ref().map(write_label),
            column: self.columns.iter().map(write_column).collect(),
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
        if let (Some(min), Some(max)) = (rows.min, rows.max)
            && min > max
        {
            return Err(value("[rows]", "`min` is above `max`"));
        }
        let csv = CsvRules {
            separator: file.csv.separator.parse().map_err(|error| value("[csv]", error))?,
            encoding: file.csv.encoding.parse().map_err(|error| value("[csv]", error))?,
            null: NullTokens::new(&file.csv.null).map_err(|error| value("[csv]", error))?,
        };
        let columns = file.column.into_iter().map(read_column).collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.windows(2).find(|pair| matches!(pair, [one, two] if one == two)) {
            return Err(value(format!("column `{twice}`"), "it is there twice"));
        }
        let label = file.label.map(read_label).transpose()?;
        if let Some(label) = &label
            && !columns.iter().any(|column| column.name == label.column)
        {
            return Err(value("[label]", format!("there is no column `{}`", label.column)));
        }
        Ok(Self { csv, rows, label, columns })
    }
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

fn write_column(column: &ColumnRules) -> Column {
    let range = |range: Range| RangeText { min: range.min, max: range.max, max_outside: range.max_outside };
    let domain =
        |domain: &Domain| DomainText { max_unseen: domain.max_unseen, values: domain.values.clone() };
    Column {
        name: column.name.clone(),
        kind: column.kind.to_string(),
        min_present: column.min_present,
        severity: column.severity.to_string(),
        max_length: column.max_length,
        range: column.range.map(range),
        domain: column.domain.as_ref().map(domain),
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
    let mut values: Vec<&str> = shares.iter().map(|(value, _)| value.as_str()).collect();
    values.sort_unstable();
    if let Some([twice, _]) = values.windows(2).find(|pair| matches!(pair, [one, two] if one == two)) {
        let shown: String = twice.chars().take(80).collect();
        return Err(value(place(), format!("the share of `{shown}` is there twice")));
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

fn read_column(column: Column) -> Result<ColumnRules, SchemaInvalid> {
    let name = column.name;
    let shown: String = name.chars().take(80).collect();
    let place = || format!("column `{shown}`");
    if name.trim().is_empty() || name.len() > COLUMN_NAME_BYTES || name.chars().any(char::is_control) {
        let why = format!("a name is 1 to {COLUMN_NAME_BYTES} bytes, not blank, without control characters");
        return Err(value(place(), why));
    }
    let kind: ColumnType = column.kind.parse().map_err(|error| value(place(), error))?;
    let range = match column.range {
        None => None,
        Some(_) if !kind.is_number() => {
            return Err(value(place(), format!("`range` is for numbers, and the type is `{kind}`")));
        }
        Some(range) => {
            if !(range.min.is_finite() && range.max.is_finite() && range.min <= range.max) {
                return Err(value(place(), "`range` needs finite numbers with `min` not above `max`"));
            }
            let max_outside = share(range.max_outside, place)?;
            Some(Range { min: range.min, max: range.max, max_outside })
        }
    };
    let domain = match column.domain {
        None => None,
        Some(domain) => {
            if domain.values.len() > DOMAIN_VALUES {
                return Err(value(place(), format!("more than {DOMAIN_VALUES} values in `domain`")));
            }
            let mut values = domain.values;
            values.sort_unstable();
            values.dedup();
            Some(Domain { values, max_unseen: share(domain.max_unseen, place)? })
        }
    };
    Ok(ColumnRules {
        kind,
        min_present: share(column.min_present, place)?,
        range,
        domain,
        max_length: column.max_length,
        severity: severity(&column.severity, place)?,
        name,
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
