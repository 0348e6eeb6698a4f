//! `run`: training in the sandbox.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Work, encoded, tree, upload};
use crate::cli::{Run, Start};
use crate::failure::Failure;

pub(super) async fn run(work: &Work, verb: Run) -> Result<u8, Failure> {
    match verb {
        Run::Start(start) => begin(work, start).await,
        Run::List => work.show("/api/v1/runs").await,
        Run::Show { run } => work.show(&format!("/api/v1/runs/{}", encoded(&run))).await,
    }
}

async fn begin(work: &Work, start: Start) -> Result<u8, Failure> {
    let files = match &start.code {
        Some(code) => tree::list(code, None)?,
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
