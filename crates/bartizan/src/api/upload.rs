//! Content on its way in, streamed: from a body, or from a file that this process holds open.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::body::Bytes;
use bartizan_registry::Destination;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

pub(super) async fn upload(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let to = match (call.query("dataset")?, call.query("model")?) {
        (Some(name), None) => Destination::Dataset(name),
        (None, Some(name)) => Destination::Model(name),
        _ => return Err(Failure::new(ids::INVALID, "an upload is for `?dataset=NAME` or for `?model=NAME`")),
    };
    let permit = app.registry.permit_upload(call.caller()?, &to).await?;
    let held =
        call.file.as_ref().and_then(|file| file.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    let upload = match held {
        Some(file) => app.registry.upload(&permit, app.with_room(file)).await?,
        None => {
            let (sender, receiver) = mpsc::channel(4);
            let source = Incoming { receiver, chunk: Bytes::new() };
            let source = app.with_room(source);
            let (_, uploaded) = tokio::join!(pump(call.body, sender), app.registry.upload(&permit, source));
            uploaded?
        }
    };
    Ok(Answer::Json(json!({
        "upload": upload.id.to_string(),
        "sha256": upload.sealed.digest,
        "bytes": upload.sealed.size,
    })))
}

/// Bytes that uploads leave free on the disk, so that decisions and quarantines can still be written.
const ROOM_BYTES: u64 = 512 * 1024 * 1024;
/// Bytes between two looks at the disk.
const LOOK_BYTES: u64 = 16 * 1024 * 1024;

/// Content that ends in an error before it fills the disk.
pub(super) struct WithRoom<R> {
    content: R,
    directory: PathBuf,
    unseen: u64,
}

impl App {
    fn with_room<R: Read>(&self, content: R) -> WithRoom<R> {
        WithRoom { content, directory: self.data_dir.clone(), unseen: LOOK_BYTES }
    }
}

impl<R: Read> Read for WithRoom<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unseen >= LOOK_BYTES {
            let found = rustix::fs::statvfs(&self.directory)?;
            if found.f_bavail.saturating_mul(found.f_frsize) < ROOM_BYTES {
                let why = format!("less than {ROOM_BYTES} bytes are free, which uploads leave to the ledger");
                return Err(io::Error::new(io::ErrorKind::StorageFull, why));
            }
            self.unseen = 0;
        }
        let count = self.content.read(buffer)?;
        self.unseen = self.unseen.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Hands the body's chunks over; a body that breaks off makes the reader fail, so half a file is never taken.
async fn pump(mut body: Body, sender: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let chunk = match body.frame().await {
            None => return,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => Ok(chunk),
                Err(_) => continue,
            },
            Some(Err(error)) => Err(io::Error::other(error)),
        };
        let broken = chunk.is_err();
        if sender.send(chunk).await.is_err() || broken {
            return;
        }
    }
}

/// The chunks of a body as a reader for blocking code.
struct Incoming {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => self.chunk = chunk?,
            }
        }
        let count = buffer.len().min(self.chunk.len());
        let taken = self.chunk.split_to(count);
        if let Some(target) = buffer.get_mut(..count) {
            target.copy_from_slice(&taken);
        }
        Ok(count)
    }
}
