//! What a check is told beside a schema.

use std::path::PathBuf;

use clap::Args;

/// What `data check` and `data add` are told beside the schema.
#[derive(Debug, Clone, Args)]
pub(crate) struct Beside {
    /// Which environment of the schema it is for [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// A table that the schema looks values up in, by the name it has there; may be given several times. `data add` also
    /// takes a data set version of the project, as in `customers=clients:3`
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) against: Vec<String>,
    /// What time it is, for rules of freshness, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// A profile that `data profile --out` wrote, which rules of drift compare with; `data add` also takes a data set
    /// version of the project [default: the one that the schema names]
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Option<PathBuf>,
}

impl Beside {
    /// Which options were given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--environment", self.environment.is_some()),
            ("--against", !self.against.is_empty()),
            ("--now", self.now.is_some()),
            ("--reference", self.reference.is_some()),
        ]
    }
}
