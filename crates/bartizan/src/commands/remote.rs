//! Files in object stores, which commands name by URL where they take a path.

use std::path::Path;

use bartizan_data::openlineage::Named;
use bartizan_store::{RemoteFile, RemoteUrl};

use crate::catalog::ids;
use crate::failure::Failure;

/// Opens the object that a path is the URL of; nothing when it is the path of a file.
pub(super) fn open_remote(path: &Path) -> Result<Option<RemoteFile>, Failure> {
    let Some(text) = path.to_str().filter(|text| RemoteUrl::is_meant_by(text)) else { return Ok(None) };
    let url = RemoteUrl::parse(text).map_err(|error| Failure::of(ids::OBJECT, &error))?;
    RemoteFile::open(&url).map(Some).map_err(|error| Failure::of(ids::OBJECT, &error))
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
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            Named { namespace: "file".to_owned(), name: absolute.to_string_lossy().into_owned() }
        }
    }
}
