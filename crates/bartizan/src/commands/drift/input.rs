//! What is compared: tables in memory, or profiles.

use std::path::Path;

use bartizan_data::drift::{Frame, NotFramed};
use bartizan_data::{NotProfiled, Profile, ProfileOptions, Source};

use super::plan::Wanted;
use crate::catalog::ids;
use crate::commands::Work;
use crate::commands::data::profile::stored;
use crate::commands::data::{profile_options, source, threads, unreadable};
use crate::failure::Failure;

/// What was read.
pub(super) struct Opened {
    pub(super) inputs: Input,
    /// The files as people call them, the reference first.
    pub(super) names: Vec<String>,
}

/// All of one kind, the reference first.
pub(super) enum Input {
    Tables(Vec<Frame>),
    Profiles(Vec<Profile>),
}

/// Reads everything: into memory where that is possible and wanted, otherwise as profiles.
pub(super) fn open(work: &Work, wanted: &Wanted<'_>) -> Result<Opened, Failure> {
    let drift = wanted.drift;
    let paths: Vec<&Path> =
        std::iter::once(&drift.reference).chain(&drift.current).map(std::path::PathBuf::as_path).collect();
    let names = paths.iter().map(|path| name(path)).collect();
    let stored: Vec<Option<Profile>> =
        paths.iter().map(|path| stored(path, ids::DRIFT)).collect::<Result<_, _>>()?;
    let options = profile_options(&drift.reading, &[])?;
    let any = stored.iter().any(Option::is_some);
    if any && (drift.exact || wanted.needs_rows()) {
        let which = if drift.exact { "`--exact`" } else { "an option that is about rows" };
        let what = format!("a profile holds no rows, and {which} needs them");
        return Err(Failure::new(ids::DRIFT, what).then("name the table itself instead of its profile"));
    }
    if !any && !drift.sketch {
        if let Some(tables) = tables(work, wanted, &paths, &options)? {
            return Ok(Opened { inputs: Input::Tables(tables), names });
        }
        work.out.note("a table does not fit into memory: comparing what a profile keeps");
    }
    let mut profiles = Vec::new();
    for (path, stored) in paths.iter().zip(stored) {
        profiles.push(match stored {
            Some(profile) => profile,
            None => profiled(work, wanted, path, &options)?,
        });
    }
    Ok(Opened { inputs: Input::Profiles(profiles), names })
}

/// Profiles of both sides, for pictures, when there are two tables; of those in memory the files are read once more.
pub(super) fn profiles(
    work: &Work,
    wanted: &Wanted<'_>,
    opened: &Opened,
) -> Result<Option<(Profile, Profile)>, Failure> {
    let [current] = wanted.drift.current.as_slice() else { return Ok(None) };
    if let Opened { inputs: Input::Profiles(profiles), .. } = opened {
        return Ok(match profiles.as_slice() {
            [reference, current] => Some((reference.clone(), current.clone())),
            _ => None,
        });
    }
    let paths = [wanted.drift.reference.as_path(), current.as_path()];
    if paths.contains(&Path::new("-")) {
        return Ok(None);
    }
    let options = profile_options(&wanted.drift.reading, &[])?;
    let [reference, current] = paths.map(|path| profiled(work, wanted, path, &options));
    Ok(Some((reference?, current?)))
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// All tables in memory; `None` when one does not fit, and a profile of it would do.
fn tables(
    work: &Work,
    wanted: &Wanted<'_>,
    paths: &[&Path],
    options: &ProfileOptions,
) -> Result<Option<Vec<Frame>>, Failure> {
    let threads = threads(wanted.drift.reading.threads);
    let mut tables = Vec::new();
    for path in paths {
        let (source, progress) = source(work, path, "reading")?;
        let framed = Frame::read(source, &options.read, threads, |name| wanted.want(name));
        drop(progress);
        match framed {
            Ok((frame, _)) => tables.push(frame),
            Err(NotFramed::Read(error)) => return Err(unreadable(path, &error)),
            Err(error @ NotFramed::TooLarge) => {
                // Standard input is gone by now.
                if wanted.drift.exact || wanted.needs_rows() || paths.contains(&Path::new("-")) {
                    let mut failure = Failure::of(ids::DRIFT, &error);
                    failure.what = format!("`{}`: {}", path.display(), failure.what);
                    return Err(failure.then(
                        "compare fewer columns with `--columns`, or what a profile keeps with `--sketch`",
                    ));
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(tables))
}

fn profiled(
    work: &Work,
    wanted: &Wanted<'_>,
    path: &Path,
    options: &ProfileOptions,
) -> Result<Profile, Failure> {
    let (source, progress): (Source<'static>, _) = source(work, path, "reading")?;
    let profiled = bartizan_data::profile(source, options, threads(wanted.drift.reading.threads));
    drop(progress);
    match profiled {
        Ok((profile, _)) => Ok(profile),
        Err(NotProfiled::Read(error)) => Err(unreadable(path, &error)),
        Err(other) => Err(Failure::of(ids::INVALID, &other)),
    }
}
