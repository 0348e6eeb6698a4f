//! Files in object stores and on web servers, read at any place like local ones.
//!
//! ```text
//!   RemoteFile --Read, Seek--> window of blocks --ask--> one thread --ranged GET, pinned--> S3, GCS, Azure, HTTP
//! ```
//!
//! Every request names the version (or the entity tag) of the object that was found at first, and every answer is
//! compared with it: what changes while it is read is an error, never a mixture of two files.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error as StoreError, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    ObjectStoreScheme, RetryConfig,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use url::Url;

use crate::limits::{
    OBJECT_BLOCK_BYTES, OBJECT_BLOCKS_AHEAD, OBJECT_CONNECT_SECONDS, OBJECT_RETRIES, OBJECT_SECONDS,
};

/// A place in an object store.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl(Url);

/// The text is no place in an object store, or one that is not read from.
#[derive(Debug, thiserror::Error)]
pub enum RemoteUrlInvalid {
    /// Not a URL, or of a kind that nothing here reads.
    #[error("`{shown}` is none of s3://, gs://, az://, abfss://, https:// and http:// with a path")]
    Unknown {
        /// The text up to what may be secret in it.
        shown: String,
    },
    /// A password or a signature would be in the history of the shell, and in what is said of the file.
    #[error(
        "`{shown}` has a user, a query or a fragment, which would stay in the history of the shell and in reports"
    )]
    Secret {
        /// The text up to what may be secret in it.
        shown: String,
    },
}

