//! Between those who take records and the one thread that writes them: bounded, in order, and awaited.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_ledger::segment::RecordDigest;

use super::error::{AppendFailed, SealFailed, Stopped};
use super::prepare::Prepared;
use crate::limits::{BATCH_BYTES, GATHER_US, QUEUE_BYTES, QUEUE_RECORDS, SPARE_BUFFERS, UNCONFIRMED_LOGS};

/// How long the writer waits for as many records as it last wrote together.
const GATHER: Duration = Duration::from_micros(GATHER_US);

/// A record that was taken. It is durable when [`Log::durable`](super::Log::durable) says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its sequence number in this epoch.
    pub sequence: u64,
    /// Its digest, which a receipt names.
    pub digest: RecordDigest,
}

/// A sequence number that was given out, and what became of it.
#[derive(Debug)]
pub(super) enum Slot {
    Reserved,
    Ready(Prepared),
    /// Never used; so many bytes were reserved for it.
    Void(usize),
}

/// What the writer does next.
#[derive(Debug)]
pub(super) enum Work {
    /// Write these, the first of which has this sequence number.
    Batch(u64, Vec<Slot>),
    /// Close the log and begin the next.
    Rotate,
    /// End.
    Close,
}

pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

struct State {
    // INVARIANT: `first` is the sequence number of the first slot, and all below it were handed to the writer.
    slots: VecDeque<Slot>,
    first: u64,
    durable: u64,
    /// Reserved for slots that are not durable yet.
    bytes: usize,
    in_flight: usize,
    stopped: Option<Arc<Stopped>>,
    closing: bool,
    /// How many slots the writer waits for; 0 when it does not wait.
    writer_waits_for: usize,
    /// Slots of the last batch: as many callers may come again.
    last_batch: usize,
    rotations_wanted: u64,
    rotations_done: u64,
    unconfirmed: usize,
    /// The log takes no more, and cannot be closed before an older one is confirmed.
    blocked: bool,
    wakers: Vec<(u64, Waker)>,
    /// Threads that block until something is done: to tell nobody would be a call of the kernel for each flush.
    blocking: usize,
    /// Buffers of records that are durable, for the next ones.
    spare: Vec<Vec<u8>>,
}

