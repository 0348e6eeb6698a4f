//! `data schema`: schemas made of files, of suites of expectations, and of schemas before.

mod infer;
mod suite;
mod update;

use super::folder::Folder;
use crate::cli::Schema as Verb;
use crate::commands::Work;
use crate::failure::Failure;

pub(super) fn run(work: &Work, verb: Verb) -> Result<u8, Failure> {
    match verb {
        Verb::Infer { file, labels, label, reading, null, out, reference } => {
            if let Some(folder) = Folder::of(&file, labels.as_deref())? {
                folder.refuse(&reading.given())?;
                let given = [label.is_some(), !null.is_empty(), reference.is_some()];
                folder.refuse(
                    &["--label", "--null", "--reference"].into_iter().zip(given).collect::<Vec<_>>(),
                )?;
                return folder.infer(work, out.as_deref());
            }
            infer::run(work, &file, label, (&reading, &null), out.as_deref(), reference.as_deref())
        }
        Verb::Update { schema, files, out, dry_run, diff, environment, format } => {
            let wanted = update::Wanted { environment, format, dry_run, diff };
            update::run(work, &schema, &files, out.as_deref().unwrap_or(&schema), &wanted)
        }
        Verb::Import { suite, like, out } => suite::run(work, &suite, like.as_deref(), out.as_deref()),
    }
}