/// An object cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RemoteFailed {
    /// The settings in the environment are not what the store needs.
    #[error("the settings for `{url}` cannot be used")]
    Settings {
        /// The place.
        url: RemoteUrl,
        /// What the client of the store says.
        #[source]
        source: Box<StoreError>,
    },
    /// There is no such object, or it may not be known.
    #[error("there is no `{0}`")]
    NotFound(RemoteUrl),
    /// The credentials in the environment do not allow it; to web servers none are sent.
    #[error("`{0}` may not be read {how}", how = .0.credentials())]
    Denied(RemoteUrl),
    /// The store cannot be reached, or answers with something else.
    #[error("`{url}` cannot be read")]
    Unreachable {
        /// The place.
        url: RemoteUrl,
        /// What the client of the store says.
        #[source]
        source: Box<StoreError>,
    },
    /// Nothing would tell whether it changes while it is read.
    #[error(
        "the server of `{0}` tells neither version, entity tag nor time of change, so that a change while it is read would not be seen"
    )]
    Unpinned(RemoteUrl),
    /// The thread that reads could not be started.
    #[error("no thread that reads `{url}` could be started")]
    Thread {
        /// The place.
        url: RemoteUrl,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A part of an object that was opened cannot be read: the inner error of what reading returns.
#[derive(Debug, thiserror::Error)]
pub enum RemoteReadFailed {
    /// It is not the one that was opened any more.
    #[error("the object changed while it was read")]
    Changed,
    /// The server does not answer ranges.
    #[error("the server sends all of the object where a part of it is asked for")]
    NoRanges,
    /// It was allowed when the object was opened.
    #[error("the object may not be read any more")]
    Denied,
    /// Less or something else came than was announced.
    #[error("the server sent {0} of the object than it was asked for")]
    Other(&'static str),
    /// The server cannot be reached any more, or answers with something else.
    #[error("the server does not answer for a part of the object")]
    Unreachable(#[source] Box<StoreError>),
}

impl From<RemoteReadFailed> for io::Error {
    fn from(failed: RemoteReadFailed) -> Self {
        let kind = match failed {
            RemoteReadFailed::Other(_) => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, failed)
    }
}

impl RemoteUrl {
    /// Whether it is of a web server, which takes no settings.
    pub fn is_web(&self) -> bool {
        matches!(self.0.scheme(), "http" | "https")
    }

    /// Whether a text means an object store and not a file: it begins with a scheme and `://`.
    pub fn is_meant_by(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme
            .is_some_and(|scheme| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// Reads a place, which has to name an object and nothing secret.
    ///
    /// # Errors
    /// When it is none, or has a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, RemoteUrlInvalid> {
        let shown =
            || text.split(['?', '#']).next().unwrap_or_default().chars().take(200).collect::<String>();
        let unknown = |_| RemoteUrlInvalid::Unknown { shown: hidden(&shown()) };
        let url = Url::parse(text).map_err(unknown)?;
        let user = !url.username().is_empty() && !url.scheme().starts_with("abfs");
        if user || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(RemoteUrlInvalid::Secret { shown: hidden(&shown()) });
        }
        let known = match scheme(&url) {
            Ok((ObjectStoreScheme::Local | ObjectStoreScheme::Memory, _)) | Err(_) => false,
            Ok((_, path)) => !path.as_ref().is_empty() && !url.path().ends_with('/'),
        };
        if known { Ok(Self(url)) } else { Err(RemoteUrlInvalid::Unknown { shown: hidden(&shown()) }) }
    }

    /// What is shown to its server, for messages.
    fn credentials(&self) -> &'static str {
        if self.is_web() {
            "without credentials, and none are sent to web servers"
        } else {
            "with the credentials in the environment"
        }
    }

    /// The part after the last slash.
    pub fn file_name(&self) -> &str {
        self.0.path().rsplit('/').next().unwrap_or_default()
    }
}

/// The text without what may be a password: all that stands between `://` and the last `@`. Only Azure has containers
/// there.
fn hidden(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    match rest.rsplit_once('@') {
        Some((before, _)) if scheme.starts_with("abfs") && !before.contains([':', '/', '@']) => {
            text.to_owned()
        }
        Some((_, host)) => format!("{scheme}://...@{host}"),
        None => text.to_owned(),
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({})", self.0)
    }
}

/// An object that is open. Blocks of it are asked for ahead of a reader that goes forward.
pub struct RemoteFile {
    url: RemoteUrl,
    length: u64,
    version: String,
    asks: UnboundedSender<Ask>,
    position: u64,
    /// The blocks that are here or on their way, in order of their numbers, without gaps.
    window: VecDeque<Block>,
}

struct Block {
    number: u64,
    content: Content,
}

enum Content {
    OnItsWay(Receiver<io::Result<Vec<u8>>>),
    Here(Vec<u8>),
}

struct Ask {
    start: u64,
    end: u64,
    answer: SyncSender<io::Result<Vec<u8>>>,
}

impl RemoteFile {
    /// Finds an object. Credentials and region come from the variables of the environment that the stores' own tools
    /// read: `AWS_*`, `GOOGLE_*`, `AZURE_*`.
    ///
    /// # Errors
    /// When it is not there, may not be read, or its store cannot be reached.
    pub fn open(url: &RemoteUrl) -> Result<Self, RemoteFailed> {
        let (asks, wanted) = unbounded_channel();
        let (told, found) = channel();
        let place = url.clone();
        let spawned = thread::Builder::new().name("object-reader".to_owned()).spawn(move || {
            serve(&place, wanted, &told);
        });
        spawned.map_err(|source| RemoteFailed::Thread { url: url.clone(), source })?;
        let ended = || RemoteFailed::Thread { url: url.clone(), source: io::Error::other("it has ended") };
        let meta = found.recv().map_err(|_| ended())??;
        let version = meta.version.or(meta.e_tag).unwrap_or_else(|| meta.last_modified.to_rfc3339());
        Ok(Self { url: url.clone(), length: meta.size, version, asks, position: 0, window: VecDeque::new() })
    }

    /// Its place.
    pub const fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// Its length in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// What the store calls this state of it: a version, an entity tag, or the time of its last change.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Sees to it that the block is the first one in the window, and that those behind it are on their way.
    fn ask_from(&mut self, number: u64) {
        // Whoever jumps gets one block; whoever goes on gets those behind it too, asked for before they are needed.
        let goes_on = self.window.iter().any(|block| block.number == number) || number == 0;
        while self.window.front().is_some_and(|block| block.number != number) {
            self.window.pop_front();
        }
        let blocks = self.length.div_ceil(OBJECT_BLOCK_BYTES);
        let ahead = if goes_on { OBJECT_BLOCKS_AHEAD } else { 1 };
        let mut next = self.window.back().map_or(number, |block| block.number.saturating_add(1));
        while self.window.len() < ahead && next < blocks {
            let start = next.saturating_mul(OBJECT_BLOCK_BYTES);
            let end = start.saturating_add(OBJECT_BLOCK_BYTES).min(self.length);
            let (answer, comes) = sync_channel(1);
            // When the thread has ended, so has the other end of the answer, which is found out on waiting for it.
            drop(self.asks.send(Ask { start, end, answer }));
            self.window.push_back(Block { number: next, content: Content::OnItsWay(comes) });
            next = next.saturating_add(1);
        }
    }
}

impl Read for RemoteFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || into.is_empty() {
            return Ok(0);
        }
        self.ask_from(self.position / OBJECT_BLOCK_BYTES);
        let ended = || io::Error::other("the thread that reads the object has ended");
        let first = self.window.front_mut().ok_or_else(ended)?;
        if let Content::OnItsWay(comes) = &first.content {
            match comes.recv().map_err(|_| ended()).and_then(|answered| answered) {
                Ok(bytes) => first.content = Content::Here(bytes),
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        let Content::Here(bytes) = &first.content else { return Err(ended()) };
        let offset = usize::try_from(self.position % OBJECT_BLOCK_BYTES).unwrap_or(usize::MAX);
        let rest = bytes.get(offset..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.position = self.position.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl Seek for RemoteFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the start");
        self.position = place.ok_or_else(before)?;
        Ok(self.position)
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFile").field("url", &self.url).field("version", &self.version).finish()
    }
}

/// Answers on a thread of its own, so that a reader may block wherever it is: also inside another runtime.
fn serve(url: &RemoteUrl, wanted: UnboundedReceiver<Ask>, told: &Sender<Result<ObjectMeta, RemoteFailed>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(source) => {
            drop(told.send(Err(RemoteFailed::Thread { url: url.clone(), source })));
            return;
        }
    };
    let found = runtime.block_on(find(url));
    match found {
        Err(failed) => drop(told.send(Err(failed))),
        Ok((object, meta)) => {
            drop(told.send(Ok(meta)));
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, answer(Arc::new(object), wanted));
        }
    }
}

/// An object at its store, as it was found.
struct Object {
    store: Box<dyn ObjectStore>,
    path: Path,
    meta: ObjectMeta,
}

async fn find(url: &RemoteUrl) -> Result<(Object, ObjectMeta), RemoteFailed> {
    let settings = |source| RemoteFailed::Settings { url: url.clone(), source: Box::new(source) };
    let (store, path) = store(&url.0).map_err(settings)?;
    let meta = store.head(&path).await.map_err(|source| match source {
        StoreError::NotFound { .. } => RemoteFailed::NotFound(url.clone()),
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            RemoteFailed::Denied(url.clone())
        }
        source => RemoteFailed::Unreachable { url: url.clone(), source: Box::new(source) },
    })?;
    // The client takes the beginning of time for a time that it was not told.
    if meta.version.is_none() && meta.e_tag.is_none() && meta.last_modified.timestamp() == 0 {
        return Err(RemoteFailed::Unpinned(url.clone()));
    }
    Ok((Object { store, path, meta: meta.clone() }, meta))
}

