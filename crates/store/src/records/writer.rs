//! The one thread that writes the log.

use std::io;
use std::sync::Arc;

use super::error::Stopped;
use super::log::Shared;
use super::queue::{Slot, Work};
use super::wal::{LogId, OpenLog};

pub(super) struct Writer {
    shared: Arc<Shared>,
    log: OpenLog,
}

impl Writer {
    pub(super) const fn new(shared: Arc<Shared>, log: OpenLog) -> Self {
        Self { shared, log }
    }

    /// Writes until the log is closed or the disk fails. Nothing is retried: after a failed flush only reading
    /// again tells what the disk holds.
    pub(super) fn run(mut self) {
        loop {
            let result = match self.shared.queue.next(self.log.room()) {
                Work::Batch(first, slots) => self.batch(first, slots),
                Work::Rotate => self.rotate(),
                Work::Close => return,
            };
            if let Err(source) = result {
                let file = self.log.state.id.file();
                tracing::error!(file, error = %source, "the record log has stopped");
                self.shared.queue.stop(Stopped { file, source });
                return;
            }
        }
    }

    fn batch(&mut self, first: u64, slots: Vec<Slot>) -> io::Result<()> {
        if first != self.log.state.next {
            return Err(io::Error::other("a sequence number was skipped"));
        }
        let reserved = |slot: &Slot| if let Slot::Ready(prepared) = slot { prepared.reserved } else { 0 };
        let bytes = slots.iter().map(reserved).sum();
        self.log.write(slots, &self.shared.random)?;
        self.shared.queue.committed(self.log.state.next - 1, bytes, &mut self.log.spare);
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let old = self.log.state.id;
        let number =
            old.number.checked_add(1).ok_or_else(|| io::Error::other("there is no log number left"))?;
        let id = LogId { number, first: self.log.state.next, ..old };
        let Shared { tree, subjects, random, spare, .. } = &*self.shared;
        let next = OpenLog::create(tree, subjects, random, spare, id)?;
        let closed = std::mem::replace(&mut self.log, next).state;
        self.shared.closed().push_back(closed.into());
        self.shared.queue.rotated();
        Ok(())
    }
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it any more.
    fn drop(&mut self) {
        let source = io::Error::other("the writer has ended");
        self.shared.queue.stop(Stopped { file: self.log.state.id.file(), source });
    }
}
