//! The command line: nouns and verbs.

mod data;
mod drift;
mod endpoint;
mod lineage;
mod pii;
mod poison;
mod predictions;
mod prove;
mod source;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::data::{Beside, CheckReports, Data, Reading, Reports, Schema};
pub(crate) use self::drift::{Drift, Watching};
pub(crate) use self::endpoint::{Endpoint, EndpointSettings, Fallback, PromoteFallback, Route};
pub(crate) use self::lineage::{Impact, Lineage, Of};
pub(crate) use self::pii::{Detokenize, Pii, PiiScan, Read, Redact, Tokenize, Wanted};
pub(crate) use self::poison::Poison;
pub(crate) use self::predictions::{About, Predictions, Search};
pub(crate) use self::prove::Prove;
pub(crate) use self::source::{Add, Sign, Source, SourceKeys};
pub(crate) use self::verify::Verify;
use crate::out::Format;

const AFTER_HELP: &str = "Environment:
  BARTIZAN_TOKEN     your API key; without it a command acts as the operating-system user
  BARTIZAN_DATA_DIR, BARTIZAN_SERVER, BARTIZAN_OUTPUT, BARTIZAN_LISTEN
                     as the options of these names; `bartizan config show --origin` tells what counts";

/// Guards a machine-learning model from raw data to release, and proves afterwards what happened.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The data directory [default: ./bartizan-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Another API than that of the data directory, for example http://127.0.0.1:7878
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// How data is printed [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// Read the passphrase of a sealed root key from this file descriptor
    #[arg(long, global = true, value_name = "FD")]
    pub(crate) passphrase_fd: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data directory with its keys, ledger and first admin
    Init {
        /// What the first admin is called
        #[arg(long, value_name = "NAME", default_value = "admin")]
        admin: String,
    },
    /// Serve the API, the console, and predictions
    Up {
        /// Where to listen [default: 127.0.0.1:7878]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
        /// Where to answer the Open Inference Protocol [default: 127.0.0.1:7879]
        #[arg(long, value_name = "ADDRESS")]
        inference: Option<String>,
    },
    /// Show the whole chain on throw-away data, and attacks on it that must fail
    Demo {
        /// Your own file instead of generated transactions
        #[arg(long, value_name = "FILE", requires = "label")]
        csv: Option<PathBuf>,
        /// The column that is to be predicted
        #[arg(long, value_name = "COLUMN", requires = "csv")]
        label: Option<String>,
        /// Labels above this number count as yes
        #[arg(long, value_name = "NUMBER", requires = "csv", allow_negative_numbers = true, value_parser = finite)]
        label_above: Option<f64>,
        /// What separates the cells of FILE [default: found in its header]
        #[arg(long, value_name = "CHARACTER", requires = "csv")]
        separator: Option<String>,
        /// Keep everything in this directory, which must be empty or not exist, and go on serving it with the console
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// End when the story is told, also with --keep
        #[arg(long)]
        no_serve: bool,
        /// What the generated data follows from
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
        /// Fail where this machine does not isolate training jobs fully, instead of going on with less
        #[arg(long)]
        require_isolation: bool,
    },
    /// What a thief in the demo does: connects to an address, and says how that went
    #[command(hide = true)]
    DemoDial {
        /// An address
        address: std::net::SocketAddr,
    },
    /// Show how the project stands
    Status,
    /// Data: schemas, checks, data sets
    #[command(subcommand)]
    Data(Data),
    /// Training runs in the sandbox
    #[command(subcommand)]
    Run(Run),
    /// Train a baseline on delimited files, off line or as the command of a run, and write it as ONNX
    Train(Train),
    /// Models: import, verify, approve, stop
    #[command(subcommand)]
    Model(Model),
    /// Endpoints: which version answers, and what answers instead
    #[command(subcommand)]
    Endpoint(Endpoint),
    /// Recorded predictions
    #[command(subcommand)]
    Predictions(Predictions),
    /// Write the chain of a model version, or of a prediction, as one file
    Prove(Prove),
    /// Verify a proof with a trust file alone, off line
    Verify(Verify),
    /// Where things come from, what came of them, and what saw a source
    #[command(subcommand)]
    Lineage(Lineage),
    /// The ledger: entries, proofs, checks
    #[command(subcommand)]
    Ledger(Ledger),
    /// People, roles and API keys
    #[command(subcommand)]
    Access(Access),
    /// Signing keys and the trust file
    #[command(subcommand)]
    Keys(Keys),
    /// Explain an error id, or list all
    Explain {
        /// For example BZ-0301, or 0301
        id: Option<String>,
    },
    /// The configuration
    #[command(subcommand)]
    Config(Config),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    /// Run a command in the sandbox, and make what it leaves in $BARTIZAN_OUT a model version
    Start(Start),
    /// List runs, the latest first
    List,
    /// Show a run: what it was given, how it ended, what it said
    Show {
        /// The run's id
        run: String,
    },
}

