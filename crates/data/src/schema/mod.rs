//! Schemas: what a clean batch looks like, as a TOML file that people read and edit.

mod infer;
mod rules;
mod text;
mod update;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::csv::{CsvOptions, Encoding, NullTokens, Separator};
use crate::profile::ColumnType;

pub(crate) use self::infer::as_f64;
pub use self::infer::{InferOptions, NotInferred, WithoutRange, personal_domain};
pub use self::rules::{
    Age, AgeInvalid, Bounds, DistinctRules, DriftRules, ExpressionRules, FreshnessRules, KeyRules, PassOver,
    PatternRules, ReferenceProfile, ReferenceRules, SliceRules, StatisticsRules,
};
pub use self::text::{NotToml, SchemaInvalid};
pub use self::update::{Change, Left, NotUpdated, Updated};

/// What a clean batch looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// How files are written.
    pub csv: CsvRules,
    /// How many rows a batch has.
    pub rows: RowRules,
    /// What columns mean that are not in the schema; nothing when they may be there.
    pub unexpected_columns: Option<Severity>,
    /// Where batches come from or go to, the usual one first; empty when there is no difference.
    pub environments: Vec<String>,
    /// What distributions are compared with.
    pub reference: Option<ReferenceProfile>,
    /// The column that is to be predicted, and how often each of its values comes.
    pub label: Option<LabelRules>,
    /// The columns, in the order of the file they were inferred from; a batch may have another order.
    pub columns: Vec<ColumnRules>,
    /// Columns of which no two rows have the same values.
    pub keys: Vec<KeyRules>,
    /// What holds in each row.
    pub expressions: Vec<ExpressionRules>,
    /// Rules for some of the rows.
    pub slices: Vec<SliceRules>,
}

/// How files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRules {
    /// What separates cells.
    pub separator: Separator,
    /// How text is written as bytes.
    pub encoding: Encoding,
    /// Which cells mean "no value".
    pub null: NullTokens,
}

/// How many rows a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowRules {
    /// At least so many.
    pub min: Option<u64>,
    /// At most so many.
    pub max: Option<u64>,
}

/// The label and the share of each of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    /// The column.
    pub column: String,
    /// Each value with its share of the rows that have a label; empty when it has too many values.
    pub shares: Vec<(String, f64)>,
    /// Rows that the shares were counted over.
    pub counted: u64,
    /// How far a share may move, in addition to what chance explains.
    pub tolerance: f64,
    /// What a violation means.
    pub severity: Severity,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRules {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// Whether a batch may be without it.
    pub optional: bool,
    /// The environments that have it; empty means all.
    pub environments: Vec<String>,
    /// The least share of rows that must have a value.
    pub min_present: f64,
    /// The least and the greatest number.
    pub range: Option<Range>,
    /// The values it may have.
    pub domain: Option<Domain>,
    /// The shortest text, in characters.
    pub min_length: Option<u64>,
    /// The longest text, in characters.
    pub max_length: Option<u64>,
    /// The share of texts that may be shorter or longer.
    pub max_length_outside: f64,
    /// What text looks like.
    pub pattern: Option<PatternRules>,
    /// The share of values that may come again; none means that they all may.
    pub max_repeated: Option<f64>,
    /// How many different values it has.
    pub distinct: Option<DistinctRules>,
    /// Where its mean, its quantiles and so on lie.
    pub statistics: StatisticsRules,
    /// How far its distribution may be from the reference.
    pub drift: Option<DriftRules>,
    /// How old its newest value may be.
    pub freshness: Option<FreshnessRules>,
    /// Where else its values exist.
    pub references: Option<ReferenceRules>,
    /// Whether personal data and secrets are refused.
    pub no_pii: bool,
    /// Whether rules of values are asked of values of another type too.
    pub every_value: bool,
    /// What a violation means.
    pub severity: Severity,
    /// What violations of single rules mean instead, by the id of the rule.
    pub severities: BTreeMap<String, Severity>,
}

