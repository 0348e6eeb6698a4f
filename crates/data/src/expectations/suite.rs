//! The JSON of a suite: 0.18 says `expectation_type` and `expectation_suite_name`, 1.x says `type` and `name`.

use serde_json::{Map, Value};

use crate::limits::{EXPECTATIONS, SUITE_BYTES};
use crate::schema::Severity;

/// Bytes are not a suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuiteInvalid {
    /// More bytes than a suite may have.
    #[error("the suite has {bytes} bytes, more than the {SUITE_BYTES} allowed")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not JSON.
    #[error("the suite is not JSON: line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The byte in that line, from 1.
        column: usize,
    },
    /// Not of the shape of a suite.
    #[error("the suite has no list `expectations`")]
    NoExpectations,
    /// More expectations than a suite may have.
    #[error("the suite has more than {EXPECTATIONS} expectations")]
    TooMany,
    /// One of them has no type, or its arguments are no object.
    #[error("expectation {place} has no `type`, or its `kwargs` are not an object")]
    Expectation {
        /// Its place, from 1.
        place: usize,
    },
}

pub(super) struct Suite {
    pub(super) name: String,
    pub(super) expectations: Vec<Expectation>,
}

/// One expectation.
pub(super) struct Expectation {
    pub(super) kind: String,
    pub(super) severity: Severity,
    kwargs: Map<String, Value>,
}

/// What may quote the file must not be long, and not speak to a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().take(120).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

impl Suite {
    pub(super) fn parse(json: &[u8]) -> Result<Self, SuiteInvalid> {
        if json.len() > SUITE_BYTES {
            return Err(SuiteInvalid::TooLarge { bytes: json.len() });
        }
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| SuiteInvalid::Json { line: error.line(), column: error.column() })?;
        let list = value.get("expectations").and_then(Value::as_array).ok_or(SuiteInvalid::NoExpectations)?;
        if list.len() > EXPECTATIONS {
            return Err(SuiteInvalid::TooMany);
        }
        let name = value.get("name").or_else(|| value.get("expectation_suite_name"));
        let name = plain(name.and_then(Value::as_str).unwrap_or("without a name"));
        let mut expectations = Vec::with_capacity(list.len());
        for (place, one) in (1..).zip(list) {
            let kind = one.get("type").or_else(|| one.get("expectation_type")).and_then(Value::as_str);
            let kwargs = one.get("kwargs").map_or(Some(Map::new()), |kwargs| kwargs.as_object().cloned());
            let (kind, kwargs) = kind.zip(kwargs).ok_or(SuiteInvalid::Expectation { place })?;
            // Only what is critical, as everything is where nothing is said, refuses.
            let severity = match one.get("severity").and_then(Value::as_str) {
                Some("warning" | "info") => Severity::Warn,
                _ => Severity::Block,
            };
            // Findings are called by it.
            let kind = plain(kind);
            let kind = kind.get(..kind.floor_char_boundary(100)).unwrap_or_default().to_owned();
            expectations.push(Expectation { kind, severity, kwargs });
        }
        Ok(Self { name, expectations })
    }
}

impl Expectation {
    /// An argument; `null` is none.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.kwargs.get(key).filter(|value| !value.is_null())
    }

    /// All arguments, by name.
    pub(super) fn arguments(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.kwargs.iter()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Value::as_f64)
    }

    pub(super) fn count(&self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        value.as_u64().or_else(|| {
            let number =
                value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number))?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, and in range"
            )]
            Some(number as u64)
        })
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn list(&self, key: &str) -> Option<&Vec<Value>> {
        self.get(key).and_then(Value::as_array)
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<&str>> {
        self.list(key)?.iter().map(Value::as_str).collect()
    }

    pub(super) fn column(&self) -> Option<&str> {
        self.text("column")
    }

    /// All the columns that it names.
    pub(super) fn columns(&self) -> Vec<&str> {
        let one = ["column", "column_A", "column_B"].into_iter().filter_map(|key| self.text(key));
        let lists = ["column_list", "column_set"].into_iter().filter_map(|key| self.texts(key));
        one.chain(lists.flatten()).collect()
    }

    /// The share of values that may be otherwise: one less `mostly`, rounded to what decimal text meant.
    pub(super) fn tolerated(&self) -> Result<f64, String> {
        let mostly = match self.get("mostly") {
            None => 1.0,
            Some(mostly) => mostly.as_f64().unwrap_or(f64::NAN),
        };
        if !(0.0..=1.0).contains(&mostly) {
            return Err("`mostly` is not a share between 0 and 1".to_owned());
        }
        Ok(((1.0 - mostly) * 1e12).round() / 1e12)
    }
}
