//! Limits on what a plan may ask for and on what a job may hand back.

/// Words of a command, the program included.
pub const ARGUMENTS: usize = 1_024;

/// Bytes of one word of a command, of one variable's name or value, and of one path.
pub const WORD_BYTES: usize = 16 * 1024;

/// Variables that a plan adds to the environment.
pub const VARIABLES: usize = 256;

/// Inputs of one job.
pub const INPUTS: usize = 1_000;

/// Further directories and files that a plan mounts.
pub const MOUNTS: usize = 256;

/// Bytes of everything that one helper is told.
pub const ORDERS_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of one message of a helper.
pub const MESSAGE_BYTES: usize = 16 * 1024;

/// Files in one input. Each is opened, hashed and looked at again after the job.
pub const INPUT_FILES: u64 = 100_000;

/// Bytes of one input: 16 TiB.
pub const INPUT_BYTES: u64 = 1 << 44;

/// Files of a job's code.
pub const CODE_FILES: u64 = 10_000;

/// Bytes of a job's code, which is kept in memory while the job runs.
pub const CODE_BYTES: u64 = 256 * 1024 * 1024;

/// Files, links and directories of a virtual environment, and of each part of the installation that it rests on. All are
/// read and hashed before the job starts.
pub const ENVIRONMENT_FILES: u64 = 500_000;

/// Bytes of those: 64 GiB.
pub const ENVIRONMENT_BYTES: u64 = 1 << 36;

/// Directories below one another in those.
pub const ENVIRONMENT_DEPTH: usize = 64;

/// Packages of a virtual environment that a report names; further ones are left out.
pub const PACKAGES: usize = 2_000;

/// Directories below one another in inputs, code and output.
pub const TREE_DEPTH: usize = 16;

/// Bytes of a path within inputs, code and output.
pub const TREE_PATH_BYTES: usize = 512;

/// Bytes of the list of files that a tree's digest is made over.
pub const TREE_LIST_BYTES: usize = 128 * 1024 * 1024;

/// Refused entries of an output that a report names; further ones are only counted.
pub const REFUSALS: usize = 100;

/// Bytes of the log that a report keeps: the last ones.
pub const LOG_TAIL_BYTES: usize = 64 * 1024;

/// Seconds that a job may take at most: a week.
pub const WALL_SECONDS: u64 = 7 * 24 * 3600;

/// Seconds in which a helper must have built the sandbox.
pub const SETUP_SECONDS: u64 = 60;

/// Seconds that a helper has to kill a job and end, before it is killed itself.
pub const KILL_SECONDS: u64 = 10;

/// Processes and threads of one job.
pub const PROCESSES: u64 = 32_768;

/// Bytes of the `pyvenv.cfg` of a virtual environment.
pub const VENV_CONFIG_BYTES: u64 = 64 * 1024;

/// Milliseconds between two looks at the memory that a job's processes hold together.
pub const MEMORY_LOOK_MILLIS: u32 = 100;
