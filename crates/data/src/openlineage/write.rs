//! Writing an event: that a table was checked or added, with how many values there are and which rules they broke.

use std::collections::HashSet;

use bartizan_base::Timestamp;
use serde_json::{Map, Value, json};

use super::Named;
use crate::check::{Outcome, Report};
use crate::folder::FolderReport;
use crate::profile::ColumnType;
use crate::schema::Severity;

/// Where the specification of a facet lies, as version and name.
const SCHEMA: (&str, &str) = ("1-2-0", "SchemaDatasetFacet");
const METRICS: (&str, &str) = ("1-0-3", "DataQualityMetricsInputDatasetFacet");
const ASSERTIONS: (&str, &str) = ("1-1-0", "DataQualityAssertionsDatasetFacet");
const VERSION: (&str, &str) = ("1-0-1", "DatasetVersionDatasetFacet");
const FAILED: (&str, &str) = ("1-0-1", "ErrorMessageRunFacet");
const OUTPUT: (&str, &str) = ("1-0-2", "OutputStatisticsOutputDatasetFacet");

/// Assertions of one event: rules that are kept are left out before others.
const ASSERTED: usize = 10_000;

/// How many values a column has; no value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnCounts {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// How many there are with a value; in a column of elements of lists, elements.
    pub values: u64,
    /// How many there are without one.
    pub nulls: u64,
    /// Different values, when they were counted.
    pub distinct: Option<u64>,
}

/// A rule, and whether the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The rule's id.
    pub rule: String,
    /// The column that it is about; the whole table when absent.
    pub column: Option<String>,
    /// Whether it holds.
    pub success: bool,
    /// Whether breaking it refuses the table.
    pub blocks: bool,
}

/// What is said of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Columns, in their order.
    pub columns: Vec<ColumnCounts>,
    /// Rules, and whether they hold; the first is whether the table is accepted.
    pub assertions: Vec<Assertion>,
}

impl Table {
    /// What a check found.
    pub fn of(report: &Report) -> Self {
        let columns = report.profile.columns().iter().map(|column| ColumnCounts {
            name: column.name().to_owned(),
            kind: column.column_type().name().to_owned(),
            values: column.kinds().total(),
            nulls: column.nulls(),
            // Lists are counted by length, and not told from each other.
            distinct: column
                .distinct()
                .filter(|_| column.column_type() != ColumnType::List)
                .and_then(|count| u64::try_from(count).ok()),
        });
        let not_run = report.each.iter().filter(|check| !check.ran).flat_map(|check| &check.findings);
        let not_run: HashSet<usize> = not_run.copied().collect();
        let broken = report.findings.iter().enumerate().map(|(place, finding)| Assertion {
            rule: finding.rule.id().to_owned(),
            column: finding.column.clone(),
            success: false,
            blocks: finding.severity == Severity::Block || not_run.contains(&place),
        });
        // A rule that was not tried does not hold, and leaves the table without a verdict.
        let others = |ran: bool| {
            let checks = report.each.iter().filter(|check| check.moot.is_none());
            let checks = checks.filter(move |check| check.ran == ran && check.findings.is_empty());
            checks.map(move |check| Assertion {
                rule: check.rule.id().to_owned(),
                column: check.column.clone(),
                success: ran,
                blocks: !ran,
            })
        };
        let assertions = std::iter::once(accepted(report.outcome == Outcome::Valid))
            .chain(broken)
            .chain(others(false))
            .chain(others(true));
        Self {
            rows: report.rows,
            bytes: report.bytes,
            columns: columns.collect(),
            assertions: assertions.take(ASSERTED).collect(),
        }
    }

    /// Of a table that was not read to its end: it is not accepted, and nothing else is known of it.
    pub fn unread() -> Self {
        Self { rows: 0, bytes: 0, columns: Vec::new(), assertions: vec![accepted(false)] }
    }
}

impl Table {
    /// What the check of a directory found: its files are its rows.
    pub fn of_folder(report: &FolderReport) -> Self {
        let broken = report.findings.iter().map(|finding| Assertion {
            rule: finding.rule.id().to_owned(),
            column: None,
            success: false,
            blocks: finding.severity == Severity::Block,
        });
        Self {
            rows: report.summary.files,
            bytes: report.summary.bytes,
            columns: Vec::new(),
            assertions: std::iter::once(accepted(report.outcome == Outcome::Valid)).chain(broken).collect(),
        }
    }
}

/// Whether the whole table is taken.
fn accepted(success: bool) -> Assertion {
    Assertion { rule: "accepted".to_owned(), column: None, success, blocks: true }
}

