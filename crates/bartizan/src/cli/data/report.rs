//! Reports that commands of `data` write beside what they print.

use std::path::PathBuf;

use clap::Args;

/// What was found, for people and for CI.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reports {
    /// Also write a page for people: one HTML file that loads nothing and runs no script
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Also write JUnit XML, a test case for each rule
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Also write SARIF 2.1.0, a result for each finding
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
}

/// What goes with the reports of a check.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckReports {
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// Write the rows that break a rule that blocks to this new file, with all their raw values: CSV, or JSON lines if it
    /// ends in `.jsonl`. The file or object is read once more for it; what comes through a pipe is kept in the temporary
    /// directory until then, under no name
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<PathBuf>,
    /// Also write an OpenLineage event, with counts and no values
    #[arg(long, value_name = "FILE")]
    pub(crate) openlineage: Option<PathBuf>,
}

impl CheckReports {
    /// Which options were given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("--report", self.reports.report.is_some()),
            ("--junit", self.reports.junit.is_some()),
            ("--sarif", self.reports.sarif.is_some()),
            ("--rows", self.rows.is_some()),
            ("--openlineage", self.openlineage.is_some()),
        ]
    }
}
