//! `bartizan demo`: the whole chain on throw-away data, then attacks on it that must fail.
//!
//! Every step runs the product as its users do: as a command of this very binary, in a process of its own. What
//! an attacker does, the demo does to a copy of the data directory, with a plain file editor's means. Each step
//! prints one line with its evidence; the first step that does not hold ends the demo with an error.

mod attacks;
mod generate;
mod leak;
mod limits;
mod onnx;
mod poison;
mod rng;
mod stage;
mod story;
mod table;
mod train;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use self::stage::Stage;
use self::story::Story;

/// What the demo is to do.
#[derive(Debug, Clone)]
pub(crate) struct DemoOptions {
    /// The user's own file instead of generated transactions.
    pub(crate) csv: Option<PathBuf>,
    /// The column that is the label; needed with `csv`.
    pub(crate) label: Option<String>,
    /// Labels above this number count as yes.
    pub(crate) label_above: Option<f64>,
    /// The separator of `csv`; found in its header when absent.
    pub(crate) separator: Option<u8>,
    /// Where to keep the data directory; a temporary one is removed at the end.
    pub(crate) keep: Option<PathBuf>,
    /// What the generated data follows from.
    pub(crate) seed: u64,
}

/// Runs the demo and prints its lines to `out`.
///
/// # Errors
/// When a step does not hold or the machine refuses something; the error says which.
pub(crate) fn run(options: &DemoOptions, out: &mut dyn Write) -> Result<()> {
    let stage = Stage::new(options.keep.as_deref())?;
    let mut lines = Lines { out, steps: 0 };
    lines.head(&format!("The chain of evidence, in {}", stage.data_dir().display()))?;
    let mut story = Story::prepare(options, &stage)?;
    story.begin(&mut lines)?;
    story.data(&mut lines)?;
    story.model(&mut lines)?;
    story.prove(&mut lines)?;
    lines.head("Attacks, each on a copy of what an attacker could reach")?;
    attacks::on_content(&story, &mut lines)?;
    attacks::on_ledger(&story, &mut lines)?;
    attacks::on_index(&story, &mut lines)?;
    attacks::on_proofs(&story, &mut lines)?;
    attacks::by_going_back(&mut story, &mut lines)?;
    lines.head("Privacy")?;
    leak::search(&story, &mut lines)?;
    lines.end(&stage)
}

/// The lines that the demo prints.
pub(crate) struct Lines<'a> {
    out: &'a mut dyn Write,
    steps: u32,
}

impl Lines<'_> {
    fn head(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "\n{text}").context("cannot print")
    }

    /// One step that held, with its evidence.
    pub(crate) fn step(&mut self, what: &str, evidence: &str) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        writeln!(self.out, "  ok  {what:<58} {evidence}").context("cannot print")
    }

    fn end(&mut self, stage: &Stage) -> Result<()> {
        writeln!(self.out, "\nAll {} steps held.", self.steps).context("cannot print")?;
        if stage.is_kept() {
            let (data, trust) = (stage.data_dir(), stage.path("trust.json"));
            writeln!(self.out, "Kept: {} (trust file {})", data.display(), trust.display())
                .context("cannot print")?;
            writeln!(self.out, "Look at it: bartizan up --data-dir {}", data.display())
                .context("cannot print")?;
        }
        Ok(())
    }
}
