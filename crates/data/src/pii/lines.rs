//! Streams of JSON lines: findings at the bytes of the stream.

use super::detector::{BEFORE, Detector, Title};
use super::finding::{Finding, resolve};
use super::json;
use crate::limits::JSON_LINE_BYTES;

/// A line of JSON that is too long to be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line has more than {JSON_LINE_BYTES} bytes")]
pub struct LineTooLong;

/// Finds in a stream of JSON lines what [`json::find_into`] finds in each of them, however it is cut into pieces.
pub struct LineScanner<'d> {
    detector: &'d Detector,
    // The end of what was searched, and the line that did not end yet.
    buffer: Vec<u8>,
    searched: usize,
    // Where in the stream the buffer begins.
    base: u64,
    found: Vec<Finding>,
}

impl<'d> LineScanner<'d> {
    /// Begins a stream.
    pub const fn new(detector: &'d Detector) -> Self {
        Self { detector, buffer: Vec::new(), searched: 0, base: 0, found: Vec::new() }
    }

    /// Takes the next piece, and appends the findings in lines that end in it.
    ///
    /// # Errors
    /// When a line is longer than [`JSON_LINE_BYTES`]; the stream cannot go on then.
    pub fn push(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<(), LineTooLong> {
        let ended = memchr::memrchr(b'\n', bytes).map(|at| self.buffer.len() + at + 1);
        self.buffer.extend_from_slice(bytes);
        if let Some(end) = ended {
            self.lines(end, found);
        }
        let open = self.buffer.len() - self.searched;
        if open > JSON_LINE_BYTES { Err(LineTooLong) } else { Ok(()) }
    }

    /// Ends the stream, and appends the findings in a last line without an end.
    pub fn finish(mut self, found: &mut Vec<Finding>) {
        self.lines(self.buffer.len(), found);
    }

    /// No finding that is still to come begins before this place.
    pub fn settled(&self) -> u64 {
        self.base.saturating_add(u64::try_from(self.searched).unwrap_or(u64::MAX))
    }

    /// Searches the lines up to `end`. Those that mean what they say are searched together.
    fn lines(&mut self, end: usize, found: &mut Vec<Finding>) {
        let mut place = self.searched;
        while let Some(rest) = self.buffer.get(place..end).filter(|rest| !rest.is_empty()) {
            let Some(escape) = memchr::memchr(b'\\', rest) else {
                self.plain(place, end, found);
                break;
            };
            let start = rest.get(..escape).and_then(|before| memchr::memrchr(b'\n', before));
            let start = start.map_or(place, |at| place + at + 1);
            let behind = rest.get(escape..).unwrap_or_default();
            let stop = memchr::memchr(b'\n', behind).map_or(end, |at| place + escape + at + 1);
            if start > place {
                self.plain(place, start, found);
            }
            json::find_into(self.detector, self.buffer.get(start..stop).unwrap_or_default(), &mut self.found);
            self.hand_out(start, found);
            place = stop;
        }
        let kept = end.saturating_sub(BEFORE);
        self.buffer.drain(..kept);
        self.base = self.base.saturating_add(u64::try_from(kept).unwrap_or(0));
        self.searched = end - kept;
    }

    /// Searches lines without escapes: together, and one by one where something reaches from one into the next, so that it
    /// does not matter how many of them were there at a time. The line before them may say what a number is.
    fn plain(&mut self, start: usize, end: usize, found: &mut Vec<Finding>) {
        let (from, reaches) = self.run(start, end);
        if !reaches {
            self.hand_out(from, found);
            return;
        }
        let mut place = start;
        while place < end {
            let rest = self.buffer.get(place..end).unwrap_or_default();
            let stop = memchr::memchr(b'\n', rest).map_or(end, |at| place + at + 1);
            let (from, _) = self.run(place, stop);
            self.hand_out(from, found);
            place = stop;
        }
    }

    /// Searches bytes of the buffer. Returns where the places that were found count from, and whether one of them is in two
    /// lines.
    fn run(&mut self, start: usize, end: usize) -> (usize, bool) {
        let from = start.saturating_sub(BEFORE);
        let text = self.buffer.get(from..end).unwrap_or_default();
        self.found.clear();
        self.detector.candidates_behind(&Title::default(), text, start - from, &mut self.found);
        let value = |one: &Finding| text.get(one.range()).unwrap_or_default();
        let reaches = self.found.iter().any(|one| memchr::memchr(b'\n', value(one)).is_some());
        resolve(&mut self.found);
        (from, reaches)
    }

    fn hand_out(&mut self, from: usize, found: &mut Vec<Finding>) {
        let base = self.base.saturating_add(u64::try_from(from).unwrap_or(0));
        found.extend(self.found.drain(..).map(|one| one.moved(&one.range(), base)));
    }
}