/// An event about a check.
#[derive(Debug, Clone)]
pub struct CheckEvent {
    /// When it ended.
    pub at: Timestamp,
    /// 16 random bytes, from which the id of the run is made.
    pub run: [u8; 16],
    /// What wrote the event, as a URI.
    pub producer: String,
    /// The job.
    pub job: Named,
    /// The tables that were checked.
    pub inputs: Vec<(Named, Table)>,
    /// The data set version that they became, if they were added to one.
    pub output: Option<(Named, String)>,
    /// Whether they were accepted.
    pub accepted: bool,
    /// Why there is no verdict; then nothing is said of the tables but that they are not accepted.
    pub failure: Option<String>,
}

/// The event as one line of JSON: a run event of specification 2-0-2.
pub fn event(event: &CheckEvent) -> String {
    let writer = Writer { producer: &event.producer };
    let inputs = event.inputs.iter().map(|(named, table)| {
        if event.failure.is_some() {
            return json!({
                "namespace": named.namespace,
                "name": named.name,
                "inputFacets": { "dataQualityAssertions": writer.assertions(table) },
            });
        }
        json!({
            "namespace": named.namespace,
            "name": named.name,
            "facets": { "schema": writer.schema(table) },
            "inputFacets": {
                "dataQualityMetrics": writer.metrics(table),
                "dataQualityAssertions": writer.assertions(table),
            },
        })
    });
    let inputs: Vec<Value> = inputs.collect();
    let output = event.output.as_ref().map(|(named, version)| {
        let rows = event.inputs.iter().fold(0_u64, |sum, (_, table)| sum.saturating_add(table.rows));
        let bytes = event.inputs.iter().fold(0_u64, |sum, (_, table)| sum.saturating_add(table.bytes));
        let schema = event.inputs.first().map(|(_, table)| writer.schema(table));
        let mut facets = Map::from_iter([(
            "version".to_owned(),
            writer.facet(VERSION, json!({ "datasetVersion": version })),
        )]);
        facets.extend(schema.map(|schema| ("schema".to_owned(), schema)));
        let statistics = json!({ "rowCount": rows, "size": bytes, "fileCount": event.inputs.len() });
        json!({
            "namespace": named.namespace,
            "name": named.name,
            "facets": facets,
            "outputFacets": { "outputStatistics": writer.facet(OUTPUT, statistics) },
        })
    });
    let mut run = json!({ "runId": uuid(event.run) });
    if let (Some(why), Some(members)) = (&event.failure, run.as_object_mut()) {
        let failed = json!({ "message": why, "programmingLanguage": "Rust" });
        members.insert("facets".to_owned(), json!({ "errorMessage": writer.facet(FAILED, failed) }));
    }
    json!({
        "eventType": if event.accepted { "COMPLETE" } else { "FAIL" },
        "eventTime": event.at,
        "producer": event.producer,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": run,
        "job": { "namespace": event.job.namespace, "name": event.job.name },
        "inputs": inputs,
        "outputs": output.into_iter().collect::<Vec<Value>>(),
    })
    .to_string()
}

struct Writer<'a> {
    producer: &'a str,
}

impl Writer<'_> {
    fn facet(&self, (version, name): (&str, &str), mut members: Value) -> Value {
        if let Some(members) = members.as_object_mut() {
            members.insert("_producer".to_owned(), self.producer.into());
            let url = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
            members.insert("_schemaURL".to_owned(), url.into());
        }
        members
    }

    fn schema(&self, table: &Table) -> Value {
        let field = |column: &ColumnCounts| json!({ "name": column.name, "type": column.kind });
        let fields: Vec<Value> = table.columns.iter().map(field).collect();
        self.facet(SCHEMA, json!({ "fields": fields }))
    }

    fn metrics(&self, table: &Table) -> Value {
        let metrics = |column: &ColumnCounts| {
            let mut counts = Map::from_iter([
                ("nullCount".to_owned(), column.nulls.into()),
                ("count".to_owned(), column.values.into()),
            ]);
            counts.extend(column.distinct.map(|distinct| ("distinctCount".to_owned(), distinct.into())));
            (column.name.clone(), Value::Object(counts))
        };
        let columns: Map<String, Value> = table.columns.iter().map(metrics).collect();
        let members = json!({ "rowCount": table.rows, "bytes": table.bytes, "columnMetrics": columns });
        self.facet(METRICS, members)
    }

    fn assertions(&self, table: &Table) -> Value {
        let one = |assertion: &Assertion| {
            let mut members = Map::from_iter([
                ("assertion".to_owned(), assertion.rule.clone().into()),
                ("success".to_owned(), assertion.success.into()),
                ("severity".to_owned(), if assertion.blocks { "error" } else { "warn" }.into()),
            ]);
            members
                .extend(assertion.column.as_ref().map(|column| ("column".to_owned(), column.clone().into())));
            Value::Object(members)
        };
        let assertions: Vec<Value> = table.assertions.iter().map(one).collect();
        self.facet(ASSERTIONS, json!({ "assertions": assertions }))
    }
}

/// A UUID of version 4 (RFC 9562 section 5.4) from random bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
