//! Content on its way in, streamed: from a body, or from a file that this process holds open.

mod room;

use std::io::{self, Read};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use bartizan_registry::Destination;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

/// How long an upload may stand still.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes per second, at least: each second above [`PATIENCE`] has to be earned with so many.
const RATE: u64 = 4096;

pub(super) async fn upload(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let to = match (call.query("dataset")?, call.query("model")?) {
        (Some(name), None) => Destination::Dataset(name),
        (None, Some(name)) => Destination::Model(name),
        (None, None) if call.query.contains_key("run") => Destination::Run,
        _ => {
            let what = "an upload is for `?dataset=NAME`, `?model=NAME` or `?run=code`";
            return Err(Failure::new(ids::INVALID, what));
        }
    };
    let permit = app.registry.permit_upload(call.caller()?, &to).await?;
    let held =
        call.file.as_ref().and_then(|file| file.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    let upload = match held {
        Some(file) => app.registry.upload(&permit, app.with_room(file)).await?,
        None => {
            let (sender, receiver) = mpsc::channel(4);
            let source = Incoming { receiver, chunk: Bytes::new(), ended: false };
            let source = app.with_room(source);
            let (pumped, uploaded) =
                tokio::join!(pump(call.body, sender), app.registry.upload(&permit, source));
            pumped?;
            uploaded?
        }
    };
    Ok(Answer::Json(json!({
        "upload": upload.id.to_string(),
        "sha256": upload.sealed.digest,
        "bytes": upload.sealed.size,
    })))
}

/// Gives what a request brings to work off the async threads, as it arrives.
pub(super) async fn consumed<T: Send + 'static>(
    call: Call,
    work: impl FnOnce(Box<dyn Read + Send>) -> T + Send + 'static,
) -> Result<T, Failure> {
    let held =
        call.file.as_ref().and_then(|file| file.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    let run = async |source: Box<dyn Read + Send>| {
        let done = tokio::task::spawn_blocking(move || work(source)).await;
        done.map_err(|error| Failure::of(ids::INTERNAL, &error))
    };
    let Some(file) = held else {
        let (sender, receiver) = mpsc::channel(4);
        let source = Incoming { receiver, chunk: Bytes::new(), ended: false };
        let (pumped, done) = tokio::join!(pump(call.body, sender), run(Box::new(source)));
        pumped?;
        return done;
    };
    run(file).await
}

/// What a body is made of.
enum Piece {
    Chunk(Bytes),
    End,
}

/// Hands the body's chunks over; a body that breaks off or hardly moves makes the reader fail, so half a file is
/// never taken.
async fn pump(mut body: Body, sender: mpsc::Sender<io::Result<Piece>>) -> Result<(), Failure> {
    let mut patience = PATIENCE;
    loop {
        let since = Instant::now();
        let frame = timeout(patience, body.frame()).await;
        patience = patience.saturating_sub(since.elapsed());
        let failure = match frame {
            Ok(Some(Ok(frame))) => {
                let Ok(chunk) = frame.into_data() else { continue };
                patience = patience.saturating_add(earned(chunk.len())).min(PATIENCE);
                if sender.send(Ok(Piece::Chunk(chunk))).await.is_err() {
                    break;
                }
                continue;
            }
            Ok(None) => {
                if sender.send(Ok(Piece::End)).await.is_err() {
                    break;
                }
                return Ok(());
            }
            Ok(Some(Err(error))) => Failure::new(ids::INVALID, format!("the upload broke off: {error}")),
            Err(_) => {
                Failure::new(ids::SLOW, format!("the upload came at less than {RATE} bytes per second"))
            }
        };
        if sender.send(Err(io::Error::other(failure.what.clone()))).await.is_err() {
            break;
        }
        return Err(failure);
    }
    // Nobody reads any more: whoever did says why.
    Ok(())
}

/// For how long one may wait after so many bytes.
fn earned(bytes: usize) -> Duration {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    Duration::from_micros(bytes.saturating_mul(1_000_000) / RATE)
}

/// The chunks of a body as a reader for blocking code.
struct Incoming {
    receiver: mpsc::Receiver<io::Result<Piece>>,
    chunk: Bytes,
    ended: bool,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                // Whoever handed the body over is gone without having said that this was all.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(piece) => match piece? {
                    Piece::Chunk(chunk) => self.chunk = chunk,
                    Piece::End => self.ended = true,
                },
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

#[cfg(test)]
mod tests;