/// What a baseline is to be trained on.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Delimited files, or directories of them [default: in a run all of its inputs, which are below $BARTIZAN_IN]
    pub(crate) data: Vec<PathBuf>,
    /// The column that is to be predicted
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: String,
    /// Labels above this number count as 1, others as 0
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub(crate) label_above: Option<f64>,
    /// A column that is not learned from; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(crate) leave_out: Vec<String>,
    /// Logistic regression, or boosted trees of depth 3
    #[arg(long, default_value = "logistic", value_parser = ["logistic", "boosted"])]
    pub(crate) learner: String,
    /// What the split into learned and held-out rows follows from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where model.onnx, params.json and metrics.jsonl go [default: $BARTIZAN_OUT]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// A run that is to be started.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// A data set version that it reads at $BARTIZAN_IN/NAME; may be given several times
    #[arg(long, value_name = "NAME:VERSION")]
    pub(crate) input: Vec<String>,
    /// The model that what it leaves becomes a version of
    #[arg(long, value_name = "NAME")]
    pub(crate) output_model: String,
    /// A file or directory of code, hashed and read-only, where the command starts
    #[arg(long, value_name = "PATH")]
    pub(crate) code: Option<PathBuf>,
    /// A Python virtual environment on the machine that runs it: mounted read-only, hashed, first in PATH
    #[arg(long, value_name = "DIR")]
    pub(crate) env: Option<PathBuf>,
    /// Seconds after which it is killed [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) time: Option<u64>,
    /// Memory that it may hold, in MiB [default: 4096]
    #[arg(long, value_name = "MIB")]
    pub(crate) memory: Option<u64>,
    /// `reduced` goes on with what this machine gives, and records it
    #[arg(long, default_value = "full", value_parser = ["full", "reduced"])]
    pub(crate) isolation: String,
    /// The command and its arguments; `bartizan` is this very program
    #[arg(required = true, last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    /// Import a model that was trained elsewhere
    Import {
        /// A file or directory
        path: PathBuf,
        /// What it is called
        #[arg(long)]
        name: String,
        /// Where it comes from, in words
        #[arg(long, value_name = "TEXT")]
        origin: String,
        /// A data set version it was trained on
        #[arg(long, value_name = "NAME:VERSION")]
        trained_on: Vec<String>,
        /// It needs two approvals in tier release
        #[arg(long)]
        sensitive: bool,
        /// The publisher's OpenSSF Model Signing bundle
        #[arg(long, value_name = "FILE", requires = "signer")]
        signature: Option<PathBuf>,
        /// The publisher's public key in PEM
        #[arg(long, value_name = "FILE", requires = "signature")]
        signer: Option<PathBuf>,
    },
    /// List models, the newest version of each
    List,
    /// Show a version
    Show {
        /// NAME:VERSION
        version: String,
    },
    /// Read every stored byte of a version again, and check its signature and statements
    Verify {
        /// NAME:VERSION
        version: String,
    },
    /// Approve a version, or lift its quarantine
    Approve {
        /// NAME:VERSION
        version: String,
    },
    /// Route an endpoint to a version; the one that answers now stands in for it
    Promote {
        /// NAME:VERSION
        version: String,
        /// The endpoint
        #[arg(long)]
        endpoint: String,
        #[command(flatten)]
        fallback: PromoteFallback,
    },
    /// Route an endpoint back to the version that was promoted to it before
    Rollback {
        /// The endpoint
        #[arg(long)]
        endpoint: String,
        /// An earlier version that was promoted to it, NAME:VERSION [default: the last one]
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Stop a version; an approval brings it back, in tier release that of somebody else
    Quarantine(Stop),
    /// Take an approved version out of use
    Retire(Stop),
    /// Stop a version for ever
    Revoke(Stop),
    /// Point an alias to a version
    Alias {
        /// NAME@ALIAS
        alias: String,
        /// NAME:VERSION
        version: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// NAME:VERSION
    pub(crate) version: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// List the latest entries, or show one
    Show {
        /// The index
        index: Option<u64>,
    },
    /// Write a C2SP tlog-proof of one entry
    Proof {
        /// The index
        index: u64,
        /// Where to write it [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Recompute every hash
    Fsck,
    /// Make the SQL index anew
    Rebuild {
        /// Also when the index has followed more entries than the ledger has: what was after them is given up
        #[arg(long)]
        accept_smaller_ledger: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// People, services and workloads
    #[command(subcommand)]
    User(User),
    /// API keys
    #[command(subcommand)]
    Key(Key),
    /// Roles
    #[command(subcommand)]
    Role(Role),
    /// Raise the project to tier release, for good
    Tier {
        #[arg(value_parser = ["release"])]
        tier: String,
    },
    /// Why somebody may or may not do something
    Explain {
        /// A principal's name or id
        who: String,
        /// For example model.approve
        action: String,
        /// For example fraud:1
        resource: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Make a principal
    Add {
        /// What it is called
        name: String,
        #[arg(long, default_value = "person", value_parser = ["person", "service", "workload"])]
        kind: String,
        /// The person who answers for a service or workload
        #[arg(long, value_name = "WHO")]
        responsible: Option<String>,
        /// The number of the operating-system user that may act as it by opening the data directory
        #[arg(long, value_name = "UID")]
        local_uid: Option<u32>,
        /// Where to reach it
        #[arg(long)]
        email: Option<String>,
    },
    /// List principals
    List,
    /// Disable a principal
    Disable { who: String },
    /// Enable a principal again
    Enable { who: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Issue an API key; it is shown once
    Create {
        /// A principal's name or id
        who: String,
        /// Issue an enrolment key, with which that person claims a key that nobody else has seen
        #[arg(long, conflicts_with = "scopes")]
        enrol: bool,
        #[command(flatten)]
        limits: Limits,
    },
    /// Exchange the key in BARTIZAN_TOKEN, an enrolment key or one that is to be replaced, for a new one of one's own
    Claim {
        #[command(flatten)]
        limits: Limits,
    },
    /// List API keys
    List,
    /// Revoke an API key
    Revoke { id: String },
}

/// Who holds, or shall hold, a role.
#[derive(Debug, Args)]
pub(crate) struct Holder {
    /// A principal's name or id
    pub(crate) who: String,
    /// viewer, data-scientist, ml-engineer, approver, auditor, security or admin
    pub(crate) role: String,
}

/// What a key is good for at most.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// How long it lives [default: 30; of an enrolment key 7]
    #[arg(long, value_name = "DAYS")]
    pub(crate) days: Option<i64>,
    /// What it may be used for at most, for example `data.*, model.show` [default: everything]
    #[arg(long)]
    pub(crate) scopes: Option<String>,
    /// From where, as CIDR, for example `10.0.0.0/8`; readers of the ledger see it [default: anywhere]
    #[arg(long)]
    pub(crate) networks: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Grant a role
    Grant(Holder),
    /// Confirm, as the second person, that a role may be granted
    Confirm(Holder),
    /// Take a role away
    Revoke(Holder),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List signing keys
    List,
    /// Write the trust file that `verify` takes
    Export {
        /// Where to write it [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show the configuration
    Show {
        /// And where each value comes from
        #[arg(long)]
        origin: bool,
    },
}

/// A share from 0 to 1.
fn up_to_all(text: &str) -> Result<f64, String> {
    let number = finite(text)?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("it is not a share from 0 to 1".to_owned()) }
}

/// A number, and neither infinite nor undefined.
fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if number.is_finite() { Ok(number) } else { Err("it is not a finite number".to_owned()) }
}
