//! What each command does.

mod access;
mod anew;
mod data;
mod deliver;
mod drift;
mod endpoint;
mod folder;
mod ledger;
mod lineage;
mod model;
mod out_of_fold;
mod pii;
mod poison;
mod predictions;
mod project;
mod prove;
mod remote;
mod run;
mod source;
mod steady;
mod supplied;
mod train;
mod tree;
mod upload;
mod verify;

use std::io::{ErrorKind, Read};
use std::path::Path;

use bartizan_data::Separator;
use bartizan_keys::Passphrase;
use serde_json::Value;

use self::anew::anew;
use crate::catalog::ids;
use crate::cli::{Cli, Command, Config};
use crate::client::Client;
use crate::config::Configuration;
use crate::failure::Failure;
use crate::out::{Format, Out};

/// What events for other systems name as what wrote them.
const PRODUCER: &str = concat!("https://bartizan.dev/v", env!("CARGO_PKG_VERSION"));

/// A command at work.
struct Work {
    configuration: Configuration,
    passphrase_fd: Option<u32>,
    out: Out,
}

/// Runs a command and returns its exit code.
///
/// # Errors
/// When it fails.
pub(crate) async fn run(cli: Cli, configuration: Configuration) -> Result<u8, Failure> {
    let out = Out { format: configuration.format };
    let work = Work { configuration, passphrase_fd: cli.global.passphrase_fd, out };
    match cli.command {
        Command::Init { admin } => project::init(&work, &admin).await,
        Command::Up { .. } => project::up(&work).await,
        Command::Demo { csv, label, label_above, separator, keep, no_serve, seed, require_isolation } => {
            let separator = separator.map(|text| text.parse::<Separator>()).transpose();
            let separator = separator.map_err(|error| Failure::of(ids::USAGE, &error))?;
            let json = work.out.format == Format::Json;
            let options = crate::demo::DemoOptions {
                csv,
                label,
                label_above,
                separator,
                keep,
                serve: !no_serve,
                seed,
                require_isolation,
                json,
            };
            project::demo(&work, options).await
        }
        Command::Status => work.show("/api/v1/project").await,
        Command::Data(verb) => data::run(&work, verb).await,
        Command::Model(verb) => model::run(&work, verb).await,
        Command::Run(verb) => run::run(&work, verb).await,
        Command::Train(wanted) => train::run(&work, &wanted),
        Command::DemoDial { address } => project::dial(address),
        Command::Endpoint(verb) => endpoint::run(&work, verb).await,
        Command::Predictions(verb) => predictions::run(&work, verb).await,
        Command::Prove(wanted) => prove::run(&work, &wanted).await,
        Command::Verify(wanted) => verify::run(&work, &wanted).await,
        Command::Lineage(verb) => lineage::run(&work, verb).await,
        Command::Ledger(verb) => ledger::run(&work, verb).await,
        Command::Access(verb) => access::run(&work, verb).await,
        Command::Keys(verb) => project::keys(&work, verb).await,
        Command::Explain { id } => project::explain(&work, id.as_deref()),
        Command::Config(Config::Show { origin }) => {
            let shown = work.configuration.show(origin);
            work.answer(&shown)
        }
    }
}

impl Work {
    async fn client(&self) -> Result<Client, Failure> {
        let passphrase = self.passphrase()?;
        let configuration = &self.configuration;
        Client::reach(
            &configuration.data_dir,
            configuration.server.as_deref(),
            configuration.token.clone(),
            passphrase,
        )
        .await
    }

    /// The passphrase, from a file descriptor: never from the environment or an argument.
    fn passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        let Some(descriptor) = self.passphrase_fd else { return Ok(None) };
        let mut bytes = std::fs::read(format!("/dev/fd/{descriptor}"))
            .map_err(|error| file_failure(Path::new("the passphrase"), &error))?;
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        Passphrase::new(bytes).map(Some).map_err(|error| Failure::of(ids::ROOT_KEY, &error))
    }

    fn answer(&self, value: &Value) -> Result<u8, Failure> {
        self.out.answer(value).map_err(|error| Failure::of(ids::FILE, &error))?;
        Ok(0)
    }

    async fn show(&self, path: &str) -> Result<u8, Failure> {
        let value = self.client().await?.get(path).await?;
        self.answer(&value)
    }

    /// Prints a list that the API gives in pages, each after the last name of the one before.
    async fn show_all(&self, path: &str) -> Result<u8, Failure> {
        let client = self.client().await?;
        let mut all = Vec::new();
        loop {
            let after = all.last().and_then(|row: &Value| row.get("name")).and_then(Value::as_str);
            let after = after.map(|name| format!("?after={}", encoded(name))).unwrap_or_default();
            match client.get(&format!("{path}{after}")).await? {
                Value::Array(page) if !page.is_empty() => all.extend(page),
                _ => break,
            }
        }
        self.answer(&Value::Array(all))
    }

    /// Writes a file, or prints it when no file is named.
    fn deliver(&self, out: Option<&Path>, bytes: &[u8]) -> Result<u8, Failure> {
        match out {
            None => {
                let text = String::from_utf8_lossy(bytes);
                self.out
                    .file(&format!("{}\n", text.trim_end()))
                    .map_err(|error| Failure::of(ids::FILE, &error))?;
            }
            Some(path) => {
                std::fs::write(path, bytes).map_err(|error| file_failure(path, &error))?;
                let shown = serde_json::json!({ "file": path.display().to_string(), "bytes": bytes.len() });
                return self.answer(&shown);
            }
        }
        Ok(0)
    }
}

/// A file that cannot be read or written.
pub(crate) fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    let mut failure = Failure::new(ids::FILE, format!("`{}` cannot be used", path.display()));
    failure.why.push(error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            failure.then("make room, or name a place that has some")
        }
        _ => failure,
    }
}

/// Reads a text file of bounded length.
fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    let bytes = read_bytes(path, limit)?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(ids::FILE, format!("`{}` is not UTF-8 text", path.display())))
}

/// Reads a file of bounded length.
fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| file_failure(path, &error))?;
    // What is not a regular file does not say how long it is.
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| file_failure(path, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        return Ok(bytes);
    }
    Err(Failure::new(ids::FILE, format!("`{}` is larger than {limit} bytes", path.display())))
}

/// `NAME:VERSION` as a path of the API.
fn version_path(noun: &str, version: &str) -> Result<String, Failure> {
    let parsed: bartizan_base::VersionRef =
        version.parse().map_err(|error| Failure::of(ids::USAGE, &error))?;
    Ok(format!("/api/v1/{noun}/{}/versions/{}", parsed.name, parsed.version))
}

/// Text in a query or path, percent-encoded (RFC 3986 section 2.1).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
