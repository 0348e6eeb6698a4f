//! `cargo run -p xtask`: prints what is wrong with the repository and fails if anything is.

use std::io::Write;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let tree = xtask::read()?;
    let findings = xtask::check(&tree);
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    writeln!(
        out,
        "{} files, {} crates, {} findings",
        tree.sources.len(),
        tree.packages.len(),
        findings.len()
    )?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
