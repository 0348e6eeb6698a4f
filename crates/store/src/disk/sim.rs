//! A simulated disk that keeps what was written apart from what would survive a power cut.
//!
//! File bytes become durable by `sync_data` of the file, names by `sync_dir` of their directory, and nothing
//! becomes durable in any other way. Every operation is one call and calls are counted, so that a test can fail
//! or cut the power at each of them in turn.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{EntryKind, LockMode};

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

type NodeId = u64;
const ROOT: NodeId = 0;

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

#[derive(Clone)]
enum Node {
    File {
        seen: Vec<u8>,
        durable: Vec<u8>,
        /// Writes since the last sync: offset and bytes.
        pending: Vec<(usize, Vec<u8>)>,
    },
    Dir {
        seen: BTreeMap<String, NodeId>,
        durable: BTreeMap<String, NodeId>,
        /// Changes since the last sync: `None` removes the name.
        pending: Vec<(String, Option<NodeId>)>,
    },
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
    /// survives or not, and each unsynced write survives, is lost, or is torn at some byte.
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

impl Node {
    fn empty_dir() -> Self {
        Self::Dir { seen: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new() }
    }

    fn after_crash(&self, dice: &mut Dice) -> Self {
        match self {
            Self::File { durable, pending, .. } => {
                let mut durable = durable.clone();
                for (offset, bytes) in pending {
                    let kept = match dice.roll(3) {
                        0 => continue,
                        1 => bytes.len(),
                        _ => usize::try_from(dice.roll(bytes.len().try_into().unwrap_or(u64::MAX)))
                            .unwrap_or(0),
                    };
                    overwrite(&mut durable, *offset, bytes.get(..kept).unwrap_or_default());
                }
                Self::File { seen: durable.clone(), durable, pending: Vec::new() }
            }
            Self::Dir { durable, pending, .. } => {
                let mut durable = durable.clone();
                for (name, id) in pending {
                    if dice.roll(2) == 1 {
                        apply(&mut durable, name, *id);
                    }
                }
                Self::Dir { seen: durable.clone(), durable, pending: Vec::new() }
            }
        }
    }
}

fn apply(names: &mut BTreeMap<String, NodeId>, name: &str, id: Option<NodeId>) {
    match id {
        Some(id) => drop(names.insert(name.to_owned(), id)),
        None => drop(names.remove(name)),
    }
}

fn overwrite(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    if target.len() < end {
        target.resize(end, 0);
    }
    if let Some(place) = target.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014); seed 0 always
/// rolls 0.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        if self.0 == 0 || sides == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15).max(1);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A directory of a simulated disk.
#[derive(Debug)]
pub(crate) struct SimDir {
    disk: SimDisk,
    path: String,
}

impl SimDir {
    pub(crate) fn root(disk: SimDisk) -> Self {
        Self { disk, path: String::new() }
    }

