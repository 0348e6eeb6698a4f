//! Files on their way to the server, several at a time.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::tree;
use crate::catalog::ids;
use crate::client::Client;
use crate::failure::Failure;
use crate::out::Progress;

/// Uploads files with as many at a time as there are cores.
pub(super) async fn files(
    client: &Arc<Client>,
    to: &str,
    files: Vec<tree::ModelFile>,
    progress: &Progress,
) -> Result<Vec<Value>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let mut uploaded = Vec::with_capacity(files.len());
    let mut waiting = files.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < cores
            && let Some(next) = waiting.next()
        {
            let (client, path, progress) = (Arc::clone(client), to.to_owned(), progress.clone());
            running.spawn(async move {
                let upload = client.upload(&path, Box::new(progress.follow(next.open()?))).await?;
                Ok::<_, Failure>(json!({ "path": next.path, "upload": upload["upload"] }))
            });
        }
        match running.join_next().await {
            None => return Ok(uploaded),
            Some(joined) => uploaded.push(joined.map_err(|error| Failure::of(ids::INTERNAL, &error))??),
        }
    }
}
