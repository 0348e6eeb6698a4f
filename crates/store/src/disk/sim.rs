//! A simulated disk that keeps what was written apart from what would survive a power cut.
//!
//! File bytes become durable by `sync_data` of the file, names by `sync_dir` of their directory, and nothing
//! becomes durable in any other way. Every operation is one call and calls are counted, so that a test can fail
//! or cut the power at each of them in turn.

mod files;
mod node;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) use self::files::{SimDir, SimFile, SimLock};
use self::node::{Dice, Node, NodeId, ROOT, apply};
use super::EntryKind;

/// A simulated disk for crash tests. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Shared>);

/// An error that a simulated disk can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimFault {
    /// No space left (`ENOSPC`).
    Full,
    /// Input/output error (`EIO`).
    Io,
}

struct Shared {
    state: Mutex<State>,
    unlocked: Condvar,
}

#[derive(Clone)]
struct State {
    nodes: BTreeMap<NodeId, Node>,
    locks: BTreeMap<String, Holders>,
    calls: u64,
    plan: Option<(u64, Plan)>,
    crashed: bool,
}

#[derive(Clone, Copy)]
enum Plan {
    Fail(SimFault),
    Crash,
}

#[derive(Clone, Copy, Default)]
struct Holders {
    shared: usize,
    exclusive: bool,
}

impl SimDisk {
    /// An empty disk that works.
    pub fn new() -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::empty_dir())]);
        Self::with(State { nodes, locks: BTreeMap::new(), calls: 0, plan: None, crashed: false })
    }

    fn with(state: State) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(state), unlocked: Condvar::new() }))
    }

    /// How many calls were made since the disk was made (or came back after a crash).
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Cuts the power during call number `call` (the first is 1). That call and all later ones fail; its effect
    /// may or may not survive.
    pub fn crash_at(&self, call: u64) {
        self.state().plan = Some((call, Plan::Crash));
    }

    /// Lets call number `call` (the first is 1), and only that one, fail. A failing write leaves half of its
    /// bytes; a failing file sync forgets the bytes for good, as Linux does, so that repeating it cannot help.
    pub fn fail_at(&self, call: u64, fault: SimFault) {
        self.state().plan = Some((call, Plan::Fail(fault)));
    }

    /// Whether the power was cut.
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    /// The disk as it is found after a power cut now.
    ///
    /// Seed 0 drops everything that was not synced. With any other seed each unsynced change of a directory
    /// survives or not, and each unsynced write survives, is lost, or is torn at some byte, with zeros or nothing in place of the rest.
    #[must_use]
    pub fn after_crash(&self, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let nodes = self.state().nodes.iter().map(|(id, node)| (*id, node.after_crash(&mut dice))).collect();
        Self::with(State { nodes, locks: BTreeMap::new(), calls: 0, plan: None, crashed: false })
    }

    /// The disk as the next process finds it after this one was killed: everything written is there, but what
    /// was not synced still is not durable. No locks are held.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let nodes = self.state().nodes.clone();
        Self::with(State { nodes, locks: BTreeMap::new(), calls: 0, plan: None, crashed: false })
    }

    /// The paths of all files that can be seen, ascending; for tests that look for left-overs.
    pub fn files(&self) -> Vec<String> {
        let state = self.state();
        let mut files = Vec::new();
        let mut todo = vec![(String::new(), ROOT)];
        while let Some((path, id)) = todo.pop() {
            match state.nodes.get(&id) {
                Some(Node::Dir { seen, .. }) => {
                    todo.extend(seen.iter().map(|(name, id)| (format!("{path}/{name}"), *id)));
                }
                Some(Node::File { .. }) => files.push(path.trim_start_matches('/').to_owned()),
                None => {}
            }
        }
        files.sort();
        files
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call that changes what can be seen. Cut power leaves the change pending: it may survive.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.count_call()? {
            Some(Plan::Fail(fault)) => Err(fault.error()),
            Some(Plan::Crash) => {
                drop(change(&mut state));
                self.0.unlocked.notify_all();
                Err(no_power())
            }
            None => change(&mut state),
        }
    }

    /// One call that does nothing when it fails: a look, or a sync.
    fn look<T>(&self, look: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.count_call()? {
            Some(Plan::Fail(fault)) => Err(fault.error()),
            Some(Plan::Crash) => {
                self.0.unlocked.notify_all();
                Err(no_power())
            }
            None => look(&mut state),
        }
    }
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("SimDisk").field("calls", &state.calls).field("crashed", &state.crashed).finish()
    }
}

impl SimFault {
    fn error(self) -> io::Error {
        match self {
            Self::Full => io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()),
            Self::Io => io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()),
        }
    }
}

fn no_power() -> io::Error {
    io::Error::other("the simulated disk has no power")
}

impl State {
    /// Counts a call; `Some` when it is the one that was planned to go wrong.
    fn count_call(&mut self) -> io::Result<Option<Plan>> {
        if self.crashed {
            return Err(no_power());
        }
        self.calls += 1;
        let planned = self.plan.filter(|(call, _)| *call == self.calls).map(|(_, plan)| plan);
        self.crashed = matches!(planned, Some(Plan::Crash));
        Ok(planned)
    }

    fn find(&self, path: &str) -> io::Result<NodeId> {
        let mut at = ROOT;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let Some(Node::Dir { seen, .. }) = self.nodes.get(&at) else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            at = *seen.get(segment).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn dir(&mut self, path: &str) -> io::Result<&mut Node> {
        let id = self.find(path)?;
        match self.nodes.get_mut(&id) {
            Some(node @ Node::Dir { .. }) => Ok(node),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn file(&mut self, id: NodeId) -> io::Result<&mut Node> {
        match self.nodes.get_mut(&id) {
            Some(node @ Node::File { .. }) => Ok(node),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// Sets or removes a name, to be durable after the directory's next sync.
    fn set_name(&mut self, path: &str, id: Option<NodeId>) -> io::Result<()> {
        let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
        if let Node::Dir { seen, pending, .. } = self.dir(parent)? {
            apply(seen, last, id);
            pending.push((last.to_owned(), id));
        }
        Ok(())
    }

    fn add(&mut self, path: &str, node: Node) -> io::Result<NodeId> {
        if self.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = self.nodes.keys().next_back().copied().unwrap_or(ROOT) + 1;
        self.set_name(path, Some(id))?;
        self.nodes.insert(id, node);
        Ok(id)
    }

    fn kind(&self, id: NodeId) -> EntryKind {
        match self.nodes.get(&id) {
            Some(Node::File { .. }) => EntryKind::File,
            Some(Node::Dir { .. }) => EntryKind::Dir,
            None => EntryKind::Other,
        }
    }
}
