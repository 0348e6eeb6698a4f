//! Streams: findings in text that arrives in pieces, and text that goes on with its findings replaced.

use std::ops::Range;

use super::action::{NotReplaced, Replacer};
use super::detector::{BEFORE, BEHIND, Detector, Title, WINDOW};
use super::finding::{Finding, resolve};
use super::scan::LOOK_BACK;

/// Candidates that wait for what overlaps them; more are decided on their own.
const PENDING: usize = 10_000;

/// Bytes before a window in which a candidate may begin that the window gives away.
const MARGIN: u64 = 1024;

const _: () = assert!(LOOK_BACK < BEFORE && BEFORE as u64 == MARGIN);

/// Finds in a stream exactly what [`Detector::find`] finds in the whole of it, however it is cut into pieces.
///
/// Memory is bounded: a window, what decides about its ends, and findings that are not settled yet.
pub struct Scanner<'d> {
    detector: &'d Detector,
    title: Title,
    // What was not scanned yet, and what stands before it.
    buffer: Vec<u8>,
    // Where in the stream the buffer begins, and where its next window does.
    base: u64,
    next: u64,
    pending: Vec<Finding>,
    // Behind the last finding that was handed out.
    done: u64,
}

impl<'d> Scanner<'d> {
    /// A stream that stands under no title.
    pub fn new(detector: &'d Detector) -> Self {
        Self::under(detector, Title::default())
    }

    /// A stream that stands under a title.
    pub fn under(detector: &'d Detector, title: Title) -> Self {
        Self { detector, title, buffer: Vec::new(), base: 0, next: 0, pending: Vec::new(), done: 0 }
    }

    /// Takes the next piece, and appends the findings that no later piece can change.
    pub fn push(&mut self, bytes: &[u8], found: &mut Vec<Finding>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Never more than one window at a time, however large the piece is.
            let room = (BEFORE + WINDOW + BEHIND).saturating_sub(self.buffer.len()).max(1);
            let (piece, further) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.buffer.extend_from_slice(piece);
            rest = further;
            while self.ahead() >= WINDOW + BEHIND {
                self.window(WINDOW);
                // Whatever the next window gives away begins behind its margin.
                self.hand_out(self.next.saturating_sub(MARGIN), found);
            }
        }
    }

    /// Ends the stream, and appends the findings that are left.
    pub fn finish(mut self, found: &mut Vec<Finding>) {
        self.end(found);
    }

    fn end(&mut self, found: &mut Vec<Finding>) {
        while self.ahead() > 0 {
            self.window(self.ahead().min(WINDOW));
        }
        self.hand_out(u64::MAX, found);
    }

    /// No finding that is still to come begins before this place.
    pub fn settled(&self) -> u64 {
        let first = self.pending.iter().map(Finding::start).min().unwrap_or(u64::MAX);
        self.next.saturating_sub(MARGIN).min(first)
    }

    // Bytes of the buffer that no window owned yet.
    fn ahead(&self) -> usize {
        self.buffer.len().saturating_sub(self.owned_from())
    }

    fn owned_from(&self) -> usize {
        usize::try_from(self.next - self.base).unwrap_or(usize::MAX)
    }

    fn window(&mut self, length: usize) {
        let from = self.owned_from();
        let start = from.saturating_sub(BEFORE);
        let end = self.buffer.len().min(from + length + BEHIND);
        let window = self.buffer.get(start..end).unwrap_or_default();
        let base = self.base + u64::try_from(start).unwrap_or(0);
        self.detector.window(
            &self.title,
            window,
            from - start..from + length - start,
            base,
            &mut self.pending,
        );
        self.next += u64::try_from(length).unwrap_or(0);
        let kept = self.owned_from().saturating_sub(BEFORE);
        self.buffer.drain(..kept);
        self.base += u64::try_from(kept).unwrap_or(0);
    }

    /// Decides about everything that ends before `place` and overlaps nothing that may still come.
    fn hand_out(&mut self, place: u64, found: &mut Vec<Finding>) {
        self.pending.sort_by_key(|one| (one.start(), one.end()));
        let (mut ready, mut end) = (0, 0);
        for (at, one) in self.pending.iter().enumerate() {
            if one.start() >= end {
                ready = at;
            }
            end = end.max(one.end());
            if end > place && self.pending.len() <= PENDING {
                break;
            }
            if at + 1 == self.pending.len() {
                ready = at + 1;
            }
        }
        let mut settled: Vec<Finding> = self.pending.drain(..ready).collect();
        resolve(&mut settled);
        for one in settled {
            if one.start() >= self.done {
                self.done = one.end();
                found.push(one);
            }
        }
    }
}

/// Hands a stream on with what was found in it replaced.
pub struct Rewriter<'d, 'r> {
    scanner: Scanner<'d>,
    replacer: Replacer<'r>,
    // What was not handed on yet, and where in the stream it begins.
    held: Vec<u8>,
    base: u64,
    found: Vec<Finding>,
    replaced: u64,
}

impl<'d, 'r> Rewriter<'d, 'r> {
    /// A stream whose findings `replacer` replaces.
    pub const fn new(scanner: Scanner<'d>, replacer: Replacer<'r>) -> Self {
        Self { scanner, replacer, held: Vec::new(), base: 0, found: Vec::new(), replaced: 0 }
    }

    /// Takes the next piece, and appends to `out` what no later piece can change.
    ///
    /// # Errors
    /// When a value cannot be replaced as asked; what was appended before must not be used then.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), NotReplaced> {
        self.held.extend_from_slice(bytes);
        self.scanner.push(bytes, &mut self.found);
        self.write(out, self.scanner.settled())
    }

    /// Ends the stream, appends what is left, and says how many findings were replaced.
    ///
    /// # Errors
    /// As [`Rewriter::push`].
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<u64, NotReplaced> {
        self.scanner.end(&mut self.found);
        self.write(out, u64::MAX)?;
        Ok(self.replaced)
    }

    fn write(&mut self, out: &mut Vec<u8>, settled: u64) -> Result<(), NotReplaced> {
        let mut place = 0;
        for one in self.found.drain(..) {
            let range = within(&one, self.base);
            out.extend_from_slice(self.held.get(place..range.start).unwrap_or_default());
            let value = self.held.get(range.clone()).unwrap_or_default();
            self.replacer.replace(self.scanner.detector.id(one.kind()), one.kind(), value, out)?;
            self.replaced += 1;
            place = range.end;
        }
        let until = usize::try_from(settled.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let until = until.min(self.held.len()).max(place);
        out.extend_from_slice(self.held.get(place..until).unwrap_or_default());
        self.held.drain(..until);
        self.base += u64::try_from(until).unwrap_or(0);
        Ok(())
    }
}

fn within(one: &Finding, base: u64) -> Range<usize> {
    let place = |at: u64| usize::try_from(at.saturating_sub(base)).unwrap_or(usize::MAX);
    place(one.start())..place(one.end())
}