/// What kind of store a URL is of, and where in it. A web server is one whatever its name, and needs no credentials.
fn scheme(url: &Url) -> Result<(ObjectStoreScheme, Path), StoreError> {
    if matches!(url.scheme(), "http" | "https") {
        return Ok((ObjectStoreScheme::Http, Path::from_url_path(url.path())?));
    }
    Ok(ObjectStoreScheme::parse(url)?)
}

fn store(url: &Url) -> Result<(Box<dyn ObjectStore>, Path), StoreError> {
    let (scheme, path) = scheme(url)?;
    let retry = RetryConfig {
        max_retries: OBJECT_RETRIES,
        retry_timeout: Duration::from_secs(OBJECT_SECONDS),
        ..RetryConfig::default()
    };
    let client = ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(OBJECT_CONNECT_SECONDS))
        .with_timeout(Duration::from_secs(OBJECT_SECONDS));
    let text = url.as_str();
    let store: Box<dyn ObjectStore> = match scheme {
        ObjectStoreScheme::AmazonS3 => {
            // Settings of the environment come after, so that they may allow plain HTTP to a store nearby.
            let builder = AmazonS3Builder::from_env().with_url(text).with_retry(retry);
            Box::new(with_limits(builder).build()?)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(text).with_retry(retry);
            Box::new(builder.with_client_options(client).build()?)
        }
        ObjectStoreScheme::MicrosoftAzure => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(text).with_retry(retry);
            Box::new(builder.with_client_options(client).build()?)
        }
        _ => {
            let base = &url[..url::Position::BeforePath];
            let client = client.with_allow_http(true);
            Box::new(HttpBuilder::new().with_url(base).with_retry(retry).with_client_options(client).build()?)
        }
    };
    Ok((store, path))
}

