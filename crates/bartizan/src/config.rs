//! Configuration: flag, then environment, then `bartizan.toml`, then default; the one place that reads them.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::catalog::ids;
use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::out::Format;

const KEYS: [&str; 5] = ["data_dir", "inference", "listen", "output", "server"];
/// What the sandbox tells a job, `BARTIZAN_IN` and so on, is no setting.
const SANDBOX: [&str; 3] = ["in", "out", "code"];
/// Bytes of a configuration file.
const FILE_BYTES: u64 = 64 * 1024;

/// The configuration of one command.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) data_dir: PathBuf,
    pub(crate) server: Option<String>,
    pub(crate) format: Format,
    pub(crate) listen: SocketAddr,
    /// Where predictions are asked for.
    pub(crate) inference: SocketAddr,
    pub(crate) token: Option<String>,
    origins: Vec<(&'static str, Value, String)>,
}

impl Configuration {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When a key is unknown or a value cannot be meant.
    pub(crate) fn read(cli: &Cli) -> Result<Self, Failure> {
        let environment = environment()?;
        let mut origins = Vec::new();
        let flag = cli.global.data_dir.as_ref().map(|path| path.display().to_string());
        let data_dir = pick(&mut origins, "data_dir", flag, &environment, None, Some("./bartizan-data"));
        let data_dir = PathBuf::from(data_dir.unwrap_or_default());
        let file = File::read(&data_dir.join("bartizan.toml"))?;
        let (listen, inference) = match &cli.command {
            Command::Up { listen, inference } => (listen.clone(), inference.clone()),
            _ => (None, None),
        };
        if file.get("server").is_some() {
            crate::boot::own(&data_dir)?;
        }
        let listen =
            pick(&mut origins, "listen", listen, &environment, file.get("listen"), Some("127.0.0.1:7878"));
        let listen = address(&listen.unwrap_or_default())?;
        let given = file.get("inference");
        let inference =
            pick(&mut origins, "inference", inference, &environment, given, Some("127.0.0.1:7879"));
        let inference = address(&inference.unwrap_or_default())?;
        let flag = cli.global.output.map(|format| word(format).to_owned());
        let output = pick(&mut origins, "output", flag, &environment, file.get("output"), Some("table"));
        let format = match output.as_deref() {
            Some("table") => Format::Table,
            Some("json") => Format::Json,
            Some("jsonl") => Format::Jsonl,
            other => {
                return Err(wrong(format!(
                    "`{}` is not an output: `table`, `json` or `jsonl`",
                    other.unwrap_or_default()
                )));
            }
        };
        let server =
            pick(&mut origins, "server", cli.global.server.clone(), &environment, file.get("server"), None);
        let token = environment.iter().find(|(key, _)| key == "token").map(|(_, value)| value.clone());
        Ok(Self { data_dir, server, format, listen, inference, token, origins })
    }

    /// Every value, and where it comes from.
    pub(crate) fn show(&self, with_origin: bool) -> Value {
        let row = |(key, value, origin): &(&'static str, Value, String)| match with_origin {
            true => json!({ "key": key, "value": value, "origin": origin }),
            false => json!({ "key": key, "value": value }),
        };
        self.origins.iter().map(row).collect()
    }
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| wrong(format!("`{text}` is not an address such as 127.0.0.1:7878")))
}

/// The variables that begin with `BARTIZAN_`, by their key.
fn environment() -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix("BARTIZAN_")) else { continue };
        let key = name.to_ascii_lowercase();
        if SANDBOX.contains(&key.as_str()) {
            continue;
        }
        if key != "token" && !KEYS.contains(&key.as_str()) {
            return Err(unknown(&format!("BARTIZAN_{name}"), &key));
        }
        let value = value.into_string().map_err(|_| wrong(format!("BARTIZAN_{name} is not UTF-8")))?;
        found.push((key, value));
    }
    Ok(found)
}

struct File(toml::Table);

impl File {
    fn read(path: &std::path::Path) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| {
            let mut failure = wrong(format!("{} cannot be read", path.display()));
            failure.why.push(error.to_string());
            failure
        };
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            // No such file, or no such data directory; but a link to nowhere was meant to be something.
            Err(_) if path.symlink_metadata().is_err_and(|error| absent(&error)) => {
                return Ok(Self(toml::Table::new()));
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mut text = String::new();
        file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES {
            return Err(wrong(format!("{} is larger than {FILE_BYTES} bytes", path.display())));
        }
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| Failure::of(ids::CONFIGURATION, &error))?;
        for (key, value) in &table {
            if !KEYS.contains(&key.as_str()) || key == "data_dir" {
                return Err(unknown(&format!("`{key}` in {}", path.display()), key));
            }
            if !value.is_str() {
                return Err(wrong(format!("`{key}` in {} is not a text in quotes", path.display())));
            }
        }
        Ok(Self(table))
    }

    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(toml::Value::as_str).map(str::to_owned)
    }
}

fn pick(
    origins: &mut Vec<(&'static str, Value, String)>,
    key: &'static str,
    flag: Option<String>,
    environment: &[(String, String)],
    file: Option<String>,
    default: Option<&str>,
) -> Option<String> {
    let variable = environment.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let choices = [
        (flag, "flag".to_owned()),
        (variable, format!("BARTIZAN_{}", key.to_ascii_uppercase())),
        (file, "bartizan.toml".to_owned()),
        (default.map(str::to_owned), "default".to_owned()),
    ];
    let (value, origin) = choices.into_iter().find_map(|(value, origin)| Some((value?, origin)))?;
    origins.push((key, Value::String(value.clone()), origin));
    Some(value)
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Table => "table",
        Format::Json => "json",
        Format::Jsonl => "jsonl",
    }
}

fn unknown(what: &str, key: &str) -> Failure {
    let distance = |known: &&&str| edits(known, key);
    let nearest = KEYS.iter().min_by_key(distance).copied().unwrap_or("listen");
    let nearest = if key.contains("key") || key.contains("tok") { "BARTIZAN_TOKEN" } else { nearest };
    Failure::new(ids::CONFIGURATION, format!("{what} is no setting; did you mean `{nearest}`?"))
}

/// The number of edits between two short words (Levenshtein 1966).
pub(crate) fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut next = vec![line + 1];
        for (at, right) in other.chars().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let change = get(&row, at) + usize::from(left != right);
            next.push(change.min(get(&row, at + 1) + 1).min(get(&next, at) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn wrong(what: String) -> Failure {
    Failure::new(ids::CONFIGURATION, what)
}
