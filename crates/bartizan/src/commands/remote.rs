//! Files in object stores, which commands name by URL where they take a path.

use std::error::Error;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_data::openlineage::Named;
use bartizan_store::{RemoteFailed, RemoteFile, RemoteReadFailed, RemoteUrl, RemoteUrlInvalid};

use crate::catalog::ids;
use crate::failure::Failure;

/// Opens the object that a path is the URL of; nothing when it is the path of a file.
pub(super) fn open_remote(path: &Path) -> Result<Option<RemoteFile>, Failure> {
    let Some(text) = path.to_str().filter(|text| RemoteUrl::is_meant_by(text)) else { return Ok(None) };
    let url = RemoteUrl::parse(text).map_err(|error| invalid(text, &error))?;
    RemoteFile::open(&url).map(Some).map_err(|error| not_opened(&url, &error))
}

/// How to get at what is not read here.
const FETCH: &str =
    "fetch it with a program that can, such as curl, and name the file, or `-` for what comes through a pipe";

fn invalid(text: &str, error: &RemoteUrlInvalid) -> Failure {
    let web = text.starts_with("http");
    let failure = Failure::of(ids::OBJECT, error);
    match error {
        RemoteUrlInvalid::Unknown { .. } if web => failure.then("name one file of the server, https://HOST/PATH"),
        RemoteUrlInvalid::Secret { .. } if web => failure.then(FETCH),
        RemoteUrlInvalid::Secret { .. } => failure.then(
            "leave that out of the URL, and set what the tools of the store read from the environment; docs/sources.md lists it",
        ),
        RemoteUrlInvalid::Unknown { .. } if is_store(text) => failure,
        RemoteUrlInvalid::Unknown { .. } => failure.then(FETCH),
    }
}

fn is_store(text: &str) -> bool {
    ["s3", "gs", "az", "abfs"].iter().any(|scheme| text.starts_with(scheme))
}

fn not_opened(url: &RemoteUrl, error: &RemoteFailed) -> Failure {
    let id = match error {
        RemoteFailed::Denied(_) => ids::OBJECT_DENIED,
        RemoteFailed::Unreachable { .. } | RemoteFailed::Thread { .. } => ids::OBJECT_UNREACHABLE,
        RemoteFailed::Settings { .. } | RemoteFailed::NotFound(_) | RemoteFailed::Unpinned(_) => ids::OBJECT,
    };
    let mut failure = Failure::new(id, error);
    failure.why.extend(root(error));
    match error {
        RemoteFailed::NotFound(_) if url.is_web() => failure.then("mend the URL, or ask its owner where the file is"),
        RemoteFailed::NotFound(_) => failure.then(
            "mend bucket or key; stores also say so of what the credentials in the environment may not list",
        ),
        RemoteFailed::Settings { .. } => failure.then(
            "set what the tools of the store read from the environment (AWS_*, GOOGLE_*, AZURE_*); docs/sources.md lists it",
        ),
        RemoteFailed::Denied(_) | RemoteFailed::Unpinned(_) if url.is_web() => failure.then(FETCH),
        RemoteFailed::Unreachable { .. } if !url.is_web() => failure.then(
            "see whether the store answers, and whether the environment names the right one (docs/sources.md), then repeat the \
             command",
        ),
        _ => failure,
    }
}

/// What is at the bottom of an error, where clients tell the same several times on the way up.
fn root(error: &dyn Error) -> Option<String> {
    let mut deepest = error.source()?;
    while let Some(deeper) = deepest.source() {
        deepest = deeper;
    }
    // Where a server says nothing more, clients end in a colon.
    Some(deepest.to_string().trim_end_matches([':', ' ']).to_owned())
}

/// What a failed read of an object comes from, and what to do next; nothing when it was none of an object.
pub(super) fn of_object(error: &io::Error) -> Option<(Vec<String>, &'static str)> {
    let failed: &RemoteReadFailed = error.get_ref()?.downcast_ref()?;
    let next = match failed {
        RemoteReadFailed::Changed => "repeat the command once nobody writes to the object any more",
        RemoteReadFailed::NoRanges => FETCH,
        RemoteReadFailed::Denied => "see to credentials that last, then repeat the command",
        RemoteReadFailed::Other(_) | RemoteReadFailed::Unreachable(_) => {
            "see whether the server answers, then repeat the command"
        }
    };
    let why = std::iter::once(failed.to_string()).chain(root(failed));
    Some((why.collect(), next))
}

/// Why a file or an object could not be read, kept for whoever opened it.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Failure>>>);

/// A file or an object that is read elsewhere.
pub(super) struct Watched<R, W> {
    file: R,
    why: W,
    kept: Kept,
}

impl Kept {
    /// Keeps what `why` makes of a failed read.
    pub(super) fn watch<R: Read, W: Fn(&io::Error) -> Option<Failure>>(
        &self,
        file: R,
        why: W,
    ) -> Watched<R, W> {
        Watched { file, why, kept: self.clone() }
    }

    pub(super) fn take(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<R: Read, W: Fn(&io::Error) -> Option<Failure>> Read for Watched<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into).inspect_err(|error| {
            let Some(failure) = (self.why)(error) else { return };
            *self.kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        })
    }
}

/// The failure of an object that could not be read; nothing when it was none of an object.
pub(super) fn unread_object(url: &str, error: &io::Error) -> Option<Failure> {
    let (why, next) = of_object(error)?;
    let mut failure = Failure::new(ids::DELIVERY, format!("`{url}`: cannot read the file"));
    failure.why = why;
    Some(failure.then(next))
}

/// What a table is called in OpenLineage ("Naming conventions"): the bucket is the namespace of an object, and a file
/// is named by a path that other systems can tell from another one.
pub(super) fn named(path: &Path) -> Named {
    let url =
        path.to_str().filter(|text| RemoteUrl::is_meant_by(text)).and_then(|text| text.split_once("://"));
    match url.and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?))) {
        Some((scheme, (bucket, name))) => {
            Named { namespace: format!("{scheme}://{bucket}"), name: name.to_owned() }
        }
        None => {
            let mut absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            // What `..` leads to depends on links, which the file system alone knows.
            if absolute.components().any(|part| part == Component::ParentDir) {
                absolute = std::fs::canonicalize(&absolute).unwrap_or(absolute);
            }
            Named { namespace: "file".to_owned(), name: absolute.to_string_lossy().into_owned() }
        }
    }
}