/// The time limits, without taking back what the environment says of the client.
fn with_limits(builder: AmazonS3Builder) -> AmazonS3Builder {
    use object_store::ClientConfigKey::{ConnectTimeout, Timeout};
    use object_store::aws::AmazonS3ConfigKey::Client;
    builder
        .with_config(Client(ConnectTimeout), format!("{OBJECT_CONNECT_SECONDS} seconds"))
        .with_config(Client(Timeout), format!("{OBJECT_SECONDS} seconds"))
}

async fn answer(object: Arc<Object>, mut wanted: UnboundedReceiver<Ask>) {
    while let Some(Ask { start, end, answer }) = wanted.recv().await {
        let object = Arc::clone(&object);
        tokio::task::spawn_local(async move {
            // Nobody waits for a block that the reader has jumped away from.
            drop(answer.send(block(&object, start, end).await));
        });
    }
}

async fn block(object: &Object, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let found = &object.meta;
    let options = GetOptions {
        range: Some(GetRange::Bounded(start..end)),
        // A weak tag never matches (RFC 9110 section 13.1.1); it is compared with that of the answer all the same.
        if_match: found.e_tag.clone().filter(|tag| !tag.starts_with("W/")),
        version: found.version.clone(),
        ..GetOptions::default()
    };
    let changed = || io::Error::from(RemoteReadFailed::Changed);
    let failed = |error| match error {
        StoreError::Precondition { .. } | StoreError::NotFound { .. } => RemoteReadFailed::Changed,
        StoreError::NotSupported { .. } => RemoteReadFailed::NoRanges,
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => RemoteReadFailed::Denied,
        error => RemoteReadFailed::Unreachable(Box::new(error)),
    };
    let result = object.store.get_opts(&object.path, options).await.map_err(failed)?;
    let is = &result.meta;
    if is.size != found.size || is.e_tag != found.e_tag || is.last_modified != found.last_modified {
        return Err(changed());
    }
    if result.range != (start..end) {
        return Err(RemoteReadFailed::Other("another part").into());
    }
    let bytes = result.bytes().await.map_err(failed)?;
    if u64::try_from(bytes.len()).ok() != end.checked_sub(start) {
        return Err(RemoteReadFailed::Other("less").into());
    }
    Ok(bytes.to_vec())
}