    pub(crate) fn below(&self, name: &str) -> Self {
        Self { disk: self.disk.clone(), path: self.full(name) }
    }

    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.path).trim_matches('/').to_owned()
    }

    pub(crate) fn make_dir(&self, name: &str) -> io::Result<()> {
        let path = self.full(name);
        self.disk.change(|state| match state.find(&path) {
            Ok(id) if state.kind(id) == EntryKind::Dir => Ok(()),
            Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
            Err(_) => state.add(&path, Node::empty_dir()).map(drop),
        })
    }

    pub(crate) fn sync_dir(&self, name: &str) -> io::Result<()> {
        self.disk.look(|state| {
            if let Node::Dir { seen, durable, pending } = state.dir(&self.full(name))? {
                durable.clone_from(seen);
                pending.clear();
            }
            Ok(())
        })
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<SimFile> {
        let empty = Node::File { seen: Vec::new(), durable: Vec::new(), pending: Vec::new() };
        let id = self.disk.change(|state| state.add(&self.full(name), empty))?;
        Ok(SimFile { disk: self.disk.clone(), id })
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<SimFile> {
        let id = self.disk.look(|state| {
            let id = state.find(&self.full(name))?;
            state.file(id).map(|_| id)
        })?;
        Ok(SimFile { disk: self.disk.clone(), id })
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.full(from), self.full(to));
        self.disk.change(|state| {
            let id = state.find(&from)?;
            if state.find(&to).is_ok_and(|old| state.kind(old) == EntryKind::Dir) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            state.set_name(&to, Some(id))?;
            state.set_name(&from, None)
        })
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.full(name);
        self.disk.change(|state| {
            let id = state.find(&path)?;
            state.file(id)?;
            state.set_name(&path, None)
        })
    }

    pub(crate) fn entries(&self, name: &str, visit: &mut dyn FnMut(&str, EntryKind)) -> io::Result<()> {
        let entries = self.disk.look(|state| match state.dir(&self.full(name))? {
            Node::Dir { seen, .. } => Ok(seen.clone()),
            Node::File { .. } => Ok(BTreeMap::new()),
        })?;
        for (name, id) in entries {
            let kind = self.disk.state().kind(id);
            visit(&name, kind);
        }
        Ok(())
    }

    pub(crate) fn lock(&self, name: &str, mode: LockMode) -> io::Result<Option<SimLock>> {
        let path = self.full(name);
        self.disk.change(|state| match state.find(&path) {
            Ok(id) => state.file(id).map(drop),
            Err(_) => {
                let empty = Node::File { seen: Vec::new(), durable: Vec::new(), pending: Vec::new() };
                state.add(&path, empty).map(drop)
            }
        })?;
        let mut state = self.disk.state();
        loop {
            if state.crashed {
                return Err(no_power());
            }
            let holders = state.locks.entry(path.clone()).or_default();
            let shared = mode == LockMode::Shared;
            if !holders.exclusive && (shared || holders.shared == 0) {
                holders.shared += usize::from(shared);
                holders.exclusive = !shared;
                return Ok(Some(SimLock { disk: self.disk.clone(), path, shared }));
            }
            if mode == LockMode::TryExclusive {
                return Ok(None);
            }
            state = self.disk.0.unlocked.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A lock on a simulated disk.
#[derive(Debug)]
pub(crate) struct SimLock {
    disk: SimDisk,
    path: String,
    shared: bool,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if let Some(holders) = state.locks.get_mut(&self.path) {
            holders.shared -= usize::from(self.shared);
            holders.exclusive &= self.shared;
        }
        drop(state);
        self.disk.0.unlocked.notify_all();
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
pub(crate) struct SimFile {
    disk: SimDisk,
    id: NodeId,
}

impl SimFile {
    /// Appends, as writers here only do.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let planned = state.count_call()?;
        let taken = match planned {
            Some(Plan::Fail(_)) => bytes.get(..bytes.len() / 2).unwrap_or_default(),
            _ => bytes,
        };
        if let Node::File { seen, pending, .. } = state.file(self.id)? {
            pending.push((seen.len(), taken.to_vec()));
            seen.extend_from_slice(taken);
        }
        match planned {
            Some(Plan::Fail(fault)) => Err(fault.error()),
            Some(Plan::Crash) => {
                self.disk.0.unlocked.notify_all();
                Err(no_power())
            }
            None => Ok(bytes.len()),
        }
    }

    pub(crate) fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let planned = state.count_call()?;
        if let Node::File { durable, pending, .. } = state.file(self.id)? {
            match planned {
                None => pending.drain(..).for_each(|(offset, bytes)| overwrite(durable, offset, &bytes)),
                Some(Plan::Fail(_)) => pending.clear(),
                Some(Plan::Crash) => {}
            }
        }
        match planned {
            Some(Plan::Fail(fault)) => Err(fault.error()),
            Some(Plan::Crash) => {
                self.disk.0.unlocked.notify_all();
                Err(no_power())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        self.disk.look(|state| match state.file(self.id)? {
            Node::File { seen, .. } => Ok(u64::try_from(seen.len()).unwrap_or(u64::MAX)),
            Node::Dir { .. } => Ok(0),
        })
    }

    pub(crate) fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.disk.look(|state| {
            let Node::File { seen, .. } = state.file(self.id)? else { return Ok(()) };
            let start = usize::try_from(offset).ok();
            let range = start.and_then(|start| Some(start..start.checked_add(buf.len())?));
            let bytes = range.and_then(|range| seen.get(range)).ok_or(io::ErrorKind::UnexpectedEof)?;
            buf.copy_from_slice(bytes);
            Ok(())
        })
    }
}