impl ColumnRules {
    /// A column of that name and type, of which nothing else is asked.
    pub fn new(name: String, kind: ColumnType) -> Self {
        Self {
            name,
            kind,
            optional: false,
            environments: Vec::new(),
            min_present: 0.0,
            range: None,
            domain: None,
            min_length: None,
            max_length: None,
            max_length_outside: 0.0,
            pattern: None,
            max_repeated: None,
            distinct: None,
            statistics: StatisticsRules::default(),
            drift: None,
            freshness: None,
            references: None,
            no_pii: false,
            every_value: false,
            severity: Severity::Block,
            severities: BTreeMap::new(),
        }
    }

    /// What a violation of the rule with that id means.
    pub fn severity_of(&self, rule: &str) -> Severity {
        self.severities.get(rule).copied().unwrap_or(self.severity)
    }

    /// Whether batches of an environment have it.
    pub fn is_in(&self, environment: Option<&str>) -> bool {
        self.environments.is_empty()
            || environment.is_none_or(|environment| self.environments.iter().any(|one| one == environment))
    }
}

/// The numbers a column may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least; minus infinity when there is none.
    pub min: f64,
    /// The greatest; infinity when there is none.
    pub max: f64,
    /// The share of values that may lie outside.
    pub max_outside: f64,
}

/// The values a column may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// The values, sorted.
    pub values: Vec<String>,
    /// The share of values that may be others.
    pub max_unseen: f64,
}

/// What a violation means in tier `release`; in tier `explore` everything warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is reported.
    Warn,
    /// It refuses the batch.
    Block,
}

impl Severity {
    /// The word that schemas and findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "warn" => Ok(Self::Warn),
            "block" => Ok(Self::Block),
            _ => Err(()),
        }
    }
}

impl Schema {
    /// How to read a file that this schema is about.
    pub fn csv_options(&self) -> CsvOptions {
        CsvOptions {
            separator: Some(self.csv.separator),
            encoding: Some(self.csv.encoding),
            null: self.csv.null.clone(),
            ..CsvOptions::default()
        }
    }

    /// The rules of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnRules> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The environment that is meant: the given one, or the first of those that there are.
    pub fn environment<'a>(&'a self, given: Option<&'a str>) -> Option<&'a str> {
        given.or(self.environments.first().map(String::as_str))
    }

    /// Whether all of these columns are among those of an environment.
    pub(crate) fn has_all<'a>(
        &self,
        mut columns: impl Iterator<Item = &'a str>,
        environment: Option<&str>,
    ) -> bool {
        columns.all(|name| self.column(name).is_some_and(|column| column.is_in(environment)))
    }

    /// The columns that keys, expressions and slices name, in whatever environment; some of them more than once.
    pub(crate) fn joint_columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for key in &self.keys {
            names.extend(key.columns.iter().map(String::as_str));
        }
        self.expressions.iter().for_each(|one| names.extend(one.columns()));
        for slice in &self.slices {
            names.extend(slice.when.columns());
            names.extend(slice.columns.iter().map(|column| column.name.as_str()));
        }
        names
    }

    /// The columns that rows are looked at by, each once: those of keys, expressions and slices that are meant in an
    /// environment, and those whose values are counted or held to be unique.
    pub(crate) fn row_columns(&self, environment: Option<&str>) -> Vec<String> {
        let mut names = self.joint_columns();
        let counted = |column: &&ColumnRules| column.max_repeated.is_some() || column.distinct.is_some();
        names.extend(self.columns.iter().filter(counted).map(|column| column.name.as_str()));
        let mut seen = std::collections::HashSet::new();
        let meant = |name: &&str| self.column(name).is_some_and(|column| column.is_in(environment));
        names.retain(|name| seen.insert(*name));
        names.into_iter().filter(meant).map(str::to_owned).collect()
    }
}
