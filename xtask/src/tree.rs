//! Reads the repository: documents, sources, and what cargo says of its crates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::Text;
use crate::layers::{Package, Use};

/// What the rules look at.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The text of `ARCHITECTURE.md`.
    pub architecture: String,
    /// The text of `docs/formats/README.md`.
    pub format_index: String,
    /// The other files in `docs/formats`.
    pub formats: Vec<Text>,
    /// The crates of the workspace.
    pub packages: Vec<Package>,
    /// Their `Cargo.toml` files.
    pub manifests: Vec<Text>,
    /// Their Rust files: sources, tests, benches and examples.
    pub sources: Vec<Text>,
}

/// Reads the repository that this crate was built in.
pub fn read() -> Result<Tree> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("the crate lies in no repository")?;
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let (mut packages, mut manifests, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    for package in metadata.workspace_packages() {
        let uses = package.dependencies.iter().map(|dependency| Use {
            name: short(&dependency.name),
            only_in_tests: dependency.kind == DependencyKind::Development,
        });
        packages.push(Package { name: short(&package.name), uses: uses.collect() });
        let manifest = package.manifest_path.as_std_path();
        manifests.push(text(root, manifest)?);
        let folder = manifest.parent().context("a manifest lies in no folder")?;
        for file in files_below(folder)? {
            if file.extension().is_some_and(|extension| extension == "rs") {
                sources.push(text(root, &file)?);
            }
        }
    }
    let index = root.join("docs/formats/README.md");
    let documents = files_below(&root.join("docs/formats"))?.into_iter().filter(|file| *file != index);
    Ok(Tree {
        architecture: text(root, &root.join("ARCHITECTURE.md"))?.text,
        format_index: text(root, &index)?.text,
        formats: documents.map(|file| text(root, &file)).collect::<Result<_>>()?,
        packages,
        manifests,
        sources,
    })
}

fn short(package: &str) -> String {
    package.strip_prefix("bartizan-").unwrap_or(package).to_owned()
}

fn text(root: &Path, file: &Path) -> Result<Text> {
    let text = fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let path = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
    Ok(Text { path, text })
}

/// All files below `folder`, sorted, leaving out build output and hidden folders.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("can't list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let skipped = name == "target" || name.to_string_lossy().starts_with('.');
            if entry.file_type()?.is_dir() && !skipped {
                folders.push(entry.path());
            } else if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
