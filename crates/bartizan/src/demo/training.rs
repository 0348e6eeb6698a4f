//! Training in the sandbox, and what a job there tries in vain.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::io::ErrorKind;
use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use bartizan_sandbox::{Isolation, Sandbox};
use serde_json::Value;

use super::Lines;
use super::stage::Ran;
use super::story::{Story, text};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::isolation::{missing, remedy};

/// How far this machine can cut a job off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All the way.
    Full,
    /// With parts missing, which the run records.
    Reduced {
        /// Which, in words.
        missing: String,
        /// What would bring them.
        remedy: String,
    },
}

impl Cut {
    /// What this machine gives; with `require` less than everything is a failure.
    pub(crate) fn here(require: bool) -> std::result::Result<Self, Failure> {
        let sandbox = Sandbox::here().map_err(|error| Failure::of(ids::ISOLATION_REQUIRED, &error))?;
        let probe = sandbox.probe();
        match probe.isolation() {
            Isolation::Full => Ok(Self::Full),
            Isolation::Reduced { .. } if require => Err(missing(ids::ISOLATION_REQUIRED, probe)),
            Isolation::Reduced { .. } => {
                let parts: Vec<String> =
                    probe.missing.iter().map(|one| format!("no {}: {}", one.part, one.reason)).collect();
                Ok(Self::Reduced { missing: parts.join(", "), remedy: remedy(probe) })
            }
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reduced { .. } => "reduced",
        }
    }
}

/// What the runs of the demo may read.
const INPUT: [&str; 2] = ["--input", "transactions:2"];

/// A model is trained in the sandbox on the accepted data, approved and proved with its provenance.
pub(crate) fn in_the_sandbox(story: &Story<'_>, lines: &mut Lines<'_>, cut: &Cut) -> Result<()> {
    let ran = start(story, "trained", &command(story), cut)?;
    let made: Value = serde_json::from_str(&ran.stdout)
        .with_context(|| format!("the run did not answer in JSON:\n{}{}", ran.stdout, ran.stderr))?;
    ensure!(made["version"] == "trained:1", "the run made no version: {made}");
    let shown = story.ask(Some(&story.engineer), &["run", "show", &text(&made, "run")?])?;
    let accuracy = shown["record"]["metrics"][0]["accuracy"].as_f64().context("the run told no accuracy")?;
    let evidence = format!("trained:1, accuracy {accuracy:.2}, isolation {}", cut.word());
    lines.step("eve trains a model in the sandbox, on that data alone", &evidence)?;
    let own = story.stage.on(&story.data, Some(&story.engineer), &["model", "approve", "trained:1"])?;
    own.refused("self-approval", ids::REFUSED)?;
    story.ask(Some(&story.approver), &["model", "approve", "trained:1"])?;
    let proof = story.stage.path("trained-1.proof.json");
    let out = proof.to_string_lossy().into_owned();
    story.ask(Some(&story.approver), &["prove", "trained:1", "--out", &out])?;
    let verified = story.verify(&proof, &story.trust, &["--of", "trained:1"])?;
    ensure!(verified.code == 0, "its proof does not verify:\n{}", verified.stderr);
    ensure!(verified.stdout.contains("SLSA provenance"), "its proof tells of no provenance");
    lines.step("adam approves it; its proof holds the run's provenance", "SLSA v1")
}

/// The same model is trained again, from another seed, as `trained:2`.
pub(crate) fn once_more(story: &Story<'_>, cut: &Cut) -> Result<()> {
    let command = [command(story), vec!["--seed".to_owned(), "2".to_owned()]].concat();
    let ran = start(story, "trained", &command, cut)?;
    ensure!(ran.code == 0, "the second training failed:\n{}{}", ran.stdout, ran.stderr);
    Ok(())
}

/// What trains the baseline inside the sandbox, on all that the run is given.
fn command(story: &Story<'_>) -> Vec<String> {
    let mut command = ["bartizan", "train"].map(str::to_owned).to_vec();
    command.extend(story.training());
    command
}

/// A job that tries to send the data away. Somebody listens, and hears nothing.
pub(crate) fn that_dials_out(story: &Story<'_>, lines: &mut Lines<'_>, cut: &Cut) -> Result<()> {
    let what = "a training job tries the network: `run start`";
    if let Cut::Reduced { missing, remedy } = cut {
        return lines.not_shown(what, &format!("isolation is reduced here, {missing}"), remedy);
    }
    let listener = TcpListener::bind("127.0.0.1:0").context("nobody can listen here")?;
    listener.set_nonblocking(true).context("nobody can listen here")?;
    let address = listener.local_addr().context("nobody can listen here")?.to_string();
    let command = ["bartizan", "demo-dial", &address].map(str::to_owned);
    let ran = start(story, "stolen", &command, cut)?;
    ensure!(ran.code == 1, "the job was not stopped:\n{}{}", ran.stdout, ran.stderr);
    let ended: Value = serde_json::from_str(&ran.stdout).context("the run did not answer in JSON")?;
    let heard = listener.accept();
    ensure!(
        heard.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
        "somebody heard the job: {heard:?}"
    );
    let said = ended["log"].as_str().unwrap_or_default();
    let said = said.lines().next().unwrap_or_default().trim().to_owned();
    lines.step(what, &format!("{}, nobody heard it ({said})", text(&ended, "end")?))
}

fn start(story: &Story<'_>, model: &str, command: &[String], cut: &Cut) -> Result<Ran> {
    let mut all = vec!["run", "start", "--output-model", model, "--isolation", cut.word()];
    all.extend(INPUT);
    all.push("--");
    all.extend(command.iter().map(String::as_str));
    story.stage.on(&story.data, Some(&story.engineer), &all)
}
