//! `bartizan demo`: the whole chain on throw-away data, then attacks on it that must fail.
//!
//! Every step runs the product as its users do: as a command of this very binary, in a process of its own. What
//! an attacker does, the demo does to a copy of the data directory, with a plain file editor's means. Each step
//! prints one line with its evidence; the first step that does not hold ends the demo with an error.

mod attacks;
mod client;
mod generate;
mod label;
mod leak;
mod left;
mod poison;
mod recorded;
mod rng;
mod serving;
mod stage;
mod station;
mod story;
mod table;
mod training;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bartizan_data::Separator;
use serde_json::{Value, json};

use crate::failure::Failure;

pub(crate) use self::left::Left;
use self::stage::Stage;
use self::story::Story;
use self::training::Cut;

/// The file with the API keys of the people in the story, where it is kept.
const KEYS: &str = "keys.json";

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
    pub(crate) separator: Option<Separator>,
    /// Where to keep the data directory; a temporary one is removed at the end.
    pub(crate) keep: Option<PathBuf>,
    /// Whether what is kept is served afterwards.
    pub(crate) serve: bool,
    /// What the generated data follows from.
    pub(crate) seed: u64,
    /// Fail where this machine does not isolate jobs fully, instead of going on with less.
    pub(crate) require_isolation: bool,
    /// Print one JSON object instead of lines.
    pub(crate) json: bool,
}

/// Why the demo ended early.
#[derive(Debug)]
pub(crate) enum DemoFailed {
    /// The file, column or directory that the user named will not do.
    Input(anyhow::Error),
    /// This machine does not isolate jobs as far as the user demands.
    Isolation(Failure),
    /// A step does not hold, or the machine refused something.
    Step(anyhow::Error),
}

/// Runs the demo and prints its lines to `out`; returns what is to be served afterwards.
///
/// # Errors
/// When the input will not do, or a step does not hold; the error says which.
pub(crate) fn run(options: &DemoOptions, out: &mut dyn Write) -> Result<Option<Left>, DemoFailed> {
    let cut = Cut::here(options.require_isolation).map_err(DemoFailed::Isolation)?;
    let stage = Stage::new(options.keep.as_deref()).map_err(DemoFailed::Input)?;
    let story = Story::prepare(options, &stage).map_err(DemoFailed::Input)?;
    let serve = options.serve && !options.json && stage.is_kept();
    let mut lines = Lines::new(out, options.json);
    let left = play(story, (&stage, serve), &cut, &mut lines).map_err(DemoFailed::Step)?;
    Ok(serve.then_some(left))
}

fn play(
    mut story: Story<'_>,
    (stage, serve): (&Stage, bool),
    cut: &Cut,
    lines: &mut Lines<'_>,
) -> Result<Left> {
    lines.head(&format!("The chain of evidence, in {}", stage.data_dir().display()))?;
    story.begin(lines)?;
    story.data(lines)?;
    story.model(lines)?;
    training::in_the_sandbox(&story, lines, cut)?;
    story.prove(lines)?;
    lines.head("Predictions")?;
    let asked = serving::predictions(&story, lines, cut)?;
    recorded::prove(&story, &asked, lines)?;
    station::impact(&story, lines)?;
    lines.head("Attacks, each on a copy of what an attacker could reach")?;
    attacks::on_content(&story, lines)?;
    attacks::on_ledger(&story, lines)?;
    attacks::on_index(&story, lines)?;
    attacks::on_proofs(&story, lines)?;
    recorded::on_records(&story, lines)?;
    serving::that_is_damaged(&story, &asked, lines)?;
    training::that_dials_out(&story, lines, cut)?;
    attacks::by_going_back(&mut story, lines)?;
    lines.head("Privacy")?;
    recorded::erase(&story, &asked, lines)?;
    leak::search(&story, lines)?;
    if stage.is_kept() {
        let keys = json!({ "eve": story.engineer, "adam": story.approver, "sam": story.auditor });
        stage.write_secret(KEYS, format!("{keys:#}\n").as_bytes())?;
    }
    lines.end(stage, serve)?;
    Ok(Left::of(&story, asked))
}

/// The lines that the demo prints.
pub(crate) struct Lines<'a> {
    out: &'a mut dyn Write,
    steps: u32,
    /// What could not be shown on this machine, with the command that changes that.
    not_shown: Vec<Value>,
    /// The steps so far, when they are to be printed as JSON at the end.
    held: Option<Vec<Value>>,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut dyn Write, json: bool) -> Self {
        Self { out, steps: 0, not_shown: Vec::new(), held: json.then(Vec::new) }
    }

    fn head(&mut self, text: &str) -> Result<()> {
        if self.held.is_some() {
            return Ok(());
        }
        writeln!(self.out, "\n{text}").context("cannot print")
    }

    /// One step that held, with its evidence.
    pub(crate) fn step(&mut self, what: &str, evidence: &str) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        if let Some(held) = &mut self.held {
            held.push(json!({ "step": what.trim(), "evidence": evidence }));
            return Ok(());
        }
        writeln!(self.out, "  ok  {what:<58}  {evidence}").context("cannot print")
    }

    /// A step that this machine cannot show: why, and the command that would let it. It does not count as held.
    pub(crate) fn not_shown(&mut self, what: &str, why: &str, next: &str) -> Result<()> {
        self.not_shown.push(json!({ "step": what.trim(), "why": why, "next": next }));
        if self.held.is_some() {
            return Ok(());
        }
        writeln!(self.out, "  --  {what:<58}  NOT SHOWN: {why}\n      to see it, first: {next}")
            .context("cannot print")
    }

    fn end(&mut self, stage: &Stage, serve: bool) -> Result<()> {
        if let Some(held) = self.held.take() {
            let kept = stage.is_kept().then(|| stage.data_dir());
            let told =
                json!({ "held": self.steps, "steps": held, "not_shown": self.not_shown, "kept": kept });
            return writeln!(self.out, "{told:#}").context("cannot print");
        }
        let said = match self.not_shown.len() {
            0 => format!("All {} steps held.", self.steps),
            number => format!("All {} steps that were shown held; {number} could not be shown.", self.steps),
        };
        writeln!(self.out, "\n{said}").context("cannot print")?;
        if stage.is_kept() {
            let (data, trust, keys) = (stage.data_dir(), stage.path("trust.json"), stage.path(KEYS));
            writeln!(self.out, "Kept: {}; trust file {}", data.display(), trust.display())
                .context("cannot print")?;
            writeln!(self.out, "API keys of eve, adam and sam, for a day: {}", keys.display())
                .context("cannot print")?;
            let when = if serve { "Serve it again, when it was ended" } else { "Serve it" };
            writeln!(self.out, "{when}: bartizan up --data-dir {}", data.display())
                .context("cannot print")?;
        }
        Ok(())
    }
}
