//! `run`: training in the sandbox.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Work, encoded, tree, upload};
use crate::catalog::ids;
use crate::cli::{Run, Start};
use crate::failure::Failure;

pub(super) async fn run(work: &Work, verb: Run) -> Result<u8, Failure> {
    match verb {
        Run::Start(start) => begin(work, start).await,
        Run::List => work.show("/api/v1/runs").await,
        Run::Show { run } => work.show(&format!("/api/v1/runs/{}", encoded(&run))).await,
    }
}

/// Refuses code that would take the data directory along: every job, and whoever may see runs, could read the keys.
fn keyless(code: &Path, data_dir: &Path) -> Result<(), Failure> {
    if !data_dir.exists() || !code.exists() {
        return Ok(());
    }
    bartizan_sandbox::exposes_none(code, &[data_dir.to_owned()]).map_err(|exposed| {
        let next = "put the code into a directory of its own, and name that: --code DIR";
        Failure::of(ids::INVALID, &exposed).then(next)
    })
}

async fn begin(work: &Work, start: Start) -> Result<u8, Failure> {
    let files = match &start.code {
        Some(code) => {
            keyless(code, &work.configuration.data_dir)?;
            tree::list(code, None)?
        }
        None => Vec::new(),
    };
    let environment = match &start.env {
        Some(path) => Some(std::path::absolute(path).map_err(|error| super::file_failure(path, &error))?),
        None => None,
    };
    let client = Arc::new(work.client().await?);
    let bytes = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    let progress = work.out.progress(&format!("taking {} files of code", files.len()), bytes);
    let code = upload::files(&client, "/api/v1/uploads?run=code", files, &progress).await?;
    progress.work("the run is under way");
    let body = json!({
        "model": start.output_model,
        "inputs": start.input,
        "code": code,
        "command": start.command,
        "environment": environment,
        "wall_seconds": start.time,
        "memory_bytes": start.memory.map(|mib| mib.saturating_mul(1 << 20)),
        "reduced": start.isolation == "reduced",
    });
    let ended: Value = client.order("/api/v1/runs", &body).await?;
    drop(progress);
    work.answer(&ended)?;
    Ok(u8::from(ended["version"].is_null()))
}
