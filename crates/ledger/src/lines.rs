//! A text that is read line by line, and what was expected where it ends or goes wrong.

/// The lines of a text, each of which ends in a line feed.
pub(crate) struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

/// A line is missing, or is not what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) expected: &'static str,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text, line: 0 }
    }

    /// The next line, without its line feed; `None` when there is none that is whole.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        Some(line)
    }

    /// Everything that was not read yet.
    pub(crate) const fn rest(&self) -> &'a str {
        self.rest
    }

    /// What the line that was read last is not.
    pub(crate) const fn expected(&self, expected: &'static str) -> BadLine {
        BadLine { line: self.line, expected }
    }
}