impl Queue {
    /// An empty queue that gives out `first` next, while `unconfirmed` logs wait.
    pub(super) fn new(first: u64, unconfirmed: usize) -> Self {
        let state = State {
            slots: VecDeque::new(),
            first,
            durable: first.saturating_sub(1),
            bytes: 0,
            in_flight: 0,
            stopped: None,
            closing: false,
            writer_waits_for: 0,
            last_batch: 0,
            rotations_wanted: 0,
            rotations_done: 0,
            unconfirmed,
            blocked: false,
            wakers: Vec::new(),
            blocking: 0,
            spare: Vec::new(),
        };
        Self { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    /// Gives out the next sequence number, for a record of up to `bytes`, and an empty buffer.
    pub(super) fn reserve(&self, bytes: usize) -> Result<(u64, Vec<u8>), AppendFailed> {
        let mut state = self.state();
        state.check()?;
        let waiting = state.slots.len() + state.in_flight;
        if state.blocked || waiting >= QUEUE_RECORDS || state.bytes + bytes > QUEUE_BYTES {
            return Err(AppendFailed::Full);
        }
        state.bytes += bytes;
        state.slots.push_back(Slot::Reserved);
        let sequence = state.first + slot_count(&state.slots) - 1;
        Ok((sequence, state.spare.pop().unwrap_or_default()))
    }

    /// Puts what `sequence` was given out for.
    pub(super) fn fill(&self, sequence: u64, slot: Slot) {
        let mut state = self.state();
        if let Slot::Void(reserved) = slot {
            state.bytes = state.bytes.saturating_sub(reserved);
        }
        let at = sequence.checked_sub(state.first).and_then(|at| usize::try_from(at).ok());
        if let Some(place) = at.and_then(|at| state.slots.get_mut(at)) {
            *place = slot;
        }
        let wanted = state.writer_waits_for;
        // One that waits for anything wakes with the first slot; one that waits for many, with the last of them.
        let here = at.is_some_and(|at| if wanted == 1 { at == 0 } else { at + 1 >= wanted });
        if wanted > 0 && here {
            state.writer_waits_for = 0;
            drop(state);
            self.work.notify_one();
        }
    }

    /// Waits for work. `room` is how many sequence numbers the log still takes.
    pub(super) fn next(&self, room: usize) -> Work {
        let mut state = self.state();
        // Those whom the last flush let go are likely to come again at once. Waiting for them a moment makes one
        // flush of what would be two, and one waking of the writer. A single caller is never waited for.
        let (mut waited, mut expecting) = (false, state.last_batch > 1);
        loop {
            let wanted = state.rotations_wanted > state.rotations_done || room == 0;
            if wanted && state.unconfirmed < UNCONFIRMED_LOGS {
                return Work::Rotate;
            }
            state.blocked = room == 0;
            let ready = room > 0 && state.slots.front().is_some_and(|slot| !matches!(slot, Slot::Reserved));
            let all_here = state.slots.len() >= state.last_batch || state.closing;
            if ready && (all_here || waited) {
                return state.take(room);
            }
            if state.closing && !ready {
                return Work::Close;
            }
            if ready || expecting {
                state.writer_waits_for = state.last_batch;
                let result = self.work.wait_timeout(state, GATHER);
                state = result.unwrap_or_else(PoisonError::into_inner).0;
                (waited, expecting) = (ready, false);
            } else {
                state.writer_waits_for = 1;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                waited = false;
            }
            state.writer_waits_for = 0;
        }
    }

    /// Everything up to `durable` survives a power cut; `bytes` of it were reserved. The buffers may be used again.
    pub(super) fn committed(&self, durable: u64, bytes: usize, buffers: &mut Vec<Vec<u8>>) {
        let mut state = self.state();
        state.durable = durable;
        state.in_flight = 0;
        state.bytes = state.bytes.saturating_sub(bytes);
        let wakers = state.due_wakers(durable);
        let room = SPARE_BUFFERS.saturating_sub(state.spare.len());
        buffers.truncate(room);
        state.spare.append(buffers);
        self.tell(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// A log was closed and the next one begun.
    pub(super) fn rotated(&self) {
        let mut state = self.state();
        state.rotations_done = state.rotations_wanted;
        state.unconfirmed += 1;
        self.tell(state);
    }

    /// A closed log was confirmed.
    pub(super) fn confirmed(&self) {
        let mut state = self.state();
        state.unconfirmed = state.unconfirmed.saturating_sub(1);
        state.blocked = false;
        drop(state);
        self.work.notify_one();
    }

    /// The writer ends, for good.
    pub(super) fn stop(&self, reason: Stopped) {
        let mut state = self.state();
        if state.stopped.is_some() {
            return;
        }
        state.stopped = Some(Arc::new(reason));
        let wakers = state.due_wakers(u64::MAX);
        self.tell(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn close(&self) {
        self.state().closing = true;
        self.work.notify_one();
    }

    pub(super) fn stopped(&self) -> Option<Arc<Stopped>> {
        self.state().stopped.clone()
    }

    pub(super) fn unconfirmed(&self) -> usize {
        self.state().unconfirmed
    }

    /// The last sequence number that was given out; one less than the first when none was.
    pub(super) fn last_given(&self) -> u64 {
        let state = self.state();
        (state.first + slot_count(&state.slots)).saturating_sub(1)
    }

    /// Has the log closed, and waits until it is.
    pub(super) fn rotate(&self) -> Result<(), SealFailed> {
        let mut state = self.state();
        // Looked at under the lock, and then the writer is sure to do it: whoever waited here for a log to be
        // confirmed would hold back those who confirm.
        if state.unconfirmed >= UNCONFIRMED_LOGS {
            return Err(SealFailed::Behind);
        }
        state.rotations_wanted += 1;
        let wanted = state.rotations_wanted;
        self.work.notify_one();
        loop {
            if state.rotations_done >= wanted {
                return Ok(());
            }
            if let Some(stopped) = &state.stopped {
                return Err(SealFailed::Stopped(Arc::clone(stopped)));
            }
            state = self.told(state);
        }
    }

    /// Blocks until `sequence` is durable.
    pub(super) fn wait(&self, sequence: u64) -> Result<(), AppendFailed> {
        let mut state = self.state();
        while state.durable < sequence {
            state.check()?;
            state = self.told(state);
        }
        Ok(())
    }

    /// Blocks until something is done.
    fn told<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.blocking += 1;
        state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.blocking -= 1;
        state
    }

    /// Tells those who block that something is done.
    fn tell(&self, state: MutexGuard<'_, State>) {
        let anybody = state.blocking > 0;
        drop(state);
        if anybody {
            self.done.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole: every change is one step under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), AppendFailed> {
        match &self.stopped {
            Some(stopped) => Err(AppendFailed::Stopped(Arc::clone(stopped))),
            None => Ok(()),
        }
    }

    fn take(&mut self, room: usize) -> Work {
        let (mut batch, mut bytes) = (Vec::with_capacity(self.slots.len().min(room)), 0);
        let first = self.first;
        while batch.len() < room && bytes < BATCH_BYTES {
            match self.slots.pop_front() {
                None => break,
                Some(Slot::Reserved) => {
                    self.slots.push_front(Slot::Reserved);
                    break;
                }
                Some(slot) => {
                    if let Slot::Ready(prepared) = &slot {
                        bytes += prepared.bytes.len();
                    }
                    self.first += 1;
                    batch.push(slot);
                }
            }
        }
        self.in_flight = batch.len();
        self.last_batch = batch.len();
        Work::Batch(first, batch)
    }

    fn due_wakers(&mut self, durable: u64) -> Vec<Waker> {
        self.wakers.extract_if(.., |(sequence, _)| *sequence <= durable).map(|(_, waker)| waker).collect()
    }
}

fn slot_count(slots: &VecDeque<Slot>) -> u64 {
    u64::try_from(slots.len()).unwrap_or(u64::MAX)
}

/// Resolves when a record is durable, or never will be.
pub struct Durable<'a> {
    queue: &'a Queue,
    sequence: u64,
    registered: bool,
}

impl<'a> Durable<'a> {
    pub(super) const fn new(queue: &'a Queue, sequence: u64) -> Self {
        Self { queue, sequence, registered: false }
    }
}

impl Future for Durable<'_> {
    type Output = Result<(), AppendFailed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.queue.state();
        if state.durable >= self.sequence {
            return Poll::Ready(Ok(()));
        }
        if let Err(stopped) = state.check() {
            return Poll::Ready(Err(stopped));
        }
        // Most are polled once before they are woken; whoever is polled again with the same waker is there already.
        let waker = context.waker();
        let is_this = |(sequence, other): &(u64, Waker)| *sequence == self.sequence && other.will_wake(waker);
        if !(self.registered && state.wakers.iter().any(is_this)) {
            state.wakers.push((self.sequence, waker.clone()));
        }
        drop(state);
        self.registered = true;
        Poll::Pending
    }
}

impl fmt::Debug for Durable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durable({})", self.sequence)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Queue").field("first", &state.first).field("durable", &state.durable).finish()
    }
}
