//! How far something long has come: one line on standard error, for people who look at it and for nobody else.

use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Format, Out, shown};

const BAR: &str = "{msg}  [{bar:30}]  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const SPINNER: &str = "{msg}  {spinner} {elapsed}";
/// How often a line moves of which nothing is known but that it lasts.
const TICK: Duration = Duration::from_millis(120);

/// A line that is drawn while this lives, and gone afterwards.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

/// A reader of which the line follows the bytes.
pub(crate) struct Followed<R> {
    reader: R,
    progress: Progress,
}

impl Out {
    /// A line for so many bytes.
    pub(crate) fn progress(self, what: &str, bytes: u64) -> Progress {
        if !self.draws(io::stderr().is_terminal()) {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(bytes).with_message(shown(what));
        Progress(styled(bar, BAR))
    }

    /// A line for work of which nobody knows how much it is.
    pub(crate) fn working(self, what: &str) -> Progress {
        let progress = self.progress(what, 0);
        progress.work(what);
        progress
    }

    /// Whether anybody looks.
    fn draws(self, terminal: bool) -> bool {
        terminal && self.format == Format::Table
    }
}

impl Progress {
    /// Follows the bytes that are read.
    pub(crate) fn follow<R: Read>(&self, reader: R) -> Followed<R> {
        Followed { reader, progress: self.clone() }
    }

    /// From here on nobody knows how long it lasts.
    pub(crate) fn work(&self, what: &str) {
        if self.0.is_hidden() {
            return;
        }
        let bar = styled(self.0.clone(), SPINNER);
        bar.set_message(shown(what));
        bar.enable_steady_tick(TICK);
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

impl<R: Read> Read for Followed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let bar = &self.progress.0;
        let read_before = bar.position();
        let left = bar.length().map_or(u64::MAX, |length| length.saturating_sub(read_before));
        bar.inc(u64::try_from(read).unwrap_or(u64::MAX).min(left));
        Ok(read)
    }
}

/// What is read twice moves the line once.
impl<R: Seek> Seek for Followed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Out};

    #[test]
    fn only_people_who_look_are_drawn_for() {
        for (format, terminal, draws) in [
            (Format::Table, true, true),
            (Format::Table, false, false),
            (Format::Json, true, false),
            (Format::Json, false, false),
        ] {
            assert_eq!(Out { format }.draws(terminal), draws, "{format:?} {terminal}");
        }
    }

    #[test]
    fn every_template_is_one() {
        for template in [super::BAR, super::SPINNER] {
            assert!(indicatif::ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
