//! Directories, files and locks of a simulated disk, as the stores use them.

use std::collections::BTreeMap;
use std::io;
use std::sync::PoisonError;

use super::node::{Node, NodeId, overwrite};
use super::{Plan, SimDisk, no_power};
use crate::disk::{EntryKind, LockMode};

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
    /// Appends.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.put(None, bytes).map(|()| bytes.len())
    }

    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.put(Some(usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?), bytes)
    }

    /// Writes at an offset, or at the end.
    fn put(&self, offset: Option<usize>, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let planned = state.count_call()?;
        let taken = match planned {
            Some(Plan::Fail(_)) => bytes.get(..bytes.len() / 2).unwrap_or_default(),
            _ => bytes,
        };
        if let Node::File { seen, pending, .. } = state.file(self.id)? {
            let offset = offset.unwrap_or(seen.len());
            pending.push((offset, taken.to_vec()));
            overwrite(seen, offset, taken);
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
